/* SPDX-License-Identifier: MIT */
/*
 * ask: the head of a request to an origin (RFC 9110 section 7.6): the client's fields that go on, what this
 * proxy says about itself and the client, and the conditions that core wants (RFC 9111 section 4.3.1).
 *
 * What does not go on: hop-by-hop fields, TE (trailers come anyway), Expect (unless there is a body to hold
 * back), the token of --debug-header. The origin knows nothing of coded copies: it gets its own tags, and no
 * range of octets that it does not have.
 */
#include <arpa/inet.h>

#include <stet/coded_tag.h>
#include <stet/field.h>
#include <stet/forward.h>

#include "proxy/fetch.h"

static void line(struct stet__buffer *out, const char *name, struct stet_span value)
{
    stet__buffer_append_text(out, name);
    stet__buffer_append_text(out, ": ");
    stet__buffer_append(out, value);
    stet__buffer_append_text(out, "\r\n");
}

static bool is_condition(enum stet_field_id id)
{
    return id == STET_FIELD_IF_MATCH || id == STET_FIELD_IF_NONE_MATCH ||
           id == STET_FIELD_IF_MODIFIED_SINCE || id == STET_FIELD_IF_UNMODIFIED_SINCE ||
           id == STET_FIELD_IF_RANGE || id == STET_FIELD_RANGE;
}

/* X-Forwarded-Port, -Prefix, -Ssl and their like: applications believe them. key.c has judged those of a
 * proxy that is trusted. */
static bool is_claim(const struct stet__fetch *fetch, const struct stet_field *field)
{
    return !fetch->target.elsewhere &&
           stet_forwarded_drops(field, fetch->worker->configuration->trust_forwarded);
}

/*
 * Accept-Encoding goes on in the normal form by which variants are told apart (vary.h), so that clients that
 * say the same in many ways, or nothing, lead to one. Not of a dictionary (RFC 9842), whose codings are not
 * known here.
 */
static bool normalises(const struct stet__fetch *fetch)
{
    const struct stet_fields *fields = &fetch->request.head.fields;
    bool reads =
        fetch->request.head.method == STET_METHOD_GET || fetch->request.head.method == STET_METHOD_HEAD;
    if (!reads && !stet_fields_have(fields, STET_FIELD_ACCEPT_ENCODING))
        return false;
    for (size_t i = 0; i < fields->count; i++)
        if (fields->at[i].id == STET_FIELD_OTHER &&
            stet_span_equal_nocase(fields->at[i].name, STET_SPAN("Available-Dictionary")))
            return false;
    return !fetch->target.bypassed;
}

/* Of the client's own conditions. */
static bool is_rewritten(const struct stet__fetch *fetch, enum stet_field_id id)
{
    switch (id) {
    case STET_FIELD_IF_NONE_MATCH:
    case STET_FIELD_IF_MATCH:
        return true;
    case STET_FIELD_RANGE:
    case STET_FIELD_IF_RANGE:
        return !fetch->validation.own_fields || stet_origin_range_ours(&fetch->request.head.fields);
    default:
        return !fetch->validation.own_fields && is_condition(id);
    }
}

/* Fields that this file writes itself, or leaves out. */
static bool is_own(const struct stet__fetch *fetch, const struct stet_field *field)
{
    const struct stet__proxy_configuration *configuration = fetch->worker->configuration;
    switch (field->id) {
    case STET_FIELD_HOST:
    case STET_FIELD_EXPECT:
    case STET_FIELD_CONTENT_LENGTH:
        return true;
    case STET_FIELD_FORWARDED:
    case STET_FIELD_X_FORWARDED_HOST:
    case STET_FIELD_X_FORWARDED_PROTO:
        return !configuration->trust_forwarded && !fetch->target.elsewhere;
    case STET_FIELD_X_FORWARDED_FOR:
        return !fetch->target.elsewhere;
    case STET_FIELD_MAX_FORWARDS:
        return fetch->target.replace_max_forwards;
    case STET_FIELD_OTHER:
        if (is_claim(fetch, field))
            return true;
        return configuration->debug_token.ptr &&
               stet_span_equal_nocase(field->name, STET_SPAN(STET__TOKEN_FIELD));
    case STET_FIELD_ACCEPT_ENCODING:
        return normalises(fetch);
    default:
        return is_rewritten(fetch, field->id);
    }
}

static void put_accept_encoding(const struct stet__fetch *fetch, struct stet__buffer *out)
{
    struct stet_accept_encoding accept;
    char text[STET_ACCEPT_ENCODING_LEN];
    if (!normalises(fetch))
        return;
    stet_accept_encoding_read(&fetch->request.head.fields, &accept);
    line(out, "Accept-Encoding", stet_span_of(text, stet_accept_encoding_write(accept.set, text)));
}

/* If-None-Match or If-Match of the client, as the origin knows its tags. */
static void put_tags(struct stet__fetch *fetch, enum stet_field_id id, struct stet__buffer *out)
{
    const struct stet_fields *fields = &fetch->request.head.fields;
    const struct stet_field *field = stet_fields_find(fields, id, 0);
    size_t octets = 0, len = 0;
    for (; field; field = stet_fields_find(fields, id, (size_t)(field - fields->at) + 1))
        octets += field->value.len + 2;
    if (octets == 0)
        return;
    char *room = stet__arena_alloc(&fetch->arena, octets);
    enum stet_origin_tags tags =
        room ? stet_origin_tags_write(fields, id, room, octets, &len) : STET_ORIGIN_TAGS_NO_ROOM;
    if (tags == STET_ORIGIN_TAGS_REWRITTEN)
        line(out, id == STET_FIELD_IF_MATCH ? "If-Match" : "If-None-Match", stet_span_of(room, len));
    out->failed |= tags == STET_ORIGIN_TAGS_NO_ROOM;
    field = tags == STET_ORIGIN_TAGS_AS_THEY_ARE ? stet_fields_find(fields, id, 0) : NULL;
    for (; field; field = stet_fields_find(fields, id, (size_t)(field - fields->at) + 1)) {
        stet__buffer_append(out, field->name);
        stet__buffer_append_text(out, ": ");
        stet__buffer_append(out, field->value);
        stet__buffer_append_text(out, "\r\n");
    }
}

static void put_fields(const struct stet__fetch *fetch, struct stet__buffer *out)
{
    const struct stet_fields *fields = &fetch->request.head.fields;
    for (size_t i = 0; i < fields->count; i++) {
        const struct stet_field *field = &fields->at[i];
        if (is_own(fetch, field) || !stet_forward_keeps(field, fields))
            continue;
        stet__buffer_append(out, field->name);
        stet__buffer_append_text(out, ": ");
        stet__buffer_append(out, field->value);
        stet__buffer_append_text(out, "\r\n");
    }
}

/* RFC 8470 section 5.1: the origin may answer 425, which goes on to the client. */
static void put_early(const struct stet__fetch *fetch, struct stet__buffer *out)
{
    const struct stet_fields *fields = &fetch->request.head.fields;
    if (!fetch->early)
        return;
    for (size_t i = 0; i < fields->count; i++)
        if (stet_span_equal_nocase(fields->at[i].name, STET_SPAN("Early-Data")))
            return;
    line(out, "Early-Data", STET_SPAN("1"));
}

static void put_range(struct stet__buffer *out, const struct stet_validation *validation)
{
    if (!validation->has_range)
        return;
    stet__buffer_append_text(out, "Range: bytes=");
    stet__buffer_append_u64(out, validation->range.first);
    stet__buffer_append_text(out, "-");
    if (validation->range.last != UINT64_MAX)
        stet__buffer_append_u64(out, validation->range.last);
    stet__buffer_append_text(out, "\r\n");
    if (validation->if_range.ptr)
        line(out, "If-Range", validation->if_range);
}

static void put_conditions(struct stet__fetch *fetch, struct stet__buffer *out)
{
    const struct stet_validation *validation = &fetch->validation;
    if (validation->own_fields) {
        put_tags(fetch, STET_FIELD_IF_MATCH, out);
        put_tags(fetch, STET_FIELD_IF_NONE_MATCH, out);
        return;
    }
    if (validation->if_none_match.ptr)
        line(out, "If-None-Match", validation->if_none_match);
    if (validation->if_modified_since.ptr)
        line(out, "If-Modified-Since", validation->if_modified_since);
    put_range(out, validation);
}

/* ---- who asks: X-Forwarded-*, which applications read, and RFC 7239 ---- */

/* The client's address; absent for a Unix socket. `room` has INET6_ADDRSTRLEN octets. */
static struct stet_span peer_text(const uint8_t *peer, char *room)
{
    static const uint8_t none[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
    const char *text = NULL;
    if (memcmp(peer, none, sizeof none) == 0)
        return STET_SPAN_NONE;
    if (memcmp(peer, mapped, sizeof mapped) == 0)
        text = inet_ntop(AF_INET, peer + 12, room, INET6_ADDRSTRLEN);
    else
        text = inet_ntop(AF_INET6, peer, room, INET6_ADDRSTRLEN);
    return text ? stet_span_of(text, strlen(text)) : STET_SPAN_NONE;
}

static void put_forwarded_for(const struct stet__fetch *fetch, struct stet__buffer *out,
                              struct stet_span peer)
{
    const struct stet_fields *fields = &fetch->request.head.fields;
    const struct stet_field *field;
    stet__buffer_append_text(out, "X-Forwarded-For: ");
    if (fetch->worker->configuration->trust_forwarded)
        for (size_t at = 0; (field = stet_fields_find(fields, STET_FIELD_X_FORWARDED_FOR, at)) != NULL;
             at = (size_t)(field - fields->at) + 1) {
            stet__buffer_append(out, field->value);
            stet__buffer_append_text(out, ", ");
        }
    stet__buffer_append(out, peer.ptr ? peer : STET_SPAN("unknown"));
    stet__buffer_append_text(out, "\r\n");
}

static void put_who(const struct stet__fetch *fetch, struct stet__buffer *out)
{
    const struct stet_fields *fields = &fetch->request.head.fields;
    const struct stet__target *target = &fetch->target;
    bool trust = fetch->worker->configuration->trust_forwarded;
    char room[INET6_ADDRSTRLEN], text[600];
    struct stet_span peer = peer_text(fetch->peer, room);
    if (target->elsewhere)
        return;
    put_forwarded_for(fetch, out, peer);
    if (!trust || !stet_fields_have(fields, STET_FIELD_X_FORWARDED_HOST))
        line(out, "X-Forwarded-Host", target->authority);
    if (!trust || !stet_fields_have(fields, STET_FIELD_X_FORWARDED_PROTO))
        line(out, "X-Forwarded-Proto", target->scheme);
    size_t len = stet_forwarded_write(peer, target->authority, target->scheme, text, sizeof text);
    if (len > 0)
        line(out, "Forwarded", stet_span_of(text, len));
}

static void put_framing(const struct stet__fetch *fetch, struct stet__buffer *out)
{
    if (fetch->request.body == STET_BODY_CHUNKED)
        stet__buffer_append_text(out, "Transfer-Encoding: chunked\r\n");
    if (fetch->request.body == STET_BODY_LENGTH) {
        stet__buffer_append_text(out, "Content-Length: ");
        stet__buffer_append_u64(out, fetch->request.content_length);
        stet__buffer_append_text(out, "\r\n");
    }
    if (fetch->has_body && fetch->request.expect_continue)
        stet__buffer_append_text(out, "Expect: 100-continue\r\n");
    if (fetch->target.upgrade) {
        const struct stet_fields *fields = &fetch->request.head.fields;
        struct stet_list list;
        struct stet_span protocol;
        stet_list_begin(&list, fields, STET_FIELD_UPGRADE);
        stet__buffer_append_text(out, "Connection: upgrade\r\n");
        while (stet__upgrade_next(&list, &protocol))
            line(out, "Upgrade", protocol);
    }
}

static struct stet_span host_of(const struct stet__fetch *fetch)
{
    const struct stet__proxy_configuration *configuration = fetch->worker->configuration;
    if (!configuration->host_of_origin || fetch->target.elsewhere)
        return fetch->target.authority;
    return configuration->origins[fetch->attempt.origin].authority;
}

bool stet__ask_head(struct stet__fetch *fetch, struct stet__buffer *out)
{
    stet__buffer_append(out, fetch->request.head.method_name);
    stet__buffer_append_text(out, " ");
    stet__buffer_append(out, fetch->target.path_query);
    stet__buffer_append_text(out, " HTTP/1.1\r\n");
    line(out, "Host", host_of(fetch));
    put_fields(fetch, out);
    if (fetch->target.replace_max_forwards) {
        stet__buffer_append_text(out, "Max-Forwards: ");
        stet__buffer_append_u64(out, fetch->target.max_forwards);
        stet__buffer_append_text(out, "\r\n");
    }
    put_accept_encoding(fetch, out);
    put_conditions(fetch, out);
    put_early(fetch, out);
    put_framing(fetch, out);
    put_who(fetch, out);
    stet__buffer_append_text(out, "Via: ");
    stet__buffer_append_text(out, fetch->request.major == 2   ? "2.0 "
                                  : fetch->request.minor == 0 ? "1.0 "
                                                              : "1.1 ");
    stet__buffer_append(out, fetch->worker->proxy->pseudonym);
    stet__buffer_append_text(out, "\r\n\r\n");
    return !out->failed;
}
