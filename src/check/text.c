/* SPDX-License-Identifier: MIT */
/*
 * Escaping for terminals and markup. UTF-8 is read as RFC 3629 has it: no overlong forms, no surrogates,
 * nothing beyond U+10FFFF.
 */
#include "check/text.h"

static const char digits[] = "0123456789abcdef";

/* The character at the front of `s` and its octets; 0 octets if it is no UTF-8. */
static size_t decode(struct stet_span s, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)s.ptr[0];
    size_t len = first < 0x80             ? 1
                 : (first & 0xe0) == 0xc0 ? 2
                 : (first & 0xf0) == 0xe0 ? 3
                 : (first & 0xf8) == 0xf0 ? 4
                                          : 0;
    if (len == 0 || len > s.len)
        return 0;
    uint32_t c = len == 1 ? first : first & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        unsigned char next = (unsigned char)s.ptr[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (next & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *out = c;
    return len;
}

static bool is_utf8(struct stet_span s)
{
    uint32_t c;
    while (s.len > 0) {
        size_t len = decode(s, &c);
        if (len == 0)
            return false;
        s = stet_span_skip(s, len);
    }
    return true;
}

/* Takes a character off the front. */
static uint32_t take(struct stet_span *rest, bool utf8)
{
    uint32_t c = (unsigned char)rest->ptr[0];
    size_t len = utf8 ? decode(*rest, &c) : 1;
    *rest = stet_span_skip(*rest, len);
    return c;
}

static void put(struct stet__buffer *out, uint32_t c)
{
    char octets[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i > 1; i--, c >>= 6)
        octets[i - 1] = (char)(0x80 | (c & 0x3f));
    octets[0] = (char)(marks[len] | c);
    stet__buffer_append(out, stet_span_of(octets, len));
}

void stet__text_utf8(struct stet__buffer *out, struct stet_span octets)
{
    bool utf8 = is_utf8(octets);
    while (octets.len > 0)
        put(out, take(&octets, utf8));
}

static size_t escape(unsigned char c, char out[4])
{
    if (c >= 0x20 && c < 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    memcpy(out, "\\x", 2);
    out[2] = digits[c >> 4];
    out[3] = digits[c & 15];
    return 4;
}

size_t stet__text_terminal(struct stet__buffer *out, struct stet_span octets, size_t columns)
{
    size_t whole = 0, used = 0;
    char shown[4];
    for (size_t i = 0; i < octets.len; i++)
        whole += escape((unsigned char)octets.ptr[i], shown);
    size_t room = whole <= columns ? columns : columns - 3;
    for (size_t i = 0; i < octets.len; i++) {
        size_t len = escape((unsigned char)octets.ptr[i], shown);
        if (used + len > room)
            break;
        stet__buffer_append(out, stet_span_of(shown, len));
        used += len;
    }
    if (whole <= columns)
        return used;
    stet__buffer_append_text(out, "...");
    return used + 3;
}

/* Characters that are not seen, or that change how others are: soft hyphen, spaces without width, joiners,
 * marks of direction, separators of lines, the byte order mark, tags. */
static bool is_hidden(uint32_t c)
{
    return c == 0xad || c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

/* What no document of XML 1.0 may have, and controls, which pages may not. */
static bool is_control(uint32_t c)
{
    return (c < 0x20 && c != '\n') || (c >= 0x7f && c < 0xa0);
}

static void put_number(struct stet__buffer *out, uint32_t c)
{
    char hex[8];
    size_t len = 0;
    for (int shift = 20; shift >= 0; shift -= 4)
        if (len > 0 || c >> shift != 0)
            hex[len++] = digits[c >> shift & 15];
    stet__buffer_append_text(out, "\\u{");
    stet__buffer_append(out, stet_span_of(hex, len));
    stet__buffer_append_text(out, "}");
}

static const char *reference(uint32_t c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void stet__text_markup(struct stet__buffer *out, struct stet_span octets)
{
    bool utf8 = is_utf8(octets);
    while (octets.len > 0) {
        char shown[4];
        uint32_t c = take(&octets, utf8);
        if (reference(c))
            stet__buffer_append_text(out, reference(c));
        else if (is_control(c))
            stet__buffer_append(out, stet_span_of(shown, escape((unsigned char)c, shown)));
        else if (is_hidden(c) || (c & 0xfffe) == 0xfffe)
            put_number(out, c);
        else
            put(out, c);
    }
}

void stet__text_markup_of(struct stet__buffer *out, const char *text)
{
    stet__text_markup(out, stet__text_of(text));
}

bool stet__text_line(struct stet_span *rest, struct stet_span *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *line = stet_span_of(rest->ptr, len);
    *rest = stet_span_skip(*rest, end ? len + 1 : len);
    if (line->len > 0 && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

struct stet_span stet__text_cut(struct stet_span octets, size_t max)
{
    if (octets.len <= max)
        return octets;
    bool utf8 = is_utf8(octets);
    octets.len = max;
    /* The octet behind the cut begins a character, or the cut moves to where one begins. */
    while (utf8 && octets.len > 0 && ((unsigned char)octets.ptr[octets.len] & 0xc0) == 0x80)
        octets.len--;
    return octets;
}

struct stet_span stet__text_of(const char *text)
{
    return text ? stet_span_of(text, strlen(text)) : STET_SPAN_NONE;
}
