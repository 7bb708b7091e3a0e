/* SPDX-License-Identifier: MIT */
/*
 * The Forwarded field, RFC 7239 sections 4 to 6, and its elder kin, X-Forwarded-*, which no standard defines
 * and which applications read all the same.
 *
 * Whatever a cache lets through has to be in its key, agree with its key, or make the answer one for this
 * request alone. Who asks (X-Forwarded-For; for and by) is none of it: an origin that answers by it says so.
 */
#include <stet/forward.h>

#include <stet/field.h>
#include <stet/uri.h>

#include "core/octet.h"
#include "core/text.h"

static void put_value(struct stet__text *text, struct stet_span value)
{
    if (stet_is_token(value)) {
        stet__text_put(text, value);
        return;
    }
    stet__text_put_octet(text, '"');
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (!stet__octet_is(c, STET__QUOTABLE))
            text->failed = true;
        if (c == '"' || c == '\\')
            stet__text_put_octet(text, '\\');
        stet__text_put_octet(text, c);
    }
    stet__text_put_octet(text, '"');
}

/* "Note that an IPv6 address is always enclosed in square brackets": one that came without gets them. */
static void put_node(struct stet__text *text, struct stet_span peer)
{
    const char *colon = peer.len > 0 && peer.ptr[0] != '[' ? memchr(peer.ptr, ':', peer.len) : NULL;
    size_t rest = colon ? peer.len - (size_t)(colon - peer.ptr) - 1 : 0;
    if (rest == 0 || !memchr(colon + 1, ':', rest)) {
        put_value(text, peer);
        return;
    }
    stet__text_put(text, STET_SPAN("\"["));
    for (size_t i = 0; i < peer.len; i++) {
        if (!stet__octet_is(peer.ptr[i], STET__TCHAR) && peer.ptr[i] != ':')
            text->failed = true;
        stet__text_put_octet(text, peer.ptr[i]);
    }
    stet__text_put(text, STET_SPAN("]\""));
}

size_t stet_forwarded_write(struct stet_span peer, struct stet_span host, struct stet_span proto, char *out,
                            size_t room)
{
    struct stet__text text = {.out = out, .room = room};
    stet__text_put(&text, STET_SPAN("for="));
    put_node(&text, peer.ptr ? peer : STET_SPAN("unknown"));
    if (host.ptr) {
        stet__text_put(&text, STET_SPAN(";host="));
        put_value(&text, host);
    }
    if (proto.ptr) {
        stet__text_put(&text, STET_SPAN(";proto="));
        put_value(&text, proto);
    }
    return stet__text_end(&text);
}

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

/* One forwarded-element; what is unquoted goes to `*room`, which is advanced. */
static bool read_element(struct stet_span element, char **room, struct stet_forwarded *out)
{
    struct stet_span name, value, text;
    int status;
    while ((status = stet_param_next(&element, &name, &value)) == STET_OK) {
        bool host = stet_span_equal_nocase(name, STET_SPAN("host"));
        if (!host && !stet_span_equal_nocase(name, STET_SPAN("proto")))
            continue;
        if (stet_unquote(value, *room, &text) != STET_OK ||
            !tell(host ? &out->authority : &out->scheme, text))
            return false;
        *room += value.len;
    }
    return status == STET_END;
}

bool stet_forwarded_read(const struct stet_fields *fields, char *room, struct stet_forwarded *out)
{
    struct stet_list list;
    struct stet_span element;
    *out = (struct stet_forwarded){.scheme = STET_SPAN_NONE};
    bool clear = read_single(fields, STET_FIELD_X_FORWARDED_PROTO, &out->scheme) &&
                 read_single(fields, STET_FIELD_X_FORWARDED_HOST, &out->authority);
    stet_list_begin(&list, fields, STET_FIELD_FORWARDED);
    while (clear && stet_list_next(&list, &element) == STET_OK)
        clear = read_element(element, &room, out);
    if (!out->scheme.ptr)
        return clear;
    bool https = stet_span_equal_nocase(out->scheme, STET_SPAN("https"));
    clear &= https || stet_span_equal_nocase(out->scheme, STET_SPAN("http"));
    out->scheme = https ? STET_SPAN("https") : STET_SPAN("http");
    return clear;
}

/* ---- what else is told ---- */

/* X-Forwarded-Port and so on. */
static bool is_claim(const struct stet_field *field)
{
    static const struct stet_span prefix = {"X-Forwarded-", 12};
    return field->id == STET_FIELD_OTHER && field->name.len > prefix.len &&
           stet_span_equal_nocase(stet_span_of(field->name.ptr, prefix.len), prefix);
}

static bool is_server(const struct stet_field *field)
{
    return stet_span_equal_nocase(field->name, STET_SPAN("X-Forwarded-Server"));
}

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
    return is_server(field);
}

bool stet_forwarded_agrees(const struct stet_fields *fields, struct stet_span key)
{
    struct stet_uri uri;
    bool known = key.ptr && stet_uri_parse(key, &uri) == STET_OK;
    for (size_t i = 0; i < fields->count; i++)
        if (is_claim(&fields->at[i]) && !(known && agrees(&fields->at[i], &uri)))
            return false;
    return true;
}

bool stet_forwarded_drops(const struct stet_field *field, bool trusted)
{
    return is_claim(field) && (!trusted || is_server(field));
}
