/* SPDX-License-Identifier: MIT */
/*
 * cache: the product of ages, directives of responses and of requests, policies, methods, credentials, parts
 * and conditions, against a reading of RFC 9111 section 4 that never parses: each state says by itself what
 * it means. The same product answers what may stand in for an error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include <stet/cache.h>

#define NOW INT64_C(1795253400)
#define LIFETIME 60
#define NONE (-1)
#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* What a response says; a window is NONE if it is not there. */
struct says {
    const char *text;
    bool no_cache, must, shared_must, shareable, immutable;
    int64_t swr, sie;
};

static const struct says says[] = {
    {"max-age=60", .swr = NONE, .sie = NONE},
    {"max-age=60, no-cache", .no_cache = true, .swr = NONE, .sie = NONE},
    {"max-age=60, no-cache=\"x\"", .swr = NONE, .sie = NONE},
    {"max-age=60, public", .shareable = true, .swr = NONE, .sie = NONE},
    {"max-age=60, must-revalidate", .must = true, .shareable = true, .swr = NONE, .sie = NONE},
    {"max-age=60, proxy-revalidate, stale-if-error=99", .shared_must = true, .swr = NONE, .sie = 99},
    {"max-age=60, s-maxage=60, stale-while-revalidate=99", .shared_must = true, .shareable = true, .swr = 99,
     .sie = NONE},
    {"max-age=60, immutable", .immutable = true, .swr = NONE, .sie = NONE},
    {"max-age=60, stale-while-revalidate=5, stale-if-error=10", .swr = 5, .sie = 10},
    {"max-age=60, stale-while-revalidate=x, stale-if-error", .swr = 0, .sie = 0},
    {"max-age=60, must-revalidate, stale-while-revalidate=99, stale-if-error=99", .must = true,
     .shareable = true, .swr = 99, .sie = 99},
};

/* What a request wants. */
struct wants {
    const char *text;
    bool no_cache, no_store, only_if_cached;
    int64_t max_age, min_fresh, max_stale, sie;
};

#define NOTHING .max_age = NONE, .min_fresh = NONE, .max_stale = NONE, .sie = NONE

static const struct wants wants[] = {
    {NULL, NOTHING},
    {"no-cache", .no_cache = true, NOTHING},
    {"no-store", .no_store = true, NOTHING},
    {"only-if-cached", .only_if_cached = true, NOTHING},
    {"max-age=10", .max_age = 10, .min_fresh = NONE, .max_stale = NONE, .sie = NONE},
    {"max-age=100", .max_age = 100, .min_fresh = NONE, .max_stale = NONE, .sie = NONE},
    {"min-fresh=1", .max_age = NONE, .min_fresh = 1, .max_stale = NONE, .sie = NONE},
    {"min-fresh=55", .max_age = NONE, .min_fresh = 55, .max_stale = NONE, .sie = NONE},
    {"max-stale=4", .max_age = NONE, .min_fresh = NONE, .max_stale = 4, .sie = NONE},
    {"max-stale", .max_age = NONE, .min_fresh = NONE, .max_stale = INT64_MAX, .sie = NONE},
    {"max-age=100, max-stale=4", .max_age = 100, .min_fresh = NONE, .max_stale = 4, .sie = NONE},
    {"stale-if-error=12", .max_age = NONE, .min_fresh = NONE, .max_stale = NONE, .sie = 12},
    {"no-store, only-if-cached, max-stale=10", .no_store = true, .only_if_cached = true, .max_age = NONE,
     .min_fresh = NONE, .max_stale = 10, .sie = NONE},
};

static const int64_t ages[] = {0, 10, 11, 59, 60, 64, 65, 70, 72, 100000};

enum credentials { NOBODY, STORED_WITH, ASKED_WITH };
enum part { WHOLE, WITHIN, BEYOND };

static const enum stet_method methods[] = {STET_METHOD_GET, STET_METHOD_HEAD, STET_METHOD_POST,
                                           STET_METHOD_OPTIONS};

struct point {
    int64_t age;
    const struct says *says;
    const struct wants *wants;
    enum stet_method method;
    enum credentials credentials;
    enum part part;
    bool if_match, invalidated;
    struct stet_cache_policy policy;
};

struct outcome {
    enum stet_cache_action action;
    enum stet_reason reason;
    enum stet_forward_cause cause;
};

static struct outcome outcome(enum stet_cache_action action, enum stet_reason reason,
                              enum stet_forward_cause cause)
{
    return (struct outcome){action, reason, cause};
}

static bool obeyed(const struct point *p, int64_t value)
{
    return p->policy.obey_clients && value != NONE;
}

static bool bound(const struct point *p)
{
    return p->says->must || (p->policy.shared && p->says->shared_must);
}

static bool permitted(const struct point *p)
{
    return p->credentials == NOBODY || !p->policy.shared || p->says->shareable;
}

/* The stored response is stale and may be told so: which permission? */
static struct outcome stale_oracle(const struct point *p)
{
    int64_t late = p->age - LIFETIME;
    int64_t window = p->says->swr == NONE ? p->policy.grace_s : p->says->swr;
    if (bound(p))
        return outcome(STET_CACHE_REVALIDATE, STET_REASON_MUST_REVALIDATE, STET_FWD_STALE);
    if (p->wants->max_stale != NONE && late <= p->wants->max_stale)
        return outcome(STET_CACHE_SERVE, STET_REASON_MAX_STALE, STET_FWD_NONE);
    bool declined = obeyed(p, p->wants->max_age) && p->wants->max_stale == NONE;
    if (late < window && !declined)
        return outcome(STET_CACHE_SERVE_AND_REVALIDATE, STET_REASON_STALE_WHILE_REVALIDATE, STET_FWD_STALE);
    return outcome(STET_CACHE_REVALIDATE, STET_REASON_STALE, STET_FWD_STALE);
}

static struct outcome usable_oracle(const struct point *p)
{
    bool fresh = p->age < LIFETIME;
    enum stet_forward_cause cause = fresh ? STET_FWD_REQUEST : STET_FWD_STALE;
    bool too_old = obeyed(p, p->wants->max_age) && p->age > p->wants->max_age;
    if (p->invalidated)
        return outcome(STET_CACHE_REVALIDATE, STET_REASON_INVALIDATED, STET_FWD_STALE);
    if (p->says->no_cache)
        return outcome(STET_CACHE_REVALIDATE, STET_REASON_NO_CACHE, STET_FWD_STALE);
    if (p->wants->no_cache && p->policy.obey_clients)
        return outcome(STET_CACHE_REVALIDATE, STET_REASON_REQUEST_NO_CACHE, cause);
    if (obeyed(p, p->wants->min_fresh) && LIFETIME - p->age < p->wants->min_fresh)
        return outcome(STET_CACHE_REVALIDATE, STET_REASON_REQUEST_MIN_FRESH, cause);
    if (too_old && !(fresh && p->says->immutable))
        return outcome(STET_CACHE_REVALIDATE, STET_REASON_REQUEST_MAX_AGE, cause);
    if (!fresh)
        return stale_oracle(p);
    return outcome(STET_CACHE_SERVE, too_old ? STET_REASON_FRESH_IMMUTABLE : STET_REASON_FRESH,
                   STET_FWD_NONE);
}

static bool reads(const struct point *p)
{
    return p->method == STET_METHOD_GET || p->method == STET_METHOD_HEAD;
}

/* HEAD has no ranges, so a part answers none (RFC 9111 section 3.3). */
static bool has_octets(const struct point *p)
{
    return p->part == WHOLE || (p->part == WITHIN && p->method == STET_METHOD_GET);
}

static struct outcome free_oracle(const struct point *p)
{
    if (!reads(p))
        return outcome(STET_CACHE_FORWARD, STET_REASON_METHOD_FORWARDED, STET_FWD_METHOD);
    if (p->if_match)
        return outcome(STET_CACHE_FORWARD, STET_REASON_CONDITION_FORWARDED, STET_FWD_REQUEST);
    if (!permitted(p))
        return outcome(STET_CACHE_FORWARD, STET_REASON_AUTHORIZATION_FORWARDED,
                       p->credentials == ASKED_WITH ? STET_FWD_REQUEST : STET_FWD_MISS);
    if (has_octets(p))
        return usable_oracle(p);
    return outcome(p->method == STET_METHOD_GET ? STET_CACHE_REVALIDATE : STET_CACHE_FORWARD,
                   STET_REASON_PARTIAL_MISS, STET_FWD_PARTIAL);
}

static struct outcome oracle(const struct point *p)
{
    struct outcome o = free_oracle(p);
    bool served = o.action == STET_CACHE_SERVE || o.action == STET_CACHE_SERVE_AND_REVALIDATE;
    if (p->wants->only_if_cached && !served && p->method != STET_METHOD_POST)
        return outcome(STET_CACHE_FAIL, STET_REASON_ONLY_IF_CACHED, STET_FWD_NONE);
    if (p->wants->no_store && o.action == STET_CACHE_REVALIDATE)
        return outcome(STET_CACHE_FORWARD, STET_REASON_REQUEST_NO_STORE, o.cause);
    return o;
}

/* What is answered if the origin is not there. */
static bool stands_in_oracle(const struct point *p)
{
    int64_t late = p->age - LIFETIME;
    int64_t window = p->says->sie == NONE ? p->policy.error_grace_s : p->says->sie;
    if (!reads(p) || p->if_match || !permitted(p) || !has_octets(p) || p->invalidated || p->says->no_cache ||
        (p->wants->no_cache && p->policy.obey_clients))
        return false;
    if (late < 0)
        return true;
    return !bound(p) && (late < window || (p->wants->sie != NONE && late < p->wants->sie));
}

/* What is told of the only candidate. */
static enum stet_reason candidate_oracle(const struct point *p, enum stet_reason decided)
{
    if (!reads(p))
        return STET_REASON_METHOD_MISS;
    if (!permitted(p))
        return STET_REASON_AUTHORIZATION_FORWARDED;
    return p->if_match ? decided : STET_REASON_CHOSEN;
}

/* A request and a stored response as a point has them. */
struct scene {
    struct stet_field asked[6], answered[4];
    struct stet_request request;
    struct stet_stored stored;
    const struct stet_stored *at[1];
    struct stet_cache_question question;
};

static void add(struct stet_fields *fields, struct stet_field *room, enum stet_field_id id, const char *value)
{
    room[fields->count++] = (struct stet_field){stet_field_name(id), stet_span_of(value, strlen(value)), id};
    fields->present |= 1ull << id;
}

static void build_stored(struct scene *s, const struct point *p)
{
    int64_t came = NOW - p->age;
    s->stored = (struct stet_stored){.response = {.status = 200, .fields = {s->answered, 0, 0}},
                                     .method = STET_METHOD_GET,
                                     .times = {came, came, 0},
                                     .held = {true, true, 10, {0, 0}},
                                     .authorized = p->credentials == STORED_WITH};
    if (p->part != WHOLE)
        s->stored.held = (struct stet_held){false, true, 10, {0, 4}};
    add(&s->stored.response.fields, s->answered, STET_FIELD_CACHE_CONTROL, p->says->text);
    add(&s->stored.response.fields, s->answered, STET_FIELD_ETAG, "\"v1\"");
    stet_stored_read(&s->stored, &p->policy);
}

static void build(struct scene *s, const struct point *p)
{
    s->request = (struct stet_request){.method = p->method, .fields = {s->asked, 0, 0}};
    if (p->wants->text)
        add(&s->request.fields, s->asked, STET_FIELD_CACHE_CONTROL, p->wants->text);
    if (p->credentials == ASKED_WITH)
        add(&s->request.fields, s->asked, STET_FIELD_AUTHORIZATION, "x");
    if (p->if_match)
        add(&s->request.fields, s->asked, STET_FIELD_IF_MATCH, "\"v1\"");
    if (p->part != WHOLE)
        add(&s->request.fields, s->asked, STET_FIELD_RANGE, p->part == WITHIN ? "bytes=1-3" : "bytes=1-5");
    s->at[0] = &s->stored;
    s->question = (struct stet_cache_question){.request = &s->request,
                                               .target = STET_SPAN("/"),
                                               .stored = s->at,
                                               .count = 1,
                                               .invalidated = p->invalidated,
                                               .policy = &p->policy,
                                               .now = NOW};
}

static void complain(const struct point *p, const char *what, enum stet_reason got, enum stet_reason want)
{
    fail_msg("%s: %s, want %s; age %lld, %s; request %s; method %d credentials %d part %d if-match %d "
             "invalidated %d shared %d obey %d grace %lld",
             what, stet_reason_row(got)->name, stet_reason_row(want)->name, (long long)p->age, p->says->text,
             p->wants->text ? p->wants->text : "-", (int)p->method, (int)p->credentials, (int)p->part,
             p->if_match, p->invalidated, p->policy.shared, p->policy.obey_clients,
             (long long)p->policy.grace_s);
}

static void check(struct scene *s, const struct point *p)
{
    struct stet_cache_decision got;
    struct stet_receipt receipt;
    struct outcome want = oracle(p);
    build(s, p);
    stet_cache_decide(&s->question, &got);
    if (got.action != want.action || got.reason != want.reason || got.forward != want.cause)
        complain(p, "decided", got.reason, want.reason);
    bool keeps = !p->wants->no_store && (reads(p) || p->method == STET_METHOD_POST);
    bool alone = p->if_match || p->credentials == ASKED_WITH || p->part != WHOLE || !keeps || !reads(p);
    if (got.may_store != keeps || got.may_collapse == alone)
        complain(p, "kept or collapsed", got.reason, want.reason);
    bool chosen = reads(p) && !p->if_match && permitted(p);
    if (got.chosen != (chosen ? 0 : 1) || (chosen && (got.age_s != p->age || got.ttl_s != LIFETIME - p->age)))
        complain(p, "chosen", got.reason, want.reason);
    enum stet_reason why = stet_cache_candidate(&s->question, &got, 0);
    if (why != candidate_oracle(p, got.reason))
        complain(p, "told of the candidate", why, candidate_oracle(p, got.reason));
    stet_cache_unanswered(&s->question, &got, STET_REASON_UPSTREAM_RESET, &receipt);
    if ((receipt.action == STET_RECEIVE_STALE) != stands_in_oracle(p))
        complain(p, "stands in", receipt.reason, want.reason);
}

static void for_each_request(struct scene *s, struct point *p)
{
    build_stored(s, p);
    for (size_t i = 0; i < COUNT(wants) * COUNT(methods) * 4; i++) {
        p->wants = &wants[i % COUNT(wants)];
        p->method = methods[i / COUNT(wants) % COUNT(methods)];
        p->if_match = i / COUNT(wants) / COUNT(methods) % 2 != 0;
        p->invalidated = i / COUNT(wants) / COUNT(methods) >= 2;
        check(s, p);
    }
}

static void for_each_stored(struct scene *s, struct point *p)
{
    for (size_t i = 0; i < COUNT(says) * COUNT(ages) * 9; i++) {
        p->says = &says[i % COUNT(says)];
        p->age = ages[i / COUNT(says) % COUNT(ages)];
        p->credentials = (enum credentials)(i / COUNT(says) / COUNT(ages) % 3);
        p->part = (enum part)(i / COUNT(says) / COUNT(ages) / 3);
        for_each_request(s, p);
    }
}

static void test_product(void **state)
{
    (void)state;
    static struct scene scene;
    struct point p;
    for (unsigned bits = 0; bits < 8; bits++) {
        p.policy = STET_CACHE_POLICY_SHARED;
        p.policy.shared = (bits & 1) != 0;
        p.policy.obey_clients = (bits & 2) != 0;
        p.policy.grace_s = (bits & 4) != 0 ? 8 : 0;
        p.policy.error_grace_s = p.policy.grace_s;
        for_each_stored(&scene, &p);
    }
}

/* Of more candidates than a word of the machine has hands for, each can be the one. */
static void test_all_candidates(void **state)
{
    (void)state;
    static struct scene scenes[STET_CANDIDATES_MAX];
    static const struct stet_stored *at[STET_CANDIDATES_MAX];
    struct point p = {.says = &says[0], .wants = &wants[0], .method = STET_METHOD_GET};
    struct stet_cache_decision got;
    p.policy = STET_CACHE_POLICY_SHARED;
    for (size_t best = 0; best < STET_CANDIDATES_MAX; best++) {
        for (size_t i = 0; i < STET_CANDIDATES_MAX; i++) {
            p.age = i == best ? 5 : 50;
            p.part = i % 2 == 0 || i == best ? WHOLE : WITHIN;
            p.credentials = i % 3 == 0 && i != best ? STORED_WITH : NOBODY;
            build_stored(&scenes[i], &p);
            at[i] = &scenes[i].stored;
        }
        p.part = WHOLE;
        build(&scenes[0], &p);
        scenes[0].question.stored = at;
        scenes[0].question.count = STET_CANDIDATES_MAX;
        stet_cache_decide(&scenes[0].question, &got);
        assert_int_equal(got.chosen, best);
        assert_int_equal(got.age_s, 5);
        for (size_t i = 0; i < STET_CANDIDATES_MAX; i++)
            assert_int_equal(stet_cache_candidate(&scenes[0].question, &got, i),
                             i == best    ? STET_REASON_CHOSEN
                             : i % 3 == 0 ? STET_REASON_AUTHORIZATION_FORWARDED
                             : i % 2 == 0 ? STET_REASON_NOT_CHOSEN
                                          : STET_REASON_PARTIAL_MISS);
    }
}

/* Printed, not judged: other work on the machine must not fail a test. */
static void test_cost(void **state)
{
    (void)state;
    static struct scene scene;
    struct point p = {.age = 5, .says = &says[3], .wants = &wants[0], .method = STET_METHOD_GET};
    struct stet_cache_decision decision;
    struct stet_answer answer = {.status = 0};
    struct timespec begin, end;
    enum { ROUNDS = 1000000 };
    p.policy = STET_CACHE_POLICY_SHARED;
    build_stored(&scene, &p);
    build(&scene, &p);
    add(&scene.request.fields, scene.asked, STET_FIELD_IF_NONE_MATCH, "\"v1\"");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (int i = 0; i < ROUNDS; i++) {
        stet_cache_decide(&scene.question, &decision);
        stet_cache_answer(&scene.request, scene.at[decision.chosen], scene.question.now, &answer);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double ns = (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
    assert_int_equal(answer.status, 304);
    print_message("# a fresh 304: %.0f ns\n", ns / ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_all_candidates),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
