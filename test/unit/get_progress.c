/* SPDX-License-Identifier: MIT */
/*
 * get_progress: figures, bars of every width, and the line at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cli/get_progress.h"

static void is_told(uint64_t octets, const char *wanted)
{
    char got[STET__GET_OCTETS_ROOM];
    stet__get_octets_format(octets, got);
    assert_string_equal(got, wanted);
}

static void test_octets(void **state)
{
    is_told(0, "0 B");
    is_told(999, "999 B");
    is_told(1000, "1.0 kB");
    is_told(1999, "1.9 kB");
    is_told(999999, "999.9 kB");
    is_told(12345678, "12.3 MB");
    is_told(UINT64_MAX, "18.4 EB");
}

static void test_bars(void **state)
{
    char line[256];
    struct stet__get_bar bar = {"linux.iso", 42000000, 100000000, 0};
    stet__get_bar_format(&bar, 80, line, sizeof line);
    assert_string_equal(line, "linux.iso                  [########------------]  42%  42.0 MB of 100.0 MB");
    bar.received = bar.expected = 0;
    stet__get_bar_format(&bar, 80, line, sizeof line);
    assert_string_equal(line, "linux.iso                   0 B");
    bar = (struct stet__get_bar){"a/rather/long/path/that/ends/in/what/matters.txt", 1, UINT64_MAX, 0};
    stet__get_bar_format(&bar, 60, line, sizeof line);
    assert_string_equal(line, ".../what/matters.txt  1 B");
    bar.name = "\x1b[2J\xC2\x9B"
               "2J\x7F";
    stet__get_bar_format(&bar, 30, line, sizeof line);
    assert_string_equal(line, "?[2J??2J?   1 B");
    bar.name = "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4";
    stet__get_bar_format(&bar, 30, line, sizeof line);
    assert_string_equal(line, "...\xC3\xA4\xC3\xA4\xC3\xA4  1 B");
}

/* More than was expected, and any width: never more columns than there are. */
static void test_bars_fit(void **state)
{
    static const struct stet__get_bar bars[] = {
        {"a name that is longer than most names of files are, by far", 999900000, 999900000, 0},
        {"b", 7, 5, 0},
        {"", 0, UINT64_MAX, 0},
        {"c", UINT64_MAX - 1, UINT64_MAX - 1, 0},
    };
    char line[512];
    for (unsigned columns = 20; columns <= 240; columns++)
        for (size_t i = 0; i < sizeof bars / sizeof *bars; i++) {
            stet__get_bar_format(&bars[i], columns, line, sizeof line);
            if (strlen(line) > columns)
                fail_msg("%u columns: %s", columns, line);
        }
}

static void is_tally(const struct stet__get_tally *tally, int64_t now_us, const char *wanted)
{
    char line[512];
    stet__get_tally_format(tally, now_us, line, sizeof line);
    assert_string_equal(line, wanted);
}

static void test_tally(void **state)
{
    struct stet__get_tally tally = {.ended = 1, .by_source = {[STET__GET_ORIGIN] = 1}, .received_octets = 6};
    is_tally(&tally, 45000, "stet: 1 file in 45 ms: 1 fetched; 6 B received");
    tally = (struct stet__get_tally){.ended = 10000,
                                     .failed = 1,
                                     .by_source = {[STET__GET_VALIDATED] = 9997, [STET__GET_STORE] = 2},
                                     .saved_octets = 240100000,
                                     .started_us = 1000000};
    is_tally(&tally, 2450000,
             "stet: 10000 files in 1.4 s: 9997 not modified (304), 2 from the cache, 1 failed; 0 B received, "
             "240.1 MB not sent again");
    tally = (struct stet__get_tally){.ended = 0};
    is_tally(&tally, 61000000, "stet: 0 files in 1 min 1 s; 0 B received");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_bars_fit),
        cmocka_unit_test(test_tally),
    };
    return cmocka_run_group_tests_name("get_progress", tests, NULL, NULL);
}
