/* SPDX-License-Identifier: MIT */
/*
 * Subjects of cache.h, update.h and partial.h: what a cache does with a request and with the answer. The
 * input is a `cache` block (world.h).
 */
#include "markdown.h"
#include "world.h"

#define TEXT_MAX 512

static const char *const causes[] = {
    [STET_FWD_NONE] = "none",         [STET_FWD_BYPASS] = "bypass",       [STET_FWD_METHOD] = "method",
    [STET_FWD_URI_MISS] = "uri-miss", [STET_FWD_VARY_MISS] = "vary-miss", [STET_FWD_MISS] = "miss",
    [STET_FWD_REQUEST] = "request",   [STET_FWD_STALE] = "stale",         [STET_FWD_PARTIAL] = "partial",
};

static const char *reason_name(enum stet_reason reason)
{
    return stet_reason_row(reason)->name;
}

static void put_number(struct spec_run *run, const char *what, uint64_t n)
{
    fprintf(run->out, "%s%llu", what, (unsigned long long)n);
}

/* "0 2": the bits that are set. */
static void put_set(struct spec_run *run, const char *what, uint64_t set)
{
    if (set == 0)
        return;
    fputs(what, run->out);
    for (unsigned i = 0; i < 64; i++)
        if ((set >> i & 1) != 0)
            fprintf(run->out, " %u", i);
    putc('\n', run->out);
}

static void put_held(struct spec_run *run, const struct stet_held *held)
{
    if (held->complete)
        fputs("complete", run->out);
    else
        fprintf(run->out, "%llu-%llu", (unsigned long long)held->range.first,
                (unsigned long long)held->range.last);
    if (held->length_known)
        put_number(run, "/", held->complete_length);
    putc('\n', run->out);
}

static void put_answer(struct spec_run *run, const char *who, const struct stet_answer *answer)
{
    fprintf(run->out, "%s%u %s", who, answer->status, reason_name(answer->reason));
    for (size_t i = 0; i < answer->ranges.count; i++)
        fprintf(run->out, " %llu-%llu", (unsigned long long)answer->ranges.at[i].first,
                (unsigned long long)answer->ranges.at[i].last);
    fputs(answer->if_range_held ? " if-range-held\n" : "\n", run->out);
}

static void run_decide(struct spec_run *run)
{
    static const char *const actions[] = {
        [STET_CACHE_SERVE] = "serve",
        [STET_CACHE_SERVE_AND_REVALIDATE] = "serve-and-revalidate",
        [STET_CACHE_REVALIDATE] = "revalidate",
        [STET_CACHE_FORWARD] = "forward",
        [STET_CACHE_FAIL] = "fail",
    };
    struct stet_cache_decision decision;
    struct world *world = world_read(run);
    if (!world)
        return;
    stet_cache_decide(&world->question, &decision);
    fprintf(run->out, "%s %s", actions[decision.action], reason_name(decision.reason));
    if (decision.forward != STET_FWD_NONE)
        fprintf(run->out, " fwd=%s", causes[decision.forward]);
    putc('\n', run->out);
    if (decision.chosen < world->question.count)
        fprintf(run->out, "#%zu age %lld ttl %lld\n", decision.chosen, (long long)decision.age_s,
                (long long)decision.ttl_s);
    else
        fputs("nothing chosen\n", run->out);
    fputs(decision.may_store ? "may be stored\n" : "not stored\n", run->out);
    fputs(decision.may_collapse ? "collapses\n" : "goes alone\n", run->out);
}

/* Of the first stored response, whatever its age. */
static void run_answer_stored(struct spec_run *run)
{
    struct stet_answer answer;
    struct world *world = world_read(run);
    if (!world)
        return;
    stet_cache_answer(&world->request, world->at[0], world->question.now, &answer);
    put_answer(run, "", &answer);
}

static void put_span(struct spec_run *run, const char *what, struct stet_span value)
{
    if (!value.ptr)
        return;
    fputs(what, run->out);
    markdown_encode(value, run->out);
    putc('\n', run->out);
}

/* `detail`: the room for tags, if it is not enough. */
static void run_validation(struct spec_run *run)
{
    static char text[TEXT_MAX];
    uint64_t room = sizeof(text);
    struct stet_cache_decision decision;
    struct stet_validation validation;
    struct world *world = world_read(run);
    if (!world)
        return;
    run->bad =
        run->detail.len > 0 && (stet_span_to_u64(run->detail, &room) != STET_OK || room > sizeof(text));
    stet_cache_decide(&world->question, &decision);
    stet_cache_validation(&world->question, &decision, text, (size_t)room, &validation);
    if (validation.own_fields)
        fputs("own fields\n", run->out);
    else if (!validation.conditional && !validation.has_range)
        fputs("unconditional\n", run->out);
    put_span(run, "If-None-Match: ", validation.if_none_match);
    if (validation.clients)
        fputs("with the client's\n", run->out);
    put_span(run, "If-Modified-Since: ", validation.if_modified_since);
    if (validation.has_range) {
        put_number(run, "Range: bytes=", validation.range.first);
        putc('-', run->out);
        if (validation.range.last != STET_RANGE_OPEN)
            put_number(run, "", validation.range.last);
        putc('\n', run->out);
    }
    put_span(run, "If-Range: ", validation.if_range);
}

/* What the client gets in the end. */
static void put_client(struct spec_run *run, const struct world *world,
                       const struct stet_validation *validation, const struct stet_receipt *receipt)
{
    struct stet_answer answer;
    struct stet_stored joined;
    struct stet_combination combination;
    const struct stet_stored *next = &world->answer.stored;
    const struct stet_stored *source =
        receipt->chosen < world->question.count ? world->at[receipt->chosen] : next;
    if (receipt->action == STET_RECEIVE_RETRY || receipt->action == STET_RECEIVE_FAIL)
        return;
    if (receipt->action == STET_RECEIVE_COMBINE) {
        joined = *source;
        stet_partial_combine(source, next, &combination);
        joined.held = combination.held;
        source = &joined;
    } else if (source == next &&
               (validation->own_fields || next->response.status == 206 || next->response.status == 304)) {
        fprintf(run->out, "client %u as it came\n", next->response.status);
        return;
    }
    stet_cache_answer(&world->request, source, world->question.now, &answer);
    put_answer(run, "client ", &answer);
}

static void put_receipt(struct spec_run *run, const struct world *world,
                        const struct stet_validation *validation, const struct stet_receipt *receipt)
{
    static const char *const actions[] = {
        [STET_RECEIVE_PASS] = "pass",       [STET_RECEIVE_STORE] = "store",
        [STET_RECEIVE_FRESHEN] = "freshen", [STET_RECEIVE_COMBINE] = "combine",
        [STET_RECEIVE_STALE] = "stale",     [STET_RECEIVE_RETRY] = "retry",
        [STET_RECEIVE_FAIL] = "fail",
    };
    bool replaces = receipt->action == STET_RECEIVE_STORE || receipt->adopts;
    fprintf(run->out, "%s %s", receipt->adopts ? "adopt" : actions[receipt->action],
            reason_name(receipt->reason));
    if (receipt->chosen < world->question.count)
        fprintf(run->out, " #%zu", receipt->chosen);
    putc('\n', run->out);
    put_set(run, replaces ? "replaces" : "freshens", receipt->set);
    put_set(run, "invalidates", receipt->invalidated);
    if (receipt->invalidated == 0)
        fputs("invalidates nothing\n", run->out);
    if (world->has_answer) {
        put_client(run, world, validation, receipt);
        fprintf(run->out, "storing %s\n", reason_name(receipt->storing));
    }
}

/* Why the copy that the answer adopts may be stored or not. */
static enum stet_reason judge_copy(const struct world *world, size_t chosen)
{
    static struct stet_field room[2 * WORLD_LINES];
    const struct stet_stored *next = &world->answer.stored;
    struct stet_stored copy = *world->at[chosen];
    size_t count = stet_update_fields(&copy.response.fields, &next->response.fields, &next->control, room);
    copy.response.fields = (struct stet_fields){room, count, 0};
    for (size_t i = 0; i < count; i++)
        copy.response.fields.present |= UINT64_C(1) << room[i].id;
    copy.selecting = world->request.fields;
    copy.times = next->times;
    stet_stored_read(&copy, world->question.policy);
    return stet_cache_adopt(&world->question, next, &copy).reason;
}

/* Without an `answer`, `detail` is the reason why none came. */
static void run_receive(struct spec_run *run)
{
    static char text[TEXT_MAX];
    struct stet_cache_decision decision;
    struct stet_validation validation;
    struct stet_receipt receipt;
    struct world *world = world_read(run);
    if (!world)
        return;
    stet_cache_decide(&world->question, &decision);
    stet_cache_validation(&world->question, &decision, text, sizeof(text), &validation);
    if (world->has_answer)
        stet_cache_receive(&world->question, &decision, &validation, &world->answer.stored, &receipt);
    else
        stet_cache_unanswered(&world->question, &decision, STET_REASON_UPSTREAM_REFUSED, &receipt);
    if (receipt.adopts)
        receipt.storing = judge_copy(world, receipt.chosen);
    put_receipt(run, world, &validation, &receipt);
}

static void run_update(struct spec_run *run)
{
    static const char *const verdicts[] = {
        [STET_UPDATE_NONE] = "none",
        [STET_UPDATE_FRESHEN] = "freshen",
        [STET_UPDATE_INVALIDATE] = "invalidate",
    };
    struct stet_update update;
    struct world *world = world_read(run);
    if (!world)
        return;
    if (world->answer.stored.response.status == 304)
        stet_update_by_304(&world->request, &world->answer.stored.response, world->at, world->question.count,
                           &update);
    else
        stet_update_by_head(&world->request, &world->answer.stored.response, world->at, world->question.count,
                            &update);
    fprintf(run->out, "%s %s\n", verdicts[update.verdict], reason_name(update.reason));
    put_set(run, "freshens", update.set);
    put_set(run, "invalidates", update.invalidated);
}

/* The fields of the first stored response, once it took over those of the answer. */
static void run_freshened(struct spec_run *run)
{
    static struct stet_field room[2 * WORLD_LINES];
    struct world *world = world_read(run);
    if (!world)
        return;
    size_t count = stet_update_fields(&world->at[0]->response.fields, &world->answer.stored.response.fields,
                                      &world->answer.stored.control, room);
    for (size_t i = 0; i < count; i++) {
        markdown_encode(room[i].name, run->out);
        fputs(": ", run->out);
        markdown_encode(room[i].value, run->out);
        putc('\n', run->out);
    }
}

static void run_combine(struct spec_run *run)
{
    static const char *const verdicts[] = {
        [STET_COMBINE_NOT] = "not",
        [STET_COMBINE_WITHIN] = "within",
        [STET_COMBINE_AFTER] = "after",
        [STET_COMBINE_BEFORE] = "before",
    };
    struct stet_combination combination;
    struct world *world = world_read(run);
    if (!world)
        return;
    stet_partial_combine(world->at[0], &world->answer.stored, &combination);
    fprintf(run->out, "%s %s", verdicts[combination.verdict], reason_name(combination.reason));
    if (combination.verdict != STET_COMBINE_NOT) {
        put_number(run, " skip ", combination.skip);
        fputs(" of ", run->out);
        put_held(run, &combination.held);
    } else {
        putc('\n', run->out);
    }
}

/* What the answer brings; `detail`: and then is cut off after so many octets. */
static void run_held(struct spec_run *run)
{
    uint64_t octets;
    struct stet_held held;
    struct world *world = world_read(run);
    if (!world)
        return;
    if (world->held != STET_OK) {
        spec_error(run, world->held);
        return;
    }
    held = world->answer.stored.held;
    if (stet_span_to_u64(run->detail, &octets) == STET_OK && !stet_held_cut(&held, octets))
        fputs("nothing\n", run->out);
    else
        put_held(run, &held);
}

static void run_satisfies(struct spec_run *run)
{
    struct world *world = world_read(run);
    if (world)
        fputs(stet_partial_satisfies(&world->request, world->at[0], world->question.now) ? "yes\n" : "no\n",
              run->out);
}

const struct spec_subject spec_decide_subjects[] = {
    {"decide", SPEC_INPUT_CACHE, true, run_decide},
    {"answer-stored", SPEC_INPUT_CACHE, false, run_answer_stored},
    {"validation", SPEC_INPUT_CACHE, false, run_validation},
    {"receive", SPEC_INPUT_CACHE, true, run_receive},
    {"update", SPEC_INPUT_CACHE, false, run_update},
    {"freshened", SPEC_INPUT_CACHE, false, run_freshened},
    {"combine", SPEC_INPUT_CACHE, false, run_combine},
    {"held", SPEC_INPUT_CACHE, false, run_held},
    {"satisfies", SPEC_INPUT_CACHE, false, run_satisfies},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
