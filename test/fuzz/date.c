/* SPDX-License-Identifier: MIT */
/*
 * HTTP-date: RFC 9110 section 5.6.7.
 *
 * The first eight octets are `now` and a moment to be written, the rest is a value. What must hold: a value
 * is taken exactly if a reading of the grammar with a list of patterns takes it; an IMF-fixdate is written as
 * it was read, but for a wrong day of the week and a leap second; two digits of a year mean one within 50
 * years ahead and 50 back; every moment of the years 0 to 9999 comes back as it was.
 */
#include <stdlib.h>

#include <stet/date.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool fits(char c, char pattern)
{
    bool digit = c >= '0' && c <= '9';
    switch (pattern) {
    case '#':
        return digit;
    case '_':
        return digit || c == ' ';
    case 'x':
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    default:
        return c == pattern;
    }
}

/* Whether the value looks like the pattern: "#" is a digit, "x" a letter, "_" a space or digit, all else
 * itself. */
static bool looks_like(struct stet_span value, const char *pattern)
{
    bool fitting = value.len == strlen(pattern);
    for (size_t i = 0; fitting && i < value.len; i++)
        fitting = fits(value.ptr[i], pattern[i]);
    return fitting;
}

static unsigned digits_at(struct stet_span value, size_t at, size_t count)
{
    unsigned n = 0;
    for (size_t i = at; i < at + count; i++)
        n = n * 10 + (unsigned)(value.ptr[i] == ' ' ? 0 : value.ptr[i] - '0');
    return n;
}

/* 1 to 12, or 0. */
static unsigned month_at(struct stet_span value, size_t at)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned i = 0; i < 12; i++)
        if (memcmp(value.ptr + at, names[i], 3) == 0)
            return i + 1;
    return 0;
}

static bool leap(unsigned year)
{
    return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

/* Whether the day and the time exist; `february` is the length of that month. */
static bool exists(struct stet_span value, size_t day_at, unsigned month, size_t time_at, unsigned february)
{
    const unsigned lengths[] = {0, 31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned day = digits_at(value, day_at, 2);
    return day >= 1 && day <= lengths[month] && digits_at(value, time_at, 2) < 24 &&
           digits_at(value, time_at + 3, 2) < 60 && digits_at(value, time_at + 6, 2) <= 60;
}

static bool has_day_name(struct stet_span value, bool whole)
{
    static const char *const names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};
    for (size_t i = 0; i < 7; i++) {
        size_t len = whole ? strlen(names[i]) : 3;
        if (value.len > len && memcmp(value.ptr, names[i], len) == 0 && (!whole || value.ptr[len] == ','))
            return true;
    }
    return false;
}

/* 1: an HTTP-date, 0: none, -1: whether it is depends on a leap day in a year of two digits. */
static int oracle(struct stet_span value)
{
    if (looks_like(value, "xxx, ## xxx #### ##:##:## GMT"))
        return has_day_name(value, false) &&
               exists(value, 5, month_at(value, 8), 17, leap(digits_at(value, 12, 4)) ? 29 : 28);
    if (looks_like(value, "xxx xxx _# ##:##:## ####"))
        return has_day_name(value, false) &&
               exists(value, 8, month_at(value, 4), 11, leap(digits_at(value, 20, 4)) ? 29 : 28);
    if (!has_day_name(value, true))
        return 0;
    size_t comma = 0;
    while (value.ptr[comma] != ',')
        comma++;
    struct stet_span tail = stet_span_skip(value, comma);
    if (!looks_like(tail, ", ##-xxx-## ##:##:## GMT") || !exists(tail, 2, month_at(tail, 5), 12, 29))
        return 0;
    return exists(tail, 2, month_at(tail, 5), 12, 28) ? 1 : -1;
}

static void check_moment(int64_t moment)
{
    char out[STET_DATE_LEN];
    int64_t back = 0;
    const int64_t first = INT64_C(-62167219200), last = INT64_C(253402300799);
    stet_date_format(moment, out);
    require(oracle(stet_span_of(out, sizeof out)) == 1);
    require(stet_date_parse(stet_span_of(out, sizeof out), 0, &back) == STET_OK);
    require(back == (moment < first ? first : moment > last ? last : moment));
}

static void check_value(struct stet_span value, int64_t now)
{
    const int64_t untouched = INT64_C(0x5a5a5a5a5a5a);
    int64_t date = untouched;
    int status = stet_date_parse(value, now, &date);
    int want = oracle(value);
    require(want < 0 || status == (want ? STET_OK : STET_E_SYNTAX));
    if (status != STET_OK) {
        require(status == STET_E_SYNTAX && date == untouched);
        return;
    }
    if (value.len > STET_DATE_LEN) {
        const int64_t years_50 = INT64_C(50) * 31557600, slack = INT64_C(3) * 86400;
        bool usual = now > INT64_C(-60000000000) && now < INT64_C(250000000000);
        require(!usual || (date - now <= years_50 + slack && now - date <= years_50 + slack));
        return;
    }
    check_moment(date);
    char again[STET_DATE_LEN];
    stet_date_format(date, again);
    bool leap_second = value.len == STET_DATE_LEN && value.ptr[23] == '6';
    if (value.len == STET_DATE_LEN && !leap_second)
        require(memcmp(again + 3, value.ptr + 3, STET_DATE_LEN - 3) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t now;
    if (size < sizeof now)
        return 0;
    memcpy(&now, data, sizeof now);
    check_moment(now);
    check_moment(now / 100000000);
    struct stet_span value = stet_span_of((const char *)data + sizeof now, size - sizeof now);
    check_value(value, now);
    check_value(value, now / 100000000);
    return 0;
}
