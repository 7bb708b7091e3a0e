/* SPDX-License-Identifier: MIT */
/*
 * trace: what is told is what is done. Over very many states of a stored response, a request and an answer,
 * the last step that decides has the reason of the verdict; and being told changes no verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/cache.h>
#include <stet/invalidation.h>

#include "traced.h"

#define NOW INT64_C(1763712000)
#define STATES 400000
#define LINES 8
#define DATE "Thu, 20 Nov 2025 10:00:00 GMT"

/* A way the world can be; NULL: no such line. */
static const char *const controls[] = {
    NULL,
    "max-age=60",
    "max-age=60, s-maxage=10",
    "no-cache",
    "no-store",
    "private, max-age=60",
    "public, max-age=60, must-revalidate",
    "max-age=20, stale-while-revalidate=60, stale-if-error=600",
    "max-age=60, immutable",
    "max-age=x",
    "must-understand, no-store, max-age=60",
};
static const char *const expiries[] = {NULL, "Thu, 20 Nov 2025 10:01:00 GMT", "0"};
static const char *const tags[] = {NULL, "\"a\"", "W/\"a\"", "\"a-gzip\""};
static const char *const modified[] = {NULL, "Wed, 19 Nov 2025 10:00:00 GMT"};
static const char *const varies[] = {NULL, "Accept", "*"};
static const char *const accepts[] = {NULL, "text/html"};
static const char *const credentials[] = {NULL, "Basic YTpi"};
static const char *const cookies[] = {NULL, "a=b"};
static const char *const wishes[] = {
    NULL,
    "no-cache",
    "no-store",
    "max-age=0",
    "max-age=20",
    "min-fresh=50",
    "max-stale=30",
    "only-if-cached",
    "no-store, only-if-cached",
    "stale-if-error=600",
};
static const char *const if_none_match[] = {NULL, "\"a\"", "\"c\"", "*"};
static const char *const if_modified_since[] = {NULL, "Wed, 19 Nov 2025 10:00:00 GMT"};
static const char *const if_match[] = {NULL, NULL, NULL, "\"a\""};
static const char *const ranges[] = {NULL, NULL, "bytes=2-3", "bytes=90-"};
static const enum stet_method methods[] = {STET_METHOD_GET, STET_METHOD_GET, STET_METHOD_HEAD,
                                           STET_METHOD_POST};
static const int64_t ages[] = {0, 30, 70, 5000, 100000};
static const unsigned stored_statuses[] = {200, 200, 200, 404};
static const unsigned answers[] = {200, 304, 304, 206, 416, 500, 404, 412};

#define COUNT(rows) (sizeof rows / sizeof *rows)

struct head {
    struct stet_field lines[LINES];
    struct stet_fields fields;
};

static void add(struct head *head, enum stet_field_id id, const char *value)
{
    if (!value)
        return;
    assert_true(head->fields.count < LINES);
    head->lines[head->fields.count++] =
        (struct stet_field){stet_field_name(id), stet_span_of(value, strlen(value)), id};
    head->fields.at = head->lines;
    head->fields.present |= UINT64_C(1) << id;
}

/* Takes one of `count` from a number that says how all of it is. */
static size_t pick(uint64_t *state, size_t count)
{
    size_t chosen = (size_t)(*state % count);
    *state /= count;
    return chosen;
}

#define PICK(state, rows) rows[pick(state, COUNT(rows))]

struct world {
    struct stet_cache_policy policy;
    struct head stored_head, selecting, request_head, answer_head;
    struct stet_stored stored, next;
    const struct stet_stored *at[1];
    struct stet_request request;
    struct stet_cache_question question;
    bool answered;
};

static void make_response(uint64_t *state, struct head *head, struct stet_stored *stored, int64_t age)
{
    add(head, STET_FIELD_DATE, DATE);
    add(head, STET_FIELD_CACHE_CONTROL, PICK(state, controls));
    add(head, STET_FIELD_EXPIRES, PICK(state, expiries));
    add(head, STET_FIELD_ETAG, PICK(state, tags));
    add(head, STET_FIELD_LAST_MODIFIED, PICK(state, modified));
    add(head, STET_FIELD_VARY, PICK(state, varies));
    add(head, STET_FIELD_SET_COOKIE, PICK(state, cookies));
    stored->response.fields = head->fields;
    stored->times = (struct stet_times){NOW - age, NOW - age, 0};
    stored->method = STET_METHOD_GET;
    stored->held = (struct stet_held){.complete = true, .length_known = true, .complete_length = 10};
}

static void make_stored(uint64_t *state, struct world *world)
{
    make_response(state, &world->stored_head, &world->stored, PICK(state, ages));
    world->stored.response.status = PICK(state, stored_statuses);
    add(&world->selecting, STET_FIELD_ACCEPT, PICK(state, accepts));
    world->stored.selecting = world->selecting.fields;
    world->stored.authorized = pick(state, 4) == 0;
    if (pick(state, 4) == 0)
        world->stored.held = (struct stet_held){.length_known = true, .complete_length = 10, .range = {0, 4}};
    stet_stored_read(&world->stored, &world->policy);
}

static void make_request(uint64_t *state, struct world *world)
{
    struct head *head = &world->request_head;
    add(head, STET_FIELD_CACHE_CONTROL, PICK(state, wishes));
    add(head, STET_FIELD_IF_NONE_MATCH, PICK(state, if_none_match));
    add(head, STET_FIELD_IF_MODIFIED_SINCE, PICK(state, if_modified_since));
    add(head, STET_FIELD_IF_MATCH, PICK(state, if_match));
    add(head, STET_FIELD_RANGE, PICK(state, ranges));
    add(head, STET_FIELD_ACCEPT, PICK(state, accepts));
    add(head, STET_FIELD_AUTHORIZATION, PICK(state, credentials));
    world->request = (struct stet_request){
        .method = PICK(state, methods), .target = STET_SPAN("/"), .fields = head->fields};
}

static void make(uint64_t state, struct world *world)
{
    *world = (struct world){.policy = STET_CACHE_POLICY_SHARED};
    world->policy.shared = pick(&state, 2) == 0;
    world->policy.error_grace_s = world->policy.grace_s = pick(&state, 2) == 0 ? 0 : 100;
    make_stored(&state, world);
    make_request(&state, world);
    state *= UINT64_C(0x9e3779b97f4a7c15);
    make_response(&state, &world->answer_head, &world->next, 0);
    world->next.response.status = PICK(&state, answers);
    world->answered = pick(&state, 8) != 0;
    if (world->next.response.status == 206)
        add(&world->answer_head, STET_FIELD_CONTENT_RANGE, "bytes 5-9/10");
    world->next.response.fields = world->answer_head.fields;
    if (stet_held_read(&world->next.response, &world->next.held) != STET_OK)
        world->next.held = (struct stet_held){.complete = false};
    stet_stored_read(&world->next, &world->policy);
    world->at[0] = &world->stored;
    world->question = (struct stet_cache_question){.request = &world->request,
                                                   .target = STET_SPAN("/"),
                                                   .stored = world->at,
                                                   .count = pick(&state, 8) != 0,
                                                   .invalidated = pick(&state, 8) == 0,
                                                   .policy = &world->policy,
                                                   .now = NOW};
}

static void expect(uint64_t state, const char *what, const struct traced_last *last, enum stet_reason reason)
{
    if (last->deciding == 0 || last->reason != reason)
        fail_msg("state %llu, %s: told %s in %u steps, is %s", (unsigned long long)state, what,
                 stet_reason_row(last->reason)->name, last->steps, stet_reason_row(reason)->name);
}

/* What of a receipt says what is done. */
static bool same_receipt(const struct stet_receipt *a, const struct stet_receipt *b)
{
    return a->action == b->action && a->reason == b->reason && a->storing == b->storing &&
           a->chosen == b->chosen && a->adopts == b->adopts && a->set == b->set &&
           a->invalidated == b->invalidated;
}

static void receive(struct world *world, const struct stet_cache_decision *decision, struct stet_receipt *out)
{
    struct stet_validation validation;
    char text[256];
    stet_cache_validation(&world->question, decision, text, sizeof text, &validation);
    if (world->answered)
        stet_cache_receive(&world->question, decision, &validation, &world->next, out);
    else
        stet_cache_unanswered(&world->question, decision, STET_REASON_UPSTREAM_REFUSED, out);
}

static void check_cache(uint64_t state, struct world *world)
{
    struct traced_last last;
    struct traced told = traced_begin(&last);
    struct stet_cache_decision decision, untold;
    struct stet_receipt receipt, untold_receipt;
    world->request.trace = NULL;
    stet_cache_decide(&world->question, &untold);
    receive(world, &untold, &untold_receipt);
    world->request.trace = &told.trace;
    stet_cache_decide(&world->question, &decision);
    expect(state, "decide", &last, decision.reason);
    assert_true(decision.action == untold.action && decision.reason == untold.reason &&
                decision.chosen == untold.chosen && decision.forward == untold.forward);
    told = traced_begin(&last);
    receive(world, &decision, &receipt);
    expect(state, "receive", &last, receipt.reason);
    assert_true(same_receipt(&receipt, &untold_receipt));
}

static void check_answer(uint64_t state, struct world *world)
{
    struct traced_last last;
    struct traced told = traced_begin(&last);
    struct stet_answer answer;
    world->request.trace = &told.trace;
    stet_cache_answer(&world->request, &world->stored, NOW, &answer);
    expect(state, "answer", &last, answer.reason);
}

static void check_response(uint64_t state, struct world *world)
{
    struct traced_last last;
    struct traced told = traced_begin(&last);
    world->request.trace = &told.trace;
    struct stet_storable storable =
        stet_storable_judge(&world->request, STET_SPAN("/"), &world->next, &world->policy);
    expect(state, "storable", &last, storable.reason);
    told = traced_begin(&last);
    struct stet_stored again = world->next;
    again.response.trace = &told.trace;
    stet_stored_read(&again, &world->policy);
    expect(state, "lifetime", &last, again.freshness.reason);
    assert_int_equal(again.freshness.lifetime_s, world->next.freshness.lifetime_s);
}

static void test_told_is_done(void **state)
{
    static struct world world;
    for (uint64_t i = 0; i < STATES; i++) {
        /* Steps of the golden ratio: no two of the states are neighbours. */
        uint64_t n = i * UINT64_C(0x9e3779b97f4a7c15);
        make(n, &world);
        check_cache(n, &world);
        check_response(n, &world);
        check_answer(n, &world);
    }
}

static void test_rows(void **state)
{
    for (int i = 0; i < STET_RULE_COUNT; i++) {
        const struct stet_rule_row *row = stet_rule_row((enum stet_rule)i);
        size_t len = strlen(row->name), question = strlen(row->question);
        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz-"), len);
        assert_true(strncmp(row->clause, "RFC ", 4) == 0);
        assert_true(question > 10 && row->question[question - 1] == '?');
        assert_true((row->field != STET_FIELD_OTHER) == (row->source != STET_RULE_OF_NONE));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(stet_rule_row((enum stet_rule)j)->name, row->name);
    }
}

static void test_invalidation(void **state)
{
    struct traced_last last;
    struct traced told = traced_begin(&last);
    struct stet_response response = {.status = 204, .trace = &told.trace};
    struct stet_uri target;
    struct stet_invalidation invalidation;
    assert_int_equal(stet_uri_parse(STET_SPAN("http://a/"), &target), STET_OK);
    assert_true(stet_invalidation_begin(&invalidation, STET_METHOD_PUT, &response, &target));
    assert_int_equal(last.steps, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_is_done),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_invalidation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
