/* SPDX-License-Identifier: MIT */
/*
 * worker: what the files of this folder share.
 *
 *   visit   one client's request, while it is not answered             proxy.c; in the exchange's arena
 *   fetch   one request to an origin, with its answer                  fetch.c, ask.c, receive.c, commit.c
 *   fill    what a fetch is to others: who waits for its head, who     fill.c; any thread, under one lock
 *           reads its body while that grows
 *   reader  one client that is sent a body which is growing            reader.c
 *   pipe    octets in passage that nobody keeps                        pipe.c
 *
 *   visit --leads--> fetch --has--> fill <--waits for-- visit (of any worker)
 *                                   fill <--reads------ reader (of any worker)
 *
 * 1. A visit, its fetch and a reader belong to one worker and are touched by its thread only. Other threads
 *    send a wake (wake.h).
 * 2. A fetch outlives the visit that began it: a client that leaves does not spoil an answer that others
 *    wait for or that will be stored.
 * 3. A fill is in the table from its birth until its body has ended, so whoever finds a growing body in the
 *    store finds its fill.
 */
#ifndef STET_PROXY_WORKER_H
#define STET_PROXY_WORKER_H

#include <stet/cache_status.h>
#include <stet/coded.h>
#include <stet/uri.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "net/loop.h"
#include "proxy/pipe.h"
#include "proxy/shared.h"
#include "proxy/trace.h"
#include "proxy/wake.h"

/* What a key was made of last, and what it began with: key.c. */
struct stet__key_front {
    char scheme[8], authority[128], text[160];
    size_t scheme_len, authority_len, len; /* zeros: nothing yet */
};

struct stet__proxy_worker {
    struct stet__proxy *proxy;
    const struct stet__proxy_configuration *configuration;
    struct stet__loop *loop;
    struct stet__upstreams *upstreams;
    struct stet__mailbox mailbox;
    struct stet__list fetches;
    struct stet__list spares; /* fetches that are over: fetch_new.c */
    unsigned spare_count;
    struct stet__arena scratch; /* of whatever is made within one call: commit.c */
    struct stet__tick tick;
    struct stet__health *health; /* the active checks: only one worker has them */
    struct stet__key_front key_front;
};

/* What a request is for: key.c. Spans live as long as the exchange's request. */
struct stet__target {
    struct stet_span scheme, authority; /* as in Host */
    struct stet_span path_query;        /* of the request line to send: origin form, or an asterisk */
    struct stet_span key;               /* the target URI in normal form; absent for an asterisk */
    uint64_t hash;
    bool cacheable; /* GET or HEAD, and not bypassed */
    bool bypassed;
    bool elsewhere; /* forward proxy: the authority is the origin */
    bool upgrade;   /* Upgrade goes on */
    bool replace_max_forwards;
    uint64_t max_forwards;
};

struct stet__refused {
    unsigned status; /* 0: it is not refused */
    enum stet_reason reason;
};

/* False: refused. */
bool stet__target_read(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                       struct stet__target *target, struct stet__refused *refused);

/* key.c: the next protocol of a list of Upgrade that a request may be upgraded to. */
struct stet_list;
bool stet__upgrade_next(struct stet_list *list, struct stet_span *protocol);

struct stet__fetch;
struct stet__fill;

struct stet__visit {
    struct stet__proxy_worker *worker;
    struct stet__exchange *exchange;
    struct stet__trace *trace; /* NULL: the client has not the token */
    struct stet__target target;
    struct stet_cache_question question;
    struct stet_cache_decision decision;
    size_t count;           /* of candidates; each has a reference */
    struct stet__list node; /* in the fill that it waits for */
    struct stet__wake wake;
    struct stet__fill *fill;   /* that it waits for */
    struct stet__fetch *fetch; /* that it leads */
    unsigned waits;
    bool collapsed;           /* it has waited for another one's answer */
    bool alone;               /* it was not allowed to wait, or waited in vain */
    enum stet_reason failure; /* the fill that it waited for met this; OK: none */
    struct stet__candidate candidates[STET_CANDIDATES_MAX];
    const struct stet_stored *stored[STET_CANDIDATES_MAX];
};

/* proxy.c: looks and decides (again). */
void stet__visit_consider(struct stet__visit *visit);
void stet__visit_release(struct stet__visit *visit); /* its candidates */

/* ---- answers from what is held: serve_stored.c ---- */

/* What may be made of a response: coded.h. */
struct stet__codable {
    enum stet_coding own; /* in which it is */
    unsigned codings;     /* the set of those that it may be made into */
};

struct stet__serving {
    struct stet__exchange *exchange;
    struct stet__trace *trace;          /* may be NULL */
    const struct stet_request *request; /* whose conditions and range count */
    const struct stet_stored *stored;
    struct stet__body *body;     /* NULL: there is none */
    struct stet__object *object; /* whose ready-made heads are used; NULL: `fields` */
    struct stet_fields fields;   /* without `object`: what goes out, Via not among it */
    bool http10;                 /* it came in HTTP/1.0 */
    struct stet_cache_status status;
    uint64_t hash;   /* of the key: whose fill the body is */
    bool as_it_came; /* what the origin said is the answer: no condition counts */
    unsigned came_status;
    uint64_t came_length; /* UINT64_MAX: not known */
    bool tell_age;
    int64_t age_s;
    struct stet__part part; /* while it is sent */

    struct stet__codable codable;
    bool codes; /* it may be coded while it is sent: it is this client for whom it was fetched */
    bool coded; /* the rest counts: stet__coded_choose */
    struct stet_coded_choice choice;
    struct stet_representation selected; /* as stet_cache_answer_coded wants it */
    bool starved;                        /* this client needs it decoded, for which there is no memory now */
    bool passing;                        /* `choice.coding` is made while it is sent */
    struct stet_span tag;                /* of what passes */
    struct stet__object *copy;           /* a reference, until it is served */
};

void stet__serve(struct stet__proxy_worker *worker, struct stet__serving *serving);

/* Answers a visit from a candidate or any other object. */
void stet__serve_object(struct stet__visit *visit, struct stet__object *object,
                        const struct stet_cache_status *status);

/* heads.c: `fields` with Via, as ready-made heads in `arena`; each NULL if there is no room. `http10`: they
 * came in HTTP/1.0. */
const struct stet__head *stet__head_whole(struct stet__proxy_worker *worker, struct stet__arena *arena,
                                          unsigned status, const struct stet_fields *fields, bool http10);
const struct stet__head *stet__head_not_modified(struct stet__proxy_worker *worker, struct stet__arena *arena,
                                                 const struct stet_fields *fields, bool http10);

/* A copy; an absent span stays absent. `*failed` becomes true if there is no memory. */
struct stet_span stet__copy_span(struct stet__arena *arena, struct stet_span span, bool *failed);

/* A copy without those that `drops` (NULL: none) wants left out. False if there is no memory. */
bool stet__copy_fields(struct stet__arena *arena, const struct stet_fields *from,
                       bool (*drops)(const struct stet_field *field, const struct stet_fields *all),
                       struct stet_fields *to);

/* A set of field lines that grows in an arena. `failed` sticks. */
struct stet__lines {
    struct stet__arena *arena;
    struct stet_field *at;
    size_t room;
    struct stet_fields fields;
    bool failed;
};

void stet__lines_begin(struct stet__lines *lines, struct stet__arena *arena, size_t room);
void stet__lines_add(struct stet__lines *lines, const struct stet_field *field); /* borrows */
void stet__lines_put(struct stet__lines *lines, enum stet_field_id id, struct stet_span value);
void stet__lines_put_number(struct stet__lines *lines, enum stet_field_id id, uint64_t number);

/* ---- status.c ---- */

#define STET__STATUS_ROOM 1024

/* Extra field lines of a reply, in the caller's frame. */
struct stet__extra {
    struct stet_field at[4];
    size_t count;
    struct stet_span cache; /* the member of Cache-Status */
    char age[20];
    char status[STET__STATUS_ROOM];
};

void stet__extra_begin(struct stet__extra *extra);
void stet__extra_age(struct stet__extra *extra, int64_t age_s);
void stet__extra_status(struct stet__extra *extra, struct stet__proxy_worker *worker,
                        const struct stet_cache_status *status);
/* For the access log alone: `cache`. */
void stet__extra_log(struct stet__extra *extra, struct stet__proxy_worker *worker,
                     const struct stet_cache_status *status);
/* Stet-Trace; `trace` may be NULL. */
void stet__extra_trace(struct stet__extra *extra, const struct stet__trace *trace);

/* The status of an answer for which a request went on. */
struct stet_cache_status stet__status_of(const struct stet__visit *visit);

/* ---- error.c ---- */

/* `status` NULL: no cache was asked; it is for the log. `trace` may be NULL. */
void stet__proxy_error(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                       struct stet__refused why, const struct stet_cache_status *status,
                       struct stet__trace *trace);

unsigned stet__status_of_failure(enum stet_reason reason);

/* own.c: OPTIONS and TRACE that go no further. `why` has 200. */
void stet__proxy_answer_itself(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                               struct stet__refused why);

/* ---- reader.c ---- */

struct stet__reader {
    struct stet__list node; /* in fill->readers */
    struct stet__wake wake;
    struct stet__proxy_worker *worker;
    struct stet__fill *fill; /* while the body grows; under the lock of fills */
    struct stet__body *body; /* a reference */
    struct stet__exchange *exchange;
    uint64_t offset, end; /* of the body: what is next, and where it ends; UINT64_MAX: with the body */
    uint64_t passed;      /* octets before it are sent; under the lock of fills */
    bool waiting;         /* under the lock of fills */
    uint64_t lag_passed;  /* `passed` at lag_since_ms; under the lock of fills */
    int64_t lag_since_ms; /* since when others wait for it; 0: they do not */
    atomic_bool cut;      /* they have waited too long */
    bool attached;        /* it has had a fill */
};

/* A source that gives `body` from `first` to before `end`. NULL if there is no memory. */
struct stet__reader *stet__reader_new(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                                      struct stet__body *body, uint64_t first, uint64_t end);
/* To the fill that lets the body grow. False: its first octets are gone, and so is the reader. */
bool stet__reader_attach(struct stet__reader *reader, uint64_t hash);
void stet__reader_source(struct stet__reader *reader, struct stet__source *out);

/* ---- ranges.c ---- */

struct stet__ranges;

/*
 * Several ranges of what is served, whose Content-Type is `type` (may be absent). NULL if its body is not all
 * there, or if there is no memory. Its source frees it.
 */
struct stet__ranges *stet__ranges_new(struct stet__proxy_worker *worker, const struct stet__serving *serving,
                                      struct stet_span type, const struct stet_range_set *set);
void stet__ranges_free(struct stet__ranges *ranges);
struct stet_span stet__ranges_type(const struct stet__ranges *ranges); /* with the boundary */
uint64_t stet__ranges_length(const struct stet__ranges *ranges);
void stet__ranges_source(struct stet__ranges *ranges, struct stet__source *out);

/* ---- tunnel.c ---- */

void stet__tunnel_begin(struct stet__proxy_worker *worker, struct stet__exchange *exchange);

#endif
