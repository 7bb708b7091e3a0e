/* SPDX-License-Identifier: MIT */
/*
 * outside: the scheme and the host that the client used, as the proxy before this one tells them: in
 * X-Forwarded-Proto and -Host, or in Forwarded (RFC 7239 section 4). They belong to the key, because an
 * origin answers by them.
 *
 * Whatever else these fields say goes to the origin and is in no key. So it has to agree with the key
 * (X-Forwarded-Port, -Scheme and -Ssl), or the answer is for this request alone: a prefix, the user of a
 * login that came before, fields that contradict each other, and names that nobody here knows. Who asks
 * (X-Forwarded-For; for and by) is no such thing. X-Forwarded-Server does not go on: see ask.c.
 */
#include <stet/field.h>
#include <stet/uri.h>

#include "proxy/worker.h"

/* ---- what is told ---- */

/* False if something else was told before. */
static bool tell(struct stet_span *told, struct stet_span value)
{
    if (told->ptr && !stet_span_equal_nocase(*told, value))
        return false;
    *told = value;
    return true;
}

static bool read_single(const struct stet_fields *fields, enum stet_field_id id, struct stet_span *told)
{
    const struct stet_field *field = stet_fields_find(fields, id, 0);
    return !field || (stet_fields_count(fields, id) == 1 && tell(told, field->value));
}

/* One forwarded-element. */
static bool read_element(struct stet__arena *arena, struct stet_span element, struct stet__outside *outside)
{
    struct stet_span name, value, text;
    int status;
    while ((status = stet_param_next(&element, &name, &value)) == STET_OK) {
        bool host = stet_span_equal_nocase(name, STET_SPAN("host"));
        if (!host && !stet_span_equal_nocase(name, STET_SPAN("proto")))
            continue;
        char *room = stet__arena_alloc(arena, value.len + 1);
        if (!room || stet_unquote(value, room, &text) != STET_OK ||
            !tell(host ? &outside->authority : &outside->scheme, text))
            return false;
    }
    return status == STET_END;
}

bool stet__outside_read(struct stet__arena *arena, const struct stet_fields *fields,
                        struct stet__outside *outside)
{
    struct stet_list list;
    struct stet_span element;
    bool clear = read_single(fields, STET_FIELD_X_FORWARDED_PROTO, &outside->scheme) &&
                 read_single(fields, STET_FIELD_X_FORWARDED_HOST, &outside->authority);
    stet_list_begin(&list, fields, STET_FIELD_FORWARDED);
    while (clear && stet_list_next(&list, &element) == STET_OK)
        clear = read_element(arena, element, outside);
    if (!outside->scheme.ptr)
        return clear;
    bool https = stet_span_equal_nocase(outside->scheme, STET_SPAN("https"));
    clear &= https || stet_span_equal_nocase(outside->scheme, STET_SPAN("http"));
    outside->scheme = https ? STET_SPAN("https") : STET_SPAN("http");
    return clear;
}

/* ---- what else is told ---- */

static bool agrees(const struct stet_field *field, const struct stet_uri *key)
{
    uint64_t port;
    bool https = stet_span_equal(key->scheme, STET_SPAN("https"));
    if (stet_span_equal_nocase(field->name, STET_SPAN("X-Forwarded-Port")))
        return stet_span_to_u64(field->value, &port) == STET_OK && port == key->port;
    if (stet_span_equal_nocase(field->name, STET_SPAN("X-Forwarded-Scheme")))
        return stet_span_equal_nocase(field->value, key->scheme);
    if (stet_span_equal_nocase(field->name, STET_SPAN("X-Forwarded-Ssl")))
        return stet_span_equal_nocase(field->value, https ? STET_SPAN("on") : STET_SPAN("off"));
    return stet_span_equal_nocase(field->name, STET__SERVER_FIELD);
}

bool stet__outside_agrees(const struct stet_fields *fields, struct stet_span key)
{
    struct stet_uri uri;
    bool known = key.ptr && stet_uri_parse(key, &uri) == STET_OK;
    for (size_t i = 0; i < fields->count; i++)
        if (fields->at[i].id == STET_FIELD_OTHER && stet__outside_says(fields->at[i].name) &&
            !(known && agrees(&fields->at[i], &uri)))
            return false;
    return true;
}

bool stet__outside_says(struct stet_span name)
{
    static const struct stet_span prefix = {"X-Forwarded-", 12};
    return name.len > prefix.len && stet_span_equal_nocase(stet_span_of(name.ptr, prefix.len), prefix);
}
