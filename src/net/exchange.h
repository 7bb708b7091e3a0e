/* SPDX-License-Identifier: MIT */
/*
 * exchange: one request and its answer, as a role sees them, whatever version of HTTP carries them.
 *
 * A driver (http1.c, http2.c) parses a head, makes an exchange and calls the role's `request`. The role
 * answers with stet__exchange_answer, at once (the hot path) or later; until then the driver takes no further
 * request of that connection, so answers keep the order of requests (RFC 9112 section 9.3.2). The driver
 * frames: it writes Date, Connection, chunks and the end of the head, drops the body of HEAD and 304, drains
 * or refuses the request's body, logs.
 *
 *            driver                      role
 *   head --> request(role, exchange) --> ...
 *            stet__exchange_answer(exchange, reply) <--
 *            copies the head; sends the body parts; hold(owner) if it must keep them beyond the call,
 *            release(owner) once they are sent or the connection is gone
 *
 * A body that is not there yet has a source: the driver asks it for the next part when the one before is
 * sent, so a slow client slows its source and nothing piles up. A request's body goes to a sink, which may be
 * full.
 *
 *   stet__exchange_answer(reply with source) --> next, next, WAIT ...
 *                                     stet__exchange_write_on --> next, END --> done
 *   stet__exchange_read(sink) --> data, data (takes less) ... stet__exchange_read_on --> data ... --> end
 *
 * What may be called from where: everything below may be called from within `request`, `data`, `end` and
 * `next`, and is then acted on when that returns; so `next` is never called from within `next`, nor `data`
 * from within `data`. From elsewhere, stet__exchange_answer and stet__exchange_write_on act at once or soon:
 * `next` and `done` may come from within them, and so may `request` with the next request of the connection;
 * over HTTP/2 they come when the loop is done with what it runs.
 */
#ifndef STET_NET_EXCHANGE_H
#define STET_NET_EXCHANGE_H

#include <stet/http1.h>
#include <stet/reason.h>

#include "base/arena.h"
#include "base/part.h"

struct stet__connection;
struct stet__detached;
struct stet__head;
struct stet__loop;
struct stet__reply;
struct stet__sink;
struct stet__tunnel_end;

struct stet__exchange;

/* What a driver does for an exchange: one table per version of HTTP. The functions of this header, and
 * stet__connection_detach, say what each has to do. */
struct stet__exchange_driver {
    void (*answer)(struct stet__exchange *exchange, const struct stet__reply *reply);
    void (*write_on)(struct stet__exchange *exchange);
    void (*cut)(struct stet__exchange *exchange);
    void (*interim)(struct stet__exchange *exchange, const struct stet__head *head);
    void (*read)(struct stet__exchange *exchange, const struct stet__sink *sink);
    void (*read_on)(struct stet__exchange *exchange);
    bool (*detach)(struct stet__exchange *exchange, const struct stet__reply *reply,
                   const struct stet__tunnel_end *end, struct stet__detached *detached);
};

struct stet__exchange {
    const struct stet__exchange_driver *driver;
    const struct stet_http1_request *request; /* valid until the answer is given */
    struct stet__arena *arena;                /* scratch; valid until the answer is given */
    int64_t now;                              /* Unix seconds, read once per wake-up of the loop */
    struct stet__connection *connection;      /* the driver's */
    struct stet_span scheme;                  /* how the client came: "http" or "https" */
    bool early;          /* it came in early data of TLS, and its method is safe: RFC 8470 */
    const uint8_t *peer; /* 16 octets: IPv6, or IPv4 mapped into it; all zero for a Unix socket */

    /*
     * The role's. `gone` is called if the client goes away before the answer is given (not if NULL): nobody
     * waits any more, and no sink is called, but the role still has to call stet__exchange_answer, within
     * `gone` or later. Not called from within a call of the role's. Whoever ends its side has not gone away,
     * unless its request's body is not complete.
     */
    void *owner;
    void (*gone)(struct stet__exchange *exchange);
};

/*
 * A ready-made head: the status line and field lines of an answer in HTTP/1.1 form, without Date, Connection
 * and the empty line, which the driver adds. Made once, used for any number of answers, immutable.
 *
 *   "HTTP/1.1 304 Not Modified\r\nETag: \"...\"\r\nCache-Control: max-age=60\r\n"
 *
 * `fields` are views into the same octets, for drivers of other versions, unless `by_octets`: then they are
 * those of what the head was made of, only Content-Length counts, and such a driver reads `h1`.
 */
struct stet__head {
    unsigned status;
    struct stet_span h1;
    struct stet_fields fields;
    int64_t expires_after_s; /* the driver adds Expires: Date plus this; -1: it adds none */
    bool by_octets;
    bool has_date; /* Date is among the fields already: a stored response keeps its own (RFC 9110 6.6.1) */
};

/* What a source has. */
enum stet__supply {
    STET__SUPPLY_PART, /* the part was written */
    STET__SUPPLY_WAIT, /* nothing now; stet__exchange_write_on (stet__upstream_write_on) will be called */
    STET__SUPPLY_END,  /* that was all */
    STET__SUPPLY_CUT,  /* there will be no more, and it is not all: the receiver must not take it for complete
                        */
};

struct stet__source {
    void *owner;
    /* A part is good until the next call of `next` or `done`. */
    enum stet__supply (*next)(void *owner, struct stet__part *part);
    /* After END: the trailer fields to send, or NULL; `trailers` may be NULL itself. The driver asks only if
     * the body is chunked and the client takes them, and sends those that stet_trailer_keeps lets pass. */
    const struct stet_fields *(*trailers)(void *owner);
    /* Called once, last: all is sent (true; also if the answer has no content: HEAD, 304), or it will never
     * be.
     */
    void (*done)(void *owner, bool sent);
};

struct stet__sink {
    void *owner;
    /* Takes octets from the front and returns how many; if not all, no more come until ..._read_on. */
    size_t (*data)(void *owner, struct stet_span octets);
    /*
     * STET_OK: that was all, with the `trailers` that may go on (or NULL), good in the call. Else the body is
     * malformed, too large or late: a status.def row, whose http_status will do for the answer; the
     * connection ends after that.
     */
    void (*end)(void *owner, int status, const struct stet_fields *trailers);
};

#define STET__LENGTH_UNKNOWN UINT64_MAX

struct stet__reply {
    const struct stet__head *head;  /* Content-Length is in it, or in `extra`, if it is known */
    const struct stet_field *extra; /* field lines that only this reply has; may be NULL */
    size_t extra_count;
    const struct stet__part *parts; /* the body of a GET; the driver itself leaves it away for HEAD */
    size_t part_count;
    enum stet_reason reason; /* for the access log */
    struct stet_span cache;  /* the own member of Cache-Status, for the access log; copied; may be absent */
    bool close;              /* close the connection after this answer */

    /* The rest of the body, after `parts`: if source.next is not NULL, the exchange lives until source.done.
     */
    struct stet__source source;
    bool chunked; /* there is no Content-Length: frame it (chunked, or by closing in HTTP/1.0) */

    /*
     * Who owns the parts; the head is copied within the call. hold and release come in pairs, and only if the
     * driver must keep the parts longer than the call. `intact` is asked before the last octets of a file
     * part go out: false if the file is no longer what the head says, and then the connection is aborted, so
     * that no receiver takes the body for complete. Each may be NULL.
     */
    void *owner;
    void (*hold)(void *owner);
    void (*release)(void *owner);
    bool (*intact)(void *owner);
};

/*
 * Answers. Called exactly once per exchange, which is gone when it returns (with a source: when that is
 * done). A source that gives less or more than Content-Length says is cut off.
 */
static inline void stet__exchange_answer(struct stet__exchange *exchange, const struct stet__reply *reply)
{
    exchange->driver->answer(exchange, reply);
}

/* The source of the answer has more, or its end. */
static inline void stet__exchange_write_on(struct stet__exchange *exchange)
{
    exchange->driver->write_on(exchange);
}

/*
 * There will be no more of the answer, whose source is under way: the client is cut off with a reset at once,
 * even if it takes nothing. `done` comes from within. Not from within `next`, whose SUPPLY_CUT says the same.
 */
static inline void stet__exchange_cut(struct stet__exchange *exchange)
{
    exchange->driver->cut(exchange);
}

/* Sends an interim answer (1xx) before the final one; HTTP/1.0 clients get none (RFC 9110 section 15.2). */
static inline void stet__exchange_interim(struct stet__exchange *exchange, const struct stet__head *head)
{
    exchange->driver->interim(exchange, head);
}

/*
 * Has the request's body given to `sink`, from now on or later, but never from within this call. Only for
 * roles that read bodies (stet__role). A client that waits for it is sent 100 (Continue), unless the role has
 * done that. More than limits.body_bytes ends with STET_E_BODY_TOO_LARGE.
 *
 * While an answer with a source is under way, the body still goes to its sink, until `done`. A body that is
 * not asked for, or not to its end when the answer is given, is dropped or the connection closed.
 */
static inline void stet__exchange_read(struct stet__exchange *exchange, const struct stet__sink *sink)
{
    exchange->driver->read(exchange, sink);
}

/* The sink takes octets again: they come when this has returned. */
static inline void stet__exchange_read_on(struct stet__exchange *exchange)
{
    exchange->driver->read_on(exchange);
}

/* What a role is to a worker. One state per worker: no locks. */
struct stet__role {
    /* The state for one worker, or NULL with `*error` a sentence in static storage. `loop` is the worker's.
     */
    void *(*start)(const void *configuration, struct stet__loop *loop, const char **error);
    void (*request)(void *state, struct stet__exchange *exchange);
    void (*stop)(void *state);
    /*
     * The role reads bodies: it is asked as soon as the head is there, also with a chunked body and with
     * Expect: 100-continue, and gets CONNECT and Upgrade. Else the driver drops bodies itself (http1.h).
     */
    bool reads_bodies;
    bool intermediary; /* it is a proxy: no connection of HTTP/1.0 is kept */
};

#endif
