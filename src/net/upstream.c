/* SPDX-License-Identifier: MIT */
/*
 * The life of a request: a connection is found or made or waited for, the head goes out at once in one system
 * call, the answer is read, the connection is kept.
 */
#include "net/upstream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/pool.h"
#include "net/tls_client.h"

static void enter(struct stet__pool_connection *connection)
{
    connection->busy = true;
}

static void leave(struct stet__pool_connection *connection)
{
    connection->busy = false;
    if (!connection->dead) {
        if (connection->watching & EPOLLIN)
            stet__transport_go_on(stet__pool_transport(connection));
        return;
    }
    stet__buffer_release(&connection->kept);
    free(connection);
}

void stet__upstream_listen(struct stet__upstream *upstream)
{
    bool in = !upstream->blocked && upstream->phase != STET__UPSTREAM_HANDED;
    if (!stet__pool_listen(upstream->connection, in, upstream->out_full))
        stet__upstream_fail_later(upstream, STET_REASON_UPSTREAM_INTERNAL);
}

void stet__upstream_fail_later(struct stet__upstream *upstream, enum stet_reason reason)
{
    upstream->failure = reason;
    stet__loop_soon(upstream->pool->loop, &upstream->later);
}

/* Has the request go out on a connection that stands. */
static void begin(struct stet__upstream *upstream)
{
    upstream->phase = STET__UPSTREAM_HEAD;
    bool body_at_once = upstream->body.next && !upstream->held_back;
    if (upstream->connect_only || body_at_once) {
        /* A source is not asked from within stet__upstream_ask; the socket is writable soon. */
        upstream->out_full = true;
        stet__pool_deadline(upstream->connection, upstream->pool->limits.read_timeout_s);
        stet__upstream_listen(upstream);
    } else {
        stet__upstream_push(upstream);
    }
}

static void attach(struct stet__upstream *upstream, struct stet__pool_connection *connection)
{
    upstream->connection = connection;
    connection->upstream = upstream;
}

static void connect_new(struct stet__upstream *upstream)
{
    enum stet_reason reason;
    struct stet__pool_connection *connection = stet__pool_connect(upstream->pool, upstream->peer, &reason);
    upstream->phase = STET__UPSTREAM_HEAD;
    if (!connection) {
        stet__upstream_fail_later(upstream, reason);
        return;
    }
    attach(upstream, connection);
    if (connection->state == STET__POOL_ASKED && !upstream->connect_only && !upstream->peer->tls) {
        begin(upstream);
        return;
    }
    connection->state = STET__POOL_CONNECTING;
    upstream->out_full = true;
    stet__pool_deadline(connection, upstream->pool->limits.connect_timeout_s);
    stet__upstream_listen(upstream);
}

static void wait_for_one(struct stet__upstream *upstream)
{
    struct stet__upstreams *pool = upstream->pool;
    upstream->phase = STET__UPSTREAM_WAITING;
    upstream->wait_until_s = stet__pool_seconds(pool) + pool->limits.connect_timeout_s + 1;
    stet__list_append(&upstream->peer->waiting, &upstream->waiting);
    stet__list_append(&pool->queue, &upstream->queued);
}

static void stop_waiting(struct stet__upstream *upstream)
{
    stet__list_remove(&upstream->waiting);
    stet__list_remove(&upstream->queued);
}

/* False if there is no connection to be had now. */
static bool start(struct stet__upstream *upstream)
{
    struct stet__pool_peer *peer = upstream->peer;
    struct stet__pool_connection *kept =
        upstream->connect_only ? NULL : stet__pool_take(peer, !upstream->idempotent);
    if (kept) {
        attach(upstream, kept);
        begin(upstream);
        return true;
    }
    if (peer->open >= upstream->pool->limits.connections)
        return false;
    connect_new(upstream);
    return true;
}

/* A connection of the peer is closed or kept: who waits goes on. */
static void start_waiting(struct stet__pool_peer *peer)
{
    while (!stet__list_empty(&peer->waiting)) {
        struct stet__upstream *first = stet__list_entry(peer->waiting.next, struct stet__upstream, waiting);
        if (!start(first))
            return;
        stop_waiting(first);
    }
}

/* Of a request that has no connection any more. `end` comes last of all. */
static void tell_end(struct stet__upstream *upstream, enum stet_reason reason,
                     const struct stet_fields *trailers)
{
    struct stet__upstreams *pool = upstream->pool;
    upstream->phase = STET__UPSTREAM_ENDING;
    stop_waiting(upstream);
    stet__upstream_stop_body(upstream);
    stet__loop_not_soon(&upstream->later);
    upstream->peer->load--;
    start_waiting(upstream->peer);
    stet__pool_peer_drop(pool, upstream->peer);
    struct stet__buffer octets = upstream->trailers; /* of `trailers` */
    const struct stet__upstream_events *events = upstream->events;
    void *owner = upstream->owner;
    bool cancelled = upstream->cancelled;
    stet__buffer_release(&upstream->out.end);
    free(upstream);
    if (!cancelled)
        events->end(owner, reason, trailers);
    stet__buffer_release(&octets);
}

static struct stet__pool_connection *detach(struct stet__upstream *upstream)
{
    struct stet__pool_connection *connection = upstream->connection;
    upstream->connection = NULL;
    if (connection)
        connection->upstream = NULL;
    return connection;
}

void stet__upstream_fail(struct stet__upstream *upstream, enum stet_reason reason)
{
    struct stet__pool_connection *connection = detach(upstream);
    if (connection)
        stet__pool_close(connection);
    tell_end(upstream, reason, NULL);
}

void stet__upstream_finish(struct stet__upstream *upstream, bool keep, const struct stet_fields *trailers)
{
    struct stet__pool_connection *connection = detach(upstream);
    if (keep)
        stet__pool_keep(connection);
    else
        stet__pool_close(connection);
    tell_end(upstream, STET_REASON_OK, trailers);
}

bool stet__upstream_again(struct stet__upstream *upstream)
{
    bool stale = upstream->connection->reused && !upstream->answered && !upstream->retried;
    /* RFC 9110 section 9.2.2: "A proxy MUST NOT automatically retry non-idempotent requests." One of which
     * nothing went out was not tried yet. */
    if (!stale || upstream->body_begun || (!upstream->idempotent && upstream->out.any))
        return false;
    upstream->retried = true;
    stet__pool_close(detach(upstream));
    stet__upstream_rewind(upstream);
    connect_new(upstream);
    return true;
}

/* Nothing is between the two any more. */
static void stands(struct stet__pool_connection *connection)
{
    struct stet__upstream *upstream = connection->upstream;
    connection->state = STET__POOL_ASKED;
    upstream->out_full = false;
    if (!upstream->connect_only) {
        stet__upstream_push(upstream);
        return;
    }
    upstream->phase = STET__UPSTREAM_HANDED;
    stet__pool_deadline(connection, upstream->pool->limits.answer_timeout_s);
    stet__upstream_listen(upstream);
    upstream->events->head(upstream->owner, NULL);
}

static void shake_hands(struct stet__pool_connection *connection)
{
    struct stet__upstream *upstream = connection->upstream;
    int done = stet__tls_handshake(connection->tls, connection->watch.fd);
    upstream->out_full = false;
    if (done < 0)
        stet__upstream_fail(upstream, stet__tls_failure(connection->tls));
    else if (done > 0)
        stands(connection);
    else
        stet__upstream_listen(upstream);
}

static void connected(struct stet__pool_connection *connection)
{
    struct stet__upstream *upstream = connection->upstream;
    int cause = 0;
    socklen_t len = sizeof cause;
    if (getsockopt(connection->watch.fd, SOL_SOCKET, SO_ERROR, &cause, &len) < 0 || cause != 0) {
        stet__upstream_fail(upstream, stet__pool_reason(cause));
        return;
    }
    if (!upstream->peer->tls)
        stands(connection);
    else if (stet__pool_shake(connection))
        shake_hands(connection);
    else
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_INTERNAL);
}

/* Nothing is asked: octets are none of an answer. Tickets of TLS are not octets. */
static void unasked(struct stet__pool_connection *connection)
{
    char octet;
    if (!connection->tls || stet__tls_recv(connection->tls, connection->watch.fd, &octet, 1) >= 0 ||
        errno != EAGAIN || !stet__pool_listen(connection, true, false))
        stet__pool_close(connection);
}

void stet__upstream_ready(struct stet__watch *watch, uint32_t events)
{
    struct stet__pool_connection *connection = stet__list_entry(watch, struct stet__pool_connection, watch);
    stet__transport_flush(stet__pool_transport(connection));
    if (connection->state == STET__POOL_KEPT) {
        unasked(connection);
        return;
    }
    enter(connection);
    if (connection->state == STET__POOL_CONNECTING) {
        connected(connection);
    } else if (connection->state == STET__POOL_SHAKING) {
        shake_hands(connection);
    } else {
        /* What has come is looked at first: it may be why sending stops. */
        if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !connection->upstream->blocked)
            stet__upstream_receive(connection->upstream);
        /* The request may have ended meanwhile, and the next one been sent. */
        if (!connection->dead && connection->upstream && connection->upstream->out_full)
            stet__upstream_push(connection->upstream);
    }
    leave(connection);
}

void stet__upstream_waited(struct stet__upstream *upstream)
{
    stet__upstream_fail(upstream, STET_REASON_UPSTREAM_UNAVAILABLE);
}

static void too_late(struct stet__pool_connection *connection)
{
    struct stet__upstream *upstream = connection->upstream;
    if (connection->state == STET__POOL_CONNECTING || connection->state == STET__POOL_SHAKING) {
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_CONNECT_TIMEOUT);
    } else if (upstream->held_back) {
        /* RFC 9110 section 10.1.1: a client "is not required to wait for any specific length of time". */
        upstream->held_back = false;
        stet__upstream_push(upstream);
    } else {
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_READ_TIMEOUT);
    }
}

void stet__upstream_passed(struct stet__deadline *deadline)
{
    struct stet__pool_connection *connection =
        stet__list_entry(deadline, struct stet__pool_connection, deadline);
    if (connection->state == STET__POOL_KEPT) {
        stet__pool_close(connection);
        return;
    }
    enter(connection);
    too_late(connection);
    leave(connection);
}

static void go_on(struct stet__soon *soon)
{
    struct stet__upstream *upstream = stet__list_entry(soon, struct stet__upstream, later);
    struct stet__pool_connection *connection = upstream->connection;
    if (connection)
        enter(connection);
    bool write = upstream->write_asked, read = upstream->read_asked;
    upstream->write_asked = upstream->read_asked = false;
    if (upstream->failure != STET_REASON_OK) {
        stet__upstream_fail(upstream, upstream->failure);
    } else if (connection && connection->state == STET__POOL_ASKED) {
        if (write && !upstream->sent && !upstream->held_back && !upstream->out_full)
            stet__upstream_push(upstream);
        if (read && !connection->dead && upstream->blocked)
            stet__upstream_resume(upstream);
    }
    if (connection)
        leave(connection);
}

static struct stet__upstream *new_upstream(struct stet__upstreams *pool, struct stet_span head,
                                           const struct stet__listen_address *address,
                                           struct stet__tls_origin *tls)
{
    struct stet__upstream *upstream = malloc(sizeof *upstream + head.len);
    if (!upstream)
        return NULL;
    *upstream = (struct stet__upstream){.pool = pool, .failure = STET_REASON_OK, .head_len = head.len};
    upstream->peer = stet__pool_peer_get(pool, address, tls);
    if (!upstream->peer) {
        free(upstream);
        return NULL;
    }
    upstream->peer->load++;
    stet__list_init(&upstream->waiting);
    stet__list_init(&upstream->queued);
    stet__soon_init(&upstream->later, go_on);
    if (head.len > 0)
        memcpy(upstream->head, head.ptr, head.len);
    stet__buffer_init(&upstream->trailers, pool->limits.head.head_bytes);
    stet__buffer_init(&upstream->out.end, pool->limits.head.head_bytes);
    return upstream;
}

struct stet__upstream *stet__upstream_ask(struct stet__upstreams *pool,
                                          const struct stet__upstream_request *request)
{
    struct stet__upstream *upstream = new_upstream(pool, request->head, request->address, request->tls);
    if (!upstream)
        return NULL;
    upstream->events = request->events;
    upstream->owner = request->owner;
    upstream->method = request->method;
    upstream->idempotent = request->idempotent;
    upstream->body = request->body;
    upstream->body_chunked = request->body_chunked;
    upstream->held_back = request->expect_continue && request->body.next;
    stet__upstream_rewind(upstream);
    if (!start(upstream))
        wait_for_one(upstream);
    return upstream;
}

struct stet__upstream *stet__upstream_connect(struct stet__upstreams *pool,
                                              const struct stet__listen_address *address,
                                              const struct stet__upstream_events *events, void *owner)
{
    struct stet__upstream *upstream = new_upstream(pool, STET_SPAN(""), address, NULL);
    if (!upstream)
        return NULL;
    upstream->events = events;
    upstream->owner = owner;
    upstream->method = STET_METHOD_CONNECT;
    upstream->connect_only = true;
    if (!start(upstream))
        wait_for_one(upstream);
    return upstream;
}

void stet__upstream_read_on(struct stet__upstream *upstream)
{
    upstream->read_asked = true;
    stet__loop_soon(upstream->pool->loop, &upstream->later);
}

void stet__upstream_write_on(struct stet__upstream *upstream)
{
    upstream->write_asked = true;
    stet__loop_soon(upstream->pool->loop, &upstream->later);
}

void stet__upstream_cancel(struct stet__upstream *upstream)
{
    upstream->cancelled = true;
    if (upstream->phase == STET__UPSTREAM_ENDING)
        return;
    stet__upstream_fail(upstream, STET_REASON_UPSTREAM_INTERNAL);
}

struct stet__transport stet__upstream_take_over(struct stet__upstream *upstream, struct stet__buffer *octets)
{
    stet__assert(upstream->phase == STET__UPSTREAM_HANDED);
    struct stet__pool_connection *connection = detach(upstream);
    struct stet__transport transport = stet__pool_transport(connection);
    *octets = connection->kept;
    stet__buffer_init(&connection->kept, 0);
    stet__pool_forget(connection);
    upstream->cancelled = true;
    tell_end(upstream, STET_REASON_OK, NULL);
    return transport;
}
