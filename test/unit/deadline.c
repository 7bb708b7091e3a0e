/* SPDX-License-Identifier: MIT */
/*
 * deadline: never early, never more than the second late, however often it was put off; against a plain list
 * as oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/deadline.h"

#define COUNT 300
#define START_S 1000000

static struct stet__deadlines wheel;
static struct stet__deadline deadlines[COUNT];
static int64_t expected[COUNT]; /* INT64_MAX: none is set */
static int64_t now_s;

static void passed(struct stet__deadline *deadline)
{
    size_t i = (size_t)(deadline - deadlines);
    assert_true(i < COUNT);
    assert_true(expected[i] <= now_s);
    expected[i] = INT64_MAX;
}

static uint64_t random_state;

static uint64_t random_below(uint64_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (random_state >> 33) % n;
}

static void begin(void)
{
    now_s = START_S;
    stet__deadlines_init(&wheel, now_s);
    for (size_t i = 0; i < COUNT; i++) {
        stet__deadline_init(&deadlines[i]);
        expected[i] = INT64_MAX;
    }
}

static void set(size_t i, int64_t at_s)
{
    stet__deadline_set(&wheel, &deadlines[i], at_s);
    expected[i] = at_s;
}

static void advance(int64_t seconds)
{
    now_s += seconds;
    stet__deadlines_advance(&wheel, now_s, passed);
    for (size_t i = 0; i < COUNT; i++)
        if (expected[i] <= now_s)
            fail_msg("deadline %zu of %lld is not passed at %lld", i, (long long)expected[i],
                     (long long)now_s);
}

static void test_random(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        random_state = seed;
        begin();
        for (int second = 0; second < 1000; second++) {
            for (int n = 0; n < 20; n++) {
                size_t i = random_below(COUNT);
                if (random_below(10) == 0) {
                    stet__deadline_clear(&deadlines[i]);
                    expected[i] = INT64_MAX;
                } else {
                    set(i, now_s + 1 + (int64_t)random_below(400));
                }
            }
            /* Now and then the process did not run for a while. */
            advance(random_below(50) == 0 ? 300 : 1);
        }
    }
}

static void test_forward_and_back(void **state)
{
    begin();
    set(0, now_s + 60);
    set(0, now_s + 5000);
    set(0, now_s + 2);
    advance(1);
    assert_int_equal(expected[0], START_S + 2);
    advance(1);
    assert_int_equal(expected[0], INT64_MAX);
}

/* One in the past is passed with the next second. */
static void test_past(void **state)
{
    begin();
    set(0, now_s - 10);
    advance(1);
    assert_int_equal(expected[0], INT64_MAX);
}

static void test_putting_off_moves_nothing(void **state)
{
    begin();
    set(0, now_s + 10);
    int64_t look_s = deadlines[0].look_s;
    set(0, now_s + 20);
    assert_int_equal(deadlines[0].look_s, look_s);
    for (int i = 0; i < 19; i++)
        advance(1);
    assert_int_equal(expected[0], START_S + 20);
    advance(1);
    assert_int_equal(expected[0], INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_forward_and_back),
        cmocka_unit_test(test_past),
        cmocka_unit_test(test_putting_off_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
