/* SPDX-License-Identifier: MIT */
/*
 * Subjects of trace.h: which steps a decision takes, in their order. A line is a rule, its outcome, and what
 * there is of a reason; rules that had nothing to look at are left out. The verdict's reason is that of the
 * last line with an exclamation mark.
 */
#include "markdown.h"
#include "world.h"

struct teller {
    struct stet_trace trace;
    FILE *out;
};

static void tell(const struct stet_trace *trace, const struct stet_step *step)
{
    FILE *out = ((const struct teller *)trace)->out;
    if (step->outcome == STET_OUTCOME_ABSENT && !step->has_reason)
        return;
    fprintf(out, "%s %s", stet_rule_row(step->rule)->name, stet_outcome_name(step->outcome));
    if (step->outcome == STET_OUTCOME_NUMBER)
        fprintf(out, " %lld", (long long)step->seconds);
    if (step->has_reason)
        fprintf(out, " %s", stet_reason_row(step->reason)->name);
    fputs(step->decides ? "!\n" : "\n", out);
}

/* "steps origin", "steps cache": of a request for what is selected. */
static void run_steps(struct spec_run *run)
{
    struct teller teller = {{tell}, run->out};
    bool cache = stet_span_equal(run->detail, STET_SPAN("cache"));
    struct stet_request request;
    struct stet_answer answer;
    if (!spec_fields(run, &request))
        return;
    run->bad = !cache && !stet_span_equal(run->detail, STET_SPAN("origin"));
    request.trace = &teller.trace;
    if (cache)
        (void)stet_precondition_judge(&request, &run->setting->selected, STET_PARTY_CACHE, run->setting->now);
    else
        stet_answer_decide(&request, &run->setting->selected, run->setting->now, &answer);
}

static void run_decide(struct spec_run *run)
{
    struct teller teller = {{tell}, run->out};
    struct stet_cache_decision decision;
    struct world *world = world_read(run);
    if (!world)
        return;
    world->request.trace = &teller.trace;
    stet_cache_decide(&world->question, &decision);
}

static void run_receive(struct spec_run *run)
{
    struct teller teller = {{tell}, run->out};
    struct stet_cache_decision decision;
    struct stet_validation validation;
    struct stet_receipt receipt;
    char text[512];
    struct world *world = world_read(run);
    if (!world)
        return;
    stet_cache_decide(&world->question, &decision);
    world->request.trace = &teller.trace;
    stet_cache_validation(&world->question, &decision, text, sizeof text, &validation);
    if (world->has_answer)
        stet_cache_receive(&world->question, &decision, &validation, &world->answer.stored, &receipt);
    else
        stet_cache_unanswered(&world->question, &decision, STET_REASON_UPSTREAM_REFUSED, &receipt);
}

static void run_stored_answer(struct spec_run *run)
{
    struct teller teller = {{tell}, run->out};
    struct stet_answer answer;
    struct world *world = world_read(run);
    run->bad |= world && world->question.count == 0;
    if (!world || run->bad)
        return;
    world->request.trace = &teller.trace;
    stet_cache_answer(&world->request, &world->stored[0].stored, run->setting->now, &answer);
}

static void run_lifetime(struct spec_run *run)
{
    struct teller teller = {{tell}, run->out};
    struct world *world = world_read(run);
    run->bad |= world && world->question.count == 0;
    if (!world || run->bad)
        return;
    world->stored[0].stored.response.trace = &teller.trace;
    stet_stored_read(&world->stored[0].stored, &world->policy);
}

const struct spec_subject spec_explain_subjects[] = {
    {"steps", SPEC_INPUT_REQUEST, false, run_steps},
    {"steps-decide", SPEC_INPUT_CACHE, true, run_decide},
    {"steps-receive", SPEC_INPUT_CACHE, true, run_receive},
    {"steps-answer", SPEC_INPUT_CACHE, true, run_stored_answer},
    {"steps-lifetime", SPEC_INPUT_CACHE, true, run_lifetime},
    {.name = NULL},
};
