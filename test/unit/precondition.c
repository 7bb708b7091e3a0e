/* SPDX-License-Identifier: MIT */
/*
 * precondition and answer: the product of all states of the five fields, of Range, of the selected
 * representation, of methods and parties, against a reading of RFC 9110 section 13.2.2 that never parses:
 * each state of a field says by itself what it means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/answer.h>

#include "traced.h"

#define NOW INT64_C(1763712000)
#define MODIFIED INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define LENGTH 100

/* One way a field can be. `second`: another line; NULL: none. */
struct lines {
    const char *value, *second; /* `value` NULL: the field is absent */
};

/* If-Match and If-None-Match. The tag of the selected representation, if any, is "a" or W/"a". */
struct tags {
    struct lines lines;
    bool any;    /* the wildcard */
    bool strong; /* "a" is among the members */
    bool weak;   /* "a" or W/"a" is */
};

static const struct tags tags[] = {
    {{NULL, NULL}, false, false, false},
    {{"*", NULL}, true, false, false},
    {{"\"a\"", NULL}, false, true, true},
    {{"W/\"a\"", NULL}, false, false, true},
    {{"\"b\"", NULL}, false, false, false},
    {{"\"b\"", ", \"a\""}, false, true, true},
    {{"\"b\", W/\"a\"", NULL}, false, false, true},
    {{"", NULL}, false, false, false},
    {{"a", NULL}, false, false, false},
    {{"*, \"b\"", NULL}, false, false, false},
    {{"\"*\"", NULL}, false, false, false},
};

enum order { NO_DATE, BEFORE, EQUAL, AFTER };

/* If-Modified-Since and If-Unmodified-Since; how their date lies to MODIFIED. */
struct dates {
    struct lines lines;
    enum order order;
};

static const struct dates dates[] = {
    {{NULL, NULL}, NO_DATE},
    {{"Sun, 06 Nov 1994 08:49:36 GMT", NULL}, BEFORE},
    {{"Sunday, 06-Nov-94 08:49:37 GMT", NULL}, EQUAL},
    {{"Mon, 21 Nov 2050 08:00:00 GMT", NULL}, AFTER},
    {{"1763712000", NULL}, NO_DATE},
    {{"Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"}, NO_DATE},
};

struct if_range {
    struct lines lines;
    enum { TAG_A, TAG_A_WEAK, TAG_B, DATE_EQUAL, DATE_OTHER, INVALID } means;
};

static const struct if_range if_ranges[] = {
    {{NULL, NULL}, INVALID},
    {{"\"a\"", NULL}, TAG_A},
    {{"W/\"a\"", NULL}, TAG_A_WEAK},
    {{"\"b\"", NULL}, TAG_B},
    {{"Sun Nov  6 08:49:37 1994", NULL}, DATE_EQUAL},
    {{"Sun, 06 Nov 1994 08:49:38 GMT", NULL}, DATE_OTHER},
    {{"Sun, 06 Nov 1994 08:49:36 GMT", NULL}, DATE_OTHER},
    {{"\"a\", \"b\"", NULL}, INVALID},
    {{"*", NULL}, INVALID},
    {{"\"a\"", "\"a\""}, INVALID},
};

struct range {
    struct lines lines;
    unsigned status; /* of a GET whose preconditions hold */
};

static const struct range ranges[] = {
    {{NULL, NULL}, 200},        {{"bytes=0-9", NULL}, 206}, {{"bytes=100-", NULL}, 416},
    {{"bytes=9-0", NULL}, 200}, {{"lines=0-9", NULL}, 200}, {{"bytes=0-9", "bytes=0-9"}, 200},
};

#define COUNT(rows) (sizeof rows / sizeof *rows)

/* One point of the product. */
struct point {
    enum stet_method method;
    enum stet_party party;
    struct stet_representation selected;
    const struct tags *if_match, *if_none_match;
    const struct dates *if_unmodified_since, *if_modified_since;
    const struct if_range *if_range;
    const struct range *range;
};

static bool reads(const struct point *p)
{
    return p->method == STET_METHOD_GET || p->method == STET_METHOD_HEAD;
}

static struct stet_judgement judgement(enum stet_verdict verdict, enum stet_reason reason)
{
    return (struct stet_judgement){verdict, reason};
}

static bool matches(const struct point *p, const struct tags *field, bool strongly)
{
    if (!p->selected.exists)
        return false;
    if (field->any)
        return true;
    if (!stet_etag_present(p->selected.etag))
        return false;
    return strongly ? field->strong && !p->selected.etag.weak : field->weak;
}

static enum stet_reason if_match_reason(const struct point *p)
{
    if (!p->selected.exists)
        return STET_REASON_IF_MATCH_NOTHING_EXISTS;
    if (p->if_match->any)
        return STET_REASON_IF_MATCH_EXISTS;
    return matches(p, p->if_match, true) ? STET_REASON_IF_MATCH_MATCHES : STET_REASON_IF_MATCH_DIFFERS;
}

static enum stet_reason if_none_match_reason(const struct point *p)
{
    if (!p->selected.exists)
        return STET_REASON_IF_NONE_MATCH_NOTHING_EXISTS;
    if (p->if_none_match->any)
        return STET_REASON_IF_NONE_MATCH_EXISTS;
    if (!stet_etag_present(p->selected.etag))
        return STET_REASON_IF_NONE_MATCH_NO_TAG;
    return matches(p, p->if_none_match, false) ? STET_REASON_IF_NONE_MATCH_MATCHES
                                               : STET_REASON_IF_NONE_MATCH_DIFFERS;
}

static bool dated(const struct point *p)
{
    return p->selected.exists && p->selected.last_modified != STET_NO_DATE;
}

/* Steps 1 and 2. */
static struct stet_judgement origin_part(const struct point *p)
{
    if (p->if_match->lines.value)
        return judgement(matches(p, p->if_match, true) ? STET_PERFORM : STET_PRECONDITION_FAILED,
                         if_match_reason(p));
    if (!p->if_unmodified_since->lines.value)
        return judgement(STET_PERFORM, STET_REASON_NO_PRECONDITION);
    if (p->if_unmodified_since->order == NO_DATE)
        return judgement(STET_PERFORM, STET_REASON_IF_UNMODIFIED_SINCE_INVALID);
    if (!dated(p))
        return judgement(STET_PERFORM, STET_REASON_IF_UNMODIFIED_SINCE_NO_DATE);
    if (p->if_unmodified_since->order == BEFORE)
        return judgement(STET_PRECONDITION_FAILED, STET_REASON_IF_UNMODIFIED_SINCE_MODIFIED);
    return judgement(STET_PERFORM, STET_REASON_IF_UNMODIFIED_SINCE_HOLDS);
}

/* RFC 9111 section 4.3.2: a cache leaves If-Match and If-Unmodified-Since to the origin. */
static struct stet_judgement cache_part(const struct point *p)
{
    if (p->if_match->lines.value)
        return judgement(STET_PERFORM, STET_REASON_IF_MATCH_NOT_FOR_CACHES);
    if (p->if_unmodified_since->lines.value)
        return judgement(STET_PERFORM, STET_REASON_IF_UNMODIFIED_SINCE_NOT_FOR_CACHES);
    return judgement(STET_PERFORM, STET_REASON_NO_PRECONDITION);
}

/* Steps 3 and 4. */
static struct stet_judgement middle_part(const struct point *p, enum stet_reason so_far)
{
    if (p->if_none_match->lines.value) {
        if (!matches(p, p->if_none_match, false))
            return judgement(STET_PERFORM, if_none_match_reason(p));
        return judgement(reads(p) ? STET_NOT_MODIFIED : STET_PRECONDITION_FAILED, if_none_match_reason(p));
    }
    if (!p->if_modified_since->lines.value)
        return judgement(STET_PERFORM, so_far);
    if (!reads(p))
        return judgement(STET_PERFORM, STET_REASON_IF_MODIFIED_SINCE_METHOD);
    if (p->if_modified_since->order == NO_DATE)
        return judgement(STET_PERFORM, STET_REASON_IF_MODIFIED_SINCE_INVALID);
    if (!dated(p))
        return judgement(STET_PERFORM, STET_REASON_IF_MODIFIED_SINCE_NO_DATE);
    if (p->if_modified_since->order == BEFORE)
        return judgement(STET_PERFORM, STET_REASON_IF_MODIFIED_SINCE_MODIFIED);
    return judgement(STET_NOT_MODIFIED, STET_REASON_IF_MODIFIED_SINCE_NOT_MODIFIED);
}

static enum stet_reason if_range_reason(const struct point *p)
{
    bool same_date = p->if_range->means == DATE_EQUAL && p->selected.last_modified == MODIFIED;
    switch (p->if_range->means) {
    case TAG_A_WEAK:
        return STET_REASON_IF_RANGE_TAG_WEAK;
    case TAG_A:
    case TAG_B:
        if (p->selected.etag.weak)
            return STET_REASON_IF_RANGE_TAG_WEAK;
        return p->if_range->means == TAG_A && stet_etag_present(p->selected.etag)
                   ? STET_REASON_IF_RANGE_TAG_MATCHES
                   : STET_REASON_IF_RANGE_TAG_DIFFERS;
    case DATE_EQUAL:
    case DATE_OTHER:
        if (!same_date)
            return STET_REASON_IF_RANGE_DATE_DIFFERS;
        return p->selected.last_modified_strong ? STET_REASON_IF_RANGE_DATE_MATCHES
                                                : STET_REASON_IF_RANGE_DATE_WEAK;
    default:
        return STET_REASON_IF_RANGE_INVALID;
    }
}

static struct stet_judgement oracle(const struct point *p)
{
    if (!p->if_match->lines.value && !p->if_none_match->lines.value && !p->if_modified_since->lines.value &&
        !p->if_unmodified_since->lines.value && !p->if_range->lines.value)
        return judgement(STET_PERFORM, STET_REASON_NO_PRECONDITION);
    if (p->method == STET_METHOD_CONNECT || p->method == STET_METHOD_OPTIONS ||
        p->method == STET_METHOD_TRACE)
        return judgement(STET_PERFORM, STET_REASON_METHOD_HAS_NO_PRECONDITIONS);
    struct stet_judgement so_far = p->party == STET_PARTY_ORIGIN ? origin_part(p) : cache_part(p);
    if (so_far.verdict != STET_PERFORM)
        return so_far;
    so_far = middle_part(p, so_far.reason);
    if (so_far.verdict != STET_PERFORM)
        return so_far;
    /* Step 5 */
    if (p->method != STET_METHOD_GET || !p->range->lines.value || !p->if_range->lines.value)
        return so_far;
    enum stet_reason reason = if_range_reason(p);
    bool holds = reason == STET_REASON_IF_RANGE_TAG_MATCHES || reason == STET_REASON_IF_RANGE_DATE_MATCHES;
    return judgement(holds ? STET_PERFORM : STET_PERFORM_WHOLE, reason);
}

/* The origin's answer to GET or HEAD, and where Range decides it. */
static unsigned answer_oracle(const struct point *p)
{
    switch (oracle(p).verdict) {
    case STET_NOT_MODIFIED:
        return 304;
    case STET_PRECONDITION_FAILED:
        return 412;
    case STET_PERFORM_WHOLE:
        return 200;
    case STET_PERFORM:
        break;
    }
    return p->method == STET_METHOD_GET ? p->range->status : 200;
}

/* The head of the request, with lines of other fields in between. */
struct head {
    struct stet_field lines[24];
    struct stet_request request;
};

static void add(struct head *head, enum stet_field_id id, const struct lines *lines)
{
    const char *const values[] = {lines->value, lines->second};
    for (size_t i = 0; i < 2 && values[i]; i++) {
        struct stet_field *at = &head->lines[head->request.fields.count];
        at[0] = (struct stet_field){stet_field_name(id), stet_span_of(values[i], strlen(values[i])), id};
        at[1] = (struct stet_field){STET_SPAN("X"), STET_SPAN("\"a\""), STET_FIELD_OTHER};
        head->request.fields.count += 2;
        head->request.fields.present |= 1ull << id | 1;
    }
}

static void build(struct head *head, const struct point *p)
{
    head->request = (struct stet_request){.method = p->method, .fields = {head->lines, 0, 0}};
    /* The order of lines in the head plays no part; this one is not that of the steps. */
    add(head, STET_FIELD_RANGE, &p->range->lines);
    add(head, STET_FIELD_IF_RANGE, &p->if_range->lines);
    add(head, STET_FIELD_IF_MODIFIED_SINCE, &p->if_modified_since->lines);
    add(head, STET_FIELD_IF_NONE_MATCH, &p->if_none_match->lines);
    add(head, STET_FIELD_IF_UNMODIFIED_SINCE, &p->if_unmodified_since->lines);
    add(head, STET_FIELD_IF_MATCH, &p->if_match->lines);
}

static const char *or_absent(const char *value)
{
    return value ? value : "(absent)";
}

static void complain(const struct point *p, const char *what, struct stet_judgement got,
                     struct stet_judgement want)
{
    fail_msg("%s %d %s, want %d %s; method %d, party %d, exists %d, tag %s%.*s, modified %lld strong %d\n"
             "If-Match: %s\nIf-Unmodified-Since: %s\nIf-None-Match: %s\nIf-Modified-Since: %s\nIf-Range: %s\n"
             "Range: %s",
             what, (int)got.verdict, stet_reason_row(got.reason)->name, (int)want.verdict,
             stet_reason_row(want.reason)->name, (int)p->method, (int)p->party, p->selected.exists,
             p->selected.etag.weak ? "W/" : "", (int)p->selected.etag.opaque.len, p->selected.etag.opaque.ptr,
             (long long)p->selected.last_modified, p->selected.last_modified_strong,
             or_absent(p->if_match->lines.value), or_absent(p->if_unmodified_since->lines.value),
             or_absent(p->if_none_match->lines.value), or_absent(p->if_modified_since->lines.value),
             or_absent(p->if_range->lines.value), or_absent(p->range->lines.value));
}

static void check_point(const struct point *p)
{
    struct head head;
    build(&head, p);
    struct traced_last last;
    struct traced told = traced_begin(&last);
    struct stet_judgement want = oracle(p);
    head.request.trace = &told.trace;
    struct stet_judgement got = stet_precondition_judge(&head.request, &p->selected, p->party, NOW);
    if (got.verdict != want.verdict || got.reason != want.reason)
        complain(p, "judged", got, want);
    if (last.deciding == 0 || last.reason != want.reason)
        complain(p, "told", judgement(want.verdict, last.reason), want);
    if (!reads(p) || !p->selected.exists || p->party != STET_PARTY_ORIGIN)
        return;
    struct stet_answer answer;
    unsigned status = answer_oracle(p);
    stet_answer_decide(&head.request, &p->selected, NOW, &answer);
    if (answer.status != status || (answer.ranges.count > 0) != (status == 206) ||
        answer.if_range_held != (status == 206 && p->if_range->lines.value))
        complain(p, "answered", judgement(answer.status, answer.reason), judgement(status, want.reason));
    /* Where Range does not decide, the reason is that of the precondition. */
    if (want.verdict != STET_PERFORM || !p->range->lines.value)
        assert_int_equal(answer.reason, want.reason);
    if (last.reason != answer.reason)
        complain(p, "told", judgement(answer.status, last.reason), judgement(answer.status, answer.reason));
}

static void check_fields(struct point *p, const struct if_range *if_range, const struct range *range)
{
    p->if_range = if_range;
    p->range = range;
    for (size_t i = 0; i < COUNT(tags) * COUNT(tags); i++) {
        p->if_match = &tags[i / COUNT(tags)];
        p->if_none_match = &tags[i % COUNT(tags)];
        for (size_t j = 0; j < COUNT(dates) * COUNT(dates); j++) {
            p->if_unmodified_since = &dates[j / COUNT(dates)];
            p->if_modified_since = &dates[j % COUNT(dates)];
            check_point(p);
        }
    }
}

/* Calls `check` for each thing that the selected representation can be. */
static void for_each_selected(struct point *p, void (*check)(struct point *p))
{
    static const struct stet_etag etags[] = {
        {{NULL, 0}, false}, {{"a", 1}, false}, {{"a", 1}, true}, /* none, strong, weak */
    };
    p->selected = (struct stet_representation){.etag = STET_NO_ETAG, .last_modified = STET_NO_DATE};
    check(p);
    for (size_t i = 0; i < COUNT(etags); i++) {
        for (int date = 0; date < 3; date++) {
            p->selected = (struct stet_representation){.exists = true,
                                                       .last_modified_strong = date == 2,
                                                       .etag = etags[i],
                                                       .last_modified = date > 0 ? MODIFIED : STET_NO_DATE,
                                                       .length = LENGTH};
            check(p);
        }
    }
}

static void check_all_ranges(struct point *p)
{
    for (size_t i = 0; i < COUNT(if_ranges); i++)
        for (size_t j = 0; j < COUNT(ranges); j++)
            check_fields(p, &if_ranges[i], &ranges[j]);
}

static void check_few_ranges(struct point *p)
{
    check_fields(p, &if_ranges[0], &ranges[0]);
    check_fields(p, &if_ranges[3], &ranges[1]);
}

static void test_get_origin(void **state)
{
    struct point p = {.method = STET_METHOD_GET, .party = STET_PARTY_ORIGIN};
    for_each_selected(&p, check_all_ranges);
}

static void test_get_cache(void **state)
{
    struct point p = {.method = STET_METHOD_GET, .party = STET_PARTY_CACHE};
    for_each_selected(&p, check_all_ranges);
}

static void test_other_methods(void **state)
{
    for (int method = STET_METHOD_OTHER; method <= STET_METHOD_QUERY; method++) {
        struct point p = {.method = (enum stet_method)method};
        for (int party = STET_PARTY_ORIGIN; party <= STET_PARTY_CACHE; party++) {
            p.party = (enum stet_party)party;
            for_each_selected(&p, check_few_ranges);
        }
    }
}

/* The five by themselves: a field that another one makes void still says what it would say. */
static void test_one_by_one(void **state)
{
    const struct stet_representation selected = {
        .exists = true, .etag = {STET_SPAN("a"), false}, .last_modified = MODIFIED, .length = LENGTH};
    struct point p = {STET_METHOD_PUT, STET_PARTY_ORIGIN, selected,      &tags[2],  &tags[2],
                      &dates[2],       &dates[2],         &if_ranges[1], &ranges[1]};
    struct head head;
    build(&head, &p);
    assert_int_equal(stet_if_match(&head.request, &selected).condition, STET_CONDITION_TRUE);
    assert_int_equal(stet_if_none_match(&head.request, &selected).condition, STET_CONDITION_FALSE);
    assert_int_equal(stet_if_unmodified_since(&head.request, &selected, NOW).condition, STET_CONDITION_TRUE);
    assert_int_equal(stet_if_range(&head.request, &selected, NOW).condition, STET_CONDITION_TRUE);
    struct stet_condition_result ignored = stet_if_modified_since(&head.request, &selected, NOW);
    assert_int_equal(ignored.condition, STET_CONDITION_IGNORED);
    assert_int_equal(ignored.reason, STET_REASON_IF_MODIFIED_SINCE_METHOD);
    head.request.method = STET_METHOD_HEAD;
    assert_int_equal(stet_if_modified_since(&head.request, &selected, NOW).condition, STET_CONDITION_FALSE);

    const struct stet_request empty = {.method = STET_METHOD_GET};
    const struct stet_condition_result absent[] = {
        stet_if_match(&empty, &selected),
        stet_if_none_match(&empty, &selected),
        stet_if_unmodified_since(&empty, &selected, NOW),
        stet_if_modified_since(&empty, &selected, NOW),
        stet_if_range(&empty, &selected, NOW),
    };
    for (size_t i = 0; i < COUNT(absent); i++) {
        assert_int_equal(absent[i].condition, STET_CONDITION_ABSENT);
        assert_int_equal(absent[i].reason, STET_REASON_NO_PRECONDITION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_origin),
        cmocka_unit_test(test_get_cache),
        cmocka_unit_test(test_other_methods),
        cmocka_unit_test(test_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
