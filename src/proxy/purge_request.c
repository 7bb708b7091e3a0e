/* SPDX-License-Identifier: MIT */
#include "proxy/purge_request.h"

/* The octets that are left. A failure sticks: `rest` is then absent. */
struct reader {
    struct stet_span rest;
    bool failed;
};

static void skip_space(struct reader *reader)
{
    while (reader->rest.len > 0 && memchr(" \t\r\n", reader->rest.ptr[0], 4))
        reader->rest = stet_span_skip(reader->rest, 1);
}

static char peek(struct reader *reader)
{
    skip_space(reader);
    return reader->rest.len > 0 && !reader->failed ? reader->rest.ptr[0] : '\0';
}

static bool take(struct reader *reader, char c)
{
    if (peek(reader) != c)
        return false;
    reader->rest = stet_span_skip(reader->rest, 1);
    return true;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static unsigned hex4(const char *at)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)at[i];
        value = value * 16 + (c <= '9' ? c - '0' : (c | 32u) - 'a' + 10);
    }
    return value;
}

/* The octets of the escape at the front, which has a backslash; 0 if it is malformed: RFC 8259 section 7. */
static size_t escape_len(struct stet_span text)
{
    if (text.len >= 2 && text.ptr[1] != '\0' && memchr("\"\\/bfnrt", text.ptr[1], 8))
        return 2;
    if (text.len < 6 || text.ptr[1] != 'u')
        return 0;
    for (size_t i = 2; i < 6; i++)
        if (!is_hex(text.ptr[i]))
            return 0;
    unsigned unit = hex4(text.ptr + 2);
    if (unit < 0xd800 || unit > 0xdfff)
        return 6;
    if (unit > 0xdbff || text.len < 12 || text.ptr[6] != '\\' ||
        escape_len(stet_span_of(text.ptr + 6, 6)) == 2)
        return 0;
    for (size_t i = 8; i < 12; i++)
        if (!is_hex(text.ptr[i]))
            return 0;
    unsigned low = hex4(text.ptr + 8);
    return text.ptr[7] == 'u' && low >= 0xdc00 && low <= 0xdfff ? 12 : 0;
}

/* The inside of a string, still escaped; absent on failure. */
static struct stet_span read_string(struct reader *reader)
{
    if (!take(reader, '"')) {
        reader->failed = true;
        return STET_SPAN_NONE;
    }
    struct stet_span text = reader->rest;
    size_t at = 0;
    while (at < text.len && text.ptr[at] != '"') {
        size_t len = text.ptr[at] == '\\' ? escape_len(stet_span_skip(text, at)) : 1;
        if (len == 0 || (unsigned char)text.ptr[at] < 0x20)
            break;
        at += len;
    }
    if (at >= text.len || text.ptr[at] != '"') {
        reader->failed = true;
        return STET_SPAN_NONE;
    }
    reader->rest = stet_span_skip(text, at + 1);
    return stet_span_of(text.ptr, at);
}

/* A number, true, false or null: its octets, which nothing here looks at further. */
static struct stet_span read_word(struct reader *reader)
{
    struct stet_span text = reader->rest;
    size_t len = 0;
    while (len < text.len && ((text.ptr[len] >= 'a' && text.ptr[len] <= 'z') || text.ptr[len] == 'E' ||
                              (text.ptr[len] >= '0' && text.ptr[len] <= '9') || text.ptr[len] == '-' ||
                              text.ptr[len] == '+' || text.ptr[len] == '.'))
        len++;
    reader->failed |= len == 0;
    reader->rest = stet_span_skip(text, len);
    return stet_span_of(text.ptr, len);
}

/*
 * Passes over a value of any kind. `open` remembers the kinds of what is open, so that brackets match,
 * without recursion.
 */
static void skip_value(struct reader *reader)
{
    char open[STET__PURGE_DEPTH];
    size_t depth = 0;
    do {
        char c = peek(reader);
        if (c == '{' || c == '[') {
            reader->failed |= depth == sizeof open;
            if (reader->failed)
                return;
            take(reader, c);
            open[depth++] = c;
            bool empty = take(reader, c == '{' ? '}' : ']');
            depth -= empty;
            if (!empty && c == '{' && (read_string(reader), !take(reader, ':')))
                reader->failed = true;
            if (!empty)
                continue;
        } else if (c == '"') {
            (void)read_string(reader);
        } else {
            (void)read_word(reader);
        }
        while (depth > 0 && !reader->failed && take(reader, open[depth - 1] == '{' ? '}' : ']'))
            depth--;
        bool comma = depth == 0 || take(reader, ',');
        if (!comma || (depth > 0 && open[depth - 1] == '{' && (read_string(reader), !take(reader, ':'))))
            reader->failed = true;
    } while (depth > 0 && !reader->failed);
}

static const char *read_type(struct reader *reader, enum stet__purge_type *type)
{
    static const struct {
        struct stet_span name;
        enum stet__purge_type type;
    } types[] = {{{"uri", 3}, STET__PURGE_URI},
                 {{"uri-prefix", 10}, STET__PURGE_PREFIX},
                 {{"origin", 6}, STET__PURGE_ORIGIN},
                 {{"group", 5}, STET__PURGE_GROUP},
                 {{"all", 3}, STET__PURGE_ALL}};
    struct stet_span name = read_string(reader);
    for (size_t i = 0; i < sizeof types / sizeof *types && name.ptr; i++)
        if (stet_span_equal(name, types[i].name)) {
            *type = types[i].type;
            return NULL;
        }
    return "type is not uri, uri-prefix, origin, group or all";
}

static const char *read_selectors(struct reader *reader, struct stet_span *out)
{
    struct stet_span list;
    if (!take(reader, '['))
        return "selectors is not a list";
    list = reader->rest;
    if (!take(reader, ']')) {
        do
            (void)read_string(reader);
        while (!reader->failed && take(reader, ','));
        if (reader->failed || !take(reader, ']'))
            return "selectors is not a list of strings";
    }
    *out = stet_span_of(list.ptr, (size_t)(reader->rest.ptr - list.ptr) - 1);
    return NULL;
}

static const char *read_hard(struct reader *reader, bool *hard)
{
    peek(reader);
    struct stet_span word = read_word(reader);
    *hard = stet_span_equal(word, STET_SPAN("true"));
    return *hard || stet_span_equal(word, STET_SPAN("false")) ? NULL : "purge is not true or false";
}

static const char *read_member(struct reader *reader, struct stet_span name, struct stet__purge_request *out,
                               bool *typed)
{
    if (stet_span_equal(name, STET_SPAN("type"))) {
        *typed = true;
        return read_type(reader, &out->type);
    }
    if (stet_span_equal(name, STET_SPAN("selectors")))
        return read_selectors(reader, &out->selectors);
    if (stet_span_equal(name, STET_SPAN("purge")))
        return read_hard(reader, &out->hard);
    if (stet_span_equal(name, STET_SPAN("origin")))
        out->origin = read_string(reader);
    else
        skip_value(reader);
    return NULL;
}

static const char *check(const struct stet__purge_request *request, bool typed)
{
    if (!typed)
        return "there is no type";
    if (request->type == STET__PURGE_ALL)
        return request->selectors.ptr ? "all has no selectors" : NULL;
    return request->selectors.ptr ? NULL : "there are no selectors";
}

const char *stet__purge_read(struct stet_span body, struct stet__purge_request *out)
{
    static const char *const malformed = "the body is not a JSON object";
    struct reader reader = {.rest = body};
    struct stet__purge_request request = {.type = STET__PURGE_URI};
    bool typed = false;
    if (!take(&reader, '{'))
        return malformed;
    if (!take(&reader, '}')) {
        do {
            peek(&reader);
            struct stet_span name = read_string(&reader);
            if (reader.failed || !take(&reader, ':'))
                return malformed;
            const char *wrong = read_member(&reader, name, &request, &typed);
            if (wrong || reader.failed)
                return wrong ? wrong : malformed;
        } while (take(&reader, ','));
        if (!take(&reader, '}'))
            return malformed;
    }
    skip_space(&reader);
    if (reader.rest.len > 0)
        return malformed;
    const char *wrong = check(&request, typed);
    if (!wrong)
        *out = request;
    return wrong;
}

static size_t put_utf8(unsigned code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 63));
        out[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63));
    out[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* Decodes the escape at the front, well formed and `len` octets long. Shorter than it was in any case. */
static size_t decode_escape(const char *at, size_t len, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (len == 2) {
        const char *found = strchr(from, at[1]);
        *out = found ? to[found - from] : at[1];
        return 1;
    }
    unsigned code = hex4(at + 2);
    if (len == 12)
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(at + 8) - 0xdc00);
    return put_utf8(code, out);
}

struct stet_span stet__purge_decode(struct stet_span text, char *room)
{
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        size_t octets = text.ptr[at] == '\\' ? escape_len(stet_span_skip(text, at)) : 1;
        if (octets <= 1) {
            room[len++] = text.ptr[at++];
            continue;
        }
        len += decode_escape(text.ptr + at, octets, room + len);
        at += octets;
    }
    return stet_span_of(room, len);
}

bool stet__purge_next(struct stet__purge_request *request, char *room, struct stet_span *selector)
{
    struct reader reader = {.rest = request->selectors};
    if (!request->selectors.ptr || peek(&reader) == '\0')
        return false;
    (void)take(&reader, ',');
    peek(&reader);
    *selector = stet__purge_decode(read_string(&reader), room);
    request->selectors = reader.rest;
    return true;
}
