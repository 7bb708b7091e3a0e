/* SPDX-License-Identifier: MIT */
/*
 * date: every day from 1900 to 2199 against a calendar that counts day by day, the three forms, the edges of
 * each component, and the 50-year rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/date.h>

#include "guard.h"

#define NOW INT64_C(1763712000) /* 2025-11-21 08:00:00 */

static struct guard guard;

/* Parses with an unreadable page behind and one before the value, and gives INT64_MAX if it is refused. */
static int64_t parse(const char *text, size_t len, int64_t now)
{
    int64_t at_end = INT64_MAX, at_start = INT64_MAX;
    int status = stet_date_parse(guard_at_end(&guard, stet_span_of(text, len)), now, &at_end);
    assert_int_equal(status, at_end == INT64_MAX ? STET_E_SYNTAX : STET_OK);
    assert_int_equal(stet_date_parse(guard_at_start(&guard, stet_span_of(text, len)), now, &at_start),
                     status);
    assert_true(at_end == at_start);
    return at_end;
}

static const char *const short_days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char *const long_days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* A calendar that knows nothing but how to go on to the next day. */
struct day {
    unsigned year, month, day, weekday; /* month from 1; weekday from 0, Monday */
    int64_t start;                      /* Unix seconds */
};

static unsigned month_length(unsigned year, unsigned month)
{
    if (month == 2)
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static void tomorrow(struct day *d)
{
    d->start += 86400;
    d->weekday = (d->weekday + 1) % 7;
    if (++d->day <= month_length(d->year, d->month))
        return;
    d->day = 1;
    if (++d->month <= 12)
        return;
    d->month = 1;
    d->year++;
}

static void check_day(const struct day *d, unsigned second)
{
    char want[64], out[STET_DATE_LEN];
    int64_t moment = d->start + second;
    unsigned h = second / 3600, m = second / 60 % 60, s = second % 60;
    const char *month = months[d->month - 1];
    int len = snprintf(want, sizeof want, "%s, %02u %s %04u %02u:%02u:%02u GMT", short_days[d->weekday],
                       d->day, month, d->year, h, m, s);
    assert_int_equal(len, STET_DATE_LEN);
    stet_date_format(moment, out);
    if (memcmp(out, want, sizeof out) != 0)
        fail_msg("%lld is %.29s, want %s", (long long)moment, out, want);
    if (parse(want, (size_t)len, NOW) != moment)
        fail_msg("%s", want);
    len = snprintf(want, sizeof want, "%s %s %2u %02u:%02u:%02u %04u", short_days[d->weekday], month, d->day,
                   h, m, s, d->year);
    if (parse(want, (size_t)len, NOW) != moment)
        fail_msg("%s", want);
    len = snprintf(want, sizeof want, "%s, %02u-%s-%02u %02u:%02u:%02u GMT", long_days[d->weekday], d->day,
                   month, d->year % 100, h, m, s);
    /* Seen from its own year, and from almost 50 years to either side, two digits are enough. */
    for (int years = -49; years <= 49; years += 49)
        if (parse(want, (size_t)len, moment + years * INT64_C(31556952)) != moment)
            fail_msg("%s from %d years", want, years);
}

static void test_every_day(void **state)
{
    struct day d = {1900, 1, 1, 0, INT64_C(-2208988800)};
    unsigned second = 0, days = 0;
    for (; d.year < 2200; tomorrow(&d), days++) {
        second = (second + 40503) % 86400; /* in time every second of the day */
        check_day(&d, second);
    }
    assert_int_equal(days, 109573);
    check_day(&d, 0);
    check_day(&d, 86399);
}

/* The whole range of the four-digit year, without the two-digit form. */
static void test_every_century(void **state)
{
    struct day d = {0, 1, 1, 5, INT64_C(-62167219200)};
    char out[STET_DATE_LEN];
    int64_t back;
    for (; d.year <= 9999; tomorrow(&d)) {
        stet_date_format(d.start + 86399, out);
        assert_int_equal(stet_date_parse(stet_span_of(out, sizeof out), NOW, &back), STET_OK);
        assert_true(back == d.start + 86399);
        if (d.day == 1) {
            char want[16];
            snprintf(want, sizeof want, "%s %04u", months[d.month - 1], d.year);
            assert_memory_equal(out + 8, want, 8);
            assert_memory_equal(out, short_days[d.weekday], 3);
        }
    }
    assert_true(d.start == INT64_C(253402300800));
}

static void test_format_clamps(void **state)
{
    static const struct {
        int64_t date;
        const char *want;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {INT64_C(2552630400), "Mon, 21 Nov 2050 08:00:00 GMT"},
        {INT64_C(-62167219200), "Sat, 01 Jan 0000 00:00:00 GMT"},
        {INT64_C(-62167219201), "Sat, 01 Jan 0000 00:00:00 GMT"},
        {STET_NO_DATE, "Sat, 01 Jan 0000 00:00:00 GMT"},
        {INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[STET_DATE_LEN];
        stet_date_format(rows[i].date, out);
        if (memcmp(out, rows[i].want, sizeof out) != 0)
            fail_msg("%.29s, want %s", out, rows[i].want);
    }
}

static void test_accepted(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Sun Nov 06 08:49:37 1994", 784111777},
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777}, /* the wrong day of the week */
        {"Wednesday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Tue, 21 Nov 2050 08:00:00 GMT", INT64_C(2552630400)}, /* a Monday */
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},          /* a leap second that was */
        {"Sat Dec 31 23:59:60 2016", 1483228800},
        {"Saturday, 31-Dec-16 23:59:60 GMT", 1483228800},
        {"Sun, 06 Nov 1994 08:49:60 GMT", 784111800}, /* and one that was not */
        {"Fri, 31 Dec 9999 23:59:60 GMT", INT64_C(253402300800)},
        {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Sat, 01 Jan 0000 00:00:00 GMT", INT64_C(-62167219200)},
        {"Tue, 29 Feb 0000 00:00:00 GMT", INT64_C(-62167219200) + 59 * 86400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (parse(rows[i].text, strlen(rows[i].text), NOW) != rows[i].want)
            fail_msg("%s", rows[i].text);
}

static const char *const refused[] = {
    "",
    "0",
    "-1",
    "1720000000",
    "Sun, 30 Feb 2000 00:00:00 GMT",
    "Wed, 29 Feb 2023 00:00:00 GMT",
    "Thu, 29 Feb 1900 00:00:00 GMT",
    "Mon, 29 Feb 2100 00:00:00 GMT",
    "Sun, 31 Apr 1994 00:00:00 GMT",
    "Sun, 32 Dec 1994 00:00:00 GMT",
    "Sun, 00 Nov 1994 00:00:00 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 23:60:00 GMT",
    "Sun, 06 Nov 1994 23:59:61 GMT",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 EST",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 +00",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 ",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "SUN, 06 Nov 1994 08:49:37 GMT",
    "Sux, 06 Nov 1994 08:49:37 GMT",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 NOV 1994 08:49:37 GMT",
    "Sun, 06 Okt 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,\t06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, 06 Nov 199a 08:49:37 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994, 08:49:37 GM",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "sunday, 06-Nov-94 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 24:00:00 GMT",
    "Sunday, 06-Nov-94 08:49:37 PST",
    "Sunday, 06/Nov/94 08:49:37 GMT",
    "Sonntag, 06-Nov-94 08:49:37 GMT",
    "Mondays, 06-Nov-94 08:49:37 GMT",
    "Thursda, 06-Nov-94 08:49:37 GMT",
    "Wednesdayy, 06-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 1994 ",
    "Sun Nov  0 08:49:37 1994",
    "Sun Nov 00 08:49:37 1994",
    "Sun Nov 6  08:49:37 1994",
    "Sun Nov    08:49:37 1994",
    "Sun Nov 31 08:49:37 1994",
    "Sun Nov  6 24:00:00 1994",
    "Sun Nov  6 08:49:37 94  ",
    "Sunday Nov  6 08:49:37 1994",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT; length=3",
};

static void test_refused(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (parse(refused[i], strlen(refused[i]), NOW) != INT64_MAX)
            fail_msg("accepted: %s", refused[i]);
    assert_int_equal(parse("Sun, 06 Nov 1994 08:49:37\0GMT", 29, NOW), INT64_MAX);
}

/* Every octet at every place of every form: what is not the octet itself makes another date or none. */
static void test_every_octet(void **state)
{
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994", "Wednesday, 06-Nov-94 08:49:37 GMT"};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        size_t len = strlen(forms[f]);
        char text[40];
        memcpy(text, forms[f], len);
        for (size_t at = 0; at < len; at++) {
            for (unsigned octet = 0; octet < 256; octet++) {
                text[at] = (char)octet;
                bool digit = octet >= '0' && octet <= '9',
                     was_digit = forms[f][at] >= '0' && forms[f][at] <= '9';
                bool may = text[at] == forms[f][at] || (digit && (was_digit || (f == 2 && at == 8))) ||
                           (f == 2 && at == 8 && octet == ' ');
                int64_t got = parse(text, len, NOW);
                /* Other names differ in more than one octet, but for Jan, Jun and Jul; Nov is not among
                 * those. */
                if (got != INT64_MAX && !may)
                    fail_msg("octet %02x at %zu of %s", octet, at, forms[f]);
                if (text[at] == forms[f][at] && got != 784111777)
                    fail_msg("%s", forms[f]);
            }
            text[at] = forms[f][at];
            assert_true(parse(text, at, NOW) == INT64_MAX);
        }
    }
}

static void test_fifty_years(void **state)
{
    static const struct {
        const char *text;
        const char *now;
        const char *want;
    } rows[] = {
        {"Sunday, 06-Nov-94 08:49:37 GMT", "Fri, 21 Nov 2025 08:00:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"},
        /* exactly 50 years ahead, and a second more */
        {"Thursday, 21-Nov-75 08:00:00 GMT", "Fri, 21 Nov 2025 08:00:00 GMT",
         "Thu, 21 Nov 2075 08:00:00 GMT"},
        {"Thursday, 21-Nov-75 08:00:01 GMT", "Fri, 21 Nov 2025 08:00:00 GMT",
         "Fri, 21 Nov 1975 08:00:01 GMT"},
        {"Thursday, 21-Nov-75 08:01:00 GMT", "Fri, 21 Nov 2025 08:00:59 GMT",
         "Fri, 21 Nov 1975 08:01:00 GMT"},
        {"Thursday, 21-Nov-75 07:59:60 GMT", "Fri, 21 Nov 2025 08:00:00 GMT",
         "Thu, 21 Nov 2075 08:00:00 GMT"},
        {"Thursday, 22-Nov-75 00:00:00 GMT", "Fri, 21 Nov 2025 23:59:59 GMT",
         "Sat, 22 Nov 1975 00:00:00 GMT"},
        {"Thursday, 31-Oct-75 23:59:59 GMT", "Fri, 21 Nov 2025 08:00:00 GMT",
         "Thu, 31 Oct 2075 23:59:59 GMT"},
        {"Thursday, 01-Jan-76 00:00:00 GMT", "Fri, 21 Nov 2025 08:00:00 GMT",
         "Thu, 01 Jan 1976 00:00:00 GMT"},
        /* the century turns */
        {"Friday, 01-Jan-99 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 1999 00:00:00 GMT"},
        {"Saturday, 01-Jan-00 00:00:00 GMT", "Fri, 31 Dec 1999 23:59:59 GMT",
         "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"Saturday, 01-Jan-01 00:00:00 GMT", "Thu, 31 Dec 2099 23:59:59 GMT",
         "Sat, 01 Jan 2101 00:00:00 GMT"},
        {"Sunday, 29-Feb-00 00:00:00 GMT", "Fri, 21 Nov 2025 08:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT"},
        /* seen from 29 February, whose day does not exist 50 years on */
        {"Friday, 28-Feb-74 12:00:00 GMT", "Thu, 29 Feb 2024 12:00:00 GMT", "Wed, 28 Feb 2074 12:00:00 GMT"},
        {"Friday, 01-Mar-74 00:00:00 GMT", "Thu, 29 Feb 2024 12:00:00 GMT", "Fri, 01 Mar 1974 00:00:00 GMT"},
        {"Friday, 01-Jan-60 00:00:00 GMT", "Sat, 01 Jan 0010 00:00:00 GMT", "Thu, 01 Jan 0060 00:00:00 GMT"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t now = parse(rows[i].now, 29, NOW);
        int64_t want = parse(rows[i].want, 29, NOW);
        int64_t got = parse(rows[i].text, strlen(rows[i].text), now);
        assert_true(now != INT64_MAX && want != INT64_MAX);
        if (got != want)
            fail_msg("%s seen from %s: %lld, not %s", rows[i].text, rows[i].now, (long long)got,
                     rows[i].want);
    }
    /* 29 February of a year that has none */
    int64_t now_2090 = parse("Sun, 01 Jan 2090 00:00:00 GMT", 29, NOW);
    assert_true(parse("Sunday, 29-Feb-00 00:00:00 GMT", 30, now_2090) == INT64_MAX);
    /* Clocks that cannot be right do no harm. */
    assert_true(parse("Sunday, 06-Nov-94 08:49:37 GMT", 30, INT64_MIN) != INT64_MAX);
    assert_true(parse("Sunday, 06-Nov-94 08:49:37 GMT", 30, INT64_MAX - 1) != INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day),     cmocka_unit_test(test_every_century),
        cmocka_unit_test(test_format_clamps), cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_fifty_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
