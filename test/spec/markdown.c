/* SPDX-License-Identifier: MIT */
#include "markdown.h"

bool markdown_line(struct stet_span *rest, struct stet_span *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *line = stet_span_of(rest->ptr, len);
    *rest = stet_span_skip(*rest, end ? len + 1 : len);
    return true;
}

struct stet_span markdown_word(struct stet_span *rest)
{
    *rest = stet_span_trim(*rest);
    size_t len = 0;
    while (len < rest->len && !stet_is_ows(rest->ptr[len]))
        len++;
    struct stet_span word = stet_span_of(rest->ptr, len);
    *rest = stet_span_trim(stet_span_skip(*rest, len));
    return word;
}

static bool take(struct markdown *md, struct stet_span *line)
{
    md->line++;
    return markdown_line(&md->rest, line);
}

/* The lines up to the closing fence. */
static enum markdown_event block(struct markdown *md, struct stet_span fence, struct markdown_item *out)
{
    out->detail = stet_span_skip(fence, 3);
    out->kind = markdown_word(&out->detail);
    const char *begin = md->rest.ptr;
    struct stet_span line;
    while (take(md, &line)) {
        if (stet_span_starts(line, STET_SPAN("```"))) {
            out->text = stet_span_of(begin, (size_t)(line.ptr - begin));
            return MARKDOWN_BLOCK;
        }
    }
    return MARKDOWN_UNCLOSED;
}

enum markdown_event markdown_next(struct markdown *md, struct markdown_item *out)
{
    struct stet_span line;
    while (take(md, &line)) {
        out->line = md->line - 1;
        if (stet_span_starts(line, STET_SPAN("```")))
            return block(md, line, out);
        out->text = line;
        if (stet_span_starts(line, STET_SPAN("Rows: ")) || stet_span_starts(line, STET_SPAN("Clause: ")))
            return MARKDOWN_ROWS;
        if (stet_span_starts(line, STET_SPAN("## "))) {
            out->text = stet_span_skip(line, 3);
            return MARKDOWN_SECTION;
        }
    }
    return MARKDOWN_END;
}

static const struct {
    struct stet_span name;
    char octet;
} names[] = {
    {{"CR", 2}, '\r'}, {{"LF", 2}, '\n'}, {{"NUL", 3}, '\0'}, {{"HTAB", 4}, '\t'},
    {{"SP", 2}, ' '},  {{"DEL", 3}, 127}, {{"LT", 2}, '<'},
};

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "100*text": the text that often. */
static bool decode_repeat(struct stet_span text, FILE *out)
{
    const char *star = memchr(text.ptr, '*', text.len);
    uint64_t times;
    if (!star || stet_span_to_u64(stet_span_of(text.ptr, (size_t)(star - text.ptr)), &times) != STET_OK)
        return false;
    struct stet_span what = stet_span_skip(text, (size_t)(star - text.ptr) + 1);
    bool good = true;
    for (uint64_t i = 0; i < times && good; i++)
        good = markdown_decode(what, out);
    return good;
}

/* What stands between "<" and ">". */
static bool decode_name(struct stet_span name, FILE *out)
{
    if (name.len == 3 && name.ptr[0] == 'x' && hex(name.ptr[1]) >= 0 && hex(name.ptr[2]) >= 0) {
        putc(hex(name.ptr[1]) * 16 + hex(name.ptr[2]), out);
        return true;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (stet_span_equal(name, names[i].name)) {
            putc(names[i].octet, out);
            return true;
        }
    }
    return decode_repeat(name, out);
}

/* The ">" that closes the "<" at the beginning of `text`, or NULL. */
static const char *closing(struct stet_span text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        depth += text.ptr[i] == '<';
        depth -= text.ptr[i] == '>';
        if (depth == 0)
            return text.ptr + i;
    }
    return NULL;
}

bool markdown_decode(struct stet_span text, FILE *out)
{
    while (text.len > 0) {
        if (text.ptr[0] != '<') {
            putc(text.ptr[0], out);
            text = stet_span_skip(text, 1);
            continue;
        }
        const char *end = closing(text);
        if (!end || !decode_name(stet_span_of(text.ptr + 1, (size_t)(end - text.ptr) - 1), out))
            return false;
        text = stet_span_skip(text, (size_t)(end - text.ptr) + 1);
    }
    return true;
}

void markdown_encode(struct stet_span octets, FILE *out)
{
    for (size_t i = 0; i < octets.len; i++) {
        char c = octets.ptr[i];
        const char *name = NULL;
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
            if (names[j].octet == c && c != ' ')
                name = names[j].name.ptr;
        if (name)
            fprintf(out, "<%s>", name);
        else if (c < ' ')
            fprintf(out, "<x%02X>", (unsigned)(unsigned char)c);
        else
            putc(c, out);
    }
}

bool markdown_row(struct stet_span line, struct stet_span *input, struct stet_span *expected)
{
    static const struct stet_span arrow = {"->", 2};
    for (size_t at = line.len < 2 ? 0 : line.len - 1; at-- > 0;) {
        if (stet_span_starts(stet_span_skip(line, at), arrow)) {
            *input = stet_span_trim(stet_span_of(line.ptr, at));
            *expected = stet_span_trim(stet_span_skip(line, at + 2));
            return expected->len > 0;
        }
    }
    return false;
}
