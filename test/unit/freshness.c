/* SPDX-License-Identifier: MIT */
/*
 * freshness: all combinations of times at the edges of their type, against the formulas of RFC 9111 section
 * 4.2.3 in long double (64 bits of mantissa: differences of two times are exact); the table of RFC 9110
 * section 15.1; the age over a whole life.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/freshness.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NOW INT64_C(1783425600) /* 2026-07-07 12:00:00 */

static const int64_t edges[] = {
    INT64_MIN,
    INT64_MIN + 1,
    -STET_SECONDS_MAX - 1,
    -STET_SECONDS_MAX,
    -1,
    0,
    1,
    59,
    60,
    61,
    NOW - STET_SECONDS_MAX,
    NOW - 1,
    NOW,
    NOW + 1,
    STET_SECONDS_MAX - 1,
    STET_SECONDS_MAX,
    STET_SECONDS_MAX + 1,
    NOW + STET_SECONDS_MAX,
    INT64_MAX - STET_SECONDS_MAX,
    INT64_MAX - 1,
    INT64_MAX,
};

static long double clamp(long double seconds)
{
    return seconds < 0 ? 0 : seconds > STET_SECONDS_MAX ? STET_SECONDS_MAX : seconds;
}

static long double larger(long double a, long double b)
{
    return a > b ? a : b;
}

static struct stet_response response_of(struct stet_field *fields, size_t count)
{
    struct stet_response response = {.status = 200, .fields = {fields, count, 0}};
    for (size_t i = 0; i < count; i++) {
        fields[i].id = stet_field_id(fields[i].name);
        response.fields.present |= 1ull << fields[i].id;
    }
    return response;
}

static struct stet_freshness read(const struct stet_response *response, struct stet_times times)
{
    struct stet_cache_control control;
    stet_cache_control_read(&response->fields, &control);
    return stet_freshness_read(response, &control, times, true, STET_HEURISTIC_DEFAULT);
}

static void check_life(const struct stet_response *response, struct stet_times times, int64_t date)
{
    struct stet_freshness freshness = read(response, times);
    long double delay = clamp((long double)times.response - times.request);
    long double corrected = clamp(clamp(times.age) + delay);
    long double initial = larger(clamp((long double)times.response - date), corrected);
    if (freshness.initial_age_s != (int64_t)initial)
        fail_msg("request %lld, response %lld, age %lld: %lld", (long long)times.request,
                 (long long)times.response, (long long)times.age, (long long)freshness.initial_age_s);
    assert_int_equal(freshness.lifetime_s, 60);
    for (size_t i = 0; i < COUNT(edges); i++) {
        int64_t age = stet_freshness_age(&freshness, edges[i]);
        assert_true(age == (int64_t)clamp(initial + clamp((long double)edges[i] - times.response)));
        assert_true(stet_freshness_ttl(&freshness, edges[i]) == 60 - age);
    }
}

/* A Date at the edges of what can be written, and none. */
static void test_edges(void **state)
{
    static const struct {
        const char *text;
        int64_t date;
    } dates[] = {
        {"Sat, 01 Jan 0000 00:00:00 GMT", INT64_C(-62167219200)},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Tue, 07 Jul 2026 12:00:00 GMT", NOW},
        {"Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799)},
        {"none", 0},
    };
    for (size_t d = 0; d < COUNT(dates); d++) {
        struct stet_field fields[] = {
            {STET_SPAN("Cache-Control"), STET_SPAN("max-age=60"), STET_FIELD_OTHER},
            {STET_SPAN("Date"), stet_span_of(dates[d].text, strlen(dates[d].text)), STET_FIELD_OTHER}};
        struct stet_response response = response_of(fields, 2);
        for (size_t i = 0; i < COUNT(edges); i++)
            for (size_t k = 0; k < COUNT(edges); k++)
                for (size_t a = 0; a < COUNT(edges); a++) {
                    struct stet_times times = {edges[i], edges[k], edges[a]};
                    check_life(&response, times, d + 1 < COUNT(dates) ? dates[d].date : times.response);
                }
    }
}

/* No setting of the heuristic makes it overflow or negative. */
static void test_heuristic_edges(void **state)
{
    static const unsigned percents[] = {0, 1, 10, 100, 101, 1000000, UINT32_MAX};
    struct stet_field fields[] = {
        {STET_SPAN("Last-Modified"), STET_SPAN("Sat, 01 Jan 0000 00:00:00 GMT"), STET_FIELD_OTHER}};
    struct stet_response response = response_of(fields, 1);
    struct stet_cache_control control = {.present = 0};
    for (size_t r = 0; r < COUNT(edges); r++)
        for (size_t p = 0; p < COUNT(percents); p++)
            for (size_t m = 0; m < COUNT(edges); m++) {
                struct stet_times times = {edges[r], edges[r], 0};
                struct stet_heuristic heuristic = {percents[p], edges[m]};
                struct stet_freshness f = stet_freshness_read(&response, &control, times, true, heuristic);
                long double span = clamp((long double)edges[r] + INT64_C(62167219200));
                long double part = span * percents[p] / 100;
                assert_true(f.lifetime_s == (int64_t)clamp(part < edges[m] ? part : edges[m]));
                assert_true(f.heuristic == (percents[p] > 0));
            }
}

/* What was computed by someone else has no edges either. */
static void test_any_state(void **state)
{
    for (size_t i = 0; i < COUNT(edges); i++)
        for (size_t k = 0; k < COUNT(edges); k++)
            for (size_t n = 0; n < COUNT(edges); n++) {
                struct stet_freshness f = {
                    .lifetime_s = edges[i], .initial_age_s = edges[k], .response_time = edges[n]};
                for (size_t t = 0; t < COUNT(edges); t++) {
                    int64_t age = stet_freshness_age(&f, edges[t]);
                    int64_t ttl = stet_freshness_ttl(&f, edges[t]);
                    assert_true(age >= 0 && age <= STET_SECONDS_MAX);
                    assert_true(ttl >= -STET_SECONDS_MAX && ttl <= STET_SECONDS_MAX);
                }
            }
}

/* A clock that goes on never makes a response younger, and one that goes back leaves the initial age. */
static void test_life(void **state)
{
    struct stet_field fields[] = {{STET_SPAN("Cache-Control"), STET_SPAN("max-age=100"), STET_FIELD_OTHER}};
    struct stet_response response = response_of(fields, 1);
    struct stet_freshness f = read(&response, (struct stet_times){NOW - 3, NOW, 7});
    for (int64_t t = -1000; t <= 1000; t++) {
        int64_t age = t < 0 ? 10 : 10 + t;
        assert_int_equal(stet_freshness_age(&f, NOW + t), age);
        assert_int_equal(stet_freshness_ttl(&f, NOW + t), 100 - age);
        assert_true((stet_freshness_ttl(&f, NOW + t) > 0) == (t < 90));
    }
}

static void test_expires_edges(void **state)
{
    static const char *const texts[] = {"Sat, 01 Jan 0000 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"};
    static const int64_t dates[] = {INT64_C(-62167219200), INT64_C(253402300799)};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct stet_field fields[] = {
            {STET_SPAN("Expires"), stet_span_of(texts[i], strlen(texts[i])), STET_FIELD_OTHER}};
        struct stet_response response = response_of(fields, 1);
        for (size_t k = 0; k < COUNT(edges); k++) {
            struct stet_freshness f = read(&response, (struct stet_times){edges[k], edges[k], 0});
            assert_true(f.lifetime_s == (int64_t)clamp((long double)dates[i] - edges[k]));
            assert_true(f.explicit_expiry && !f.heuristic);
            assert_int_equal(f.reason, STET_REASON_LIFETIME_EXPIRES);
        }
    }
}

static void test_statuses(void **state)
{
    static const unsigned short listed[] = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
    for (unsigned status = 0; status < 1200; status++) {
        bool want = false;
        for (size_t i = 0; i < COUNT(listed); i++)
            want |= listed[i] == status;
        assert_int_equal(stet_status_heuristic(status), want);
    }
}

/* Every number around the powers of two, with and without leading zeros: it is itself, or the largest. */
static void test_age_numbers(void **state)
{
    for (unsigned bit = 0; bit < 64; bit++)
        for (int step = -2; step <= 2; step++) {
            uint64_t n = (UINT64_C(1) << bit) + (uint64_t)(int64_t)step;
            char text[64];
            snprintf(text, sizeof(text), "%s%llu", bit % 2 ? "000" : "", (unsigned long long)n);
            struct stet_field fields[] = {
                {STET_SPAN("Age"), stet_span_of(text, strlen(text)), STET_FIELD_OTHER}};
            struct stet_response response = response_of(fields, 1);
            uint64_t want = n > (uint64_t)STET_SECONDS_MAX ? (uint64_t)STET_SECONDS_MAX : n;
            assert_true((uint64_t)stet_message_age(&response.fields) == want);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),         cmocka_unit_test(test_heuristic_edges),
        cmocka_unit_test(test_any_state),     cmocka_unit_test(test_life),
        cmocka_unit_test(test_expires_edges), cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_age_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
