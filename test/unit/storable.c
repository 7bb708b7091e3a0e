/* SPDX-License-Identifier: MIT */
/*
 * storable: every status, method, kind of cache and set of the directives that bear on storing. What is
 * stored has to be allowed by the list of RFC 9111 section 3, written here as one expression; more that
 * forbids never makes storable what was not. The cases by name are in test/spec/storing.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/stored.h>

#define NOW INT64_C(1783425600) /* 2026-07-07 12:00:00 */

static const enum stet_cache_directive bearing[] = {
    STET_CC_NO_STORE, STET_CC_PRIVATE,         STET_CC_PUBLIC,   STET_CC_MUST_UNDERSTAND,
    STET_CC_MAX_AGE,  STET_CC_MUST_REVALIDATE, STET_CC_S_MAXAGE, STET_CC_NO_CACHE,
};

#define SETS (1u << (sizeof bearing / sizeof *bearing))

struct world {
    unsigned set; /* of bearing */
    unsigned status;
    enum stet_method method;
    bool shared, authorized, tagged;
};

static uint32_t present(unsigned set)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < sizeof bearing / sizeof *bearing; i++)
        bits |= (set >> i & 1) << bearing[i];
    return bits;
}

static struct stet_storable judge(const struct world *w)
{
    static const struct stet_field tag = {{"ETag", 4}, {"\"a\"", 3}, STET_FIELD_ETAG};
    struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    struct stet_request request = {.method = w->method};
    struct stet_stored stored = {.response = {.status = w->status}, .authorized = w->authorized};
    policy.shared = w->shared;
    if (w->tagged)
        stored.response.fields = (struct stet_fields){&tag, 1, 1ull << STET_FIELD_ETAG};
    stored.held.complete = true;
    stored.times.response = NOW;
    stet_stored_read(&stored, &policy);
    stored.control.present = present(w->set);
    stored.control.max_age = stored.control.s_maxage = 60;
    stored.freshness = stet_freshness_read(&stored.response, &stored.control, stored.times, w->shared,
                                           STET_HEURISTIC_DEFAULT);
    return stet_storable_judge(&request, STET_SPAN("/"), &stored, &policy);
}

/* Section 3, and nothing of stet's own. */
static bool allowed(const struct world *w)
{
    uint32_t has = present(w->set);
#define HAS(directive) ((has >> (directive)&1) != 0)
    bool understood = w->status < 506 && w->status != 299 && w->status != 306;
    bool final = w->status >= 200;
    bool no_store = HAS(STET_CC_NO_STORE) && !(HAS(STET_CC_MUST_UNDERSTAND) && understood);
    bool shared_explicitly = HAS(STET_CC_PUBLIC) || HAS(STET_CC_S_MAXAGE) || HAS(STET_CC_MUST_REVALIDATE);
    bool marked = HAS(STET_CC_PUBLIC) || (!w->shared && HAS(STET_CC_PRIVATE)) || HAS(STET_CC_MAX_AGE) ||
                  (w->shared && HAS(STET_CC_S_MAXAGE)) || stet_status_heuristic(w->status);
    return (w->method == STET_METHOD_GET || w->method == STET_METHOD_HEAD) && final &&
           (!HAS(STET_CC_MUST_UNDERSTAND) || understood) && !no_store &&
           !(w->shared && HAS(STET_CC_PRIVATE)) && !(w->shared && w->authorized && !shared_explicitly) &&
           marked;
#undef HAS
}

static bool is_storing(enum stet_reason reason)
{
    return reason == STET_REASON_STORABLE || reason == STET_REASON_STORABLE_HEURISTIC ||
           reason == STET_REASON_STORABLE_MUST_UNDERSTAND;
}

/* What stet leaves out besides: section 3 says "MUST NOT unless", never "MUST". */
static bool is_own_choice(enum stet_reason reason)
{
    return reason == STET_REASON_NOT_STORED_USELESS || reason == STET_REASON_NOT_STORED_STATUS ||
           reason == STET_REASON_NOT_STORED_PARTIAL;
}

static void check(const struct world *w)
{
    struct stet_storable storable = judge(w);
    bool may = allowed(w);
    if ((storable.storable && !may) || (!storable.storable && may && !is_own_choice(storable.reason)) ||
        is_storing(storable.reason) != storable.storable)
        fail_msg("method %u, status %u, set %x, shared %u, authorized %u: %s", w->method, w->status, w->set,
                 w->shared, w->authorized, stet_reason_row(storable.reason)->name);
    /* The first two of `bearing` forbid; must-understand can lift the first. */
    for (unsigned forbids = 1; forbids < 3 && !storable.storable; forbids++) {
        struct world more = *w;
        more.set |= forbids;
        if ((w->set & 8) == 0 && w->shared)
            assert_false(judge(&more).storable);
    }
}

static void test_all(void **state)
{
    static const unsigned short statuses[] = {100, 103, 199, 200, 201, 204, 206, 299, 301, 302, 304, 306,
                                              307, 308, 403, 404, 412, 416, 417, 429, 501, 503, 506, 599};
    for (unsigned flags = 0; flags < 8; flags++)
        for (enum stet_method m = STET_METHOD_OTHER; m <= STET_METHOD_QUERY; m++)
            for (size_t s = 0; s < sizeof statuses / sizeof *statuses; s++)
                for (unsigned set = 0; set < SETS; set++)
                    check(&(struct world){.set = set,
                                          .status = statuses[s],
                                          .method = m,
                                          .shared = flags & 1,
                                          .authorized = flags & 2,
                                          .tagged = flags & 4});
}

/* Of all statuses, those that a plain lifetime does not make storable. */
static void test_statuses(void **state)
{
    static const unsigned short never[] = {206, 304, 407, 412, 416, 417, 428, 429, 431, 511};
    for (unsigned status = 100; status < 1000; status++) {
        bool want = status >= 200;
        for (size_t i = 0; i < sizeof never / sizeof *never; i++)
            want = want && never[i] != status;
        struct world w = {.set = 1u << 4, .status = status, .method = STET_METHOD_GET, .shared = true};
        if (judge(&w).storable != want)
            fail_msg("%u", status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
