/* SPDX-License-Identifier: MIT */
#include <stet/not_modified.h>

#include "core/answer.h"
#include "core/trace.h"

void stet__answer_ranges(const struct stet_request *request, uint64_t complete_length,
                         struct stet_range_set *out)
{
    const struct stet_field *range = stet_fields_find(&request->fields, STET_FIELD_RANGE, 0);
    enum stet_reason ignored =
        request->method != STET_METHOD_GET ? STET_REASON_RANGE_METHOD : STET_REASON_RANGE_INVALID;
    if (!range)
        ignored = STET_REASON_RANGE_ABSENT;
    if (!range || request->method != STET_METHOD_GET ||
        stet_fields_count(&request->fields, STET_FIELD_RANGE) != 1) {
        out->verdict = STET_RANGE_IGNORE;
        out->reason = ignored;
        out->count = 0;
        return;
    }
    *out = stet_range_judge(range->value, complete_length);
}

void stet_answer_decide(const struct stet_request *request, const struct stet_representation *selected,
                        int64_t now, struct stet_answer *out)
{
    stet__answer_decide(request, selected, STET_PARTY_ORIGIN, now, out);
}

/* What became of Range: `decides` unless a false If-Range has taken it away before. */
__attribute__((cold, noinline)) static void tell_range(const struct stet_request *request,
                                                       const struct stet_representation *selected,
                                                       const struct stet_answer *answer, bool decides)
{
    enum stet_outcome outcome = answer->status == 200 ? STET_OUTCOME_IGNORED : STET_OUTCOME_NO;
    if (answer->status == 206)
        outcome = STET_OUTCOME_YES;
    struct stet_step step = stet__step(STET_RULE_RANGE, outcome, answer->reason, decides);
    step.input = stet__looked_field(&request->fields, STET_FIELD_RANGE);
    step.against = stet__looked_count(selected->length);
    if (step.input.kind != STET_LOOKED_NONE)
        stet__tell_step(request->trace, &step);
}

void stet__answer_decide(const struct stet_request *request, const struct stet_representation *selected,
                         enum stet_party party, int64_t now, struct stet_answer *out)
{
    struct stet_judgement judgement = stet_precondition_judge(request, selected, party, now);
    out->reason = judgement.reason;
    out->if_range_held = false;
    out->ranges.count = 0;
    switch (judgement.verdict) {
    case STET_NOT_MODIFIED:
        out->status = 304;
        return;
    case STET_PRECONDITION_FAILED:
        out->status = 412;
        return;
    case STET_PERFORM_WHOLE:
        out->status = 200;
        if (stet__traced(request->trace))
            tell_range(request, selected, out, false);
        return;
    case STET_PERFORM:
        break;
    }
    if (!stet_fields_have(&request->fields, STET_FIELD_RANGE)) {
        out->status = 200;
        return;
    }
    stet__answer_ranges(request, selected->length, &out->ranges);
    static const unsigned status[] = {
        [STET_RANGE_IGNORE] = 200, [STET_RANGE_SATISFIABLE] = 206, [STET_RANGE_UNSATISFIABLE] = 416};
    out->status = status[out->ranges.verdict];
    out->if_range_held = out->status == 206 && stet_fields_have(&request->fields, STET_FIELD_IF_RANGE);
    out->reason = out->ranges.reason;
    if (stet__traced(request->trace))
        tell_range(request, selected, out, true);
}

bool stet_error_keeps(const struct stet_field *field)
{
    switch (field->id) {
    case STET_FIELD_ETAG:
    case STET_FIELD_CACHE_CONTROL:
    case STET_FIELD_EXPIRES:
    case STET_FIELD_CONTENT_LOCATION:
    case STET_FIELD_LOCATION:
    case STET_FIELD_ALLOW:
        return false;
    default:
        return stet_not_modified_keeps(field,
                                       true); /* metadata, validators and the connection's do not stay */
    }
}
