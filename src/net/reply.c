/* SPDX-License-Identifier: MIT */
#include "net/reply.h"

#include <stet/field.h>

uint64_t stet__reply_length(const struct stet__reply *reply)
{
    const struct stet_field *field = stet_fields_find(&reply->head->fields, STET_FIELD_CONTENT_LENGTH, 0);
    for (size_t i = 0; i < reply->extra_count && !field; i++)
        if (reply->extra[i].id == STET_FIELD_CONTENT_LENGTH)
            field = &reply->extra[i];
    uint64_t length;
    return field && stet_span_to_u64(field->value, &length) == STET_OK ? length : STET__LENGTH_UNKNOWN;
}

bool stet__reply_has_content(const struct stet_http1_request *request, unsigned status)
{
    if (status < 200 || status == 204 || status == 304 || request->head.method == STET_METHOD_HEAD)
        return false;
    return request->head.method != STET_METHOD_CONNECT || status > 299;
}

bool stet__takes_trailers(const struct stet_http1_request *request)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, &request->head.fields, STET_FIELD_TE);
    while (stet_list_next(&list, &member) == STET_OK)
        if (stet_span_equal_nocase(member, STET_SPAN("trailers")))
            return true;
    return false;
}
