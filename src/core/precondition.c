/* SPDX-License-Identifier: MIT */
/*
 * Conditional requests: RFC 9110 section 13.
 *
 * Statements of the RFC stand beside the line that carries them out. What is left out on purpose: the MAY of
 * sections 13.1.1 and 13.1.4 to answer 2xx instead of 412 when the change that was asked for is in place
 * already (a pure function cannot know that).
 */
#include <stet/precondition.h>

#include "core/trace.h"

static struct stet_condition_result result(enum stet_condition condition, enum stet_reason reason)
{
    return (struct stet_condition_result){condition, reason};
}

static const struct stet_condition_result absent = {STET_CONDITION_ABSENT, STET_REASON_NO_PRECONDITION};

/* The one date that field `id` holds. False if it is malformed or given more than once (13.1.3: "MUST
 * ignore"). */
static bool one_date(const struct stet_request *request, enum stet_field_id id, int64_t now, int64_t *out)
{
    const struct stet_field *field = stet_fields_find(&request->fields, id, 0);
    return stet_fields_count(&request->fields, id) == 1 && stet_date_parse(field->value, now, out) == STET_OK;
}

static bool reads(const struct stet_request *request)
{
    return request->method == STET_METHOD_GET || request->method == STET_METHOD_HEAD;
}

struct stet_condition_result stet_if_match(const struct stet_request *request,
                                           const struct stet_representation *selected)
{
    struct stet_etag_list list;
    switch (stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_MATCH)) {
    case STET_ETAG_LIST_ABSENT:
        return absent;
    case STET_ETAG_LIST_ANY: /* "false if the origin server has no current representation" */
        return selected->exists ? result(STET_CONDITION_TRUE, STET_REASON_IF_MATCH_EXISTS)
                                : result(STET_CONDITION_FALSE, STET_REASON_IF_MATCH_NOTHING_EXISTS);
    case STET_ETAG_LIST_TAGS:
        break;
    }
    if (!selected->exists)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_MATCH_NOTHING_EXISTS);
    struct stet_etag tag;
    while (stet_etag_list_next(&list, &tag) == STET_OK)
        if (stet_etag_strong_equal(tag, selected->etag)) /* "MUST use the strong comparison function" */
            return result(STET_CONDITION_TRUE, STET_REASON_IF_MATCH_MATCHES);
    return result(STET_CONDITION_FALSE, STET_REASON_IF_MATCH_DIFFERS);
}

struct stet_condition_result stet_if_none_match(const struct stet_request *request,
                                                const struct stet_representation *selected)
{
    struct stet_etag_list list;
    switch (stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_NONE_MATCH)) {
    case STET_ETAG_LIST_ABSENT:
        return absent;
    case STET_ETAG_LIST_ANY: /* "false if the origin server has a current representation" */
        return selected->exists ? result(STET_CONDITION_FALSE, STET_REASON_IF_NONE_MATCH_EXISTS)
                                : result(STET_CONDITION_TRUE, STET_REASON_IF_NONE_MATCH_NOTHING_EXISTS);
    case STET_ETAG_LIST_TAGS:
        break;
    }
    if (!selected->exists)
        return result(STET_CONDITION_TRUE, STET_REASON_IF_NONE_MATCH_NOTHING_EXISTS);
    if (!stet_etag_present(selected->etag) && !stet_etag_present(selected->held))
        return result(STET_CONDITION_TRUE, STET_REASON_IF_NONE_MATCH_NO_TAG);
    struct stet_etag tag;
    bool equivalent = false;
    while (stet_etag_list_next(&list, &tag) == STET_OK) {
        if (stet_etag_weak_equal(tag, selected->etag)) /* "MUST use the weak comparison function" */
            return result(STET_CONDITION_FALSE, STET_REASON_IF_NONE_MATCH_MATCHES);
        equivalent |= stet_etag_weak_equal(tag, selected->held);
    }
    if (equivalent)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_NONE_MATCH_EQUIVALENT);
    return result(STET_CONDITION_TRUE, STET_REASON_IF_NONE_MATCH_DIFFERS);
}

struct stet_condition_result stet_if_modified_since(const struct stet_request *request,
                                                    const struct stet_representation *selected, int64_t now)
{
    int64_t since;
    if (!stet_fields_have(&request->fields, STET_FIELD_IF_MODIFIED_SINCE))
        return absent;
    if (!reads(request))
        return result(STET_CONDITION_IGNORED, STET_REASON_IF_MODIFIED_SINCE_METHOD);
    if (!one_date(request, STET_FIELD_IF_MODIFIED_SINCE, now, &since))
        return result(STET_CONDITION_IGNORED, STET_REASON_IF_MODIFIED_SINCE_INVALID);
    if (!selected->exists || selected->last_modified == STET_NO_DATE)
        return result(STET_CONDITION_IGNORED, STET_REASON_IF_MODIFIED_SINCE_NO_DATE);
    /* "earlier or equal to the date provided in the field value, the condition is false"; a date in the
     * future counts */
    if (selected->last_modified <= since)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_MODIFIED_SINCE_NOT_MODIFIED);
    return result(STET_CONDITION_TRUE, STET_REASON_IF_MODIFIED_SINCE_MODIFIED);
}

struct stet_condition_result stet_if_unmodified_since(const struct stet_request *request,
                                                      const struct stet_representation *selected, int64_t now)
{
    int64_t since;
    if (!stet_fields_have(&request->fields, STET_FIELD_IF_UNMODIFIED_SINCE))
        return absent;
    if (!one_date(request, STET_FIELD_IF_UNMODIFIED_SINCE, now, &since))
        return result(STET_CONDITION_IGNORED, STET_REASON_IF_UNMODIFIED_SINCE_INVALID);
    if (!selected->exists || selected->last_modified == STET_NO_DATE)
        return result(STET_CONDITION_IGNORED, STET_REASON_IF_UNMODIFIED_SINCE_NO_DATE);
    if (selected->last_modified <= since)
        return result(STET_CONDITION_TRUE, STET_REASON_IF_UNMODIFIED_SINCE_HOLDS);
    return result(STET_CONDITION_FALSE, STET_REASON_IF_UNMODIFIED_SINCE_MODIFIED);
}

/* "A recipient [...] can distinguish [a tag] by examining the first three characters for a DQUOTE". */
static bool looks_like_tag(struct stet_span value)
{
    for (size_t i = 0; i < value.len && i < 3; i++)
        if (value.ptr[i] == '"')
            return true;
    return false;
}

static struct stet_condition_result if_range_tag(struct stet_span value,
                                                 const struct stet_representation *selected)
{
    struct stet_etag tag;
    if (stet_etag_parse(value, &tag) != STET_OK)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_RANGE_INVALID);
    if (tag.weak || selected->etag.weak)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_RANGE_TAG_WEAK);
    if (stet_etag_strong_equal(tag, selected->etag))
        return result(STET_CONDITION_TRUE, STET_REASON_IF_RANGE_TAG_MATCHES);
    return result(STET_CONDITION_FALSE, STET_REASON_IF_RANGE_TAG_DIFFERS);
}

static struct stet_condition_result if_range_date(struct stet_span value,
                                                  const struct stet_representation *selected, int64_t now)
{
    int64_t date;
    if (stet_date_parse(value, now, &date) != STET_OK)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_RANGE_INVALID);
    /* "exactly matches the Last-Modified": a later date is not good enough */
    if (date != selected->last_modified)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_RANGE_DATE_DIFFERS);
    if (!selected->last_modified_strong)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_RANGE_DATE_WEAK);
    return result(STET_CONDITION_TRUE, STET_REASON_IF_RANGE_DATE_MATCHES);
}

struct stet_condition_result stet_if_range(const struct stet_request *request,
                                           const struct stet_representation *selected, int64_t now)
{
    const struct stet_field *field = stet_fields_find(&request->fields, STET_FIELD_IF_RANGE, 0);
    if (!field)
        return absent;
    /* "MUST ignore an If-Range header field received in a request that does not contain a Range header field"
     */
    if (!stet_fields_have(&request->fields, STET_FIELD_RANGE))
        return result(STET_CONDITION_IGNORED, STET_REASON_RANGE_ABSENT);
    if (stet_fields_count(&request->fields, STET_FIELD_IF_RANGE) != 1)
        return result(STET_CONDITION_FALSE, STET_REASON_IF_RANGE_INVALID);
    return looks_like_tag(field->value) ? if_range_tag(field->value, selected)
                                        : if_range_date(field->value, selected, now);
}

static struct stet_judgement judge(enum stet_verdict verdict, enum stet_reason reason)
{
    return (struct stet_judgement){verdict, reason};
}

/* The validator that a condition was compared with. */
static struct stet_looked compared(enum stet_rule rule, const struct stet_looked *input,
                                   const struct stet_representation *selected)
{
    bool date = rule == STET_RULE_IF_UNMODIFIED_SINCE || rule == STET_RULE_IF_MODIFIED_SINCE ||
                (rule == STET_RULE_IF_RANGE && !looks_like_tag(input->text));
    return date ? stet__looked_date(selected->last_modified) : stet__looked_tag(selected->etag);
}

__attribute__((cold, noinline)) static void tell(const struct stet_request *request,
                                                 const struct stet_representation *selected,
                                                 enum stet_rule rule, struct stet_condition_result result)
{
    static const enum stet_outcome outcomes[] = {[STET_CONDITION_ABSENT] = STET_OUTCOME_ABSENT,
                                                 [STET_CONDITION_IGNORED] = STET_OUTCOME_IGNORED,
                                                 [STET_CONDITION_TRUE] = STET_OUTCOME_YES,
                                                 [STET_CONDITION_FALSE] = STET_OUTCOME_NO};
    bool there = result.condition != STET_CONDITION_ABSENT;
    bool counts = there && result.reason != STET_REASON_RANGE_ABSENT;
    struct stet_step step = stet__step(rule, outcomes[result.condition], result.reason, counts);
    step.has_reason = there;
    step.input = stet__looked_field(&request->fields, stet_rule_row(rule)->field);
    if (there && selected && selected->exists)
        step.against = compared(rule, &step.input, selected);
    stet__tell_step(request->trace, &step);
}

/* Tells a step and returns what came of it. */
static struct stet_condition_result told(const struct stet_request *request,
                                         const struct stet_representation *selected, enum stet_rule rule,
                                         struct stet_condition_result result)
{
    if (stet__traced(request->trace))
        tell(request, selected, rule, result);
    return result;
}

/* Tells that a field is there and another one makes it void, or that a cache does not look at it. */
__attribute__((cold, noinline)) static void tell_void(const struct stet_request *request, enum stet_rule rule,
                                                      enum stet_reason reason, bool decides)
{
    struct stet_step step = stet__step(rule, STET_OUTCOME_IGNORED, reason, decides);
    step.input = stet__looked_field(&request->fields, stet_rule_row(rule)->field);
    if (step.input.kind != STET_LOOKED_NONE)
        stet__tell_step(request->trace, &step);
}

/* Steps 1 and 2 of section 13.2.2, "when recipient is the origin server". PERFORM: go on with step 3. */
static struct stet_judgement origin_steps(const struct stet_request *request,
                                          const struct stet_representation *selected, int64_t now)
{
    struct stet_condition_result step =
        told(request, selected, STET_RULE_IF_MATCH, stet_if_match(request, selected));
    if (step.condition == STET_CONDITION_ABSENT)
        step = told(request, selected, STET_RULE_IF_UNMODIFIED_SINCE,
                    stet_if_unmodified_since(request, selected, now));
    else if (stet__traced(request->trace)) /* 13.1.4: "MUST ignore if the request contains an If-Match" */
        tell_void(request, STET_RULE_IF_UNMODIFIED_SINCE, STET_REASON_IF_UNMODIFIED_SINCE_OUTRANKED, false);
    return judge(step.condition == STET_CONDITION_FALSE ? STET_PRECONDITION_FAILED : STET_PERFORM,
                 step.reason);
}

/* Why the fields of steps 1 and 2 made no difference, if they are there and the party is a cache. */
static enum stet_reason cache_skips(const struct stet_request *request)
{
    bool if_match = stet_fields_have(&request->fields, STET_FIELD_IF_MATCH);
    if (stet__traced(request->trace)) {
        tell_void(request, STET_RULE_IF_MATCH, STET_REASON_IF_MATCH_NOT_FOR_CACHES, true);
        tell_void(request, STET_RULE_IF_UNMODIFIED_SINCE, STET_REASON_IF_UNMODIFIED_SINCE_NOT_FOR_CACHES,
                  !if_match);
    }
    if (if_match)
        return STET_REASON_IF_MATCH_NOT_FOR_CACHES;
    if (stet_fields_have(&request->fields, STET_FIELD_IF_UNMODIFIED_SINCE))
        return STET_REASON_IF_UNMODIFIED_SINCE_NOT_FOR_CACHES;
    return STET_REASON_NO_PRECONDITION;
}

/* Steps 3 and 4. PERFORM: go on with step 5. */
static struct stet_judgement selection_steps(const struct stet_request *request,
                                             const struct stet_representation *selected, int64_t now,
                                             enum stet_reason so_far)
{
    struct stet_condition_result step =
        told(request, selected, STET_RULE_IF_NONE_MATCH, stet_if_none_match(request, selected));
    if (step.condition == STET_CONDITION_ABSENT)
        step = told(request, selected, STET_RULE_IF_MODIFIED_SINCE,
                    stet_if_modified_since(request, selected, now));
    else if (stet__traced(
                 request->trace)) /* 13.1.3: "MUST ignore if the request contains an If-None-Match" */
        tell_void(request, STET_RULE_IF_MODIFIED_SINCE, STET_REASON_IF_MODIFIED_SINCE_OUTRANKED, false);
    if (step.condition == STET_CONDITION_ABSENT)
        return judge(STET_PERFORM, so_far);
    if (step.condition != STET_CONDITION_FALSE)
        return judge(STET_PERFORM, step.reason);
    return judge(reads(request) ? STET_NOT_MODIFIED : STET_PRECONDITION_FAILED, step.reason);
}

#define BIT(id) (1ull << (id))
#define ALL_PRECONDITIONS                                                                           \
    (BIT(STET_FIELD_IF_MATCH) | BIT(STET_FIELD_IF_NONE_MATCH) | BIT(STET_FIELD_IF_MODIFIED_SINCE) | \
     BIT(STET_FIELD_IF_UNMODIFIED_SINCE) | BIT(STET_FIELD_IF_RANGE))

/* Whether there is anything to judge. */
__attribute__((cold, noinline)) static void tell_method(const struct stet_request *request, bool any,
                                                        bool selects)
{
    struct stet_step step = stet__step(STET_RULE_PRECONDITIONS, any ? STET_OUTCOME_YES : STET_OUTCOME_ABSENT,
                                       STET_REASON_NO_PRECONDITION, true);
    step.has_reason = !any;
    stet__tell_step(request->trace, &step);
    if (!any || selects)
        return;
    step =
        stet__step(STET_RULE_METHOD_SELECTS, STET_OUTCOME_NO, STET_REASON_METHOD_HAS_NO_PRECONDITIONS, true);
    step.input = stet__looked_text(request->method_name);
    stet__tell_step(request->trace, &step);
}

struct stet_judgement stet_precondition_judge(const struct stet_request *request,
                                              const struct stet_representation *selected,
                                              enum stet_party party, int64_t now)
{
    bool any = (request->fields.present & ALL_PRECONDITIONS) != 0;
    /* 13.2.1: "MUST ignore [...] when received with a request method that does not involve the selection" */
    bool selects = request->method != STET_METHOD_CONNECT && request->method != STET_METHOD_OPTIONS &&
                   request->method != STET_METHOD_TRACE;
    if (stet__traced(request->trace))
        tell_method(request, any, selects);
    if (!any)
        return judge(STET_PERFORM, STET_REASON_NO_PRECONDITION);
    if (!selects)
        return judge(STET_PERFORM, STET_REASON_METHOD_HAS_NO_PRECONDITIONS);

    struct stet_judgement so_far = party == STET_PARTY_ORIGIN ? origin_steps(request, selected, now)
                                                              : judge(STET_PERFORM, cache_skips(request));
    if (so_far.verdict != STET_PERFORM)
        return so_far;
    so_far = selection_steps(request, selected, now, so_far.reason);
    if (so_far.verdict != STET_PERFORM || request->method != STET_METHOD_GET)
        return so_far;

    /* Step 5: "when the method is GET and both Range and If-Range are present" */
    struct stet_condition_result step =
        told(request, selected, STET_RULE_IF_RANGE, stet_if_range(request, selected, now));
    if (step.condition == STET_CONDITION_FALSE)
        return judge(STET_PERFORM_WHOLE, step.reason);
    if (step.condition == STET_CONDITION_TRUE)
        so_far.reason = step.reason;
    return so_far;
}
