/* SPDX-License-Identifier: MIT */
/*
 * tunnel: CONNECT (RFC 9110 section 9.3.6), with --forward only.
 */
#include "proxy/origins.h"

struct tunnel {
    struct stet__proxy_worker *worker;
    struct stet__exchange *exchange;
    struct stet__attempt attempt;
    struct stet__upstream *upstream;
};

static void fail(struct tunnel *tunnel, enum stet_reason reason)
{
    struct stet__exchange *exchange = tunnel->exchange;
    struct stet__proxy_worker *worker = tunnel->worker;
    free(tunnel);
    stet__proxy_error(worker, exchange, (struct stet__refused){stet__status_of_failure(reason), reason}, NULL,
                      NULL);
}

static void on_stands(void *owner, const struct stet_http1_response *response)
{
    static const struct stet__head established = {
        .status = 200, .h1 = {"HTTP/1.1 200 OK\r\n", 17}, .expires_after_s = -1};
    struct tunnel *tunnel = owner;
    struct stet__reply reply = {.head = &established, .reason = STET_REASON_TUNNEL};
    struct stet__exchange *exchange = tunnel->exchange;
    struct stet__upstream *upstream = tunnel->upstream;
    unsigned timeout_s = tunnel->worker->configuration->tunnel_timeout_s;
    free(tunnel);
    stet__exchange_join(exchange, &reply, upstream, timeout_s);
}

static void on_end(void *owner, enum stet_reason reason, const struct stet_fields *trailers)
{
    struct tunnel *tunnel = owner;
    tunnel->upstream = NULL;
    if (!stet__attempt_next(&tunnel->attempt, reason, false))
        fail(tunnel, reason);
}

static const struct stet__upstream_events events = {.head = on_stands, .end = on_end};

static void found(struct stet__attempt *attempt)
{
    struct tunnel *tunnel = stet__list_entry(attempt, struct tunnel, attempt);
    enum stet_reason reason = attempt->failure;
    if (reason == STET_REASON_OK) {
        tunnel->upstream =
            stet__upstream_connect(tunnel->worker->upstreams, &attempt->address, &events, tunnel);
        if (tunnel->upstream)
            return;
        reason = STET_REASON_UPSTREAM_INTERNAL;
    }
    fail(tunnel, reason);
}

static void gone(struct stet__exchange *exchange)
{
    struct tunnel *tunnel = exchange->owner;
    stet__attempt_cancel(&tunnel->attempt);
    if (tunnel->upstream)
        stet__upstream_cancel(tunnel->upstream);
    fail(tunnel, STET_REASON_UPSTREAM_INTERNAL);
}

void stet__tunnel_begin(struct stet__proxy_worker *worker, struct stet__exchange *exchange)
{
    struct tunnel *tunnel = calloc(1, sizeof *tunnel);
    struct stet_span authority = stet__arena_copy(exchange->arena, exchange->request->authority);
    if (!tunnel || !authority.ptr) {
        free(tunnel);
        stet__proxy_error(worker, exchange, (struct stet__refused){503, STET_REASON_OVERLOADED}, NULL, NULL);
        return;
    }
    tunnel->worker = worker;
    tunnel->exchange = exchange;
    exchange->owner = tunnel;
    exchange->gone = gone;
    tunnel->attempt = (struct stet__attempt){.worker = worker, .authority = authority, .found = found};
    stet__attempt_begin(&tunnel->attempt);
}
