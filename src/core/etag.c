/* SPDX-License-Identifier: MIT */
/*
 * Entity tags: RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2.
 *
 * The case that counts is one line with one well-formed tag: it costs one scan for the closing quote, eight
 * octets at a time. What is malformed is stepped over. A double quote that opens no run of etagc with another
 * quote at its end is an ordinary octet there, so a quote that was never closed hides nothing: `"a, "b"`
 * holds the tag "b".
 */
#include <stet/etag.h>

#include "core/octet.h"

#define EACH(octet) (0x0101010101010101u * (octet))
#define TOP EACH(0x80u)

/* Whether one of the eight octets is below 0x21, a double quote or DEL: the octets that are no etagc. */
static bool ends_within(uint64_t word)
{
    uint64_t low = (word - EACH(0x21u)) & ~word;
    uint64_t quote = word ^ EACH(0x22u);
    uint64_t del = word ^ EACH(0x7fu);
    quote = (quote - EACH(1u)) & ~quote;
    del = (del - EACH(1u)) & ~del;
    return ((low | quote | del) & TOP) != 0;
}

/* The index of the first octet at `from` or later that is no etagc. */
static size_t etagc_run(struct stet_span s, size_t from)
{
    uint64_t word;
    for (; s.len - from >= sizeof word; from += sizeof word) {
        memcpy(&word, s.ptr + from, sizeof word);
        if (ends_within(word))
            break;
    }
    return stet__octet_run(s, from, STET__ETAGC);
}

/* Reads a tag at the front of `s`. Returns its length with weakness mark and quotes, or 0 if there is none.
 */
static size_t read_tag(struct stet_span s, struct stet_etag *out)
{
    size_t open = 0;
    if (s.len >= 2 && s.ptr[0] == 'W' && s.ptr[1] == '/') /* %s"W/": case-sensitive */
        open = 2;
    if (open >= s.len || s.ptr[open] != '"')
        return 0;
    size_t close = etagc_run(s, open + 1);
    if (close >= s.len || s.ptr[close] != '"')
        return 0;
    out->opaque = stet_span_of(s.ptr + open + 1, close - open - 1);
    out->weak = open != 0;
    return close + 1;
}

int stet_etag_parse(struct stet_span value, struct stet_etag *out)
{
    struct stet_etag tag;
    size_t len = read_tag(value, &tag);
    if (len == 0 || len != value.len)
        return STET_E_SYNTAX;
    *out = tag;
    return STET_OK;
}

bool stet_etag_weak_equal(struct stet_etag a, struct stet_etag b)
{
    return stet_etag_present(a) && stet_etag_present(b) && stet_span_equal(a.opaque, b.opaque);
}

bool stet_etag_strong_equal(struct stet_etag a, struct stet_etag b)
{
    return !a.weak && !b.weak && stet_etag_weak_equal(a, b);
}

/* Whether "*" is the only thing that is neither comma nor whitespace in all lines of the field. */
static bool star_alone(const struct stet_fields *fields, enum stet_field_id id, const struct stet_field *line)
{
    bool star = false;
    while (line) {
        for (size_t i = 0; i < line->value.len; i++) {
            char c = line->value.ptr[i];
            if (c == ',' || stet_is_ows(c))
                continue;
            if (c != '*' || star)
                return false;
            star = true;
        }
        line = stet_fields_find(fields, id, (size_t)(line - fields->at) + 1);
    }
    return star;
}

enum stet_etag_list_kind stet_etag_list_begin(struct stet_etag_list *list, const struct stet_fields *fields,
                                              enum stet_field_id id)
{
    const struct stet_field *line = stet_fields_find(fields, id, 0);
    list->fields = fields;
    list->id = id;
    list->line = line ? (size_t)(line - fields->at) + 1 : fields->count;
    list->rest = line ? line->value : STET_SPAN_NONE;
    if (!line)
        return STET_ETAG_LIST_ABSENT;
    return star_alone(fields, id, line) ? STET_ETAG_LIST_ANY : STET_ETAG_LIST_TAGS;
}

/* `s` from the end of the malformed member at its front: from the next comma outside of a quoted part, if
 * any. */
static struct stet_span skip_malformed(struct stet_span s)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] != ',') {
        if (s.ptr[i++] != '"')
            continue;
        size_t close = etagc_run(s, i);
        if (close < s.len && s.ptr[close] == '"')
            i = close + 1;
    }
    return stet_span_skip(s, i);
}

static struct stet_span skip_separators(struct stet_span s)
{
    while (s.len > 0 && (s.ptr[0] == ',' || stet_is_ows(s.ptr[0])))
        s = stet_span_skip(s, 1);
    return s;
}

/* The next member of `*rest`, which is advanced past it; STET_END if there is none. */
static int next_of_line(struct stet_span *rest, struct stet_etag *out)
{
    for (;;) {
        struct stet_span s = skip_separators(*rest);
        if (s.len == 0)
            break;
        struct stet_etag tag;
        struct stet_span after = stet_span_skip(s, read_tag(s, &tag));
        bool tagged = after.ptr != s.ptr;
        while (after.len > 0 && stet_is_ows(after.ptr[0]))
            after = stet_span_skip(after, 1);
        if (tagged && (after.len == 0 || after.ptr[0] == ',')) {
            *rest = after;
            *out = tag;
            return STET_OK;
        }
        *rest = skip_malformed(s);
    }
    rest->len = 0;
    return STET_END;
}

int stet_etag_list_next(struct stet_etag_list *list, struct stet_etag *out)
{
    while (next_of_line(&list->rest, out) != STET_OK) {
        const struct stet_field *line = stet_fields_find(list->fields, list->id, list->line);
        if (!line) {
            list->line = list->fields->count;
            return STET_END;
        }
        list->line = (size_t)(line - list->fields->at) + 1;
        list->rest = line->value;
    }
    return STET_OK;
}
