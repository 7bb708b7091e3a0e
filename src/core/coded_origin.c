/* SPDX-License-Identifier: MIT */
/*
 * What the origin is asked with: its own tags, never those of coded copies. RFC 9110 sections 13.1.1, 13.1.2
 * and 13.1.5.
 *
 * Suffixes of others stay: they may be the origin's own, or those of a server before it that knows them.
 */
#include <stet/coded_tag.h>

#include "core/cache.h"
#include "core/text.h"

struct stet_etag stet__origin_tag(struct stet_etag tag)
{
    struct stet_coded_tag read;
    stet_coded_tag_read(tag, &read);
    bool ours = read.kind == STET_CODED_TAG_KEPT || read.kind == STET_CODED_TAG_PASSING;
    return ours ? read.base : tag;
}

static bool some_ours(const struct stet_fields *fields, enum stet_field_id id)
{
    struct stet_etag_list list;
    struct stet_etag tag;
    if (stet_etag_list_begin(&list, fields, id) != STET_ETAG_LIST_TAGS)
        return false;
    while (stet_etag_list_next(&list, &tag) == STET_OK)
        if (stet_coded_tag_ours(tag))
            return true;
    return false;
}

static bool identical(struct stet_etag a, struct stet_etag b)
{
    return a.weak == b.weak && stet_etag_weak_equal(a, b);
}

/* Whether what is written already has the tag. */
static bool has(const struct stet__text *text, struct stet_etag tag)
{
    struct stet_field line = {STET_SPAN("If-None-Match"), stet_span_of(text->out, text->len),
                              STET_FIELD_IF_NONE_MATCH};
    struct stet_fields fields = {&line, 1, UINT64_C(1) << STET_FIELD_IF_NONE_MATCH};
    struct stet_etag_list list;
    struct stet_etag other;
    if (text->len == 0 ||
        stet_etag_list_begin(&list, &fields, STET_FIELD_IF_NONE_MATCH) != STET_ETAG_LIST_TAGS)
        return false;
    while (stet_etag_list_next(&list, &other) == STET_OK)
        if (identical(tag, other))
            return true;
    return false;
}

enum stet_origin_tags stet_origin_tags_write(const struct stet_fields *fields, enum stet_field_id id,
                                             char *out, size_t room, size_t *len)
{
    struct stet__text text = {.out = out, .room = room};
    struct stet_etag_list list;
    struct stet_etag tag;
    if (!some_ours(fields, id))
        return STET_ORIGIN_TAGS_AS_THEY_ARE;
    (void)stet_etag_list_begin(&list, fields, id);
    while (stet_etag_list_next(&list, &tag) == STET_OK) {
        tag = stet__origin_tag(tag);
        if (has(&text, tag))
            continue;
        if (text.len > 0)
            stet__text_put(&text, STET_SPAN(", "));
        stet__text_put(&text, tag.weak ? STET_SPAN("W/\"") : STET_SPAN("\""));
        stet__text_put(&text, tag.opaque);
        stet__text_put_octet(&text, '"');
        if (text.failed)
            return STET_ORIGIN_TAGS_NO_ROOM;
    }
    *len = text.len;
    return STET_ORIGIN_TAGS_REWRITTEN;
}

bool stet_origin_range_ours(const struct stet_fields *fields)
{
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_IF_RANGE, 0);
    struct stet_etag tag;
    return field && stet_etag_parse(stet_span_trim(field->value), &tag) == STET_OK &&
           stet_coded_tag_ours(tag);
}
