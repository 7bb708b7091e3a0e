/* SPDX-License-Identifier: MIT */
/*
 * streaming: bodies in motion: a request's on its way to a role's sink (request_body.c), an answer's on its
 * way from a role's source (streaming.c). Both states are part of a turn, which is held as long as either
 * moves, so a connection without one pays nothing.
 *
 * A role is called back only from within stet__http1_run (`busy` is set meanwhile): what it asks for in there
 * is done when it returns, so neither side ever finds itself called in the middle of its own call.
 */
#ifndef STET_NET_STREAMING_H
#define STET_NET_STREAMING_H

#include "base/buffer.h"
#include "net/exchange.h"
#include "net/loop.h"

struct stet__turn;

/*
 *   input  [ ... | head | dealt with | pending | begin ... end | room ]
 *                       ^ base
 */
struct stet__request_body {
    struct stet__sink sink;
    struct stet__buffer trailers; /* the trailer section so far */
    struct stet_span pending;     /* data in the turn's input that the sink has not taken yet */
    size_t base;                  /* where the octets behind the head begin in the turn's input */
    uint64_t bytes;               /* of data so far */
    int status;                   /* what is wrong with it */
    bool chunked;
    bool over;  /* nothing more of it is to be read: its end has come, or something is wrong with it */
    bool asked; /* `sink` is set */
    bool told;  /* the sink has its end */
    bool full;  /* the sink did not take all: until stet__exchange_read_on */
    bool again; /* that was called from within */
    bool begun; /* the client does not wait for 100 (Continue) */
};

struct stet__streaming {
    struct stet__source source; /* next NULL: there is none */
    struct stet__part part;     /* that the source gave last */
    uint64_t left;              /* of the Content-Length, or STET__LENGTH_UNKNOWN */
    uint64_t bytes;             /* of content, sent or copied to be sent */
    const char *reason;         /* for the access log, as the next two */
    struct stet_span cache;     /* in the arena */
    uint16_t status;
    bool chunked;
    bool crlf;     /* the end of the last chunk is not written yet */
    bool trailers; /* the client takes them: RFC 9110 section 10.1.4 */
    bool stuck;    /* the socket did not take all: the source is not asked */
    bool waiting;  /* the source has nothing now */
    bool again;    /* stet__exchange_write_on was called from within */
    bool ended;    /* the source has no more */
    bool fresh;    /* nothing is sent yet: what the source gets within this wake-up goes with the head */
    struct stet__soon soon; /* sends the head if it gets nothing */
};

/* A request is taken, whose head ends at `turn->begin`, for a role that reads bodies. */
void stet__request_body_begin(struct stet__connection *connection, struct stet__turn *turn);

/* Gives the sink what there is. The role may answer from within. */
void stet__request_body_deliver(struct stet__connection *connection, struct stet__turn *turn);

/* Something can be given. */
bool stet__request_body_ready(const struct stet__turn *turn);

/* Octets of the body have to come from the client first. */
bool stet__request_body_awaits(const struct stet__turn *turn);

/* Makes room for octets behind those that have come; all of `pending` is taken. */
void stet__request_body_make_room(struct stet__turn *turn);

/* It did not come in time: the sink is told when it is delivered to. */
void stet__request_body_late(struct stet__connection *connection, struct stet__turn *turn);

/* stet__exchange_read and stet__exchange_read_on. */
void stet__request_body_read(struct stet__exchange *exchange, const struct stet__sink *sink);
void stet__request_body_read_on(struct stet__exchange *exchange);

/* Nobody reads the rest: it is dropped, or the connection ends after the answer. */
void stet__request_body_leave(struct stet__connection *connection, struct stet__turn *turn);

/* Begins an answer with a source, and a head that http1_answer.c has prepared. */
void stet__streaming_begin(struct stet__connection *connection, struct stet__turn *turn,
                           const struct stet__reply *reply);

/* It will go on when the socket takes more. */
bool stet__streaming_blocked(const struct stet__turn *turn);

/* Sends what the socket takes, and asks the source when all is sent. The state tells if it is over. */
void stet__streaming_run(struct stet__connection *connection, struct stet__turn *turn);

/* The connection is closed: the answer will never be complete. */
void stet__streaming_abort(struct stet__connection *connection, struct stet__turn *turn);

#endif
