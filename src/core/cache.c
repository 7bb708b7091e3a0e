/* SPDX-License-Identifier: MIT */
/*
 * What a cache does with a request: RFC 9111 sections 4, 4.2.4 and 5.2.1, RFC 5861 section 3, RFC 8246.
 *
 * The order is that of the questions one would ask. Is the request for the origin in any case? Is there
 * something stored that could answer it? Must that be validated, because of what happened to it, of what it
 * says, or of what the client says? Is it fresh? May it be used stale? Only what survives all of them is
 * served. A fresh hit of a request without Cache-Control computes two times and reads a handful of bits.
 *
 * What is left out: a cache without a clock (section 4.2), since stet has one; Pragma beyond no-cache.
 */
#include <stet/field.h>

#include "core/cache.h"
#include "core/trace.h"

static const struct stet_cache_control no_directives;

const struct stet_cache_control *stet__request_control(const struct stet_request *request,
                                                       struct stet_cache_control *room)
{
    if (!stet_fields_have(&request->fields, STET_FIELD_CACHE_CONTROL))
        return &no_directives;
    stet_cache_control_read(&request->fields, room);
    return room;
}

/* RFC 9111 section 5.4 deprecates it; clients that know no Cache-Control mean what they say. */
static bool pragma_no_cache(const struct stet_fields *fields)
{
    struct stet_list list;
    struct stet_span member;
    if (!stet_fields_have(fields, STET_FIELD_PRAGMA) || stet_fields_have(fields, STET_FIELD_CACHE_CONTROL))
        return false;
    stet_list_begin(&list, fields, STET_FIELD_PRAGMA);
    while (stet_list_next(&list, &member) == STET_OK)
        if (stet_span_equal_nocase(member, STET_SPAN("no-cache")))
            return true;
    return false;
}

bool stet__request_no_cache(const struct stet_request *request, const struct stet_cache_control *control,
                            const struct stet_cache_policy *policy)
{
    return policy->obey_clients &&
           (stet_cache_control_has(control, STET_CC_NO_CACHE) || pragma_no_cache(&request->fields));
}

bool stet__stored_never_stale(const struct stet_stored *stored, const struct stet_cache_policy *policy)
{
    const struct stet_cache_control *control = &stored->control;
    if (stet_cache_control_has(control, STET_CC_MUST_REVALIDATE))
        return true;
    return policy->shared && (stet_cache_control_has(control, STET_CC_PROXY_REVALIDATE) ||
                              stet_cache_control_has(control, STET_CC_S_MAXAGE));
}

bool stet__stale_within(int64_t ttl_s, int64_t window_s)
{
    return -ttl_s < window_s; /* a ttl saturates (freshness.h), so this does not overflow */
}

static bool reads(enum stet_method method)
{
    return method == STET_METHOD_GET || method == STET_METHOD_HEAD;
}

static void forward(struct stet_cache_decision *out, enum stet_reason reason, enum stet_forward_cause cause)
{
    out->action = STET_CACHE_FORWARD;
    out->reason = reason;
    out->forward = cause;
}

static void serve(struct stet_cache_decision *out, enum stet_reason reason)
{
    out->action = STET_CACHE_SERVE;
    out->reason = reason;
    out->forward = STET_FWD_NONE;
}

static void revalidate(struct stet_cache_decision *out, enum stet_reason reason,
                       enum stet_forward_cause cause)
{
    out->action = STET_CACHE_REVALIDATE;
    out->reason = reason;
    out->forward = cause;
}

/* Nothing that is stored could answer: why? */
static void miss(const struct stet_cache_question *question, struct stet_cache_decision *out)
{
    const struct stet_request *request = question->request;
    bool matches = false;
    if (question->count == 0) {
        forward(out, STET_REASON_URI_MISS, STET_FWD_URI_MISS);
        return;
    }
    for (size_t i = 0; i < question->count; i++) {
        const struct stet_stored *stored = question->stored[i];
        if (stet__stored_selected(request, stored)) { /* and not permitted, or it would have been chosen */
            bool credentials = stet_fields_have(&request->fields, STET_FIELD_AUTHORIZATION);
            forward(out, STET_REASON_AUTHORIZATION_FORWARDED, credentials ? STET_FWD_REQUEST : STET_FWD_MISS);
            return;
        }
        matches |= stet_vary_matches(&stored->response.fields, &stored->selecting, &request->fields);
    }
    if (matches)
        forward(out, STET_REASON_METHOD_MISS, STET_FWD_MISS);
    else
        forward(out, STET_REASON_VARY_MISS, STET_FWD_VARY_MISS);
}

/* What is chosen lacks octets: ask for those alone if that can help (RFC 9111 section 3.3). */
static void complete(const struct stet_cache_question *question, struct stet_cache_decision *out)
{
    struct stet_range range;
    const struct stet_stored *stored = question->stored[out->chosen];
    if (stet_partial_missing(question->request, stored, question->now, &range))
        revalidate(out, STET_REASON_PARTIAL_MISS, STET_FWD_PARTIAL);
    else
        forward(out, STET_REASON_PARTIAL_MISS, STET_FWD_PARTIAL);
}

/* Whether the request's max-age or min-fresh, which are advice (RFC 9111 section 5.2.1), ask for more. */
static bool client_wants_younger(const struct stet_request *request, const struct stet_cache_control *control,
                                 const struct stet_stored *stored, const struct stet_cache_decision *so_far,
                                 enum stet_reason *reason)
{
    *reason = STET_REASON_REQUEST_MIN_FRESH;
    bool longer = stet_cache_control_valid(control, STET_CC_MIN_FRESH) && so_far->ttl_s < control->min_fresh;
    if (stet__rule(request, stored, STET_RULE_REQUEST_MIN_FRESH, longer, *reason))
        return true;
    *reason = STET_REASON_REQUEST_MAX_AGE;
    bool older = stet_cache_control_valid(control, STET_CC_MAX_AGE) && so_far->age_s > control->max_age;
    /* RFC 8246 section 2.1: a reload says max-age=0, and only no-cache is a "signal from the user" */
    bool reload = older && so_far->ttl_s > 0 && stet_cache_control_has(&stored->control, STET_CC_IMMUTABLE);
    return stet__rule(request, stored, STET_RULE_REQUEST_MAX_AGE, older && !reload, *reason);
}

static int64_t revalidate_window(const struct stet_stored *stored, const struct stet_cache_policy *policy)
{
    if (!stet_cache_control_has(&stored->control, STET_CC_STALE_WHILE_REVALIDATE))
        return policy->grace_s;
    return stet_cache_control_valid(&stored->control, STET_CC_STALE_WHILE_REVALIDATE)
               ? stored->control.stale_while_revalidate
               : 0;
}

/* RFC 9111 section 4.2.4: something chosen, stale, that nothing but its age keeps from being used. */
static void use_stale(const struct stet_cache_question *question, const struct stet_cache_control *control,
                      struct stet_cache_decision *out)
{
    const struct stet_stored *stored = question->stored[out->chosen];
    const struct stet_cache_policy *policy = question->policy;
    bool max_stale = stet_cache_control_valid(control, STET_CC_MAX_STALE);
    /* Section 5.2.1.1: "Unless the max-stale request directive is also present, the client does not wish to
     * receive a stale response" */
    bool declines = policy->obey_clients && stet_cache_control_has(control, STET_CC_MAX_AGE) && !max_stale;
    bool accepted = max_stale && (control->max_stale >= STET_SECONDS_MAX ||
                                  stet__stale_within(out->ttl_s, control->max_stale + 1));
    bool for_a_while = !declines && stet__stale_within(out->ttl_s, revalidate_window(stored, policy));
    const struct stet_request *request = question->request;
    if (stet__rule(request, stored, STET_RULE_MUST_REVALIDATE, stet__stored_never_stale(stored, policy),
                   STET_REASON_MUST_REVALIDATE)) {
        revalidate(out, STET_REASON_MUST_REVALIDATE, STET_FWD_STALE);
    } else if (stet__rule(request, stored, STET_RULE_MAX_STALE, accepted, STET_REASON_MAX_STALE)) {
        serve(out, STET_REASON_MAX_STALE);
    } else if (stet__rule(request, stored, STET_RULE_STALE_WHILE_REVALIDATE, for_a_while,
                          STET_REASON_STALE_WHILE_REVALIDATE)) {
        serve(out, STET_REASON_STALE_WHILE_REVALIDATE);
        out->action = STET_CACHE_SERVE_AND_REVALIDATE;
        out->forward = STET_FWD_STALE;
    } else {
        (void)stet__rule(request, stored, STET_RULE_STALE, true, STET_REASON_STALE);
        revalidate(out, STET_REASON_STALE, STET_FWD_STALE);
    }
}

__attribute__((cold, noinline)) static void tell_fresh(const struct stet_request *request,
                                                       const struct stet_stored *stored,
                                                       const struct stet_cache_decision *decision,
                                                       enum stet_reason reason)
{
    bool fresh = decision->ttl_s > 0;
    struct stet_step step =
        stet__step(STET_RULE_FRESH, fresh ? STET_OUTCOME_YES : STET_OUTCOME_NO, reason, fresh);
    step.has_reason = fresh;
    step.input = stet__looked_seconds(decision->age_s);
    step.against = stet__looked_seconds(stored->freshness.lifetime_s);
    stet__tell_step(request->trace, &step);
}

/* Whether it may be used without more: it is fresh, and then `reason` is why. */
static bool is_fresh(const struct stet_request *request, const struct stet_stored *stored,
                     const struct stet_cache_decision *so_far, enum stet_reason reason)
{
    if (stet__traced(request->trace))
        tell_fresh(request, stored, so_far, reason);
    return so_far->ttl_s > 0;
}

/* Something is chosen and has all octets: may it be used? */
static void judge(const struct stet_cache_question *question, const struct stet_cache_control *control,
                  struct stet_cache_decision *out)
{
    const struct stet_stored *stored = question->stored[out->chosen];
    const struct stet_cache_policy *policy = question->policy;
    enum stet_forward_cause cause = out->ttl_s > 0 ? STET_FWD_REQUEST : STET_FWD_STALE;
    const struct stet_request *request = question->request;
    bool too_old = policy->obey_clients && stet_cache_control_valid(control, STET_CC_MAX_AGE) &&
                   out->age_s > control->max_age;
    enum stet_reason fresh_because = too_old ? STET_REASON_FRESH_IMMUTABLE : STET_REASON_FRESH;
    enum stet_reason reason;
    if (stet__rule(request, stored, STET_RULE_INVALIDATED,
                   (question->invalidated & stet__bit(out->chosen)) != 0, STET_REASON_INVALIDATED))
        revalidate(out, STET_REASON_INVALIDATED, STET_FWD_STALE);
    else if (stet__rule(request, stored, STET_RULE_NO_CACHE,
                        stet_cache_control_unqualified(&stored->control, STET_CC_NO_CACHE),
                        STET_REASON_NO_CACHE))
        revalidate(out, STET_REASON_NO_CACHE, STET_FWD_STALE);
    else if (stet__rule(request, stored, STET_RULE_REQUEST_NO_CACHE,
                        stet__request_no_cache(request, control, policy), STET_REASON_REQUEST_NO_CACHE))
        revalidate(out, STET_REASON_REQUEST_NO_CACHE, cause);
    else if (policy->obey_clients && client_wants_younger(request, control, stored, out, &reason))
        revalidate(out, reason, cause);
    else if (is_fresh(request, stored, out, fresh_because))
        serve(out, fresh_because);
    else
        use_stale(question, control, out);
}

#define BIT(id) (1ull << (id))
#define FOR_THE_ORIGIN (BIT(STET_FIELD_IF_MATCH) | BIT(STET_FIELD_IF_UNMODIFIED_SINCE))
#define FOR_ITSELF (FOR_THE_ORIGIN | BIT(STET_FIELD_AUTHORIZATION) | BIT(STET_FIELD_RANGE))

/* What the request allows to be done with the answer. */
static void begin(const struct stet_cache_question *question, const struct stet_cache_control *control,
                  struct stet_cache_decision *out)
{
    const struct stet_request *request = question->request;
    bool keep = !stet_cache_control_has(control, STET_CC_NO_STORE);
    out->chosen = question->count;
    out->age_s = out->ttl_s = 0;
    out->may_store = keep && (reads(request->method) || request->method == STET_METHOD_POST);
    out->may_collapse = keep && reads(request->method) && (request->fields.present & FOR_ITSELF) == 0;
}

/* Section 4.2.3: resident_time and current_age. */
__attribute__((cold, noinline)) static void tell_age(const struct stet_cache_question *question,
                                                     const struct stet_cache_decision *decision)
{
    const struct stet_freshness *freshness = &question->stored[decision->chosen]->freshness;
    const struct stet_trace *trace = question->request->trace;
    int64_t resident = decision->age_s - freshness->initial_age_s;
    struct stet_step step = {
        .rule = STET_RULE_RESIDENT_TIME, .outcome = STET_OUTCOME_NUMBER, .seconds = resident};
    step.input = stet__looked_date(freshness->response_time);
    step.against = stet__looked_date(question->now);
    stet__tell_step(trace, &step);
    step = (struct stet_step){
        .rule = STET_RULE_CURRENT_AGE, .outcome = STET_OUTCOME_NUMBER, .seconds = decision->age_s};
    step.input = stet__looked_seconds(freshness->initial_age_s);
    step.against = stet__looked_seconds(resident);
    stet__tell_step(trace, &step);
}

static void decide(const struct stet_cache_question *question, const struct stet_cache_control *control,
                   struct stet_cache_decision *out)
{
    const struct stet_request *request = question->request;
    if (stet__rule(request, NULL, STET_RULE_CACHE_METHOD, !reads(request->method),
                   STET_REASON_METHOD_FORWARDED)) {
        forward(out, STET_REASON_METHOD_FORWARDED, STET_FWD_METHOD);
        return;
    }
    /* RFC 9111 section 4.3.2: "MUST NOT evaluate conditional header fields that only apply to an origin" */
    if (stet__rule(request, NULL, STET_RULE_CACHE_CONDITION, (request->fields.present & FOR_THE_ORIGIN) != 0,
                   STET_REASON_CONDITION_FORWARDED)) {
        forward(out, STET_REASON_CONDITION_FORWARDED,
                question->count > 0 ? STET_FWD_REQUEST : STET_FWD_URI_MISS);
        return;
    }
    out->chosen = stet__stored_choose(question, UINT64_MAX);
    if (out->chosen == question->count)
        miss(question, out);
    if (stet__traced(request->trace))
        stet__tell_candidates(question, out);
    if (out->chosen == question->count)
        return;
    const struct stet_stored *stored = question->stored[out->chosen];
    out->age_s = stet_freshness_age(&stored->freshness, question->now);
    out->ttl_s = stet_freshness_ttl(&stored->freshness, question->now);
    if (stet__rule(request, stored, STET_RULE_OCTETS_MISSING,
                   !stet_partial_satisfies(request, stored, question->now), STET_REASON_PARTIAL_MISS)) {
        complete(question, out);
        return;
    }
    if (stet__traced(request->trace))
        tell_age(question, out);
    judge(question, control, out);
}

void stet_cache_decide(const struct stet_cache_question *question, struct stet_cache_decision *out)
{
    struct stet_cache_control room;
    const struct stet_request *request = question->request;
    const struct stet_cache_control *control = stet__request_control(request, &room);
    begin(question, control, out);
    decide(question, control, out);
    bool served = out->action == STET_CACHE_SERVE || out->action == STET_CACHE_SERVE_AND_REVALIDATE;
    if (served || control == &no_directives)
        return;
    /* Section 4: a request with an unsafe method is written through "before having [...] received a
     * corresponding response", whatever it accepts. */
    bool only = stet_cache_control_has(control, STET_CC_ONLY_IF_CACHED) && stet_method_safe(request->method);
    if (stet__rule(request, NULL, STET_RULE_ONLY_IF_CACHED, only, STET_REASON_ONLY_IF_CACHED)) {
        serve(out, STET_REASON_ONLY_IF_CACHED);
        out->action = STET_CACHE_FAIL;
    } else if (stet__rule(request, NULL, STET_RULE_REQUEST_NO_STORE,
                          out->action == STET_CACHE_REVALIDATE && !out->may_store,
                          STET_REASON_REQUEST_NO_STORE)) {
        /* What a 304 says of the stored response is "part of [...] any response to" this request, and must
         * not be stored (section 5.2.1.5). So nothing is asked that only the store could answer. */
        forward(out, STET_REASON_REQUEST_NO_STORE, out->forward);
    }
}
