/* SPDX-License-Identifier: MIT */
/*
 * status: rows are found by their value, the values of the ABI stand still, and each is fit to be printed and
 * answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/status.h>

/* Part of the ABI: a row that changes here breaks programs that are linked already. */
static const struct {
    int value;
    const char *name;
} frozen[] = {
    {0, "ok"},
    {1, "more"},
    {2, "end"},
    {-1, "syntax"},
    {-2, "number"},
    {-3, "no-room"},
    {-10, "request-line"},
    {-11, "method"},
    {-12, "target"},
    {-13, "target-too-long"},
    {-14, "version"},
    {-15, "version-unsupported"},
    {-16, "status-line"},
    {-17, "head-too-large"},
    {-18, "too-many-fields"},
    {-19, "field-name"},
    {-20, "field-value"},
    {-21, "space-before-colon"},
    {-22, "obs-fold"},
    {-23, "bare-cr"},
    {-24, "bare-lf"},
    {-25, "method-too-long"},
    {-30, "host-missing"},
    {-31, "host-repeated"},
    {-32, "host"},
    {-40, "content-length"},
    {-41, "content-length-conflict"},
    {-42, "length-and-coding"},
    {-43, "coding-unknown"},
    {-44, "coding-not-final"},
    {-45, "coding-http-1-0"},
    {-46, "chunk-size"},
    {-47, "chunk-extension"},
    {-48, "chunk-end"},
    {-49, "trailer-too-large"},
    {-60, "coded-syntax"},
    {-61, "coded-cut"},
    {-62, "coded-trailing"},
    {-63, "coded-window"},
    {-64, "coded-too-large"},
    {-65, "coded-length"},
    {-66, "coded-memory"},
    {-67, "coded-stopped"},
    {-68, "coded-read"},
    {-100, "get-uri"},
    {-101, "get-offline"},
    {-102, "get-redirects"},
    {-103, "get-loop"},
    {-104, "get-location"},
    {-105, "get-answer"},
    {-106, "get-sink"},
    {-107, "get-stopped"},
    {-108, "get-memory"},
};

static void test_values_stand_still(void **state)
{
    for (size_t i = 0; i < sizeof frozen / sizeof *frozen; i++) {
        const struct stet_status_row *row = stet_status_row(frozen[i].value);
        assert_int_equal(row->status, frozen[i].value);
        assert_string_equal(row->name, frozen[i].name);
    }
}

static void test_rows(void **state)
{
    static const int values[] = {
#define X(symbol, value, name, http_status, clause, sentence) symbol,
#include <stet/status.def>
#undef X
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const struct stet_status_row *row = stet_status_row(values[i]);
        assert_true(values[i] < 0);
        assert_int_equal(row->status, values[i]);
        size_t len = strlen(row->sentence);
        assert_true(len > 10 && row->sentence[len - 1] == '.');
        assert_int_equal(strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(row->name));
        bool answerable = row->http_status >= 400 && row->http_status <= 599;
        assert_true(answerable || row->http_status == 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(stet_status_row(values[j])->name, row->name);
    }
    assert_int_equal(stet_status_row(STET_E_TARGET_TOO_LONG)->http_status, 414);
    assert_int_equal(stet_status_row(STET_E_HEAD_TOO_LARGE)->http_status, 431);
    assert_int_equal(stet_status_row(STET_E_VERSION_UNSUPPORTED)->http_status, 505);
    assert_int_equal(stet_status_row(STET_E_CODING_UNKNOWN)->http_status, 501);
}

static void test_unknown(void **state)
{
    static const int unknown[] = {3, 200, -1000, 2147483647, -2147483647 - 1};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_string_equal(stet_status_row(unknown[i])->name, "unknown");
        assert_int_equal(stet_status_row(unknown[i])->http_status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_stand_still),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
