/* SPDX-License-Identifier: MIT */
/*
 * admin: the role of the admin's listener, which only this machine reaches.
 *
 *   POST /purge     with the JSON of purge_request.h: {"purged": 3, "hard": false}
 *   PURGE /path     the URIs that Host and the target make, with http and with https, softly
 *   GET  /status    what the store holds, as JSON
 *
 * Programs have business here, pages in a browser of this machine do not: a page could reach a loopback
 * address. Browsers say so in Origin or Sec-Fetch-Site, and such a request is refused (403). A body has to be
 * application/json.
 */
#include <stdlib.h>

#include <stet/uri.h>

#include "base/buffer.h"
#include "net/head.h"
#include "proxy/origins.h"
#include "proxy/proxy.h"
#include "proxy/purge_request.h"
#include "proxy/shared.h"
#include "store/store.h"

#define BODY_MAX (1u << 20)
#define ANSWER_MAX (64 * 1024)

struct state {
    struct stet__proxy *proxy;
};

/* A purge whose body is being read. */
struct reading {
    struct state *state;
    struct stet__exchange *exchange;
    struct stet__buffer body;
    bool too_large;
};

static const struct stet__head bare_500 = {
    .status = 500,
    .h1 = {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n", 56},
    .expires_after_s = -1};

static void answer(struct stet__exchange *exchange, unsigned status, enum stet_reason reason,
                   const struct stet__buffer *json)
{
    char length[20];
    struct stet_field at[] = {
        {STET_SPAN("Content-Type"), STET_SPAN("application/json"), STET_FIELD_CONTENT_TYPE},
        {STET_SPAN("Content-Length"), stet_span_of(length, stet_format_u64(json->len, length)),
         STET_FIELD_CONTENT_LENGTH},
        {STET_SPAN("Cache-Control"), STET_SPAN("no-store"), STET_FIELD_CACHE_CONTROL},
        {STET_SPAN("Allow"), STET_SPAN("GET, HEAD, POST, PURGE"), STET_FIELD_ALLOW}};
    struct stet_fields fields = {at, sizeof at / sizeof *at - (status != 405), 0};
    struct stet__part part = stet__part_memory(stet__buffer_span(json));
    struct stet__head *head = json->failed ? NULL : stet__head_make(exchange->arena, status, &fields);
    struct stet__reply reply = {.head = head ? head : &bare_500,
                                .parts = &part,
                                .part_count = head && json->len > 0,
                                .reason = reason};
    stet__exchange_answer(exchange, &reply);
}

/* `why` has no quotes. */
static void refuse(struct stet__exchange *exchange, unsigned status, enum stet_reason reason, const char *why)
{
    struct stet__buffer json;
    stet__buffer_init(&json, ANSWER_MAX);
    stet__buffer_append_text(&json, "{\"error\": \"");
    stet__buffer_append_text(&json, why);
    stet__buffer_append_text(&json, "\"}\n");
    answer(exchange, status, reason, &json);
    stet__buffer_release(&json);
}

static void answer_purged(struct stet__exchange *exchange, size_t purged, bool hard)
{
    struct stet__buffer json;
    stet__buffer_init(&json, ANSWER_MAX);
    stet__buffer_append_text(&json, "{\"purged\": ");
    stet__buffer_append_u64(&json, purged);
    stet__buffer_append_text(&json, hard ? ", \"hard\": true}\n" : ", \"hard\": false}\n");
    answer(exchange, 200, STET_REASON_PURGED, &json);
    stet__buffer_release(&json);
}

/* ---- selecting ---- */

static bool is_https(const struct stet_uri *uri)
{
    return stet_span_equal_nocase(uri->scheme, STET_SPAN("https"));
}

/* Purges what has this URI or begins so. */
static size_t purge_one(struct stet__store *store, enum stet__selector selector, const struct stet_uri *uri,
                        bool hard)
{
    size_t room = uri->host.len + uri->path.len + uri->query.len + 32;
    char *text = malloc(room);
    size_t len = text ? stet_uri_write(uri, text, room) : 0;
    size_t purged =
        len ? stet__store_purge(store, selector, stet_span_of(text, len), STET_SPAN_NONE, hard) : 0;
    free(text);
    return purged;
}

/*
 * What is known as https outside comes here as http if a TLS proxy stands before: both are meant. A URI with
 * its own port has that one in both.
 */
static const char *purge_uri(struct stet__store *store, enum stet__selector selector, struct stet_span text,
                             bool hard, size_t *purged)
{
    struct stet_uri uri;
    if (stet_uri_parse(text, &uri) != STET_OK)
        return "a selector is not an absolute http or https URI";
    *purged += purge_one(store, selector, &uri, hard);
    if (is_https(&uri)) {
        uri.scheme = STET_SPAN("http");
        uri.port = uri.port == 443 ? 80 : uri.port;
        *purged += purge_one(store, selector, &uri, hard);
    }
    return NULL;
}

static const char *purge_group(struct stet__store *store, struct stet_span group, struct stet_span origin,
                               bool hard, size_t *purged)
{
    struct stet_uri uri;
    char text[300];
    if (!origin.ptr) {
        *purged += stet__store_purge(store, STET__SELECT_GROUP, group, STET_SPAN_NONE, hard);
        return NULL;
    }
    if (stet_uri_parse(origin, &uri) != STET_OK || uri.path.len > 1 || uri.query.ptr)
        return "origin is not scheme://host or scheme://host:port";
    uri.path = STET_SPAN_NONE;
    size_t len = stet_uri_write(&uri, text, sizeof text);
    if (len == 0)
        return "origin is too long";
    *purged += stet__store_purge(store, STET__SELECT_GROUP, group, stet_span_of(text, len - 1), hard);
    return NULL;
}

static const char *purge_selected(struct stet__store *store, const struct stet__purge_request *request,
                                  struct stet_span selector, struct stet_span origin, size_t *purged)
{
    switch (request->type) {
    case STET__PURGE_URI:
        return purge_uri(store, STET__SELECT_URI, selector, request->hard, purged);
    case STET__PURGE_GROUP:
        return purge_group(store, selector, origin, request->hard, purged);
    default: /* an origin is the prefix of its URIs, once it is in normal form with its slash */
        return purge_uri(store, STET__SELECT_PREFIX, selector, request->hard, purged);
    }
}

/* NULL, or what is wrong; selectors before the wrong one are purged. `room` is as large as the body. */
static const char *purge(struct stet__store *store, struct stet__purge_request *request, char *room,
                         size_t *purged)
{
    struct stet_span selector, origin = STET_SPAN_NONE;
    const char *wrong = NULL;
    if (request->type == STET__PURGE_ALL) {
        *purged = stet__store_purge(store, STET__SELECT_ALL, STET_SPAN_NONE, STET_SPAN_NONE, request->hard);
        return NULL;
    }
    if (request->origin.ptr) {
        origin = stet__purge_decode(request->origin, room);
        room += origin.len;
    }
    while (!wrong && stet__purge_next(request, room, &selector))
        wrong = purge_selected(store, request, selector, origin, purged);
    return wrong;
}

/* ---- the body ---- */

static void answer_body(struct reading *reading)
{
    struct stet__purge_request request;
    struct stet_span body = stet__buffer_span(&reading->body);
    size_t purged = 0;
    char *room = malloc(body.len + 1);
    const char *wrong = room ? stet__purge_read(body, &request) : "out of memory";
    if (!wrong)
        wrong = purge(reading->state->proxy->store, &request, room, &purged);
    free(room);
    if (wrong)
        refuse(reading->exchange, 400, STET_REASON_ADMIN_REFUSED, wrong);
    else
        answer_purged(reading->exchange, purged, request.hard);
}

static size_t on_data(void *owner, struct stet_span octets)
{
    struct reading *reading = owner;
    reading->too_large |= !stet__buffer_append(&reading->body, octets);
    return octets.len;
}

static void on_end(void *owner, int status, const struct stet_fields *trailers)
{
    struct reading *reading = owner;
    if (status != STET_OK || reading->too_large)
        refuse(reading->exchange, reading->too_large || status == STET_E_BODY_TOO_LARGE ? 413 : 400,
               STET_REASON_BODY_TOO_LARGE, "the body did not come whole");
    else
        answer_body(reading);
    stet__buffer_release(&reading->body);
    free(reading);
}

static struct stet_span value_of(const struct stet_fields *fields, struct stet_span name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (stet_span_equal_nocase(fields->at[i].name, name))
            return fields->at[i].value;
    return STET_SPAN_NONE;
}

static bool is_json(struct stet_span type)
{
    static const struct stet_span json = {"application/json", 16};
    return type.len >= json.len && stet_span_equal_nocase(stet_span_of(type.ptr, json.len), json) &&
           (type.len == json.len || type.ptr[json.len] == ';' || stet_is_ows(type.ptr[json.len]));
}

static void read_body(struct state *state, struct stet__exchange *exchange)
{
    if (!is_json(value_of(&exchange->request->head.fields, STET_SPAN("Content-Type")))) {
        refuse(exchange, 415, STET_REASON_ADMIN_REFUSED, "the body has to be application/json");
        return;
    }
    struct reading *reading = malloc(sizeof *reading);
    if (!reading) {
        refuse(exchange, 503, STET_REASON_OVERLOADED, "out of memory");
        return;
    }
    *reading = (struct reading){.state = state, .exchange = exchange};
    stet__buffer_init(&reading->body, BODY_MAX);
    struct stet__sink sink = {.owner = reading, .data = on_data, .end = on_end};
    stet__exchange_read(exchange, &sink);
}

/* ---- the other requests ---- */

/* `purged` grows. False if there is no usable target. */
static bool purge_as(struct state *state, struct stet__exchange *exchange, struct stet_span scheme,
                     size_t *purged)
{
    const struct stet_http1_request *request = exchange->request;
    size_t room = request->authority.len + request->path_query.len + 32;
    char *text = stet__arena_alloc(exchange->arena, room);
    size_t len = text && request->path_query.ptr
                     ? stet_uri_write_target(scheme, request->authority, request->path_query, text, room)
                     : 0;
    if (len == 0)
        return false;
    *purged += stet__store_purge(state->proxy->store, STET__SELECT_URI, stet_span_of(text, len),
                                 STET_SPAN_NONE, false);
    return true;
}

/* The scheme is this connection's, not that of the site: with --trust-forwarded both are stored. */
static void purge_target(struct state *state, struct stet__exchange *exchange)
{
    size_t purged = 0;
    if (purge_as(state, exchange, STET_SPAN("http"), &purged) &&
        purge_as(state, exchange, STET_SPAN("https"), &purged))
        answer_purged(exchange, purged, false);
    else
        refuse(exchange, 400, STET_REASON_ADMIN_REFUSED, "the request has no usable target");
}

static void put_member(struct stet__buffer *json, const char *name, uint64_t value)
{
    stet__buffer_append_text(json, name);
    stet__buffer_append_u64(json, value);
}

/* An origin's text is one of a URI or a path; quotes and backslashes are left out of it. */
static void put_origins(const struct stet__proxy *proxy, struct stet__buffer *json)
{
    const struct stet__proxy_configuration *configuration = proxy->configuration;
    for (size_t i = 0; i < configuration->origin_count; i++) {
        struct stet_span text = configuration->origins[i].text;
        stet__buffer_append_text(json, i > 0 ? ", {\"origin\": \"" : "{\"origin\": \"");
        for (size_t at = 0; at < text.len; at++)
            if (text.ptr[at] >= ' ' && text.ptr[at] != '"' && text.ptr[at] != '\\')
                stet__buffer_append(json, stet_span_of(text.ptr + at, 1));
        stet__buffer_append_text(json, stet__origin_healthy(proxy->origins, i) ? "\", \"healthy\": true}"
                                                                               : "\", \"healthy\": false}");
    }
}

static void tell_status(struct state *state, struct stet__exchange *exchange)
{
    struct stet__store_statistics store;
    struct stet__buffer json;
    stet__store_statistics(state->proxy->store, &store);
    stet__buffer_init(&json, ANSWER_MAX);
    put_member(&json, "{\"store\": {\"objects\": ", store.objects);
    put_member(&json, ", \"bytes\": ", store.bytes);
    put_member(&json, ", \"limit\": ", state->proxy->configuration->store.bytes);
    put_member(&json, ", \"added\": ", store.added);
    put_member(&json, ", \"evicted\": ", store.evicted);
    put_member(&json, ", \"purged\": ", store.purged);
    stet__buffer_append_text(&json, "}, \"origins\": [");
    put_origins(state->proxy, &json);
    stet__buffer_append_text(&json, "]}\n");
    answer(exchange, 200, STET_REASON_STATUS_TOLD, &json);
    stet__buffer_release(&json);
}

static bool is_at(const struct stet__exchange *exchange, struct stet_span path)
{
    return stet_span_equal(exchange->request->path_query, path);
}

static void request(void *arg, struct stet__exchange *exchange)
{
    struct state *state = arg;
    const struct stet_request *head = &exchange->request->head;
    if (value_of(&head->fields, STET_SPAN("Origin")).ptr ||
        value_of(&head->fields, STET_SPAN("Sec-Fetch-Site")).ptr)
        refuse(exchange, 403, STET_REASON_ADMIN_REFUSED, "this is not for pages in a browser");
    else if (stet_span_equal(head->method_name, STET_SPAN("PURGE")))
        purge_target(state, exchange);
    else if (head->method == STET_METHOD_POST && is_at(exchange, STET_SPAN("/purge")))
        read_body(state, exchange);
    else if (!is_at(exchange, STET_SPAN("/status")) && !is_at(exchange, STET_SPAN("/purge")))
        refuse(exchange, 404, STET_REASON_NOT_FOUND, "there are /purge and /status");
    else if (is_at(exchange, STET_SPAN("/status")) &&
             (head->method == STET_METHOD_GET || head->method == STET_METHOD_HEAD))
        tell_status(state, exchange);
    else
        refuse(exchange, 405, STET_REASON_METHOD_NOT_ALLOWED, "POST /purge, or GET /status");
}

static void *start(const void *configuration, struct stet__loop *loop, const char **error)
{
    struct state *state = malloc(sizeof *state);
    if (!state) {
        *error = "out of memory";
        return NULL;
    }
    memcpy(&state->proxy, &configuration, sizeof configuration);
    return state;
}

static void stop(void *state)
{
    free(state);
}

const struct stet__role stet__admin_role = {
    .start = start, .request = request, .stop = stop, .reads_bodies = true};
