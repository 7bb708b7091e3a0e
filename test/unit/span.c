/* SPDX-License-Identifier: MIT */
/*
 * span: comparison without case for every octet at every place of a word, and decimal numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/span.h>
#include <stet/status.h>

#include "guard.h"

static int naive_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* The fast comparison takes whole words, with an overlap at the end: each pair of octets meets each place. */
static void test_equal_nocase_every_octet(void **state)
{
    char a[19], b[19];
    memset(a, 'x', sizeof a);
    memset(b, 'X', sizeof b);
    for (size_t len = 1; len <= sizeof a; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned pair = 0; pair < 65536; pair++) {
                a[at] = (char)(pair >> 8);
                b[at] = (char)(pair & 255);
                bool want = naive_lower((unsigned char)a[at]) == naive_lower((unsigned char)b[at]);
                if (stet_span_equal_nocase(stet_span_of(a, len), stet_span_of(b, len)) != want)
                    fail_msg("length %zu, place %zu, octets %02x %02x", len, at, pair >> 8, pair & 255);
            }
            a[at] = b[at] = 'x';
        }
    }
}

static void test_equal_nocase_bounds(void **state)
{
    static struct guard first, second;
    char text[64];
    memset(text, 'A', sizeof text);
    for (size_t len = 0; len <= sizeof text; len++) {
        struct stet_span a = stet_span_of(text, len);
        assert_true(stet_span_equal_nocase(guard_at_end(&first, a), guard_at_end(&second, a)));
        assert_true(stet_span_equal_nocase(guard_at_start(&first, a), guard_at_start(&second, a)));
        assert_false(stet_span_equal_nocase(a, stet_span_of(text, len > 0 ? len - 1 : 1)));
    }
    assert_true(stet_span_equal_nocase(STET_SPAN_NONE, STET_SPAN("")));
}

static void test_equal_starts_trim(void **state)
{
    assert_true(stet_span_equal(STET_SPAN_NONE, STET_SPAN("")));
    assert_true(stet_span_equal(STET_SPAN("a\0b"), STET_SPAN("a\0b")));
    assert_false(stet_span_equal(STET_SPAN("a\0b"), STET_SPAN("a\0c")));
    assert_false(stet_span_equal(STET_SPAN("a"), STET_SPAN("A")));
    assert_false(stet_span_equal(STET_SPAN("a"), STET_SPAN("ab")));
    assert_true(stet_span_starts(STET_SPAN("abc"), STET_SPAN("ab")));
    assert_true(stet_span_starts(STET_SPAN("abc"), STET_SPAN_NONE));
    assert_false(stet_span_starts(STET_SPAN("a"), STET_SPAN("ab")));
    assert_true(stet_span_equal(stet_span_trim(STET_SPAN(" \t a b\t ")), STET_SPAN("a b")));
    assert_true(stet_span_equal(stet_span_trim(STET_SPAN("\v")), STET_SPAN("\v")));
    assert_int_equal(stet_span_trim(STET_SPAN(" \t")).len, 0);
    assert_int_equal(stet_span_skip(STET_SPAN("abc"), 3).len, 0);
}

static void test_to_u64(void **state)
{
    static const struct {
        const char *text;
        int status;
        uint64_t want;
    } rows[] = {
        {"0", STET_OK, 0},
        {"00", STET_OK, 0},
        {"7", STET_OK, 7},
        {"18446744073709551615", STET_OK, UINT64_MAX},
        {"0000000000000000000018446744073709551615", STET_OK, UINT64_MAX},
        {"18446744073709551616", STET_E_NUMBER, 0},
        {"18446744073709551620", STET_E_NUMBER, 0},
        {"99999999999999999999999999999999999999", STET_E_NUMBER, 0},
        {"", STET_E_SYNTAX, 0},
        {"-1", STET_E_SYNTAX, 0},
        {"+1", STET_E_SYNTAX, 0},
        {" 1", STET_E_SYNTAX, 0},
        {"1 ", STET_E_SYNTAX, 0},
        {"0x10", STET_E_SYNTAX, 0},
        {"1,1", STET_E_SYNTAX, 0},
        {"99999999999999999999999x", STET_E_SYNTAX, 0},
        {"/", STET_E_SYNTAX, 0},
        {":", STET_E_SYNTAX, 0},
        {"\xb2", STET_E_SYNTAX, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t n = 42;
        int status = stet_span_to_u64(stet_span_of(rows[i].text, strlen(rows[i].text)), &n);
        if (status != rows[i].status || n != (status == STET_OK ? rows[i].want : 42))
            fail_msg("\"%s\": %d, %llu", rows[i].text, status, (unsigned long long)n);
    }
}

static void check_format(uint64_t n)
{
    char want[24], out[20];
    int len = snprintf(want, sizeof want, "%llu", (unsigned long long)n);
    assert_int_equal(stet_format_u64(n, out), len);
    assert_memory_equal(out, want, (size_t)len);
    uint64_t back = ~n;
    assert_int_equal(stet_span_to_u64(stet_span_of(out, (size_t)len), &back), STET_OK);
    assert_true(back == n);
}

static void test_format_u64(void **state)
{
    for (uint64_t n = 0; n < 100000; n++)
        check_format(n);
    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        check_format(power - 1);
        check_format(power);
        check_format(power * 10 - 1);
    }
    check_format(UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_nocase_every_octet),
        cmocka_unit_test(test_equal_nocase_bounds),
        cmocka_unit_test(test_equal_starts_trim),
        cmocka_unit_test(test_to_u64),
        cmocka_unit_test(test_format_u64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
