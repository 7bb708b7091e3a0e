/* SPDX-License-Identifier: MIT */
/*
 * Each side is read only while nothing waits to be sent to the other, so what is held is bounded by one read,
 * and a side that does not take slows the other. A side that has sent its end is shut for writing on the
 * other; when both have, the tunnel is over. A tunnel in which nothing moves holds no buffers.
 *
 * RFC 9110 section 9.3.6: when either side closes, what came from it is sent to the other before that is
 * closed.
 */
#include "net/tunnel.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "net/pool.h"

#define READ_BYTES 16384

struct side {
    struct stet__watch watch;
    struct stet__transport transport;
    struct stet__tunnel *tunnel;
    struct stet__buffer out; /* to be sent to this side */
    uint64_t sent;
    uint32_t watching; /* epoll events; 0: in no epoll, as HUP could not be turned off */
    bool ended;        /* it has sent its end */
    bool shut;         /* it was sent the other's end */
};

struct stet__tunnel {
    struct stet__loop *loop;
    struct side side[2];
    struct stet__tick tick;
    struct stet__soon broken; /* to end it later */
    int64_t moved_ms;
    int64_t idle_ms;
    void (*done)(void *owner, uint64_t octets, bool aborted);
    void *owner;
};

static void end(struct stet__tunnel *tunnel, bool aborted)
{
    for (int i = 0; i < 2; i++) {
        if (tunnel->side[i].watching != 0)
            stet__loop_remove(tunnel->loop, &tunnel->side[i].watch);
        stet__buffer_release(&tunnel->side[i].out);
    }
    if (aborted)
        stet__transport_cut(tunnel->side[1].transport);
    else
        stet__transport_close(tunnel->side[1].transport);
    stet__loop_remove_tick(tunnel->loop, &tunnel->tick);
    stet__loop_not_soon(&tunnel->broken);
    tunnel->done(tunnel->owner, tunnel->side[0].sent, aborted);
    free(tunnel);
}

static void end_broken(struct stet__soon *soon)
{
    end(stet__list_entry(soon, struct stet__tunnel, broken), true);
}

static void listen_for(struct side *side, bool in, bool out)
{
    struct stet__tunnel *tunnel = side->tunnel;
    uint32_t events = (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
    uint32_t before = side->watching;
    int status = 0;
    if (stet__transport_blocked(side->transport))
        events = EPOLLOUT;
    else if (in)
        stet__transport_go_on(side->transport);
    if (events == before)
        return;
    side->watching = events;
    if (events == 0)
        stet__loop_remove(tunnel->loop, &side->watch);
    else
        status = before == 0 ? stet__loop_add(tunnel->loop, &side->watch, events)
                             : stet__loop_change(tunnel->loop, &side->watch, events);
    if (status == 0)
        return;
    side->watching = before;
    stet__loop_soon(tunnel->loop, &tunnel->broken);
}

static struct side *other(struct side *side)
{
    return &side->tunnel->side[side == side->tunnel->side];
}

/* Says what both sides are waited for. */
static void listen_both(struct stet__tunnel *tunnel)
{
    for (int i = 0; i < 2; i++) {
        struct side *side = &tunnel->side[i];
        listen_for(side, !side->ended && other(side)->out.len == 0, side->out.len > 0);
    }
}

/* The other's end, once all before it is sent. False if the tunnel is broken. */
static bool pass_end(struct side *side)
{
    if (side->shut || side->out.len > 0 || !other(side)->ended)
        return true;
    side->shut = true;
    return stet__transport_end(side->transport) == 0;
}

static bool flush(struct side *side)
{
    if (side->out.len > 0) {
        struct iovec vector = {side->out.ptr, side->out.len};
        ssize_t n = stet__transport_send(side->transport, &vector, 1, false);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
        side->sent += (uint64_t)n;
        stet__buffer_consume(&side->out, (size_t)n);
        side->tunnel->moved_ms = stet__loop_monotonic_ms(side->tunnel->loop);
    }
    if (side->out.len == 0)
        stet__buffer_release(&side->out);
    return pass_end(side);
}

static bool forward(struct side *from)
{
    char octets[READ_BYTES];
    struct side *to = other(from);
    ssize_t n = stet__transport_recv(from->transport, octets, sizeof octets);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    from->tunnel->moved_ms = stet__loop_monotonic_ms(from->tunnel->loop);
    if (n == 0) {
        from->ended = true;
        return pass_end(to);
    }
    struct iovec vector = {octets, (size_t)n};
    ssize_t sent = stet__transport_send(to->transport, &vector, 1, false);
    if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
        return false;
    size_t done = sent > 0 ? (size_t)sent : 0;
    to->sent += done;
    return done == (size_t)n || stet__buffer_append(&to->out, stet_span_of(octets + done, (size_t)n - done));
}

static void ready(struct stet__watch *watch, uint32_t events)
{
    struct side *side = stet__list_entry(watch, struct side, watch);
    struct stet__tunnel *tunnel = side->tunnel;
    stet__transport_flush(side->transport);
    bool reads = (side->watching & EPOLLIN) != 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    bool fine = flush(side) && (!reads || forward(side));
    if (!fine || (tunnel->side[0].shut && tunnel->side[1].shut))
        end(tunnel, !fine);
    else
        listen_both(tunnel);
}

static void second(struct stet__tick *tick)
{
    struct stet__tunnel *tunnel = stet__list_entry(tick, struct stet__tunnel, tick);
    if (stet__loop_monotonic_ms(tunnel->loop) - tunnel->moved_ms > tunnel->idle_ms)
        end(tunnel, true);
}

struct stet__tunnel *stet__tunnel_new(struct stet__loop *loop, const struct stet__tunnel_ends *ends)
{
    struct stet__tunnel *tunnel = calloc(1, sizeof *tunnel);
    if (!tunnel)
        return NULL;
    tunnel->loop = loop;
    tunnel->tick.run = second;
    tunnel->moved_ms = stet__loop_monotonic_ms(loop);
    tunnel->idle_ms = (int64_t)ends->idle_timeout_s * 1000;
    tunnel->done = ends->done;
    tunnel->owner = ends->owner;
    for (int i = 0; i < 2; i++)
        tunnel->side[i] = (struct side){.watch = {.ready = ready, .fd = ends->to[i].fd},
                                        .transport = ends->to[i],
                                        .tunnel = tunnel,
                                        .out = ends->first[i]};
    for (int i = 0; i < 2; i++)
        tunnel->side[i].out.max = SIZE_MAX;
    for (int i = 0; i < 2; i++)
        stet__transport_hand(tunnel->side[i].transport, &tunnel->side[i].watch);
    stet__soon_init(&tunnel->broken, end_broken);
    stet__loop_add_tick(loop, &tunnel->tick);
    listen_both(tunnel);
    return tunnel;
}

void stet__tunnel_cut(struct stet__tunnel *tunnel)
{
    end(tunnel, true);
}

/* An exchange and an upstream request that are one tunnel now. */
struct joined {
    struct stet__tunnel *tunnel;
    struct stet__connection *connection;
    size_t head_len; /* of what goes to the client, the answer itself */
};

static void joined_done(void *owner, uint64_t octets, bool aborted)
{
    struct joined *joined = owner;
    uint64_t content = octets > joined->head_len ? octets - joined->head_len : 0;
    stet__connection_detached_end(joined->connection, content, aborted);
    free(joined);
}

static void joined_cut(void *owner)
{
    struct joined *joined = owner;
    stet__tunnel_cut(joined->tunnel);
}

/* The client's connection is detached: what it takes to go on, or false. */
static bool begin(struct joined *joined, struct stet__detached *client, struct stet__transport to,
                  struct stet__buffer *octets, unsigned idle_timeout_s)
{
    joined->connection = client->connection;
    joined->head_len = client->answer.len;
    if (octets->len > 0 && !stet__buffer_append(&client->answer, stet__buffer_span(octets)))
        return false;
    struct stet__tunnel_ends ends = {.to = {client->transport, to},
                                     .first = {client->answer, client->early},
                                     .idle_timeout_s = idle_timeout_s,
                                     .done = joined_done,
                                     .owner = joined};
    joined->tunnel = stet__tunnel_new(client->loop, &ends);
    return joined->tunnel != NULL;
}

void stet__exchange_join(struct stet__exchange *exchange, const struct stet__reply *reply,
                         struct stet__upstream *upstream, unsigned idle_timeout_s)
{
    struct stet__buffer octets;
    struct stet__detached client;
    struct joined *joined = calloc(1, sizeof *joined);
    struct stet__tunnel_end tunnel_end = {joined, joined_cut};
    struct stet__transport to = stet__upstream_take_over(upstream, &octets);
    if (!joined) {
        stet__exchange_answer(exchange, &(struct stet__reply){.head = reply->head, .close = true});
        goto fail;
    }
    if (!stet__connection_detach(exchange, reply, &tunnel_end, &client))
        goto fail;
    if (begin(joined, &client, to, &octets, idle_timeout_s)) {
        stet__buffer_release(&octets);
        return;
    }
    stet__buffer_release(&client.answer);
    stet__buffer_release(&client.early);
    stet__connection_detached_end(client.connection, 0, true);
fail:
    stet__buffer_release(&octets);
    free(joined);
    stet__transport_close(to);
}
