/* SPDX-License-Identifier: MIT */
/*
 * Values of structured fields: RFC 9651 sections 4.2.3 to 4.2.10, and their decoding.
 *
 * Two things that section 4.2.7 leaves open: base64 without padding and base64 with pad bits that are not
 * zero are accepted ("parsers SHOULD NOT fail"); padding that is there but wrong is not.
 */
#include "core/sf_value.h"

#include "base/assert.h"
#include "core/octet.h"
#include "core/utf8.h"

static bool is_lcalpha(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(char c)
{
    return is_lcalpha((char)(c | 0x20));
}

/* The length of the key or token at the front of `s`, or 0. */
static size_t key_length(struct stet_span s)
{
    bool starts = s.len > 0 && (is_lcalpha(s.ptr[0]) || s.ptr[0] == '*');
    return starts ? stet__octet_run(s, 1, STET__SF_KEY) : 0;
}

static size_t token_length(struct stet_span s)
{
    bool starts = s.len > 0 && (is_alpha(s.ptr[0]) || s.ptr[0] == '*');
    return starts ? stet__octet_run(s, 1, STET__SF_TOKEN) : 0;
}

bool stet__sf_is_key(struct stet_span s)
{
    return s.len > 0 && key_length(s) == s.len;
}

bool stet__sf_is_token(struct stet_span s)
{
    return s.len > 0 && token_length(s) == s.len;
}

/* Takes `len` octets from the front of `*rest`. */
static struct stet_span take(struct stet_span *rest, size_t len)
{
    struct stet_span taken = stet_span_of(rest->ptr, len);
    *rest = stet_span_skip(*rest, len);
    return taken;
}

int stet__sf_read_key(struct stet_span *rest, struct stet_span *out)
{
    size_t len = key_length(*rest);
    if (len == 0)
        return STET_E_SYNTAX;
    *out = take(rest, len);
    return STET_OK;
}

static int64_t digits_value(const char *at, size_t len)
{
    int64_t n = 0;
    for (size_t i = 0; i < len; i++)
        n = n * 10 + (at[i] - '0');
    return n;
}

static size_t digits_length(struct stet_span s, size_t from)
{
    size_t i = from;
    while (i < s.len && stet__octet_is_digit(s.ptr[i]))
        i++;
    return i - from;
}

static int read_number(struct stet_span *rest, struct stet_sf_item *out)
{
    static const int scale[] = {1000, 100, 10, 1};
    struct stet_span s = *rest;
    size_t start = s.ptr[0] == '-';
    size_t whole = digits_length(s, start);
    size_t end = start + whole;
    if (whole == 0 || whole > 15)
        return STET_E_SYNTAX;
    int64_t n = digits_value(s.ptr + start, whole);
    enum stet_sf_type type = STET_SF_INTEGER;
    if (end < s.len && s.ptr[end] == '.') {
        size_t fraction = digits_length(s, end + 1);
        if (whole > 12 || fraction == 0 || fraction > 3)
            return STET_E_SYNTAX;
        n = n * 1000 + digits_value(s.ptr + end + 1, fraction) * scale[fraction];
        type = STET_SF_DECIMAL;
        end += 1 + fraction;
    }
    *rest = stet_span_skip(s, end);
    *out = (struct stet_sf_item){.type = type, .integer = start ? -n : n};
    return STET_OK;
}

static int read_date(struct stet_span *rest, struct stet_sf_item *out)
{
    struct stet_sf_item number;
    struct stet_span after = stet_span_skip(*rest, 1);
    if (after.len == 0 || read_number(&after, &number) != STET_OK || number.type != STET_SF_INTEGER)
        return STET_E_SYNTAX;
    *rest = after;
    *out = (struct stet_sf_item){.type = STET_SF_DATE, .integer = number.integer};
    return STET_OK;
}

static int read_boolean(struct stet_span *rest, struct stet_sf_item *out)
{
    if (rest->len < 2 || (rest->ptr[1] != '0' && rest->ptr[1] != '1'))
        return STET_E_SYNTAX;
    *out = (struct stet_sf_item){.type = STET_SF_BOOLEAN, .integer = rest->ptr[1] - '0'};
    *rest = stet_span_skip(*rest, 2);
    return STET_OK;
}

static int read_token(struct stet_span *rest, struct stet_sf_item *out)
{
    size_t len = token_length(*rest);
    if (len == 0)
        return STET_E_SYNTAX;
    *out = (struct stet_sf_item){.type = STET_SF_TOKEN, .text = take(rest, len)};
    return STET_OK;
}

/* Hands out what stands between `open` octets and one more at `close`. */
static int enclosed(struct stet_span *rest, size_t open, size_t close, struct stet_sf_item *out)
{
    out->integer = 0;
    out->text = stet_span_of(rest->ptr + open, close - open);
    *rest = stet_span_skip(*rest, close + 1);
    return STET_OK;
}

static int read_string(struct stet_span *rest, struct stet_sf_item *out)
{
    struct stet_span s = *rest;
    size_t i = stet__octet_run(s, 1, STET__SF_STRING);
    while (i + 1 < s.len && s.ptr[i] == '\\') {
        if (s.ptr[i + 1] != '"' && s.ptr[i + 1] != '\\')
            return STET_E_SYNTAX;
        i = stet__octet_run(s, i + 2, STET__SF_STRING);
    }
    if (i >= s.len || s.ptr[i] != '"')
        return STET_E_SYNTAX;
    out->type = STET_SF_STRING;
    return enclosed(rest, 1, i, out);
}

static int read_bytes(struct stet_span *rest, struct stet_sf_item *out)
{
    struct stet_span s = *rest;
    size_t data_end = stet__octet_run(s, 1, STET__BASE64);
    size_t close = data_end;
    while (close < s.len && s.ptr[close] == '=')
        close++;
    if (close >= s.len || s.ptr[close] != ':')
        return STET_E_SYNTAX;
    size_t data = data_end - 1, padding = close - data_end;
    if (data % 4 == 1 || (padding > 0 && (padding > 2 || (data + padding) % 4 != 0)))
        return STET_E_SYNTAX;
    out->type = STET_SF_BYTES;
    return enclosed(rest, 1, close, out);
}

/* The value of a lower-case hexadecimal digit, or -1. */
static int hex_value(char c)
{
    if (stet__octet_is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_display_string(struct stet_span *rest, struct stet_sf_item *out)
{
    struct stet_span s = *rest;
    struct stet__utf8 utf8 = {0};
    if (s.len < 2 || s.ptr[1] != '"')
        return STET_E_SYNTAX;
    size_t i = 2;
    while (i < s.len && s.ptr[i] != '"') {
        unsigned char octet = (unsigned char)s.ptr[i++];
        if (octet < 0x20 || octet > 0x7e)
            return STET_E_SYNTAX;
        if (octet == '%') {
            int high = i < s.len ? hex_value(s.ptr[i]) : -1;
            int low = i + 1 < s.len ? hex_value(s.ptr[i + 1]) : -1;
            if (high < 0 || low < 0)
                return STET_E_SYNTAX;
            octet = (unsigned char)(high * 16 + low);
            i += 2;
        }
        if (!stet__utf8_step(&utf8, octet))
            return STET_E_SYNTAX;
    }
    if (i >= s.len || utf8.left > 0)
        return STET_E_SYNTAX;
    out->type = STET_SF_DISPLAY_STRING;
    return enclosed(rest, 2, i, out);
}

int stet__sf_read_bare_item(struct stet_span *rest, struct stet_sf_item *out)
{
    if (rest->len == 0)
        return STET_E_SYNTAX;
    switch (rest->ptr[0]) {
    case '"':
        return read_string(rest, out);
    case ':':
        return read_bytes(rest, out);
    case '?':
        return read_boolean(rest, out);
    case '@':
        return read_date(rest, out);
    case '%':
        return read_display_string(rest, out);
    default:
        if (rest->ptr[0] == '-' || stet__octet_is_digit(rest->ptr[0]))
            return read_number(rest, out);
        return read_token(rest, out);
    }
}

static size_t decode_string(struct stet_span text, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        out[len++] = text.ptr[i];
    }
    return len;
}

static size_t decode_display_string(struct stet_span text, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%') {
            out[len++] = (char)(hex_value(text.ptr[i + 1]) * 16 + hex_value(text.ptr[i + 2]));
            i += 2;
        } else
            out[len++] = text.ptr[i];
    }
    return len;
}

static unsigned base64_value(char c)
{
    if (is_alpha(c))
        return (unsigned)(is_lcalpha(c) ? c - 'a' + 26 : c - 'A');
    if (stet__octet_is_digit(c))
        return (unsigned)(c - '0' + 52);
    return c == '+' ? 62 : 63;
}

static size_t decode_base64(struct stet_span text, char *out)
{
    size_t len = 0;
    uint32_t bits = 0;
    unsigned count = 0; /* of bits that are not yet out */
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        bits = bits << 6 | base64_value(text.ptr[i]);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[len++] = (char)(unsigned char)(bits >> count);
        }
    }
    return len;
}

size_t stet_sf_decode(const struct stet_sf_item *item, char *out)
{
    switch (item->type) {
    case STET_SF_STRING:
        return decode_string(item->text, out);
    case STET_SF_DISPLAY_STRING:
        return decode_display_string(item->text, out);
    case STET_SF_BYTES:
        return decode_base64(item->text, out);
    default:
        stet__assert(item->type == STET_SF_TOKEN);
        memcpy(out, item->text.ptr, item->text.len);
        return item->text.len;
    }
}
