/* SPDX-License-Identifier: MIT */
/*
 * Which of the candidates answers a request: what vary.h says of variants, together with what section 3.5 of
 * RFC 9111 says of credentials and section 3.3 of parts. The newest that can answer wins (section 4), not the
 * newest of all: a part of a newer response does not hide an older whole one.
 */
#include "base/assert.h"
#include "core/cache.h"
#include "core/trace.h"

#include <stet/field.h>

bool stet__stored_selected(const struct stet_request *request, const struct stet_stored *stored)
{
    bool method = stored->method == request->method ||
                  (request->method == STET_METHOD_HEAD && stored->method == STET_METHOD_GET);
    return method && (request->method == STET_METHOD_GET || request->method == STET_METHOD_HEAD) &&
           stet_vary_matches(&stored->response.fields, &stored->selecting, &request->fields);
}

/*
 * Section 3.5 speaks of responses to requests with Authorization. That a request with credentials gets what
 * somebody without any was given is allowed, but hardly ever what its server meant: it needs the same
 * directives here (docs/decisions.md).
 */
bool stet__stored_permitted(const struct stet_request *request, const struct stet_stored *stored,
                            const struct stet_cache_policy *policy)
{
    const struct stet_cache_control *control = &stored->control;
    if (!policy->shared ||
        !(stored->authorized || stet_fields_have(&request->fields, STET_FIELD_AUTHORIZATION)))
        return true;
    return stet_cache_control_has(control, STET_CC_PUBLIC) ||
           stet_cache_control_has(control, STET_CC_MUST_REVALIDATE) ||
           stet_cache_control_valid(control, STET_CC_S_MAXAGE);
}

/* The best of those that `mask` has, as an index into question->stored. */
static size_t best_of(const struct stet_cache_question *question, uint64_t mask)
{
    const struct stet_stored *some[STET_CANDIDATES_MAX] = {NULL};
    unsigned char index[STET_CANDIDATES_MAX];
    size_t count = 0;
    stet__assert(question->count <= STET_CANDIDATES_MAX);
    for (size_t i = 0; i < question->count; i++) {
        if ((mask & stet__bit(i)) == 0)
            continue;
        some[count] = question->stored[i];
        index[count++] = (unsigned char)i;
    }
    size_t best = count > 0 ? stet_vary_select(question->request, some, count) : 0;
    return best < count ? index[best] : question->count;
}

size_t stet__stored_choose(const struct stet_cache_question *question, uint64_t among)
{
    const struct stet_request *request = question->request;
    uint64_t permitted = 0, whole = 0;
    size_t best = stet_vary_select(request, question->stored, question->count);
    if (best == question->count)
        return best;
    const struct stet_stored *stored = question->stored[best];
    if ((among & stet__bit(best)) != 0 && stored->held.complete &&
        stet__stored_permitted(request, stored, question->policy))
        return best;
    for (size_t i = 0; i < question->count; i++) {
        if ((among & stet__bit(i)) == 0 ||
            !stet__stored_permitted(request, question->stored[i], question->policy))
            continue;
        permitted |= stet__bit(i);
        if (stet_partial_satisfies(request, question->stored[i], question->now))
            whole |= stet__bit(i);
    }
    best = best_of(question, whole);
    return best < question->count ? best : best_of(question, permitted);
}

enum stet_reason stet_cache_candidate(const struct stet_cache_question *question,
                                      const struct stet_cache_decision *decision, size_t i)
{
    const struct stet_request *request = question->request;
    const struct stet_stored *stored = question->stored[i];
    if (i == decision->chosen)
        return STET_REASON_CHOSEN;
    if (!stet_vary_matches(&stored->response.fields, &stored->selecting, &request->fields))
        return STET_REASON_VARY_MISS;
    if (!stet__stored_selected(request, stored))
        return STET_REASON_METHOD_MISS;
    if (!stet__stored_permitted(request, stored, question->policy))
        return STET_REASON_AUTHORIZATION_FORWARDED;
    if (decision->chosen >= question->count)
        return decision->reason; /* it could have been chosen, but nobody looked */
    if (stet_partial_satisfies(request, question->stored[decision->chosen], question->now) &&
        !stet_partial_satisfies(request, stored, question->now))
        return STET_REASON_PARTIAL_MISS;
    return STET_REASON_NOT_CHOSEN;
}

/* The lines of a request that `name` stands for: the first one. */
static struct stet_looked first_line(const struct stet_fields *fields, struct stet_span name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (stet_span_equal_nocase(fields->at[i].name, name))
            return stet__looked_text(fields->at[i].value);
    return stet__looked_text(STET_SPAN_NONE);
}

/* Which fields keep the request from selecting stored[i]. */
static void tell_vary(const struct stet_cache_question *question, size_t i)
{
    const struct stet_request *request = question->request;
    const struct stet_stored *stored = question->stored[i];
    struct stet_list list;
    struct stet_span name;
    stet_list_begin(&list, &stored->response.fields, STET_FIELD_VARY);
    while (stet_list_next(&list, &name) == STET_OK) {
        if (stet_vary_same(name, &stored->selecting, &request->fields))
            continue;
        struct stet_step step = {.rule = STET_RULE_VARIANT_FIELD, .outcome = STET_OUTCOME_NO, .candidate = i};
        step.input = first_line(&request->fields, name);
        step.against = first_line(&stored->selecting, name);
        step.name = name;
        stet__tell_step(request->trace, &step);
    }
}

void stet__tell_candidates(const struct stet_cache_question *question,
                           const struct stet_cache_decision *decision)
{
    const struct stet_request *request = question->request;
    bool none = decision->chosen == question->count;
    for (size_t i = 0; i < question->count; i++) {
        enum stet_reason reason = stet_cache_candidate(question, decision, i);
        bool chosen = reason == STET_REASON_CHOSEN;
        struct stet_step step =
            stet__step(STET_RULE_VARIANT, chosen ? STET_OUTCOME_YES : STET_OUTCOME_NO, reason, false);
        step.input = stet__looked_field(&question->stored[i]->response.fields, STET_FIELD_VARY);
        step.candidate = i;
        stet__tell_step(request->trace, &step);
        if (reason == STET_REASON_VARY_MISS)
            tell_vary(question, i);
    }
    (void)stet__rule(request, NULL, STET_RULE_NOTHING_STORED, none, decision->reason);
}
