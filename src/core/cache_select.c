/* SPDX-License-Identifier: MIT */
/*
 * Which of the candidates answers a request: what vary.h says of variants, together with what section 3.5 of
 * RFC 9111 says of credentials and section 3.3 of parts. The newest that can answer wins (section 4), not the
 * newest of all: a part of a newer response does not hide an older whole one.
 */
#include "base/assert.h"
#include "core/cache.h"

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
