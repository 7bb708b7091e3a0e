/* SPDX-License-Identifier: MIT */
/*
 * Date and Expires, and the form of dates: RFC 9110 sections 5.6.7 and 6.6.1, RFC 9111 section 5.3.
 *
 * Clocks are compared with a tolerance (STET__LINT_CLOCK_S), because that of the client may be the one that
 * is wrong; what is further apart is a warning for the same reason.
 */
#include "core/freshness.h"
#include "core/lint.h"

#define WEEKDAY 3 /* octets of "Sun" */

/* What a sender does not generate, although it can be read. Null if it is as it should be. */
static const char *wrong_form(struct stet_span value, int64_t date, bool *weekday)
{
    char right[STET_DATE_LEN];
    *weekday = false;
    if (value.len != STET_DATE_LEN)
        return "obsolete form";
    stet_date_format(date, right);
    *weekday = memcmp(right, value.ptr, WEEKDAY) != 0;
    return *weekday ? "wrong day" : NULL;
}

static void form(const struct stet__lint_look *look, enum stet_field_id id)
{
    struct stet_span value = stet__lint_value(look->fields, id);
    int64_t date;
    bool weekday;
    if (!value.ptr || stet_date_parse(value, look->now, &date) != STET_OK ||
        !wrong_form(value, date, &weekday))
        return;
    stet__lint_octets(stet__lint_came(look->out,
                                      weekday ? STET_LINT_DATE_WRONG_WEEKDAY : STET_LINT_DATE_OBSOLETE_FORM,
                                      value),
                      stet_field_name(id));
}

static void apart(const struct stet__lint_look *look, enum stet_lint lint, struct stet_span value,
                  int64_t seconds)
{
    struct stet_lint_finding *finding = stet__lint_came(look->out, lint, value);
    stet__lint_text(finding, "by ");
    stet__lint_seconds(finding, seconds);
}

/* What an answer spent in caches is in Age, the rest is a difference of clocks. */
static void beside_clock(const struct stet__lint_look *look, struct stet_span value, int64_t date)
{
    if (!look->exchange->times_known)
        return;
    int64_t behind = look->requested - date - look->own.times.age;
    if (date > look->received + STET__LINT_CLOCK_S)
        apart(look, STET_LINT_DATE_AHEAD, value, date - look->received);
    else if (behind > STET__LINT_CLOCK_S)
        apart(look, STET_LINT_DATE_BEHIND, value, behind);
    else
        stet__lint_came(look->out, STET_LINT_DATE_RIGHT, value);
}

/* Section 6.6.1 wants it of all but 1xx and 5xx; that of a 304 is not_modified.c's. */
static void missing(const struct stet__lint_look *look)
{
    unsigned status = look->response->status;
    if (status >= 200 && status < 500 && status != 304)
        stet__lint_add(look->out, STET_LINT_NO_DATE);
}

static void date(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_DATE);
    int64_t at;
    if (!value.ptr)
        missing(look);
    else if (stet_fields_count(look->fields, STET_FIELD_DATE) > 1)
        stet__lint_came(look->out, STET_LINT_DATE_SEVERAL, value);
    else if (stet_date_parse(value, look->now, &at) != STET_OK)
        stet__lint_came(look->out, STET_LINT_DATE_MALFORMED, value);
    else
        beside_clock(look, value, at);
}

static bool is_number(struct stet_span value)
{
    uint64_t n;
    bool negative = value.len > 0 && value.ptr[0] == '-';
    return stet_span_to_u64(stet_span_skip(value, negative), &n) == STET_OK;
}

static void beside_max_age(const struct stet__lint_look *look, struct stet_span value, int64_t lifetime)
{
    int64_t max_age = look->own.control.max_age;
    int64_t differs = lifetime > max_age ? lifetime - max_age : max_age - lifetime;
    /* A max-age of 0 and a time in the past say the same. */
    if (differs <= 1 || (max_age == 0 && lifetime <= 0)) {
        stet__lint_came(look->out, STET_LINT_EXPIRES_UNNEEDED, value);
        return;
    }
    struct stet_lint_finding *finding = stet__lint_came(look->out, STET_LINT_EXPIRES_CONTRADICTS, value);
    stet__lint_text(finding, "Expires: ");
    stet__lint_seconds(finding, lifetime);
    stet__lint_text(finding, ", max-age: ");
    stet__lint_seconds(finding, max_age);
}

static void good_expires(const struct stet__lint_look *look, struct stet_span value, int64_t at)
{
    if (stet_cache_control_valid(&look->own.control, STET_CC_MAX_AGE))
        beside_max_age(look, value, at - look->own.date);
    else if (at <= look->own.date && !stet__lint_has(look, STET_CC_NO_CACHE) &&
             !stet__lint_has(look, STET_CC_NO_STORE))
        stet__lint_came(look->out, STET_LINT_EXPIRES_PAST, value);
}

static void expires(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_EXPIRES);
    int64_t at;
    if (!value.ptr)
        return;
    if (stet_fields_count(look->fields, STET_FIELD_EXPIRES) > 1)
        stet__lint_came(look->out, STET_LINT_EXPIRES_SEVERAL, value);
    else if (stet_date_parse(value, look->now, &at) == STET_OK)
        good_expires(look, value, at);
    else
        stet__lint_came(look->out, is_number(value) ? STET_LINT_EXPIRES_ZERO : STET_LINT_EXPIRES_MALFORMED,
                        value);
}

void stet__lint_date(const struct stet__lint_look *look)
{
    date(look);
    expires(look);
    form(look, STET_FIELD_DATE);
    form(look, STET_FIELD_EXPIRES);
    form(look, STET_FIELD_LAST_MODIFIED);
}
