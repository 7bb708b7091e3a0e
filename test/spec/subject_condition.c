/* SPDX-License-Identifier: MIT */
/*
 * Subjects of precondition.h, answer.h and not_modified.h: what a request gets, and why.
 *
 * The request is octets, so the parser stands in the way as it does in the server; for bare field lines it
 * does not. Either way the decision then works on values that each stand against an unreadable page.
 */
#include "markdown.h"
#include "spec.h"

static const char *reason_name(enum stet_reason reason)
{
    return stet_reason_row(reason)->name;
}

static void run_answer(struct spec_run *run)
{
    struct stet_request request;
    struct stet_answer answer;
    if (!spec_fields(run, &request))
        return;
    stet_answer_decide(&request, &run->setting->selected, run->setting->now, &answer);
    fprintf(run->out, "%u %s", answer.status, reason_name(answer.reason));
    for (size_t i = 0; i < answer.ranges.count; i++)
        fprintf(run->out, " %llu-%llu", (unsigned long long)answer.ranges.at[i].first,
                (unsigned long long)answer.ranges.at[i].last);
    if (answer.if_range_held)
        fputs(" if-range-held", run->out);
    putc('\n', run->out);
}

static void run_verdict(struct spec_run *run)
{
    static const char *const verdicts[] = {
        [STET_PERFORM] = "perform",
        [STET_PERFORM_WHOLE] = "perform-whole",
        [STET_NOT_MODIFIED] = "not-modified",
        [STET_PRECONDITION_FAILED] = "precondition-failed",
    };
    bool cache = stet_span_equal(run->detail, STET_SPAN("cache"));
    struct stet_request request;
    if (!spec_fields(run, &request))
        return;
    run->bad = !cache && !stet_span_equal(run->detail, STET_SPAN("origin"));
    struct stet_judgement judgement = stet_precondition_judge(
        &request, &run->setting->selected, cache ? STET_PARTY_CACHE : STET_PARTY_ORIGIN, run->setting->now);
    fprintf(run->out, "%s %s\n", verdicts[judgement.verdict], reason_name(judgement.reason));
}

static struct stet_condition_result condition(enum stet_field_id id, const struct stet_request *request,
                                              const struct spec_setting *setting, bool *bad)
{
    switch (id) {
    case STET_FIELD_IF_MATCH:
        return stet_if_match(request, &setting->selected);
    case STET_FIELD_IF_NONE_MATCH:
        return stet_if_none_match(request, &setting->selected);
    case STET_FIELD_IF_MODIFIED_SINCE:
        return stet_if_modified_since(request, &setting->selected, setting->now);
    case STET_FIELD_IF_UNMODIFIED_SINCE:
        return stet_if_unmodified_since(request, &setting->selected, setting->now);
    case STET_FIELD_IF_RANGE:
        return stet_if_range(request, &setting->selected, setting->now);
    default:
        *bad = true;
        return (struct stet_condition_result){STET_CONDITION_ABSENT, STET_REASON_NO_PRECONDITION};
    }
}

static void run_condition(struct spec_run *run)
{
    static const char *const conditions[] = {
        [STET_CONDITION_ABSENT] = "absent",
        [STET_CONDITION_IGNORED] = "ignored",
        [STET_CONDITION_TRUE] = "true",
        [STET_CONDITION_FALSE] = "false",
    };
    struct stet_request request;
    if (!spec_fields(run, &request))
        return;
    struct stet_condition_result result =
        condition(stet_field_id(run->detail), &request, run->setting, &run->bad);
    fprintf(run->out, "%s %s\n", conditions[result.condition], reason_name(result.reason));
}

/* The fields that stay, one line each. */
static void run_not_modified(struct spec_run *run)
{
    static struct stet_field kept[SPEC_FIELDS_MAX];
    struct stet_request request;
    if (!spec_fields(run, &request))
        return;
    size_t count = stet_not_modified_fields(&request.fields, kept);
    for (size_t i = 0; i < count; i++) {
        markdown_encode(kept[i].name, run->out);
        fputs(": ", run->out);
        markdown_encode(kept[i].value, run->out);
        putc('\n', run->out);
    }
}

/* The names of the fields that an error has, too. */
static void run_error(struct spec_run *run)
{
    struct stet_request request;
    if (!spec_fields(run, &request))
        return;
    for (size_t i = 0; i < request.fields.count; i++) {
        if (!stet_error_keeps(&request.fields.at[i]))
            continue;
        markdown_encode(request.fields.at[i].name, run->out);
        putc('\n', run->out);
    }
    fputs("end\n", run->out);
}

const struct spec_subject spec_condition_subjects[] = {
    {"answer", SPEC_INPUT_REQUEST, false, run_answer},
    {"verdict", SPEC_INPUT_REQUEST, false, run_verdict},
    {"condition", SPEC_INPUT_REQUEST, false, run_condition},
    {"not-modified", SPEC_INPUT_FIELDS, false, run_not_modified},
    {"error-fields", SPEC_INPUT_FIELDS, false, run_error},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
