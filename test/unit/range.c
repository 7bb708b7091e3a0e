/* SPDX-License-Identifier: MIT */
/*
 * Range and Content-Range: what range.h promises, where a table of texts says it shorter than test/spec
 * could, and the bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/range.h>

/* "206 0-0 5-5", "416 range-unsatisfiable", "200 range-unit" */
static const char *judge(const char *value, uint64_t complete_length)
{
    static char text[400];
    static const int status[] = {
        [STET_RANGE_IGNORE] = 200, [STET_RANGE_SATISFIABLE] = 206, [STET_RANGE_UNSATISFIABLE] = 416};
    struct stet_range_set set = stet_range_judge(stet_span_of(value, strlen(value)), complete_length);
    int n = snprintf(text, sizeof text, "%d", status[set.verdict]);
    for (size_t i = 0; i < set.count; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %llu-%llu", (unsigned long long)set.at[i].first,
                      (unsigned long long)set.at[i].last);
    if (set.verdict != STET_RANGE_SATISFIABLE)
        snprintf(text + n, sizeof text - (size_t)n, " %s", stet_reason_row(set.reason)->name);
    return text;
}

static void test_sets(void **state)
{
    static const struct {
        const char *value;
        uint64_t length;
        const char *want;
    } rows[] = {
        {"bytes=0-0,5-5", 10, "206 0-0 5-5"},
        {"bytes=5-5,0-0", 10, "206 5-5 0-0"},
        {"BYTES=\t0-1 , ,4-5,", 10, "206 0-1 4-5"},
        {"bytes=5-6,0-1,2-4", 10, "206 0-6"},
        {"bytes=8-9,0-1,4-5,2-3", 10, "206 8-9 0-5"},
        {"bytes=0-1,8-9,4-5,6-7,2-3", 10, "206 0-9"},
        {"bytes=5-,0-1", 10, "206 5-9 0-1"},
        {"bytes=-3", 10, "206 7-9"},
        {"bytes=-99", 10, "206 0-9"},
        {"bytes=20-30,0-0", 10, "206 0-0"},
        {"bytes=-0", 10, "416 range-unsatisfiable"},
        {"bytes=10-", 10, "416 range-unsatisfiable"},
        {"bytes=-0,0-0", 10, "206 0-0"},
        {"bytes=0-", 0, "416 range-unsatisfiable"},
        {"bytes=-5", 0, "200 range-whole"},
        {"bytes=-0", 0, "416 range-unsatisfiable"},
        {"bytes=0-18446744073709551616", 10, "206 0-9"},
        {"bytes=18446744073709551616-", 10, "416 range-unsatisfiable"},
        {"bytes=-18446744073709551616", 10, "206 0-9"},
        {"bytes=18446744073709551614-", UINT64_MAX, "206 18446744073709551614-18446744073709551614"},
        {"bytes=0-,0-", UINT64_MAX, "200 range-abusive"},
        {"bytes=0-5,3-7", 13, "206 0-7"},
        {"bytes=0-5,3-7", 10, "200 range-abusive"},
        {"bytes=", 10, "200 range-invalid"},
        {"bytes=,", 10, "200 range-invalid"},
        {"bytes=0-1,x", 10, "200 range-invalid"},
        {"bytes=3-2", 10, "200 range-invalid"},
        {"bytes=0 -1", 10, "200 range-invalid"},
        {"bytes=--1", 10, "200 range-invalid"},
        {"bytes=-", 10, "200 range-invalid"},
        {"bytes", 10, "200 range-invalid"},
        {"", 10, "200 range-invalid"},
        {"bytes =0-1", 10, "200 range-unit"},
        {"seconds=0-1", 10, "200 range-unit"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(judge(rows[i].value, rows[i].length), rows[i].want);
}

/* "bytes=" and `count` specs that do not touch, the later ones first if `backwards`. */
static const char *many(unsigned count, bool backwards)
{
    static char text[4000];
    int n = snprintf(text, sizeof text, "bytes=");
    for (unsigned i = 0; i < count; i++) {
        unsigned at = 2 * (backwards ? count - 1 - i : i);
        n += snprintf(text + n, sizeof text - (size_t)n, "%u-%u,", at, at);
    }
    return text;
}

static void test_bounds(void **state)
{
    struct stet_range_set set = stet_range_judge(stet_span_of(many(16, true), strlen(many(16, true))), 1000);
    assert_int_equal(set.count, STET_RANGES_MAX);
    assert_int_equal(set.at[0].first, 30);
    assert_int_equal(set.at[15].last, 0);
    assert_string_equal(judge(many(17, false), 1000), "200 range-abusive");
    assert_string_equal(judge(many(STET_RANGE_SPECS_MAX, false), 1000), "200 range-abusive");
    char text[4000];
    int n = snprintf(text, sizeof text, "bytes=");
    for (unsigned i = 0; i < STET_RANGE_SPECS_MAX; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%u-%u,", i, i);
    assert_string_equal(judge(text, 1000), "206 0-99");
    snprintf(text + n, sizeof text - (size_t)n, "100-100");
    assert_string_equal(judge(text, 1000), "200 range-abusive");
}

static int parse(const char *value, struct stet_content_range *out)
{
    return stet_content_range_parse(stet_span_of(value, strlen(value)), out);
}

static void test_content_range(void **state)
{
    struct stet_content_range range;
    assert_int_equal(parse("Bytes 2-5/10", &range), STET_OK);
    assert_true(range.complete_known && !range.unsatisfied);
    assert_int_equal(range.range.first, 2);
    assert_int_equal(range.range.last, 5);
    assert_int_equal(range.complete_length, 10);
    assert_int_equal(parse("bytes 2-5/*", &range), STET_OK);
    assert_false(range.complete_known);
    assert_int_equal(parse("bytes */10", &range), STET_OK);
    assert_true(range.unsatisfied);
    assert_int_equal(range.complete_length, 10);
    static const char *const bad[] = {"bytes 5-3/10",
                                      "bytes 0-9/5",
                                      "bytes 0-9/9",
                                      "pages 1-2/3",
                                      "bytes 0-9",
                                      "bytes",
                                      "bytes 0-9/",
                                      "bytes  0-9/10",
                                      "bytes=0-9/10",
                                      "bytes */*",
                                      "bytes -9/10",
                                      "bytes 0-9/10x",
                                      "bytes 0-9/18446744073709551616",
                                      "",
                                      "bytes 0-/10"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(parse(bad[i], &range), STET_E_SYNTAX);
    assert_int_equal(range.complete_length, 10);
}

static void test_content_range_format(void **state)
{
    char text[STET_CONTENT_RANGE_LEN];
    struct stet_range largest = {UINT64_MAX - 1, UINT64_MAX - 1};
    static const char want[] = "bytes 18446744073709551614-18446744073709551614/18446744073709551615";
    size_t len = stet_content_range_format(largest, UINT64_MAX, text);
    assert_int_equal(len, sizeof want - 1);
    assert_memory_equal(text, want, len);
    len = stet_content_range_format_unsatisfied(0, text);
    assert_int_equal(len, 9);
    assert_memory_equal(text, "bytes */0", len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_content_range),
        cmocka_unit_test(test_content_range_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
