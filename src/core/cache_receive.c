/* SPDX-License-Identifier: MIT */
/*
 * What a cache does with the answer of the origin, or without one: RFC 9111 sections 3.3, 3.4, 4.2.4, 4.3.3
 * to 4.3.5, RFC 5861 section 4.
 *
 * Invariants: a client without a condition never gets a 304; what is chosen to answer has all octets that are
 * asked for and may be given to this client; nothing of an answer is stored that the request or the answer
 * forbids to store.
 */
#include "core/cache.h"
#include "core/trace.h"

/* One answer and all that was known when it was asked for. */
struct exchange {
    const struct stet_cache_question *question;
    const struct stet_cache_decision *decision;
    const struct stet_validation *validation;
    const struct stet_stored *next;
    bool storable;
};

/* What `rule` leads to, unless a later one decides otherwise. */
static void conclude(const struct exchange *x, struct stet_receipt *out, enum stet_rule rule,
                     enum stet_receipt_action action, enum stet_reason reason)
{
    (void)stet__rule(x->question->request, x->next, rule, true, reason);
    out->action = action;
    out->reason = reason;
}

static bool has_chosen(const struct stet_cache_question *question, const struct stet_cache_decision *decision)
{
    return decision->chosen < question->count;
}

/* The stale-if-error of the response, else the operator's; 0 if it is there and malformed. */
static int64_t error_window(const struct stet_stored *stored, const struct stet_cache_policy *policy)
{
    if (!stet_cache_control_has(&stored->control, STET_CC_STALE_IF_ERROR))
        return policy->error_grace_s;
    return stet_cache_control_valid(&stored->control, STET_CC_STALE_IF_ERROR) ? stored->control.stale_if_error
                                                                              : 0;
}

/* RFC 5861 section 4: "whether the directive came from response or request". The reason why it may be used.
 */
static bool within_window(const struct stet_cache_question *question, const struct stet_stored *stored,
                          const struct stet_cache_control *request, enum stet_reason *reason)
{
    int64_t ttl_s = stet_freshness_ttl(&stored->freshness, question->now);
    bool stated = stet_cache_control_has(&stored->control, STET_CC_STALE_IF_ERROR);
    *reason = STET_REASON_FRESH;
    if (ttl_s > 0) /* the client asked for a younger one, which nobody has */
        return true;
    if (stet__stored_never_stale(stored, question->policy))
        return false;
    *reason = STET_REASON_STALE_IF_ERROR;
    if (stet_cache_control_valid(request, STET_CC_STALE_IF_ERROR) &&
        stet__stale_within(ttl_s, request->stale_if_error))
        return true;
    if (!stated)
        *reason = STET_REASON_STALE_DISCONNECTED;
    return stet__stale_within(ttl_s, error_window(stored, question->policy));
}

/* Whether what is chosen may answer in place of an error. */
static bool stands_in(const struct stet_cache_question *question, const struct stet_cache_decision *decision,
                      enum stet_reason *reason)
{
    struct stet_cache_control room;
    const struct stet_cache_control *control = stet__request_control(question->request, &room);
    if (!has_chosen(question, decision))
        return false;
    const struct stet_stored *stored = question->stored[decision->chosen];
    return (question->invalidated & stet__bit(decision->chosen)) == 0 &&
           !stet_cache_control_unqualified(&stored->control, STET_CC_NO_CACHE) &&
           !stet__request_no_cache(question->request, control, question->policy) &&
           stet_partial_satisfies(question->request, stored, question->now) &&
           within_window(question, stored, control, reason);
}

/* RFC 5861 section 4: "any situation that would result in a 500, 502, 503, or 504 HTTP response status code".
 */
static bool is_error(unsigned status)
{
    return status == 500 || status == 502 || status == 503 || status == 504;
}

/* Those that the new one takes the place of. A part never takes that of a whole. */
static uint64_t replaced(const struct exchange *x)
{
    const struct stet_cache_question *question = x->question;
    uint64_t set = 0;
    for (size_t i = 0; i < question->count; i++) {
        const struct stet_stored *stored = question->stored[i];
        bool method = x->next->method == STET_METHOD_GET || stored->method == x->next->method;
        bool part = !x->next->held.complete && stored->held.complete;
        if (method && !part &&
            stet_vary_matches(&stored->response.fields, &stored->selecting, &question->request->fields))
            set |= stet__bit(i);
    }
    return set;
}

/* An answer that says something of this client rather than of the resource. */
static bool personal(enum stet_reason storing)
{
    return storing == STET_REASON_NOT_STORED_PRIVATE || storing == STET_REASON_NOT_STORED_NO_STORE ||
           storing == STET_REASON_NOT_STORED_REQUEST_NO_STORE ||
           storing == STET_REASON_NOT_STORED_AUTHORIZATION || storing == STET_REASON_NOT_STORED_COOKIE;
}

/* Statuses that say what the resource is now. */
static bool says_what_is(unsigned status)
{
    return status < 400 || status == 404 || status == 410;
}

/*
 * Any answer with content of its own. Section 4.3.3: "none of the stored responses nominated in the
 * conditional request are suitable", so what was asked about does not stay as if nothing had been said.
 */
static void full(const struct exchange *x, struct stet_receipt *out)
{
    bool asked = x->decision->action == STET_CACHE_REVALIDATE ||
                 x->decision->action == STET_CACHE_SERVE_AND_REVALIDATE;
    conclude(x, out, STET_RULE_RECEIVE_PASS, STET_RECEIVE_PASS, STET_REASON_FORWARDED);
    if (x->storable) {
        out->set = replaced(x);
        conclude(x, out, STET_RULE_RECEIVE_REPLACE, STET_RECEIVE_STORE,
                 asked && out->set != 0 ? STET_REASON_REPLACED : STET_REASON_FORWARDED);
    } else if (asked && says_what_is(x->next->response.status) && !personal(out->storing)) {
        out->invalidated = stet__bit(x->decision->chosen);
    }
}

static bool client_conditional(const struct stet_request *request)
{
    return stet_fields_have(&request->fields, STET_FIELD_IF_NONE_MATCH) ||
           stet_fields_have(&request->fields, STET_FIELD_IF_MODIFIED_SINCE);
}

static bool clients_tag(const struct stet_request *request, struct stet_etag tag)
{
    struct stet_etag_list list;
    struct stet_etag member;
    if (stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_NONE_MATCH) != STET_ETAG_LIST_TAGS)
        return false;
    while (stet_etag_list_next(&list, &member) == STET_OK)
        if (stet_etag_weak_equal(member, tag) || stet_etag_weak_equal(stet__origin_tag(member), tag))
            return true;
    return false;
}

/* Whether `tag` is a member of If-None-Match, that went to the origin, but for what servers do to tags that
 * code on the way. */
static bool clients_variation(const struct stet_request *request, struct stet_etag tag)
{
    struct stet_etag_list list;
    struct stet_etag member;
    if (stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_NONE_MATCH) != STET_ETAG_LIST_TAGS)
        return false;
    while (stet_etag_list_next(&list, &member) == STET_OK)
        if (stet_coded_tag_variation(stet__origin_tag(member), tag))
            return true;
    return false;
}

/* Whether the 304 names stored[i], among those whose tags were offered. */
static bool named(const struct exchange *x, size_t i)
{
    const struct stet_cache_question *question = x->question;
    struct stet_etag etag = stet__origin_etag(question->stored[i]);
    if (!stet__stored_offered(question, i))
        return false;
    /* One of another variant cannot be mistaken for the same octets by a weak tag. */
    return stet__stored_selected(question->request, question->stored[i])
               ? stet_etag_weak_equal(etag, x->next->selected.etag) ||
                     stet_coded_tag_variation(etag, x->next->selected.etag)
               : stet_etag_strong_equal(etag, x->next->selected.etag);
}

/* Section 4.1: the 304 names a variant that the request does not select. */
static bool adopts(const struct exchange *x, struct stet_receipt *out)
{
    const struct stet_cache_question *question = x->question;
    size_t i = 0;
    if (x->validation->own_fields || !x->decision->may_store)
        return false;
    while (i < question->count &&
           (stet__stored_selected(question->request, question->stored[i]) || !named(x, i)))
        i++;
    if (i == question->count)
        return false;
    out->chosen = i;
    out->adopts = true;
    for (size_t k = 0; k < question->count; k++)
        if (stet__stored_selected(question->request, question->stored[k]))
            out->set |= stet__bit(k);
    conclude(x, out, STET_RULE_RECEIVE_ADOPT, STET_RECEIVE_FRESHEN, STET_REASON_ADOPTED);
    return true;
}

/* The 304 is judged as if it were a 200: what it says of this client alone counts beside what is stored. */
struct stet_storable stet_cache_adopt(const struct stet_cache_question *question,
                                      const struct stet_stored *next, const struct stet_stored *adopted)
{
    struct stet_stored whole = *next;
    whole.response.status = 200;
    struct stet_storable said =
        stet_storable_judge(question->request, question->target, &whole, question->policy);
    if (!said.storable && personal(said.reason))
        return said;
    /* Whatever lifetime the stored response has, it was not given to this cookie. */
    if (stet__cookie_forbidden(next, question->policy))
        return (struct stet_storable){false, STET_REASON_NOT_STORED_COOKIE};
    return stet_storable_judge(question->request, question->target, adopted, question->policy);
}

/* The one whose tag was offered to a request that selects none, unless there are several tags. */
static size_t only_offered(const struct stet_cache_question *question)
{
    size_t only = question->count;
    for (size_t i = 0; i < question->count; i++) {
        if (!stet__stored_offered(question, i))
            continue;
        if (only < question->count && !stet_etag_strong_equal(stet__origin_etag(question->stored[only]),
                                                              stet__origin_etag(question->stored[i])))
            return question->count;
        only = only < question->count ? only : i;
    }
    return only;
}

/*
 * The stored response that a 304 confirms without section 4.3.4 letting it be updated: it names it weakly; or
 * it names nothing, and only one thing can have been meant. `count` if there is none.
 */
static size_t confirmed(const struct exchange *x)
{
    const struct stet_cache_question *question = x->question;
    const struct stet_representation *new = &x->next->selected;
    size_t chosen = x->decision->chosen, offered = 0;
    if (stet_etag_present(new->etag)) {
        for (size_t i = 0; i < question->count; i++)
            if (named(x, i))
                return i;
        return question->count;
    }
    if (new->last_modified != STET_NO_DATE || x->validation->clients)
        return question->count;
    if (!has_chosen(question, x->decision))
        return only_offered(question);
    for (size_t i = 0; i < question->count && x->validation->if_none_match.ptr; i++)
        offered += i != chosen && stet__stored_offered(question, i);
    return offered == 0 ? chosen : question->count;
}

/*
 * Section 3 is about every answer: what must not be stored of one is not stored by way of an update either
 * (5.2.2.5: "any part of [...] this response"). What the origin has confirmed answers this client, and what
 * was stored does not go on as if nothing had been said.
 */
static bool may_update(const struct exchange *x)
{
    const struct stet_cache_control *control = &x->next->control;
    bool shared = x->question->policy->shared;
    if (stet_cache_control_has(control, STET_CC_NO_STORE) &&
        !stet_cache_control_has(control, STET_CC_MUST_UNDERSTAND))
        return false;
    if (shared && stet_cache_control_unqualified(control, STET_CC_PRIVATE))
        return false;
    if (stet__cookie_forbidden(x->next, x->question->policy))
        return false;
    return !shared || !control->source.ptr || stet_stored_shareable(x->next);
}

/* Those that the answer speaks of are updated, or have to be asked for from now on. */
static void settle(const struct exchange *x, uint64_t set, struct stet_receipt *out)
{
    if (may_update(x))
        out->set |= set;
    else
        out->invalidated |= set;
}

/* What looks like a variation of a stored tag is one only if the origin was asked with that, and not with the
 * very tag that it names: the client's may be of something else. */
static bool is_variation(const struct exchange *x)
{
    bool clients = x->validation->clients && clients_tag(x->question->request, x->next->selected.etag);
    return x->validation->if_none_match.ptr && !clients;
}

static bool freshens(const struct exchange *x, struct stet_receipt *out)
{
    const struct stet_cache_question *question = x->question;
    struct stet_update update;
    if (!x->decision->may_store)
        return false;
    stet_update_by_304(question->request, &x->next->response, question->stored, question->count, &update);
    if (update.verdict != STET_UPDATE_FRESHEN)
        return false;
    if (update.reason == STET_REASON_UPDATE_VARIATION && !is_variation(x))
        return false;
    size_t chosen = stet__stored_choose(question, update.set);
    if (chosen == question->count ||
        !stet_partial_satisfies(question->request, question->stored[chosen], question->now))
        return false;
    out->chosen = chosen;
    settle(x, update.set, out);
    conclude(x, out, STET_RULE_RECEIVE_FRESHEN, STET_RECEIVE_FRESHEN, update.reason);
    return true;
}

/* Whether the client can have meant the 304: it names a tag of it, or none where its conditions went on. */
static bool is_clients(const struct exchange *x)
{
    const struct stet_request *request = x->question->request;
    struct stet_etag etag = x->next->selected.etag;
    struct stet_etag_list list;
    bool unnamed =
        !stet_etag_present(etag) ||
        stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_NONE_MATCH) != STET_ETAG_LIST_TAGS;
    return (x->validation->own_fields && (unnamed || clients_variation(request, etag))) ||
           ((x->validation->own_fields || x->validation->clients) && clients_tag(request, etag));
}

static void not_modified(const struct exchange *x, struct stet_receipt *out)
{
    const struct stet_request *request = x->question->request;
    bool own = x->validation->own_fields;
    if (own ? !client_conditional(request) : !x->validation->conditional) {
        conclude(x, out, STET_RULE_RECEIVE_UNASKED, STET_RECEIVE_RETRY, STET_REASON_NOT_MODIFIED_UNASKED);
        return;
    }
    if (freshens(x, out) || adopts(x, out))
        return;
    if (is_clients(x)) {
        conclude(x, out, STET_RULE_RECEIVE_CLIENTS, STET_RECEIVE_PASS, STET_REASON_UPDATE_CLIENTS);
        return;
    }
    size_t chosen = confirmed(x);
    if (chosen < x->question->count) {
        out->chosen = chosen;
        conclude(x, out, STET_RULE_RECEIVE_CONFIRM, STET_RECEIVE_FRESHEN, STET_REASON_VALIDATED);
        return;
    }
    conclude(x, out, STET_RULE_RECEIVE_UNKNOWN, STET_RECEIVE_RETRY, STET_REASON_UPDATE_UNKNOWN);
}

/* Whether the two made one answer the client; else why not. */
static bool combines(const struct exchange *x, enum stet_reason storing, enum stet_reason *reason)
{
    struct stet_combination combination;
    const struct stet_stored *stored = x->question->stored[x->decision->chosen];
    struct stet_stored joined = *stored;
    stet_partial_combine(stored, x->next, &combination);
    *reason = x->storable ? combination.reason : storing;
    joined.held = combination.held;
    if (combination.verdict == STET_COMBINE_NOT || !x->storable)
        return false;
    if (stet_partial_satisfies(x->question->request, &joined, x->question->now))
        return true;
    *reason = STET_REASON_PARTIAL_MISS;
    return false;
}

/* A 206. It is kept only if the client asked for a range: then it is what the client gets. */
static void part(const struct exchange *x, struct stet_receipt *out)
{
    const struct stet_request *request = x->question->request;
    bool old = has_chosen(x->question, x->decision);
    enum stet_reason reason = STET_REASON_FORWARDED;
    if (old && combines(x, out->storing, &reason)) {
        conclude(x, out, STET_RULE_RECEIVE_COMBINE, STET_RECEIVE_COMBINE, reason);
        return;
    }
    bool ranged = stet_fields_have(&request->fields, STET_FIELD_RANGE);
    bool answers =
        ranged && (x->validation->own_fields || stet_partial_satisfies(request, x->next, x->question->now));
    if (x->validation->has_range && !answers) {
        conclude(x, out, STET_RULE_RECEIVE_RETRY, STET_RECEIVE_RETRY, reason);
        return;
    }
    conclude(x, out, STET_RULE_RECEIVE_PASS, STET_RECEIVE_PASS, STET_REASON_FORWARDED);
    if (answers && x->storable) {
        out->set = replaced(x);
        conclude(x, out, STET_RULE_RECEIVE_REPLACE, STET_RECEIVE_STORE,
                 out->set != 0 ? STET_REASON_REPLACED : STET_REASON_FORWARDED);
    }
}

/* The 200 to a HEAD: section 4.3.5. It is not kept by itself where there is a GET that it speaks of. */
static void head(const struct exchange *x, struct stet_receipt *out)
{
    struct stet_update update;
    stet_update_by_head(x->question->request, &x->next->response, x->question->stored, x->question->count,
                        &update);
    if (update.verdict == STET_UPDATE_NONE) {
        full(x, out);
        return;
    }
    conclude(x, out, STET_RULE_RECEIVE_HEAD, STET_RECEIVE_PASS, update.reason);
    out->invalidated = update.invalidated;
    if (update.verdict == STET_UPDATE_FRESHEN && x->decision->may_store) {
        settle(x, update.set, out);
        conclude(x, out, STET_RULE_RECEIVE_HEAD, out->set != 0 ? STET_RECEIVE_FRESHEN : STET_RECEIVE_PASS,
                 update.reason);
    }
}

/* Answers to the conditions and ranges of one request: no other request could be answered with them. And a
 * 206 to anything but a GET has no octets, or none that a range is of. */
static bool never_kept(enum stet_method method, unsigned status)
{
    return status == 304 || status == 412 || status == 416 || (status == 206 && method != STET_METHOD_GET);
}

void stet_cache_receive(const struct stet_cache_question *question,
                        const struct stet_cache_decision *decision, const struct stet_validation *validation,
                        const struct stet_stored *next, struct stet_receipt *out)
{
    struct exchange x = {question, decision, validation, next, false};
    enum stet_method method = question->request->method;
    unsigned status = next->response.status;
    struct stet_storable storable =
        stet_storable_judge(question->request, question->target, next, question->policy);
    *out = (struct stet_receipt){.chosen = question->count, .storing = storable.reason};
    if (never_kept(method, status) && storable.storable)
        out->storing = STET_REASON_NOT_STORED_STATUS;
    x.storable = storable.storable && decision->may_store && !never_kept(method, status);
    enum stet_reason reason;
    if (status == 304 && (method == STET_METHOD_GET || method == STET_METHOD_HEAD)) {
        not_modified(&x, out);
    } else if (is_error(status) && stands_in(question, decision, &reason)) {
        conclude(&x, out, STET_RULE_RECEIVE_STALE, STET_RECEIVE_STALE,
                 reason == STET_REASON_STALE_DISCONNECTED ? STET_REASON_STALE_IF_ERROR : reason);
        out->chosen = decision->chosen;
    } else if (status == 416 && validation->has_range) {
        conclude(&x, out, STET_RULE_RECEIVE_RANGE, STET_RECEIVE_RETRY, STET_REASON_RANGE_UNSATISFIABLE);
    } else if (status == 206 && method == STET_METHOD_GET) {
        part(&x, out);
        if (out->action == STET_RECEIVE_COMBINE)
            out->chosen = decision->chosen;
    } else if (method == STET_METHOD_HEAD && status == 200) {
        head(&x, out);
    } else {
        full(&x, out);
    }
}

void stet_cache_unanswered(const struct stet_cache_question *question,
                           const struct stet_cache_decision *decision, enum stet_reason error,
                           struct stet_receipt *out)
{
    const struct exchange x = {.question = question, .decision = decision};
    enum stet_reason reason;
    *out = (struct stet_receipt){.chosen = question->count, .storing = STET_REASON_NOT_STORED_INCOMPLETE};
    if (stands_in(question, decision, &reason)) {
        conclude(&x, out, STET_RULE_RECEIVE_STALE, STET_RECEIVE_STALE, reason);
        out->chosen = decision->chosen;
        return;
    }
    /* Section 5.2.2.2: "it MUST generate an error response rather than reuse the stale response. The
     * generated status code SHOULD be 504". */
    bool bound = has_chosen(question, decision) &&
                 stet__stored_never_stale(question->stored[decision->chosen], question->policy);
    conclude(&x, out, STET_RULE_RECEIVE_FAIL, STET_RECEIVE_FAIL, bound ? STET_REASON_MUST_REVALIDATE : error);
}
