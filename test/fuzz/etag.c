/* SPDX-License-Identifier: MIT */
/*
 * Entity tags and lists of them: RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2.
 *
 * The input is the lines of one field, LF between them. What must hold: the members are those that a reading
 * octet by octet finds, in their order and place; each parses by itself and equals itself; and a list that
 * this program builds from them is read as it was built.
 */
#include <stdlib.h>

#include <stet/etag.h>

#define INPUT_MAX 4096
#define LINES_MAX 64
#define ID STET_FIELD_IF_NONE_MATCH

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_etagc(char c)
{
    unsigned char octet = (unsigned char)c;
    return octet == 0x21 || (octet >= 0x23 && octet != 0x7f);
}

/* The length of a quoted part at the front of `s`, with its quotes; 0 if there is none. */
static size_t quoted(struct stet_span s)
{
    if (s.len == 0 || s.ptr[0] != '"')
        return 0;
    size_t i = 1;
    while (i < s.len && is_etagc(s.ptr[i]))
        i++;
    return i < s.len && s.ptr[i] == '"' ? i + 1 : 0;
}

/* Steps over what stands before the next member of `*line` and over malformed ones; gives the tag, or an
 * absent span. */
static struct stet_span naive_next(struct stet_span *line)
{
    while (line->len > 0) {
        struct stet_span s = *line;
        if (s.ptr[0] == ',' || stet_is_ows(s.ptr[0])) {
            *line = stet_span_skip(s, 1);
            continue;
        }
        size_t mark = stet_span_starts(s, STET_SPAN("W/")) ? 2 : 0;
        size_t len = quoted(stet_span_skip(s, mark));
        size_t end = mark + len;
        while (end < s.len && stet_is_ows(s.ptr[end]))
            end++;
        if (len > 0 && (end == s.len || s.ptr[end] == ',')) {
            *line = stet_span_skip(s, end);
            return stet_span_of(s.ptr, mark + len);
        }
        while (line->len > 0 && line->ptr[0] != ',')
            *line = stet_span_skip(*line, quoted(*line) > 0 ? quoted(*line) : 1);
    }
    return STET_SPAN_NONE;
}

static bool naive_any(const struct stet_fields *fields)
{
    size_t stars = 0, others = 0;
    for (size_t i = 0; i < fields->count; i++)
        for (size_t k = 0; k < fields->at[i].value.len; k++) {
            char c = fields->at[i].value.ptr[k];
            stars += c == '*';
            others += c != '*' && c != ',' && !stet_is_ows(c);
        }
    return stars == 1 && others == 0;
}

static struct stet_fields lines_of(const uint8_t *data, size_t size, struct stet_field lines[LINES_MAX])
{
    struct stet_fields fields = {lines, 0, 1ull << ID};
    size_t from = 0;
    while (fields.count < LINES_MAX) {
        size_t to = from;
        while (to < size && data[to] != '\n')
            to++;
        struct stet_span value = stet_span_of((const char *)data + from, to - from);
        lines[fields.count++] = (struct stet_field){STET_SPAN("If-None-Match"), stet_span_trim(value), ID};
        if (to == size)
            break;
        from = to + 1;
    }
    return fields;
}

/* What is read is added to `built` as a list. */
static size_t check_tag(struct stet_etag tag, struct stet_span where, char *built)
{
    struct stet_etag alone;
    require(stet_etag_parse(where, &alone) == STET_OK);
    require(alone.weak == tag.weak && alone.opaque.ptr == tag.opaque.ptr &&
            alone.opaque.len == tag.opaque.len);
    require(stet_etag_weak_equal(tag, tag) && stet_etag_strong_equal(tag, tag) == !tag.weak);
    memcpy(built, where.ptr, where.len);
    memcpy(built + where.len, " ,,", 3);
    return where.len + 3;
}

/* The built list holds the tags of the lines, in order. */
static void check_built(const struct stet_fields *fields, struct stet_span built)
{
    const struct stet_field line = {STET_SPAN("If-Match"), built, STET_FIELD_IF_MATCH};
    const struct stet_fields copy = {&line, 1, 1ull << STET_FIELD_IF_MATCH};
    struct stet_etag_list a, b;
    struct stet_etag x, y;
    stet_etag_list_begin(&a, fields, ID);
    require(stet_etag_list_begin(&b, &copy, STET_FIELD_IF_MATCH) == STET_ETAG_LIST_TAGS);
    while (stet_etag_list_next(&a, &x) == STET_OK) {
        require(stet_etag_list_next(&b, &y) == STET_OK);
        require(x.weak == y.weak && stet_etag_weak_equal(x, y));
    }
    require(stet_etag_list_next(&b, &y) == STET_END);
}

static void check_alone(struct stet_span value)
{
    struct stet_etag tag = STET_NO_ETAG;
    size_t mark = stet_span_starts(value, STET_SPAN("W/")) ? 2 : 0;
    size_t len = quoted(stet_span_skip(value, mark));
    bool whole = len > 0 && mark + len == value.len;
    require(stet_etag_parse(value, &tag) == (whole ? STET_OK : STET_E_SYNTAX));
    require(stet_etag_present(tag) == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char built[2 * INPUT_MAX];
    struct stet_field lines[LINES_MAX];
    if (size > INPUT_MAX)
        return 0;
    struct stet_fields fields = lines_of(data, size, lines);
    struct stet_etag_list list;
    struct stet_etag tag;
    size_t len = 0;
    enum stet_etag_list_kind kind = stet_etag_list_begin(&list, &fields, ID);
    require(kind == (naive_any(&fields) ? STET_ETAG_LIST_ANY : STET_ETAG_LIST_TAGS));
    for (size_t i = 0; i < fields.count; i++) {
        struct stet_span rest = fields.at[i].value, where;
        check_alone(rest);
        while ((where = naive_next(&rest)).ptr) {
            require(stet_etag_list_next(&list, &tag) == STET_OK);
            len += check_tag(tag, where, built + len);
        }
    }
    require(stet_etag_list_next(&list, &tag) == STET_END);
    require(stet_etag_list_next(&list, &tag) == STET_END);
    check_built(&fields, stet_span_of(built, len));
    return 0;
}
