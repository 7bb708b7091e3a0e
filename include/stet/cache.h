/* SPDX-License-Identifier: MIT */
/*
 * cache: what a cache does with a request, and with the answer that comes. RFC 9111 sections 3 and 4.
 *
 * A cache asks two questions and gets an action and a reason each time, never booleans to combine by itself:
 *
 *   stet_cache_decide     request       -> SERVE, SERVE_AND_REVALIDATE: answer as stet_cache_answer says
 *                                          REVALIDATE, FORWARD: ask the origin as stet_cache_validation says
 *                                          FAIL: 504
 *   stet_cache_receive    an answer     -> PASS, STORE, FRESHEN, COMBINE, STALE or RETRY
 *   stet_cache_unanswered no answer     -> STALE or FAIL
 *
 * All are pure. Candidates are what is stored for the target URI, whatever the variant, method or freshness;
 * the choice among them is made here.
 */
#ifndef STET_CACHE_H
#define STET_CACHE_H

#include <stet/answer.h>
#include <stet/partial.h>
#include <stet/update.h>
#include <stet/vary.h>

/*
 * Whether a GET or HEAD asks for more than its target URI names, so that no key stands for its answer and it
 * is for the origin alone: with content (RFC 9110 section 9.3.1: "no generally defined semantics"), or with a
 * field by which some frameworks take it for another method, target or host (X-HTTP-Method-Override,
 * X-Original-URL, X-Host and their like).
 */
bool stet_cache_exceeds_key(const struct stet_fields *fields, bool has_content);

struct stet_cache_question {
    const struct stet_request *request;      /* the client's, as it came */
    struct stet_span target;                 /* its path and query */
    const struct stet_stored *const *stored; /* the candidates, that stored last first */
    size_t count;                            /* at most STET_CANDIDATES_MAX */
    uint64_t invalidated; /* bit i: stored[i] was invalidated or purged softly: it needs validation
                             (RFC 9111 section 4.4), and no permission to serve stale revives it */
    const struct stet_cache_policy *policy;
    int64_t now;
};

enum stet_cache_action {
    STET_CACHE_SERVE,                /* stored[chosen], as stet_cache_answer says */
    STET_CACHE_SERVE_AND_REVALIDATE, /* the same, and validate it in the background: RFC 5861 section 3 */
    STET_CACHE_REVALIDATE,           /* ask with validators of what is stored, or for what it lacks */
    STET_CACHE_FORWARD,              /* ask; nothing that is stored helps to ask */
    STET_CACHE_FAIL,                 /* 504: only-if-cached */
};

/* Why a request goes on: the fwd of RFC 9211 section 2.2, by its names. */
enum stet_forward_cause {
    STET_FWD_NONE,
    STET_FWD_BYPASS,
    STET_FWD_METHOD,
    STET_FWD_URI_MISS,
    STET_FWD_VARY_MISS,
    STET_FWD_MISS,
    STET_FWD_REQUEST,
    STET_FWD_STALE,
    STET_FWD_PARTIAL,
};

struct stet_cache_decision {
    enum stet_cache_action action;
    enum stet_reason reason;
    enum stet_forward_cause
        forward;       /* NONE for SERVE and FAIL; for SERVE_AND_REVALIDATE that of the background */
    size_t chosen;     /* the selected stored response; `count` if there is none. With FORWARD too: it may
                          have to stand in for an error */
    int64_t age_s;     /* of it */
    int64_t ttl_s;     /* of it: negative once stale */
    bool may_store;    /* nothing about the request forbids to store the answer (method, no-store) */
    bool may_collapse; /* others may wait for this answer, or this request for theirs: RFC 9111 section 4.
                          False for methods that are not cached and with Authorization, Range, no-store,
                          If-Match and If-Unmodified-Since */
};

void stet_cache_decide(const struct stet_cache_question *question, struct stet_cache_decision *out);

/*
 * For whoever wants to be told: why stored[i] was chosen or not by the decision about the same question.
 * chosen, not-chosen, vary-miss, method-miss, authorization-forwarded, partial-miss; and where nobody looked
 * at what is stored the reason of the decision itself, as condition-forwarded.
 */
enum stet_reason stet_cache_candidate(const struct stet_cache_question *question,
                                      const struct stet_cache_decision *decision, size_t i);

/*
 * What the client gets from `stored` (which is complete, or satisfies the request): RFC 9111 section 4.3.2. A
 * stored 200 gives 200, 206, 304 or 416, begun at If-None-Match; If-Modified-Since is compared with
 * Last-Modified, else with Date, else with the time of arrival. Another status comes out as it is, whatever
 * the request's conditions: reason replayed. While the complete length is not known Range is ignored.
 */
void stet_cache_answer(const struct stet_request *request, const struct stet_stored *stored, int64_t now,
                       struct stet_answer *out);

/*
 * The same if what answers is a coded copy of it: `selected` is stet_coded_selected of stored->selected. Its
 * length is that of the copy; UINT64_MAX while that is not known, which makes Range ignored.
 */
void stet_cache_answer_coded(const struct stet_request *request, const struct stet_stored *stored,
                             const struct stet_representation *selected, int64_t now,
                             struct stet_answer *out);

/* With what the origin is asked, instead of the request's own conditional fields and Range. */
struct stet_validation {
    bool conditional;               /* if_none_match or if_modified_since is there */
    bool clients;                   /* tags that only the client has are among them */
    bool own_fields;                /* leave the client's If-*, Range as they are: nothing below counts */
    struct stet_span if_none_match; /* a list in `text`, or one tag that borrows; absent if there is none */
    struct stet_span if_modified_since; /* borrows from a stored Last-Modified; absent if there is none */
    bool has_range;                     /* ask for `range`, else for the whole */
    struct stet_range range;            /* its `last` may be STET_RANGE_OPEN */
    struct stet_span if_range; /* with `has_range`: a strong tag or date that borrows; may be absent */
};

/*
 * RFC 9111 section 4.3.1. REVALIDATE offers the tag of the chosen one, those of others that the origin knows
 * (of a partial one only if the request lies within it: section 4.3.2) and the client's own (unless it has an
 * asterisk), and the chosen one's Last-Modified. A chosen one without a tag of the origin's
 * is asked for by its date alone, because an origin disregards that beside any tag. What was synthesised is
 * never offered. The background validation has no client, so no tags of one. To complete what is held (the
 * cause is PARTIAL) a range is asked for, with If-Range where that has a strong validator.
 *
 * What the request does not select is offered to a GET only, if it is a complete 200 with a strong tag that
 * sets no cookie, and the two requests do not differ in an Accept-Encoding, Authorization, Cookie or Origin
 * that its Vary names (docs/decisions.md).
 *
 * FORWARD of a request whose answer may be stored and that may collapse asks for the whole, so that a cold
 * cache is filled: if variants are stored but none for this request (the cause is VARY_MISS), with the tags
 * of those that may be offered (section 4.1), else without conditions. Neither the client's tags nor a date
 * are among them: a 304 to one of those would fill nothing. Any other goes on with its own fields. `text` has
 * `room` octets; tags that do not fit are left out, never the first. What is left out costs a transfer, never
 * correctness.
 */
void stet_cache_validation(const struct stet_cache_question *question,
                           const struct stet_cache_decision *decision, char *text, size_t room,
                           struct stet_validation *out);

enum stet_receipt_action {
    STET_RECEIVE_PASS,    /* the answer is the client's; nothing is stored of it */
    STET_RECEIVE_STORE,   /* the answer is the client's, and is stored in place of those in `set` */
    STET_RECEIVE_FRESHEN, /* those in `set` take over the fields (stet_update_fields); stored[chosen] then
                             answers the client. The set may be empty: a 304 can confirm what it may not
                             update */
    STET_RECEIVE_COMBINE, /* stored[chosen] and the answer become one (stet_partial_combine), which answers */
    STET_RECEIVE_STALE,   /* it is an error: stored[chosen] answers the client */
    STET_RECEIVE_RETRY,   /* nobody can use it: ask once more, for the whole and without conditions */
    STET_RECEIVE_FAIL,    /* 502 or 504, by its reason: stet_cache_unanswered only */
};

struct stet_receipt {
    enum stet_receipt_action action;
    enum stet_reason reason;
    enum stet_reason storing; /* why it is stored or not: the reason of stet_storable_judge */
    size_t chosen;            /* FRESHEN, COMBINE, STALE; else, and with FRESHEN of a HEAD's 200, `count` */
    bool adopts;              /* FRESHEN of nothing: see stet_cache_adopt */
    uint64_t set;             /* STORE, and FRESHEN that adopts: replaced; FRESHEN: freshened */
    uint64_t invalidated;     /* PASS, FRESHEN: the answer says that these are not what the origin has now
                                 (RFC 9111 sections 4.3.3 and 4.3.5), or confirms them with fields that must
                                 not be stored (section 3): they need validation from now on */
};

/*
 * The final answer to a request that was sent as `validation` says. `next` is that answer as it would be
 * stored: status (a 206 is one here) and all fields as received, `held` by stet_held_read (of a 206 for which
 * that fails, nothing known), stet_stored_read done.
 *
 * Whenever the client did not ask with its `own_fields`, the answer becomes the client's as stet_cache_answer
 * says of it: its conditions have not been looked at yet. A FRESHEN of the 200 to a HEAD passes that on and
 * has no `chosen`.
 *
 * A 304 freshens by stet_update_by_304. One that names a tag of the client's alone is passed on and freshens
 * nothing. One that confirms a stored response without naming it as section 4.3.4 wants (no validator at all
 * although one thing only was offered; the same octets but weak on the other side) lets it answer, but not be
 * updated. One with the strong tag of a variant that a GET does not select makes that one its answer: it
 * adopts it. Any other, and one to a request without a condition, is RETRY:
 * never a 304 that was not asked for.
 */
void stet_cache_receive(const struct stet_cache_question *question,
                        const struct stet_cache_decision *decision, const struct stet_validation *validation,
                        const struct stet_stored *next, struct stet_receipt *out);

/*
 * Adopting: RFC 9111 section 4.1. The origin says that what another request got is the answer to this one,
 * too. stored[chosen] stays as it is, because section 4.3.4 lets no 304 update what its request does not
 * select. The client is answered by a copy: the same octets, the fields as stet_update_fields makes them of
 * its own and those of the 304, `selecting` and times of this exchange. That copy, read, is `adopted`;
 * whether it may be stored is said here, for a 304 can be private, too. Then it is, in place of those in
 * `set`.
 */
struct stet_storable stet_cache_adopt(const struct stet_cache_question *question,
                                      const struct stet_stored *next, const struct stet_stored *adopted);

/*
 * No usable answer came: refused, reset, timed out, malformed. `error` is the reason
 * (STET_REASON_UPSTREAM_...). STALE if stored[chosen] may answer: fresh but not young enough for the client,
 * or stale within stale-if-error of the response or the request (RFC 5861 section 4) or, unless the response
 * says it, within the policy's error_grace_s (RFC 9111 section 4.2.4); not if it must be validated or was
 * invalidated, or the request says no-cache. Else FAIL. With must-revalidate and its kind that is 504
 * (section 5.2.2.2): reason must-revalidate.
 */
void stet_cache_unanswered(const struct stet_cache_question *question,
                           const struct stet_cache_decision *decision, enum stet_reason error,
                           struct stet_receipt *out);

#endif
