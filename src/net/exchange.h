/* SPDX-License-Identifier: MIT */
/*
 * exchange: one request and its answer, as a role sees them, whatever version of HTTP carries them.
 *
 * A driver (http1.c) parses a head, makes an exchange and calls the role's `request`. The role answers with
 * stet__exchange_answer, at once (the hot path) or later; until then the driver reads no further request of
 * that connection, so answers keep the order of requests (RFC 9112 section 9.3.2). The driver frames: it
 * writes Date, Connection and the end of the head, drops the body of HEAD and 304, drains or refuses the
 * request's body, logs.
 *
 *            driver                      role
 *   head --> request(role, exchange) --> ...
 *            stet__exchange_answer(exchange, reply) <--
 *            copies the head; sends the body parts; hold(owner) if it must keep them beyond the call,
 *            release(owner) once they are sent or the connection is gone
 */
#ifndef STET_NET_EXCHANGE_H
#define STET_NET_EXCHANGE_H

#include <stet/http1.h>
#include <stet/reason.h>

#include "base/arena.h"

struct stet__connection;
struct stet__loop;

struct stet__exchange {
    const struct stet_http1_request *request; /* valid until the answer is given */
    struct stet__arena *arena;                /* scratch; valid until the answer is given */
    int64_t now;                              /* Unix seconds, read once per wake-up of the loop */
    struct stet__connection *connection;      /* the driver's */
};

/*
 * A ready-made head: the status line and field lines of an answer in HTTP/1.1 form, without Date, Connection
 * and the empty line, which the driver adds. Made once, used for any number of answers, immutable.
 *
 *   "HTTP/1.1 304 Not Modified\r\nETag: \"...\"\r\nCache-Control: max-age=60\r\n"
 *
 * `fields` are views into the same octets, for drivers of other versions.
 */
struct stet__head {
    unsigned status;
    struct stet_span h1;
    struct stet_fields fields;
    int64_t expires_after_s; /* the driver adds Expires: Date plus this; -1: it adds none */
};

/* Part of a body. */
struct stet__part {
    struct stet_span memory; /* if memory.ptr is not NULL; else `fd` counts */
    int fd;                  /* regular file: octets `offset` to offset + length */
    uint64_t offset;
    uint64_t length; /* of a memory part: memory.len */
};

struct stet__reply {
    const struct stet__head *head;  /* Content-Length is in it, or in `extra` */
    const struct stet_field *extra; /* field lines that only this reply has; may be NULL */
    size_t extra_count;
    const struct stet__part *parts; /* the body of a GET; the driver itself leaves it away for HEAD */
    size_t part_count;
    enum stet_reason reason; /* for the access log */
    bool close;              /* close the connection after this answer */

    /*
     * Who owns head and parts. hold and release come in pairs, and only if the driver must keep them longer
     * than the call. `intact` is asked before the last octets of a file part go out: false if the file is no
     * longer what the head says, and then the connection is aborted, so that no receiver takes the body for
     * complete. Each may be NULL.
     */
    void *owner;
    void (*hold)(void *owner);
    void (*release)(void *owner);
    bool (*intact)(void *owner);
};

/* Answers. Called exactly once per exchange; the exchange is gone when it returns. */
void stet__exchange_answer(struct stet__exchange *exchange, const struct stet__reply *reply);

/* What a role is to a worker. One state per worker: no locks. */
struct stet__role {
    /* The state for one worker, or NULL with `*error` a sentence in static storage. `loop` is the worker's.
     */
    void *(*start)(const void *configuration, struct stet__loop *loop, const char **error);
    void (*request)(void *state, struct stet__exchange *exchange);
    void (*stop)(void *state);
};

#endif
