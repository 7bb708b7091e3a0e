/* SPDX-License-Identifier: MIT */
/*
 * connection: octets in and out of one socket.
 *
 *             open
 *              |
 *              v         request taken (http1.c)            answer with a source
 *   +----> READING ------------------------------> WAITING ----------------------> STREAMING
 *   |        |  ^                                  |  |  |                            |   |
 *   |        |  +----------------------------------+  |  +--> DETACHED                |   |
 *   |        |  |   answer, at once or later          |       (a tunnel has it)       |   |
 *   |        |  +-------------------------------------|-------------------------------+   |
 *   |        |                                        |           all is sent (done)      |
 *   |        |  the socket does not take all          | the client is gone                |
 *   |        +-------------> SENDING                  v                                   v
 *   |   all is sent             |                   GONE --> answer --> closed <----- (done: not sent)
 *   +---------------------------+
 *                               | the last answer, octets may still come
 *                               +--> LINGERING --> closed
 *
 *   READING --> HTTP2, if the first octets are its preface or TLS has agreed on it: http2.h has what follows,
 *               up to LINGERING.
 *
 * 1. Input is read in READING and LINGERING, and in WAITING and STREAMING while a role's sink takes the body
 * of its request: a client that does not take its answers is not read from. That a client ends its side is no
 * reason not to answer it, so in WAITING and STREAMING only a hang-up or a reset tells that it is gone.
 * 2. `turn` is set in WAITING, GONE and STREAMING, and holds the octets that are not dealt with. Else `kept`
 * holds those that are not dealt with between two wake-ups; most of the time there are none and it
 * holds no memory. `sending` exists only while the socket is full.
 * 3. One read for each wake-up: level-triggered epoll tells if there is more. Nothing is read right after
 * accept, so what the early watches tell was known before a request was read.
 */
#ifndef STET_NET_CONNECTION_H
#define STET_NET_CONNECTION_H

#include "net/worker.h"

enum stet__connection_state {
    STET__CONNECTION_FREE,
    STET__CONNECTION_READING,
    STET__CONNECTION_WAITING,
    STET__CONNECTION_STREAMING,
    STET__CONNECTION_GONE,
    STET__CONNECTION_SENDING,
    STET__CONNECTION_LINGERING,
    STET__CONNECTION_DETACHED,
    STET__CONNECTION_HTTP2,
};

/* Who has a connection in DETACHED. `cut` is called when stop_timeout has passed: it calls
 * stet__connection_detached_end, within. */
struct stet__tunnel_end {
    void *owner;
    void (*cut)(void *owner);
};

/* An answer that the socket did not take whole; or that began a tunnel. */
struct stet__sending {
    struct stet__output output;
    struct stet__log_record *record; /* NULL: none is logged, or it was */
    int64_t asked_ms;
    struct stet__tunnel_end tunnel;
};

struct stet__connection {
    struct stet__watch watch;
    struct stet__tls *tls; /* NULL: plain */
    struct stet__worker *worker;
    struct stet__deadline deadline; /* node: the list of free ones too */
    struct stet__buffer kept;
    struct stet__sending *sending;
    struct stet__turn *turn;   /* what the role has the exchange of */
    struct stet__http2 *http2; /* in HTTP2 only */
    size_t seen;               /* octets of `kept` that are known to be less than a head */
    struct stet_chunked chunked;
    size_t chunked_head; /* the length of the head at the front of `kept` whose chunked body is being read; 0:
                            none */
    uint64_t body_bytes; /* of the chunked body so far */
    uint64_t body_left;  /* of a body with a length that is being dropped */
    uint32_t linger_left; /* octets that LINGERING will read */
    uint8_t state;
    bool versioned;                   /* it is known to speak HTTP/1 */
    bool listening_in, listening_out; /* for EPOLLIN, EPOLLOUT */
    bool listening_blocked;           /* for EPOLLOUT instead: see stet__transport_blocked */
    bool shaking;                     /* the handshake of TLS has the head's deadline */
    bool head_begun;                  /* the head's deadline is set */
    bool closing;                     /* no request is taken any more */
    bool linger;                      /* closing while octets may still come */
    bool broken;                      /* closing without a farewell: nothing more can be sent, or must not */
    bool reset;                       /* broken, and the client must not take what it got for complete */
    uint8_t peer[16];
};

static inline struct stet__transport stet__connection_transport(const struct stet__connection *connection)
{
    return (struct stet__transport){.fd = connection->watch.fd, .tls = connection->tls};
}

/* Takes over `fd`, of a connection that was accepted and is counted already. False, with `fd` closed, if
 * there is no memory. */
bool stet__connection_open(struct stet__listener *listener, int fd, const struct sockaddr_storage *peer);

/* connection.c: what its watch runs. */
void stet__connection_ready(struct stet__watch *watch, uint32_t events);

/* connection_open.c: its memory is free for the next one; it is closed. */
void stet__connection_give_back(struct stet__connection *connection);

/* Closes and frees it. */
void stet__connection_close(struct stet__connection *connection);

/* Sends what `turn` has gathered; what the socket does not take is kept. Never frees: see `broken`. */
void stet__connection_send(struct stet__connection *connection, struct stet__turn *turn);

/* What became of the answer that was being sent, for the log. */
void stet__connection_end_sending(struct stet__connection *connection, bool aborted);

/* A role has the exchange of its turn, or an answer with a source is under way. */
static inline bool stet__connection_asked(const struct stet__connection *connection)
{
    return connection->state == STET__CONNECTION_WAITING || connection->state == STET__CONNECTION_STREAMING;
}

/* `request` is for another host than the one that TLS was agreed on for: it gets 421. */
bool stet__connection_misdirected(const struct stet__connection *connection,
                                  const struct stet_http1_request *request);

/* What the socket is listened at for; a failure is in `broken`. */
void stet__connection_listen(struct stet__connection *connection, bool in, bool out);

/* stet__connection_passed is called after so many seconds, unless this is called again. */
void stet__connection_set_deadline(struct stet__connection *connection, int64_t seconds);

/* The last answer is sent: closes it, after LINGERING if `linger` says so. */
void stet__connection_finish(struct stet__connection *connection);

/* Has stet__http1_run called with the next wake-up. */
void stet__connection_wake(struct stet__connection *connection);

/* After a turn: keeps the octets that are left and goes to the next state. Frees it if it ends. */
void stet__connection_settle(struct stet__connection *connection, struct stet__turn *turn);

/* Its time is over: what stet__deadlines_advance calls. */
void stet__connection_passed(struct stet__deadline *deadline);

/* The worker ends: closes it if nothing is in flight, else after what is. */
void stet__connection_stop(struct stet__connection *connection);

/* The time for that is over. */
void stet__connection_cut(struct stet__connection *connection);

/*
 * A connection that a tunnel has taken over (CONNECT, Upgrade). It still counts: for limits.connections, and
 * for a graceful stop, which ends it with `cut`. The tunnel owns both buffers.
 */
struct stet__detached {
    struct stet__connection *connection; /* for stet__connection_detached_end */
    struct stet__loop *loop;
    struct stet__transport transport; /* non-blocking, in no loop; closed by stet__connection_detached_end */
    struct stet__buffer early;        /* what the client sent behind its request, already read */
    struct stet__buffer answer; /* what goes to the client first: what it was not sent yet, `reply` last */
};

/*
 * Answers `exchange` with the head of `reply` (as it is, with Date; 101 with its Connection and Upgrade, or
 * 2xx to CONNECT: no framing is added) and takes the connection away from the driver, which does nothing to
 * it any more. The exchange is gone when this returns; reply->source and parts are not used. False, and
 * `*detached` untouched, if the client is gone or there is no memory: nothing is to be ended then.
 */
static inline bool stet__connection_detach(struct stet__exchange *exchange, const struct stet__reply *reply,
                                           const struct stet__tunnel_end *end,
                                           struct stet__detached *detached)
{
    return exchange->driver->detach(exchange, reply, end, detached);
}

/*
 * The tunnel is over: closes the socket (with a reset if `aborted`), logs the answer, with `octets` that went
 * to the client after the head.
 */
void stet__connection_detached_end(struct stet__connection *connection, uint64_t octets, bool aborted);

/* For each connection of a worker that is open. */
void stet__connections_each(struct stet__worker *worker, void (*run)(struct stet__connection *connection));

/* Frees the slabs; all connections are closed or cut. */
void stet__connections_release(struct stet__worker *worker);

#endif
