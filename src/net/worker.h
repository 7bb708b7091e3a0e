/* SPDX-License-Identifier: MIT */
/*
 * worker: a thread with its loop, listeners, connections and role state; and what all connections of a worker
 * share, so that one without a request holds no buffer.
 */
#ifndef STET_NET_WORKER_H
#define STET_NET_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/access_log.h"
#include "net/deadline.h"
#include "net/loop.h"
#include "net/output.h"
#include "net/server.h"
#include "net/streaming.h"

struct stet__connection;
struct stet__connection_slab;
struct stet__http2_worker;

/*
 * What it takes to serve one connection in one go: the octets read, the request made of them, the answers
 * gathered. A worker uses one over and over. Only if a role answers later, or with a source, does its
 * exchange keep the turn, and the worker takes another; the octets that are not dealt with stay in it.
 */
struct stet__turn {
    struct stet__turn *next; /* unused ones */
    char *input;
    size_t begin, end; /* of the octets in `input` that are not dealt with */
    size_t room;       /* of `input` */
    struct stet_field *fields;
    struct stet__arena arena;
    struct stet_http1_request request;
    struct stet__exchange exchange;
    bool asked;       /* the role has the exchange */
    bool busy;        /* the role is being called */
    bool wants_more;  /* the octets left are not a whole request */
    int64_t asked_ms; /* when the role got it: the loop's monotonic clock */
    struct stet__output output;
    struct stet__log_record *record; /* of the answer whose body is being sent; NULL: none is logged */
    struct stet__request_body body;  /* only for roles that read bodies */
    struct stet__streaming streaming;
};

struct stet__listener {
    struct stet__watch watch;
    struct stet__worker *worker;
    bool shared; /* with other workers: a Unix socket */
    bool tls;    /* its connections begin with a handshake */
};

struct stet__worker {
    struct stet__loop *loop;
    const struct stet__limits *limits;
    const struct stet__role *role;
    void *role_state;
    struct stet__access_log *log;
    struct stet__tls_config *tls; /* NULL: no listener has TLS */
    struct stet__tls_io *tls_io;
    char hsts[32]; /* the value of Strict-Transport-Security; empty: none is sent */
    unsigned index;
    struct stet__turn *turns; /* unused ones */
    unsigned turn_count;
    struct stet__deadlines deadlines;
    struct stet__tick tick;
    struct stet__listener *listeners;
    size_t listener_count;
    bool listening;
    atomic_bool stop_asked;
    bool stopping;     /* answers say Connection: close from now on */
    int64_t stop_by_s; /* when what is in flight is cut off */
    size_t open;       /* connections */
    struct stet__connection_slab *slabs;
    struct stet__list free_connections;
    struct stet__http2_worker *http2; /* NULL until the first connection of HTTP/2 */
    atomic_uint *connections;         /* of all workers */
    int64_t expires;                  /* what `expires_line` says */
    char expires_line[sizeof "Expires: \r\n" - 1 + STET_DATE_LEN];
    pthread_t thread;
    bool started;
};

/* Everything but the listeners and the thread. False if there is no memory or the role refuses (`*error` says
 * why). */
bool stet__worker_init(struct stet__worker *worker, const struct stet__server_configuration *configuration,
                       const char **error);
void stet__worker_release(struct stet__worker *worker);

/* Has the worker accept at `fd`, which it owns from now on unless it is shared. The caller has set what else
 * there is to the listener. 0 or a negative errno. */
int stet__worker_listen(struct stet__worker *worker, struct stet__listener *listener, int fd, bool shared);

/* Starts the thread: 0 or a positive errno. */
int stet__worker_start(struct stet__worker *worker);

/* From another thread: ends gracefully. */
void stet__worker_stop(struct stet__worker *worker);

/* NULL if there is no memory. */
struct stet__turn *stet__turn_take(struct stet__worker *worker);
void stet__turn_give(struct stet__worker *worker, struct stet__turn *turn);

/* A connection has been closed: accepting may go on, or the worker end. */
void stet__worker_closed(struct stet__worker *worker);

static inline int64_t stet__worker_seconds(const struct stet__worker *worker)
{
    return stet__loop_monotonic_ms(worker->loop) / 1000;
}

#endif
