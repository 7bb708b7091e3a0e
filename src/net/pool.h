/* SPDX-License-Identifier: MIT */
/*
 * pool: what upstream.c and its parts share: connections to other servers, and the requests on them. Private
 * to upstream*.c, pool.c and tunnel.c.
 *
 *   connection            request (its answer)
 *
 *   CONNECTING            WAITING   for a connection: the limit of its address is reached
 *       |                 HEAD      no final head yet; interim ones may have come
 *       v                 BODY      head given, content follows
 *     ASKED <--> KEPT     HANDED    101, or a connection without a request: for the tunnel, or cancelled
 *                         ENDING    its end is being told
 *
 * 1. No event is given from within a public function, except `done` of the source by cancel: what has to be
 *    told is told by `later`.
 * 2. All events come from `ready`, `passed`, the tick or `later`, which the loop calls. So the one buffer of
 *    the pool is never asked for twice at a time.
 * 3. A connection that an event is given for is `busy`: it may be closed within (`dead`), and is freed when
 *    the callback has returned.
 * 4. A connection with unread octets in `kept` is not read from, but for a head that is not complete.
 */
#ifndef STET_NET_POOL_H
#define STET_NET_POOL_H

#include "base/buffer.h"
#include "net/deadline.h"
#include "net/loop.h"
#include "net/transport.h"
#include "net/upstream.h"

#define STET__POOL_BUCKETS 256u

/* One address, in plain or as one origin under TLS. Lives as long as it has connections or requests. */
struct stet__pool_peer {
    struct stet__pool_peer *next; /* in its bucket */
    struct stet__listen_address address;
    struct stet__tls_origin *tls;
    struct stet__list kept; /* newest first */
    unsigned kept_count;
    struct stet__list waiting; /* requests in WAITING, oldest first */
    unsigned open;             /* connections, kept ones among them */
    unsigned load;             /* requests */
};

struct stet__upstreams {
    struct stet__loop *loop;
    struct stet__upstream_limits limits;
    struct stet__tick tick;
    struct stet__deadlines deadlines;
    struct stet__list
        queue; /* all requests in WAITING: all wait equally long, so the first is the first due */
    struct stet__tls_io *tls_io; /* NULL until the first connection with TLS */
    char *input;                 /* what was just read, of one connection at a time */
    size_t room;
    struct stet_field *fields;
    struct stet__pool_peer *buckets[STET__POOL_BUCKETS];
};

/* SHAKING: the handshake of TLS. */
enum stet__pool_state { STET__POOL_CONNECTING, STET__POOL_SHAKING, STET__POOL_ASKED, STET__POOL_KEPT };

struct stet__pool_connection {
    struct stet__watch watch;
    struct stet__tls *tls; /* NULL: plain */
    struct stet__upstreams *pool;
    struct stet__pool_peer *peer;
    struct stet__upstream *upstream; /* NULL in KEPT */
    struct stet__deadline deadline;
    struct stet__list node;   /* in KEPT: peer->kept */
    struct stet__buffer kept; /* read, but not used yet */
    uint32_t watching;        /* epoll events; 0: in no epoll, as HUP and ERR could not be turned off */
    enum stet__pool_state state;
    unsigned keep_s; /* how long it may be KEPT: less than the server has said it would */
    bool reused;     /* it has served a request: the server may close it while the next one is on its way */
    bool busy, dead;
};

static inline struct stet__transport stet__pool_transport(const struct stet__pool_connection *connection)
{
    return (struct stet__transport){.fd = connection->watch.fd, .tls = connection->tls};
}

/* What is on its way out: the head, then one part of the body at a time with its frame. */
struct stet__upstream_out {
    struct stet__part parts[4];
    unsigned at, count;
    uint64_t done; /* octets of parts[at] */
    bool any;      /* the system took an octet of this request */
    char size_line[20];
    struct stet__buffer end; /* last chunk and trailer section */
};

enum stet__upstream_phase {
    STET__UPSTREAM_WAITING,
    STET__UPSTREAM_HEAD,
    STET__UPSTREAM_BODY,
    STET__UPSTREAM_HANDED,
    STET__UPSTREAM_ENDING,
};

struct stet__upstream {
    struct stet__upstreams *pool;
    struct stet__pool_peer *peer;
    struct stet__pool_connection *connection; /* NULL in WAITING, and before a failure that is told later */
    struct stet__list waiting, queued;        /* in peer->waiting and pool->queue */
    int64_t wait_until_s;
    struct stet__soon later;
    enum stet_reason failure; /* for `later`; STET_REASON_OK: none */
    const struct stet__upstream_events *events;
    void *owner;
    enum stet__upstream_phase phase;

    /* The request. */
    enum stet_method method;
    bool idempotent, connect_only;
    bool retried;             /* this is the second connection */
    struct stet__source body; /* next NULL: none, or it is done with */
    bool body_chunked;
    bool body_begun;              /* some of it was taken from its source */
    bool body_ended;              /* its source has no more */
    bool held_back;               /* the body, until 100 */
    bool out_full;                /* to be told when the socket is writable */
    bool sent;                    /* all of it, or no more will be */
    bool cut;                     /* not all was sent: the connection cannot be used again */
    bool write_asked, read_asked; /* for `later` */
    struct stet__upstream_out out;

    /* The answer. */
    bool answered;  /* an octet has come */
    bool blocked;   /* `data` took less */
    bool cancelled; /* in ENDING */
    bool keep_alive;
    unsigned interims;
    enum stet_body_kind kind;
    uint64_t
        left; /* LENGTH: of the content; CHUNKED: at the front of the input, of the current run of data */
    struct stet_chunked chunked;
    struct stet__buffer trailers;

    size_t head_len;
    char head[];
};

/* pool.c */

/* The peer of `address`, made if need be; NULL if there is no memory. */
struct stet__pool_peer *stet__pool_peer_get(struct stet__upstreams *pool,
                                            const struct stet__listen_address *address,
                                            struct stet__tls_origin *tls);
/* Frees it if nothing is left of it. */
void stet__pool_peer_drop(struct stet__upstreams *pool, struct stet__pool_peer *peer);

/* The newest kept connection of the peer, or NULL. `sure`: one that the server has not closed yet. */
struct stet__pool_connection *stet__pool_take(struct stet__pool_peer *peer, bool sure);

/* Begins to connect. NULL with `*reason` why not. */
struct stet__pool_connection *stet__pool_connect(struct stet__upstreams *pool, struct stet__pool_peer *peer,
                                                 enum stet_reason *reason);

/* A connection that stands goes on with the handshake. False if the system refuses. */
bool stet__pool_shake(struct stet__pool_connection *connection);

/* Why a connection did not come about. */
enum stet_reason stet__pool_reason(int cause);

/* A connection whose request is done becomes a kept one. */
void stet__pool_keep(struct stet__pool_connection *connection);

void stet__pool_close(struct stet__pool_connection *connection);

/* Closes all but the socket, for the tunnel. */
void stet__pool_forget(struct stet__pool_connection *connection);

/* False if the system refuses. What TLS has to write first goes first. */
bool stet__pool_listen(struct stet__pool_connection *connection, bool in, bool out);

void stet__pool_deadline(struct stet__pool_connection *connection, int64_t seconds);
#define STET__POOL_NEVER_S (INT64_MAX / 2)

static inline int64_t stet__pool_seconds(const struct stet__upstreams *pool)
{
    return stet__loop_monotonic_ms(pool->loop) / 1000;
}

/* upstream.c */

/* What pool.c has the loop and the wheel call. */
void stet__upstream_ready(struct stet__watch *watch, uint32_t events);
void stet__upstream_passed(struct stet__deadline *deadline);
void stet__upstream_waited(struct stet__upstream *upstream); /* too long, for a connection */

/* Tells EPOLLIN and EPOLLOUT as the state of the request wants it. */
void stet__upstream_listen(struct stet__upstream *upstream);

/* Ends the request on `connection`: closes it, tells why. */
void stet__upstream_fail(struct stet__upstream *upstream, enum stet_reason reason);

/* The same, later. */
void stet__upstream_fail_later(struct stet__upstream *upstream, enum stet_reason reason);

/* The answer is complete. */
void stet__upstream_finish(struct stet__upstream *upstream, bool keep, const struct stet_fields *trailers);

/* Sends the request once more on a new connection, if that is right. */
bool stet__upstream_again(struct stet__upstream *upstream);

/*
 * For the tunnel: takes the connection of a request in HANDED, in no loop, and the octets that came behind
 * the head. The request is gone.
 */
struct stet__transport stet__upstream_take_over(struct stet__upstream *upstream, struct stet__buffer *octets);

/* upstream_send.c: sends what can be sent. The request may fail in here, or its owner cancel it. */
void stet__upstream_push(struct stet__upstream *upstream);

/* The head is to be sent (again). */
void stet__upstream_rewind(struct stet__upstream *upstream);

/* No more of the body is sent. Its owner is told. */
void stet__upstream_stop_body(struct stet__upstream *upstream);

/* upstream_read.c: reads once; goes on with what was kept. Likewise. */
void stet__upstream_receive(struct stet__upstream *upstream);
void stet__upstream_resume(struct stet__upstream *upstream);

#endif
