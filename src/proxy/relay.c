/* SPDX-License-Identifier: MIT */
/*
 * relay: an answer that nobody keeps, as it comes: interim answers, the final one with its trailers, and a
 * switch of protocols. The pipe holds at most 256 KiB, so a slow client slows the origin.
 */
#include <stet/field.h>
#include <stet/forward.h>

#include "net/head.h"
#include "proxy/coded.h"
#include "proxy/fetch.h"

const struct stet_fields *stet__forwarded_fields(struct stet__arena *arena, const struct stet_fields *from)
{
    struct stet__lines lines;
    stet__lines_begin(&lines, arena, from->count + 1);
    for (size_t i = 0; i < from->count; i++)
        if (stet_forward_keeps(&from->at[i], from))
            stet__lines_add(&lines, &from->at[i]);
    struct stet_fields *out = stet__arena_alloc(arena, sizeof *out);
    if (!out || lines.failed)
        return NULL;
    *out = lines.fields;
    return out;
}

static enum stet__supply next(void *owner, struct stet__part *part)
{
    struct stet__fetch *fetch = owner;
    return stet__pipe_next(&fetch->down, part);
}

static const struct stet_fields *trailers(void *owner)
{
    const struct stet__fetch *fetch = owner;
    return fetch->trailers;
}

static void done(void *owner, bool sent)
{
    struct stet__fetch *fetch = owner;
    fetch->done = true;
    fetch->exchange = NULL;
    /* Nobody wants the rest. If it has all come the upstream may only have to say so. */
    if (fetch->ended || !sent)
        stet__fetch_free(fetch);
}

static void ready(void *owner)
{
    struct stet__fetch *fetch = owner;
    if (fetch->exchange)
        stet__exchange_write_on(fetch->exchange);
}

static void drained(void *owner)
{
    struct stet__fetch *fetch = owner;
    if (fetch->upstream)
        stet__upstream_read_on(fetch->upstream);
}

/* What was held back goes first. */
static bool take_held(struct stet__fetch *fetch)
{
    if (!fetch->body)
        return true;
    uint64_t length = stet__body_length(fetch->body), offset = 0;
    /* More than a pipe takes otherwise, once. */
    fetch->down.filling.max = length + STET__PIPE_BYTES;
    while (offset < length) {
        char octets[16384];
        size_t n = stet__body_copy(fetch->body, offset, sizeof octets, octets);
        if (n == 0 || !stet__buffer_append(&fetch->down.filling, stet_span_of(octets, n)))
            return false;
        offset += n;
    }
    return true;
}

/* The head and, if there is content, its source. False without memory. */
static bool make_reply(struct stet__fetch *fetch, struct stet__reply *reply)
{
    struct stet__exchange *exchange = fetch->visit->exchange;
    struct stet__coded_relay relay;
    fetch->down.owner = fetch;
    fetch->down.ready = ready;
    fetch->down.drained = drained;
    if (!stet__coded_relay(fetch, &relay))
        return false;
    reply->head = stet__head_whole(fetch->worker, exchange->arena, fetch->response.status, &relay.fields,
                                   fetch->http10);
    if (!reply->head || !take_held(fetch))
        return false;
    if (fetch->framing == STET_BODY_NONE)
        return true;
    reply->chunked = !stet_fields_have(&relay.fields, STET_FIELD_CONTENT_LENGTH);
    reply->source = (struct stet__source){.owner = fetch, .next = next, .trailers = trailers, .done = done};
    return !relay.coded || stet__recode(fetch->worker, &reply->source, relay.coding, relay.decode);
}

void stet__relay_begin(struct stet__fetch *fetch)
{
    struct stet__visit *visit = fetch->visit;
    struct stet__exchange *exchange = visit->exchange;
    struct stet__reply reply = {.reason = fetch->receipt.reason};
    if (!make_reply(fetch, &reply)) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_INTERNAL);
        return;
    }
    struct stet_cache_status status = stet__fetch_status(fetch);
    bool passed = fetch->receipt.reason == STET_REASON_FORWARDED;
    status.detail = passed ? fetch->receipt.storing : fetch->receipt.reason;
    struct stet__extra extra;
    stet__extra_begin(&extra);
    stet__extra_status(&extra, fetch->worker, &status);
    stet__trace_answer(visit->trace, fetch->response.status, status.detail);
    stet__extra_trace(&extra, visit->trace);
    reply.extra = extra.at;
    reply.extra_count = extra.count;
    reply.cache = extra.cache;
    fetch->visit = NULL;
    visit->fetch = NULL;
    if (fetch->leads)
        stet__fill_over(fetch->worker->proxy->fills, &fetch->fill, STET_REASON_OK);
    fetch->leads = false;
    if (fetch->framing == STET_BODY_NONE) {
        stet__fetch_drop(fetch);
        stet__exchange_answer(exchange, &reply);
        return;
    }
    fetch->state = STET__FETCH_RELAY;
    fetch->exchange = exchange;
    stet__exchange_answer(exchange, &reply);
}

/* RFC 9110 section 8.6: none in a 1xx. */
static bool is_length(const struct stet_field *field, const struct stet_fields *all)
{
    return field->id == STET_FIELD_CONTENT_LENGTH;
}

void stet__relay_interim(struct stet__fetch *fetch, const struct stet_response *response)
{
    /* 100 is the driver's own matter, once the body is asked for. */
    if (response->status == 100)
        return;
    struct stet__exchange *exchange = fetch->visit->exchange;
    struct stet_fields bare;
    if (!stet__copy_fields(exchange->arena, &response->fields, is_length, &bare))
        return;
    const struct stet_fields *fields = stet__forwarded_fields(exchange->arena, &bare);
    const struct stet__head *head =
        fields ? stet__head_make(exchange->arena, response->status, fields) : NULL;
    if (head)
        stet__exchange_interim(exchange, head);
}

/* RFC 9110 section 7.8: "A server MUST NOT switch to a protocol that was not indicated by the client". */
static bool switches_as_asked(const struct stet__fetch *fetch)
{
    struct stet_list said, asked;
    struct stet_span protocol, offer;
    bool some = false;
    stet_list_begin(&said, &fetch->response.fields, STET_FIELD_UPGRADE);
    while (stet_list_next(&said, &protocol) == STET_OK) {
        bool offered = false;
        stet_list_begin(&asked, &fetch->request.head.fields, STET_FIELD_UPGRADE);
        while (!offered && stet__upgrade_next(&asked, &offer))
            offered = stet_span_equal_nocase(offer, protocol);
        if (!offered)
            return false;
        some = true;
    }
    return some;
}

/* RFC 9110 section 7.8: what a 101 says about the connection is for the client too. */
void stet__relay_upgrade(struct stet__fetch *fetch)
{
    struct stet__visit *visit = fetch->visit;
    if (!visit || !fetch->target.upgrade || !switches_as_asked(fetch)) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_MALFORMED);
        return;
    }
    struct stet__exchange *exchange = visit->exchange;
    struct stet__lines lines;
    stet__lines_begin(&lines, exchange->arena, fetch->response.fields.count + 2);
    for (size_t i = 0; i < fetch->forwarded.count; i++)
        stet__lines_add(&lines, &fetch->forwarded.at[i]);
    const struct stet_field *upgrade = stet_fields_find(&fetch->response.fields, STET_FIELD_UPGRADE, 0);
    stet__lines_put(&lines, STET_FIELD_CONNECTION, STET_SPAN("upgrade"));
    if (upgrade)
        stet__lines_add(&lines, upgrade);
    const struct stet__head *head =
        lines.failed ? NULL : stet__head_whole(fetch->worker, exchange->arena, 101, &lines.fields, false);
    if (!head) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_INTERNAL);
        return;
    }
    struct stet__reply reply = {.head = head, .reason = STET_REASON_UPGRADED};
    struct stet__upstream *upstream = fetch->upstream;
    fetch->upstream = NULL;
    fetch->visit = NULL;
    visit->fetch = NULL;
    unsigned timeout_s = fetch->worker->configuration->tunnel_timeout_s;
    stet__fetch_free(fetch);
    stet__exchange_join(exchange, &reply, upstream, timeout_s);
}
