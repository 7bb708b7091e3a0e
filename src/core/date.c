/* SPDX-License-Identifier: MIT */
/*
 * HTTP-date: RFC 9110 section 5.6.7.
 *
 *   IMF-fixdate   Sun, 06 Nov 1994 08:49:37 GMT      29 octets
 *   rfc850-date   Sunday, 06-Nov-94 08:49:37 GMT     30 to 33 octets
 *   asctime-date  Sun Nov  6 08:49:37 1994           24 octets
 *
 * The lengths tell the forms apart, so each is read at fixed places. "HTTP-date is case sensitive": so is
 * this. Day numbers count from 0000-03-01 in the proleptic Gregorian calendar, where the leap day is the last
 * of its year and 400 years are one cycle.
 */
#include <stet/date.h>

#define DAY_S 86400
#define DAYS_PER_CYCLE 146097 /* 400 years */
#define EPOCH_DAY 719468      /* 1970-01-01, counted from 0000-03-01 */
#define YEAR_0_DAY (-60)      /* 0000-01-01 */
#define LAST_DAY 3652364      /* 9999-12-31 */

struct civil {
    int year; /* -49 to 10049 */
    unsigned month, day, hour, minute, second;
};

/* The number of the day `day`, which may be one too many for its month, in days from 0000-03-01. */
static int day_number(int year, unsigned month, unsigned day)
{
    int shifted = month > 2 ? year + 400 : year + 399; /* years that begin in March, made positive */
    int cycle = shifted / 400;
    int of_cycle = shifted % 400;
    int of_year = (153 * (int)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int)day - 1;
    return (cycle - 1) * DAYS_PER_CYCLE + of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
}

static void day_to_civil(int number, struct civil *out)
{
    int cycle = (number + DAYS_PER_CYCLE) / DAYS_PER_CYCLE - 1;
    int of_cycle = number - cycle * DAYS_PER_CYCLE;
    int year = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    int of_year = of_cycle - (365 * year + year / 4 - year / 100);
    int month = (5 * of_year + 2) / 153; /* from March */
    out->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    out->year = year + cycle * 400 + (month >= 10);
}

/* The moment in UTC; dates outside of the years 0 to 9999 become the first or last second of them. */
static int to_civil(int64_t date, struct civil *out)
{
    const int64_t first = (int64_t)(YEAR_0_DAY - EPOCH_DAY) * DAY_S;
    const int64_t last = (int64_t)(LAST_DAY - EPOCH_DAY + 1) * DAY_S - 1;
    date = date < first ? first : date > last ? last : date;
    uint64_t since_first = (uint64_t)(date - first);
    int number = (int)(since_first / DAY_S) + YEAR_0_DAY;
    unsigned second = (unsigned)(since_first % DAY_S);
    day_to_civil(number, out);
    out->hour = second / 3600;
    out->minute = second / 60 % 60;
    out->second = second % 60;
    return number;
}

static bool leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned days_of(int year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap(year) ? 29 : days[month - 1];
}

/* The months and the days of the week are three letters each; a number made of them switches faster than
 * text. */
#define LETTERS(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

static uint32_t letters(const char *at)
{
    return LETTERS((unsigned char)at[0], (unsigned char)at[1], (unsigned char)at[2]);
}

/* 1 to 12, or 0 if there is no such month. */
static unsigned month_of(const char *at)
{
    switch (letters(at)) {
    case LETTERS('J', 'a', 'n'):
        return 1;
    case LETTERS('F', 'e', 'b'):
        return 2;
    case LETTERS('M', 'a', 'r'):
        return 3;
    case LETTERS('A', 'p', 'r'):
        return 4;
    case LETTERS('M', 'a', 'y'):
        return 5;
    case LETTERS('J', 'u', 'n'):
        return 6;
    case LETTERS('J', 'u', 'l'):
        return 7;
    case LETTERS('A', 'u', 'g'):
        return 8;
    case LETTERS('S', 'e', 'p'):
        return 9;
    case LETTERS('O', 'c', 't'):
        return 10;
    case LETTERS('N', 'o', 'v'):
        return 11;
    case LETTERS('D', 'e', 'c'):
        return 12;
    default:
        return 0;
    }
}

static bool is_day_name(const char *at)
{
    switch (letters(at)) {
    case LETTERS('M', 'o', 'n'):
    case LETTERS('T', 'u', 'e'):
    case LETTERS('W', 'e', 'd'):
    case LETTERS('T', 'h', 'u'):
    case LETTERS('F', 'r', 'i'):
    case LETTERS('S', 'a', 't'):
    case LETTERS('S', 'u', 'n'):
        return true;
    default:
        return false;
    }
}

/* More than any two digits, so that the checks of range refuse it and a sum of such stays out of range too.
 */
#define NO_NUMBER 1000000u

static unsigned two_digits(const char *at)
{
    unsigned tens = (unsigned)((unsigned char)at[0] - '0');
    unsigned ones = (unsigned)((unsigned char)at[1] - '0');
    return tens <= 9 && ones <= 9 ? tens * 10 + ones : NO_NUMBER;
}

/* "08:49:37" */
static bool read_time(const char *at, struct civil *out)
{
    out->hour = two_digits(at);
    out->minute = two_digits(at + 3);
    out->second = two_digits(at + 6);
    return at[2] == ':' && at[5] == ':' && out->hour < 24 && out->minute < 60 && out->second <= 60;
}

static bool read_year(const char *at, struct civil *out)
{
    unsigned year = two_digits(at) * 100 + two_digits(at + 2);
    out->year = (int)year;
    return year <= 9999;
}

static bool read_imf_fixdate(const char *at, struct civil *out)
{
    out->day = two_digits(at + 5);
    out->month = month_of(at + 8);
    return is_day_name(at) && memcmp(at + 3, ", ", 2) == 0 && at[7] == ' ' && at[11] == ' ' &&
           read_year(at + 12, out) && at[16] == ' ' && read_time(at + 17, out) &&
           memcmp(at + 25, " GMT", 4) == 0;
}

static bool read_asctime(const char *at, struct civil *out)
{
    /* date3 = month SP ( 2DIGIT / ( SP 1DIGIT )) */
    const char padded[2] = {at[8] == ' ' ? '0' : at[8], at[9]};
    out->day = two_digits(padded);
    out->month = month_of(at + 4);
    return is_day_name(at) && at[3] == ' ' && at[7] == ' ' && at[10] == ' ' && read_time(at + 11, out) &&
           at[19] == ' ' && read_year(at + 20, out);
}

/* The latest year with these two digits in which the moment is not more than 50 years after `now`. */
static int resolve_year(int two, const struct civil *moment, int64_t now)
{
    struct civil today;
    to_civil(now, &today);
    int latest = today.year + 50;
    int year = latest - (latest - two + 100) % 100;
    const unsigned then[] = {moment->month, moment->day, moment->hour, moment->minute, moment->second};
    const unsigned limit[] = {today.month, today.day, today.hour, today.minute, today.second};
    for (size_t i = 0; year == latest && i < sizeof then / sizeof *then; i++) {
        if (then[i] != limit[i])
            return then[i] > limit[i] ? year - 100 : year;
    }
    return year;
}

#define RFC850_TAIL 24 /* ", 06-Nov-94 08:49:37 GMT" */

static bool read_rfc850(struct stet_span value, int64_t now, struct civil *out)
{
    static const struct {
        char name[10];
        unsigned char len;
    } days[] = {{"Monday", 6}, {"Tuesday", 7},  {"Wednesday", 9}, {"Thursday", 8},
                {"Friday", 6}, {"Saturday", 8}, {"Sunday", 6}};
    size_t len = value.len - RFC850_TAIL;
    bool known = false;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        known |= len == days[i].len && memcmp(value.ptr, days[i].name, len) == 0;

    const char *at = value.ptr + len;
    out->day = two_digits(at + 2);
    out->month = month_of(at + 5);
    unsigned year = two_digits(at + 9);
    if (!known || memcmp(at, ", ", 2) != 0 || at[4] != '-' || at[8] != '-' || year > 99 || at[11] != ' ' ||
        !read_time(at + 12, out) || memcmp(at + 20, " GMT", 4) != 0)
        return false;
    out->year = resolve_year((int)year, out, now);
    return true;
}

int stet_date_parse(struct stet_span value, int64_t now, int64_t *out)
{
    struct civil date = {0};
    bool read = false;
    if (value.len == STET_DATE_LEN)
        read = read_imf_fixdate(value.ptr, &date);
    else if (value.len == 24)
        read = read_asctime(value.ptr, &date);
    else if (value.len >= RFC850_TAIL + 6 && value.len <= RFC850_TAIL + 9)
        read = read_rfc850(value, now, &date);
    if (!read || date.month == 0 || date.day == 0 || date.day > days_of(date.year, date.month))
        return STET_E_SYNTAX;
    int64_t days = day_number(date.year, date.month, date.day) - EPOCH_DAY;
    *out = days * DAY_S + date.hour * 3600 + date.minute * 60 + date.second;
    return STET_OK;
}

static void put_two(char *at, unsigned n)
{
    at[0] = (char)('0' + n / 10);
    at[1] = (char)('0' + n % 10);
}

void stet_date_format(int64_t date, char out[STET_DATE_LEN])
{
    static const char day_names[] = "WedThuFriSatSunMonTue"; /* 0000-03-01 was a Wednesday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil civil;
    int number = to_civil(date, &civil);
    memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", STET_DATE_LEN);
    memcpy(out, day_names + 3 * ((number - YEAR_0_DAY + 3) % 7), 3);
    put_two(out + 5, civil.day);
    memcpy(out + 8, months + 3 * (civil.month - 1), 3);
    put_two(out + 12, (unsigned)civil.year / 100);
    put_two(out + 14, (unsigned)civil.year % 100);
    put_two(out + 17, civil.hour);
    put_two(out + 20, civil.minute);
    put_two(out + 23, civil.second);
}
