/* SPDX-License-Identifier: MIT */
/*
 * Freshness and age: RFC 9111 sections 4.2 and 5.1.
 *
 * Every number of seconds is 0 to STET_SECONDS_MAX, and times are subtracted as unsigned, so nothing
 * overflows whatever a clock or a sender says. The received Age and the apparent age both count, the larger
 * one: a clock that is behind makes a response look younger, never older than it is.
 */
#include "core/freshness.h"

#include <stet/field.h>
#include <stet/freshness.h>

#include "core/octet.h"
#include "core/trace.h"

#define DATE_LEN_MAX 33 /* "Wednesday, 06-Nov-94 08:49:37 GMT" */

static int64_t clamp(int64_t seconds)
{
    return seconds < 0 ? 0 : seconds > STET_SECONDS_MAX ? STET_SECONDS_MAX : seconds;
}

/* later - earlier, or 0. */
static int64_t elapsed(int64_t later, int64_t earlier)
{
    if (later <= earlier)
        return 0;
    uint64_t seconds = (uint64_t)later - (uint64_t)earlier;
    return seconds > (uint64_t)STET_SECONDS_MAX ? STET_SECONDS_MAX : (int64_t)seconds;
}

static bool is_letter(char c)
{
    return (unsigned)((c | 0x20) - 'a') < 26;
}

/* The letters of a date as its grammar has them: "GMT", and all other words capitalised. */
static struct stet_span capitalised(struct stet_span value, char room[DATE_LEN_MAX])
{
    for (size_t i = 0; i < value.len; i++) {
        bool within = i > 0 && is_letter(value.ptr[i - 1]);
        char c = value.ptr[i];
        room[i] = !is_letter(c) ? c : (char)(within ? c | 0x20 : c & ~0x20);
    }
    if (value.len > 4 && stet_span_equal(stet_span_of(room + value.len - 4, 4), STET_SPAN(" Gmt")))
        memcpy(room + value.len - 4, " GMT", 4);
    return stet_span_of(room, value.len);
}

int stet__date_read(const struct stet_fields *fields, enum stet_field_id id, int64_t now, int64_t *out)
{
    char room[DATE_LEN_MAX];
    const struct stet_field *field = stet_fields_find(fields, id, 0);
    if (!field)
        return STET_END;
    struct stet_span value = stet_span_trim(field->value);
    if (stet_fields_find(fields, id, (size_t)(field - fields->at) + 1) || value.len > DATE_LEN_MAX)
        return STET_E_SYNTAX;
    /* What parses as it is would after that, too: nearly all do. */
    if (stet_date_parse(value, now, out) == STET_OK)
        return STET_OK;
    return stet_date_parse(capitalised(value, room), now, out);
}

int64_t stet_message_date(const struct stet_fields *fields, int64_t received)
{
    int64_t date;
    return stet__date_read(fields, STET_FIELD_DATE, received, &date) == STET_OK ? date : received;
}

int64_t stet_message_age(const struct stet_fields *fields)
{
    struct stet_list list;
    struct stet_span member;
    int64_t sum = 0;
    stet_list_begin(&list, fields, STET_FIELD_AGE);
    if (stet_list_next(&list, &member) != STET_OK)
        return 0;
    for (size_t i = 0; i < member.len; i++) {
        if (!stet__octet_is_digit(member.ptr[i]))
            return 0;
        sum = clamp(sum * 10 + (member.ptr[i] - '0'));
    }
    return sum;
}

bool stet_status_heuristic(unsigned status)
{
    static const unsigned short codes[] = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == status)
            return true;
    return false;
}

static void set_lifetime(struct stet_freshness *out, enum stet_reason reason, int64_t lifetime_s)
{
    out->reason = reason;
    out->lifetime_s = clamp(lifetime_s);
}

static void by_directive(struct stet_freshness *out, bool valid, enum stet_reason reason, int64_t lifetime_s)
{
    out->explicit_expiry = true;
    if (valid)
        set_lifetime(out, reason, lifetime_s);
    else
        set_lifetime(out, STET_REASON_LIFETIME_INVALID, 0);
}

/* Section 4.2.2. */
static void guess(const struct stet_response *response, const struct stet_cache_control *control,
                  struct stet_heuristic heuristic, int64_t date, struct stet_freshness *out)
{
    int64_t modified;
    bool allowed = stet_status_heuristic(response->status) || stet_cache_control_has(control, STET_CC_PUBLIC);
    set_lifetime(out, STET_REASON_LIFETIME_NONE, 0);
    if (!allowed || heuristic.percent == 0 ||
        stet__date_read(&response->fields, STET_FIELD_LAST_MODIFIED, date, &modified) != STET_OK)
        return;
    /* 2^31 times the largest unsigned is below 2^63. */
    int64_t part = elapsed(date, modified) * (int64_t)heuristic.percent / 100;
    out->heuristic = true;
    set_lifetime(out, STET_REASON_LIFETIME_HEURISTIC, part < heuristic.max_s ? part : heuristic.max_s);
}

/* Section 4.2.1: the first that is there. Returns which one that is. */
static enum stet_rule read_lifetime(const struct stet_response *response,
                                    const struct stet_cache_control *control, int64_t date, bool shared,
                                    struct stet_freshness *out)
{
    int64_t expires = 0;
    if (shared && stet_cache_control_has(control, STET_CC_S_MAXAGE)) {
        by_directive(out, stet_cache_control_valid(control, STET_CC_S_MAXAGE), STET_REASON_LIFETIME_S_MAXAGE,
                     control->s_maxage);
        return STET_RULE_LIFETIME_S_MAXAGE;
    }
    if (stet_cache_control_has(control, STET_CC_MAX_AGE)) {
        by_directive(out, stet_cache_control_valid(control, STET_CC_MAX_AGE), STET_REASON_LIFETIME_MAX_AGE,
                     control->max_age);
        return STET_RULE_LIFETIME_MAX_AGE;
    }
    if (!control->targeted && stet_fields_have(&response->fields, STET_FIELD_EXPIRES)) {
        int status = stet__date_read(&response->fields, STET_FIELD_EXPIRES, out->response_time, &expires);
        by_directive(out, status == STET_OK, STET_REASON_LIFETIME_EXPIRES, elapsed(expires, date));
        return STET_RULE_LIFETIME_EXPIRES;
    }
    return STET_RULE_LIFETIME_HEURISTIC;
}

/* What a source of a lifetime has to say, whether it counts or not. */
static struct stet_looked source(const struct stet_response *response,
                                 const struct stet_cache_control *control, enum stet_rule rule)
{
    bool s_maxage = rule == STET_RULE_LIFETIME_S_MAXAGE && stet_cache_control_has(control, STET_CC_S_MAXAGE);
    bool max_age = rule == STET_RULE_LIFETIME_MAX_AGE && stet_cache_control_has(control, STET_CC_MAX_AGE);
    if (s_maxage || max_age)
        return stet__looked_control(response, control);
    if (rule == STET_RULE_LIFETIME_S_MAXAGE || rule == STET_RULE_LIFETIME_MAX_AGE)
        return stet__looked_text(STET_SPAN_NONE);
    return stet__looked_field(&response->fields, stet_rule_row(rule)->field);
}

/* All sources up to `found`, and an Expires behind it that is there in vain. */
__attribute__((cold, noinline)) static void tell_lifetime(const struct stet_response *response,
                                                          const struct stet_cache_control *control,
                                                          int64_t date, enum stet_rule found,
                                                          const struct stet_freshness *freshness)
{
    for (int i = STET_RULE_LIFETIME_S_MAXAGE; i <= STET_RULE_LIFETIME_HEURISTIC; i++) {
        enum stet_rule rule = (enum stet_rule)i;
        struct stet_step step = {.rule = rule, .input = source(response, control, rule)};
        bool there = step.input.kind != STET_LOOKED_NONE;
        step.outcome = there ? STET_OUTCOME_IGNORED : STET_OUTCOME_ABSENT;
        step.has_reason = (there && rule > found) || rule == found;
        step.reason = freshness->reason;
        if (rule == found) {
            bool none = freshness->reason == STET_REASON_LIFETIME_NONE;
            step.outcome = none ? STET_OUTCOME_NO : STET_OUTCOME_NUMBER;
            step.decides = true;
            step.seconds = freshness->lifetime_s;
        }
        if (rule == STET_RULE_LIFETIME_EXPIRES || rule == STET_RULE_LIFETIME_HEURISTIC)
            step.against = stet__looked_date(date);
        if (rule <= found || (there && rule != STET_RULE_LIFETIME_HEURISTIC))
            stet__tell_step(response->trace, &step);
    }
}

/* Section 4.2.3: apparent_age, corrected_age_value, corrected_initial_age. */
__attribute__((cold, noinline)) static void tell_age(const struct stet_response *response,
                                                     struct stet_times times, int64_t apparent,
                                                     int64_t corrected, int64_t initial)
{
    struct stet_step step = {.rule = STET_RULE_APPARENT_AGE, .outcome = STET_OUTCOME_NUMBER};
    step.input = stet__looked_field(&response->fields, STET_FIELD_DATE);
    step.against = stet__looked_date(times.response);
    step.seconds = apparent;
    if (step.input.kind == STET_LOOKED_NONE)
        step.outcome = STET_OUTCOME_ABSENT;
    stet__tell_step(response->trace, &step);
    step = (struct stet_step){.rule = STET_RULE_CORRECTED_AGE, .outcome = STET_OUTCOME_NUMBER};
    step.input = stet__looked_seconds(clamp(times.age));
    step.against = stet__looked_seconds(elapsed(times.response, times.request));
    step.seconds = corrected;
    stet__tell_step(response->trace, &step);
    step = (struct stet_step){.rule = STET_RULE_INITIAL_AGE, .outcome = STET_OUTCOME_NUMBER};
    step.input = stet__looked_seconds(apparent);
    step.against = stet__looked_seconds(corrected);
    step.seconds = initial;
    stet__tell_step(response->trace, &step);
}

struct stet_freshness stet_freshness_read(const struct stet_response *response,
                                          const struct stet_cache_control *control, struct stet_times times,
                                          bool shared, struct stet_heuristic heuristic)
{
    struct stet_freshness out = {.response_time = times.response};
    int64_t date = stet_message_date(&response->fields, times.response);
    /* Section 4.2.3: corrected_age_value = age_value + response_delay */
    int64_t corrected = clamp(clamp(times.age) + elapsed(times.response, times.request));
    int64_t apparent = elapsed(times.response, date);
    out.initial_age_s = apparent > corrected ? apparent : corrected;
    enum stet_rule found = read_lifetime(response, control, date, shared, &out);
    if (!out.explicit_expiry)
        guess(response, control, heuristic, date, &out);
    if (stet__traced(response->trace)) {
        tell_age(response, times, apparent, corrected, out.initial_age_s);
        tell_lifetime(response, control, date, found, &out);
    }
    return out;
}

int64_t stet_freshness_age(const struct stet_freshness *freshness, int64_t now)
{
    return clamp(clamp(freshness->initial_age_s) + elapsed(now, freshness->response_time));
}

int64_t stet_freshness_ttl(const struct stet_freshness *freshness, int64_t now)
{
    return clamp(freshness->lifetime_s) - stet_freshness_age(freshness, now);
}
