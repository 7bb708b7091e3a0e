/* SPDX-License-Identifier: MIT */
/*
 * fetch: one request to an origin on behalf of a visit, or of nobody (validation in the background), until
 * its answer has ended.
 *
 *   SENDING --head--> RELAY    passed on, nothing kept                        pipe -> the client
 *      |    --head--> HOLD     held back for a tag, then FILL, or answered    body
 *      |    --head--> FILL     stored, or at least shared, while it comes     body -> readers
 *      |    --head--> COLLECT  a part, to be combined with what is stored     body
 *      |    --head--> DRAIN    everybody is answered; nothing of it counts
 *      +--failed--> another origin, or the visit is answered: stale, or an error
 *
 * The fetch is gone when the upstream has ended and, in RELAY, the client is done with the pipe.
 */
#ifndef STET_PROXY_FETCH_H
#define STET_PROXY_FETCH_H

#include "proxy/fill.h"
#include "proxy/origins.h"

enum stet__fetch_state {
    STET__FETCH_SENDING,
    STET__FETCH_RELAY,
    STET__FETCH_HOLD,
    STET__FETCH_FILL,
    STET__FETCH_COLLECT,
    STET__FETCH_DRAIN,
};

struct stet__fetch {
    struct stet__list node; /* of the worker */
    struct stet__proxy_worker *worker;
    struct stet__visit *visit;       /* who is answered by it; NULL: nobody, or answered already */
    struct stet__exchange *exchange; /* in RELAY, until the pipe is done */
    struct stet__fill fill;
    bool leads; /* fill counts: others may wait, or read */
    struct stet__arena arena;
    enum stet__fetch_state state;

    /* The request, copied. */
    struct stet_http1_request request;
    struct stet__target target;
    uint8_t peer[16]; /* the client */
    struct stet_cache_question question;
    struct stet_cache_decision decision;
    struct stet_validation validation;
    bool validating; /* by core's rules; else the answer is passed on as it comes */
    struct stet__candidate *candidates;
    size_t count;
    struct stet__pipe up; /* the request's body */
    bool has_body, reading;
    bool early;   /* the client's request came in early data */
    bool widened; /* the whole is asked for instead of the client's range */
    bool retried; /* without conditions, after a 304 that nobody could use */

    /* The origin. */
    struct stet__attempt attempt;
    struct stet__upstream *upstream;
    bool answered;     /* a head has come */
    uint64_t asked_at; /* stet__store_moment */
    bool purged;       /* since then, so it cannot be kept */

    /* The answer. */
    struct stet_response response; /* all fields as received, and a Date */
    struct stet_fields forwarded;  /* those that go on */
    bool http10;                   /* the answer is in HTTP/1.0 */
    enum stet_body_kind framing;
    uint64_t content_length;
    struct stet_times times;
    struct stet_stored next;
    struct stet_receipt receipt;
    struct stet__body *body;
    struct stet__object *object; /* that is filled */
    struct stet__digester *digester;
    bool held_back; /* FILL: the slowest reader is far behind */
    bool pass_held; /* HOLD: it will not be stored */
    bool trimmed;
    struct stet__pipe down;
    const struct stet_fields *trailers;
    bool ended; /* the upstream is gone */
    bool done;  /* RELAY: the client is */
    int64_t held_since_ms;

    /* The validators that are asked with. Last, because it is not cleared. */
    char tags[2048];
};

/* proxy.c: another one's answer was stored between this one's look into the store and its lead. */
bool stet__fetch_overtaken(const struct stet__fetch *fetch);

/* fetch.c */

/*
 * Asks for `visit`, whose candidates go over; or in the background (`answer` false: the visit is answered
 * already, and its request is only copied). False if there is no memory.
 */
bool stet__fetch_begin(struct stet__visit *visit, bool answer);

/* The visit's client is gone, or has another answer. */
void stet__fetch_desert(struct stet__fetch *fetch);

/* Asks again: without conditions after a useless 304, or another origin. */
void stet__fetch_again(struct stet__fetch *fetch);

/* Stops what is under way and frees. Its fill is over. */
void stet__fetch_free(struct stet__fetch *fetch);

/* fetch_new.c: a fetch that has not begun, in the worker's list; NULL if there is no memory. */
struct stet__fetch *stet__fetch_new(struct stet__visit *visit, bool answer);
/* What is kept for others to come: the worker ends. */
void stet__fetch_free_spares(struct stet__proxy_worker *worker);
/* fetch.c: events that it is born with. */
void stet__fetch_ask(struct stet__attempt *attempt);
void stet__fetch_writer_woken(struct stet__wake *wake);

/* Nothing of the answer is needed any more. */
void stet__fetch_drop(struct stet__fetch *fetch);

/* Once a second: what is held back too long, for a tag or by a slow reader, goes on. */
void stet__fetch_second(struct stet__fetch *fetch);

/* No usable answer came. */
void stet__fetch_failed(struct stet__fetch *fetch, enum stet_reason reason);

/* Whether nobody can be answered from a candidate any more; false if `chosen` is none. */
bool stet__fetch_chosen_lost(const struct stet__fetch *fetch, size_t chosen);

/* The status of the visit's answer, with what the origin said. */
struct stet_cache_status stet__fetch_status(const struct stet__fetch *fetch);

/* upload.c: the body of the request; `owner` is the fetch. */
enum stet__supply stet__upload_next(void *owner, struct stet__part *part);
void stet__upload_ready(void *owner);
void stet__upload_drained(void *owner);

/* ask.c: the head of the request, into `out`. False if there is no memory. */
bool stet__ask_head(struct stet__fetch *fetch, struct stet__buffer *out);

/* receive.c: the head of the answer is in fetch->response. */
void stet__fetch_received(struct stet__fetch *fetch);
void stet__fetch_release_hold(struct stet__fetch *fetch, bool complete);
void stet__fetch_collected(struct stet__fetch *fetch);

/* commit.c */

/* Makes the object of the answer and puts it into the store. False if it does not fit. */
bool stet__commit(struct stet__fetch *fetch);
/* Its body is complete: it gets its length and tag. */
void stet__commit_complete(struct stet__fetch *fetch);
/* An object with the fields of the answer in place of `old`: NULL if there is no memory. */
struct stet__object *stet__commit_freshened(struct stet__fetch *fetch, struct stet__object *old);
/* A copy of `old` for this request: see stet_cache_adopt. NULL if there is no memory. */
struct stet__object *stet__commit_adopted(struct stet__fetch *fetch, struct stet__object *old);
/* Puts it into the store, if it may be stored and `old` is all there. */
bool stet__commit_adopt(struct stet__fetch *fetch, struct stet__object *old, struct stet__object *adopted);
struct stet__object *stet__commit_combined(struct stet__fetch *fetch, struct stet__object *old,
                                           const struct stet_combination *combination,
                                           struct stet__body *body);
/* The fields of an answer that gets the tag of `digest`, and a length. */
bool stet__add_tag(struct stet__lines *lines, const struct stet__digest *digest);

/* relay.c: the answer, or a switch of protocols, goes to the client as it comes. */
void stet__relay_begin(struct stet__fetch *fetch);
void stet__relay_upgrade(struct stet__fetch *fetch);
void stet__relay_interim(struct stet__fetch *fetch, const struct stet_response *response);
const struct stet_fields *stet__forwarded_fields(struct stet__arena *arena, const struct stet_fields *from);

#endif
