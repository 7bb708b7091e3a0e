/* SPDX-License-Identifier: MIT */
/*
 * upstream: requests to other servers in HTTP/1.1, on connections that are kept and used again. One pool per
 * worker: no locks. Knows framing and time-outs, not caching.
 *
 *   stet__upstream_ask --> [interim]* --> head --> [data | pause]* --> end
 *                              or at any point --> end with an error
 *
 * After `end`, and after stet__upstream_cancel, the request is gone and no event comes. No event comes from
 * within stet__upstream_ask, read_on or write_on, nor is the source asked there. `done` of the source comes
 * before `end`, and within stet__upstream_cancel if it has not come yet. Everything may be called from within
 * events, also of other requests, but stet__upstreams_free.
 *
 * A kept connection that the server closed meanwhile is no failure: an idempotent request whose body was not
 * begun is sent once more on a new connection, if not one octet of an answer had come (RFC 9112 section
 * 9.3.1, RFC 9110 section 9.2.2). Any other is sent on a kept connection only if that is still open when it
 * is looked at. Octets that come without a request, or behind an answer, are never an answer: the connection
 * is closed (RFC 9112 section 6.3).
 *
 * An answer that comes before the body of the request is sent: of 300 and above, no more is sent (RFC 9112
 * section 9.5); after a 2xx sending goes on until the answer is complete. The connection is closed if
 * anything was left unsent.
 */
#ifndef STET_NET_UPSTREAM_H
#define STET_NET_UPSTREAM_H

#include "net/address.h"
#include "net/exchange.h"

struct stet__tls_origin;
struct stet__upstreams;
struct stet__upstream;

/* Each has a flag and a default, told in docs/man/stet-proxy.1.md. Zero is not "no limit". */
struct stet__upstream_limits {
    struct stet_http1_limits head;
    unsigned connect_timeout_s; /* until the connection stands */
    unsigned answer_timeout_s;  /* from the end of the request to the head of the answer */
    unsigned read_timeout_s;    /* no progress of the answer's body, or of sending the request */
    unsigned keep_timeout_s;    /* a connection without a request is closed */
    unsigned kept;              /* connections without a request, per address and worker */
    unsigned connections; /* per address and worker; the next request waits, for connect_timeout_s at most */
};

void stet__upstream_limits_default(struct stet__upstream_limits *limits);

/* NULL if there is no memory. No request may be under way when it is freed: cancel them. */
struct stet__upstreams *stet__upstreams_new(struct stet__loop *loop,
                                            const struct stet__upstream_limits *limits);
void stet__upstreams_free(struct stet__upstreams *upstreams);

struct stet__upstream_events {
    void (*interim)(void *owner, const struct stet_response *response); /* 1xx, but 101 */
    void (*head)(void *owner,
                 const struct stet_http1_response *response); /* final, or 101; spans good in the call */
    /* Takes octets of the content from the front, and returns how many; if not all, no more come until
     * read_on. */
    size_t (*data)(void *owner, struct stet_span octets);
    void (*pause)(void *owner); /* all that had come is given: more will take a while. May be NULL */
    /*
     * STET_REASON_OK: the answer is complete, with `trailers` or NULL. Else a reason of the group "the
     * upstream". TRUNCATED comes after `head` only; a body that ends by close is complete.
     */
    void (*end)(void *owner, enum stet_reason reason, const struct stet_fields *trailers);
};

struct stet__upstream_request {
    const struct stet__listen_address *address;
    struct stet__tls_origin *tls; /* speak TLS to it (tls_client.h); NULL: plain */
    struct stet_span head;        /* start line, field lines, empty line; copied */
    enum stet_method method;      /* frames the answer */
    bool idempotent;
    struct stet__source body; /* next NULL: none */
    bool body_chunked;        /* frame the body; else the head has its Content-Length */
    bool expect_continue; /* hold the body back until 100 or a second has passed; a final answer drops it */
    const struct stet__upstream_events *events;
    void *owner;
};

/* Asks. NULL if there is no memory. */
struct stet__upstream *stet__upstream_ask(struct stet__upstreams *upstreams,
                                          const struct stet__upstream_request *request);

void stet__upstream_read_on(struct stet__upstream *upstream);  /* `data` takes octets again */
void stet__upstream_write_on(struct stet__upstream *upstream); /* the body's source has more */
void stet__upstream_cancel(struct stet__upstream *upstream);

/* How many requests to `address` are under way here: for least connections. */
unsigned stet__upstreams_load(const struct stet__upstreams *upstreams,
                              const struct stet__listen_address *address);

/*
 * Makes one tunnel of an exchange and an upstream request whose answer was 101 (after `head`), or a
 * connection made by stet__upstream_connect: `reply` is sent, then octets pass both ways until both sides are
 * closed or nothing moves for `idle_timeout_s`. Both handles are gone when this returns. tunnel.c
 */
void stet__exchange_join(struct stet__exchange *exchange, const struct stet__reply *reply,
                         struct stet__upstream *upstream, unsigned idle_timeout_s);

/* Opens a connection without a request, for CONNECT. `events.head` is called with NULL once it stands. */
struct stet__upstream *stet__upstream_connect(struct stet__upstreams *upstreams,
                                              const struct stet__listen_address *address,
                                              const struct stet__upstream_events *events, void *owner);

#endif
