/* SPDX-License-Identifier: MIT */
/*
 * Fields that say where a message ends and what becomes of its connection: RFC 9112 sections 6 and 9.3, as
 * far as requests and responses have it in common.
 */
#include <stet/field.h>

#include "core/http1_head.h"

bool stet__token_list_next(struct stet__token_list *list, struct stet_span *member)
{
    for (;;) {
        while (list->rest.len == 0) {
            const struct stet_field *field = stet_fields_find(list->fields, list->id, list->line);
            if (!field)
                return false;
            list->line = (size_t)(field - list->fields->at) + 1;
            list->rest = field->value;
        }
        const char *comma = memchr(list->rest.ptr, ',', list->rest.len);
        size_t len = comma ? (size_t)(comma - list->rest.ptr) : list->rest.len;
        *member = stet_span_trim(stet_span_of(list->rest.ptr, len));
        list->rest = stet_span_skip(list->rest, comma ? len + 1 : len);
        if (member->len > 0)
            return true;
    }
}

enum stet__coding stet__head_coding(const struct stet_fields *fields)
{
    struct stet__token_list list = stet__token_list(fields, STET_FIELD_TRANSFER_ENCODING);
    struct stet_span member;
    unsigned chunked = 0, others = 0;
    bool final = false;
    while (stet__token_list_next(&list, &member)) {
        final = stet_span_equal_nocase(member, STET_SPAN("chunked"));
        chunked += final;
        others += !final;
    }
    if (!final)
        return STET__CODING_NOT_FINAL;
    if (chunked > 1)
        return STET__CODING_TWICE;
    return others > 0 ? STET__CODING_UNKNOWN : STET__CODING_CHUNKED;
}

bool stet__head_coded(const struct stet_fields *fields)
{
    static const struct stet_span codings[] = {{"chunked", 7}, {"compress", 8},    {"deflate", 7},
                                               {"gzip", 4},    {"x-compress", 10}, {"x-gzip", 6}};
    struct stet_list list;
    struct stet_span member, coding, parameters;
    stet_list_begin(&list, fields, STET_FIELD_TRANSFER_ENCODING);
    while (stet_list_next(&list, &member) == STET_OK) {
        stet_member_split(member, &coding, &parameters);
        for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
            if (stet_span_equal_nocase(coding, codings[i]))
                return true;
    }
    return false;
}

bool stet__head_keep_alive(const struct stet_fields *fields, unsigned minor)
{
    bool keep_alive = minor > 0;
    if (!stet_fields_have(fields, STET_FIELD_CONNECTION))
        return keep_alive;
    struct stet__token_list list = stet__token_list(fields, STET_FIELD_CONNECTION);
    struct stet_span option;
    while (stet__token_list_next(&list, &option)) {
        if (stet_span_equal_nocase(option, STET_SPAN("close")))
            return false;
        if (stet_span_equal_nocase(option, STET_SPAN("keep-alive")))
            keep_alive = true;
    }
    return keep_alive;
}
