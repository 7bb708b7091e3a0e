/* SPDX-License-Identifier: MIT */
/*
 * lint: the tables are fit to be printed, and what findings promise whatever is found: they are counted
 * without room, their details end within their room, and no clock makes sums overflow. What is found when is
 * in test/spec.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/lint.h>

#define LITERAL(text)          \
    {                          \
        text, sizeof(text) - 1 \
    }
#define FIELD(name, value, id)            \
    {                                     \
        LITERAL(name), LITERAL(value), id \
    }
#define BIT(id) (1ull << (id))

/* Lower-case letters, digits and single hyphens between them. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && name[0] != '-' &&
           name[len - 1] != '-' && !strstr(name, "--");
}

static bool is_clause(const char *clause)
{
    return (strncmp(clause, "RFC ", 4) == 0 || strncmp(clause, "draft-", 6) == 0) && strchr(clause + 4, ' ');
}

static bool is_prose(const char *text)
{
    size_t len = strlen(text);
    return len > 10 && len < 400 && text[len - 1] == '.' && !strstr(text, "  ");
}

static void test_rows(void **state)
{
    for (unsigned i = 0; i < STET_LINT_COUNT; i++) {
        const struct stet_lint_row *row = stet_lint_row(i);
        if (!is_name(row->name) || !is_clause(row->clause) || !is_prose(row->sentence) || !is_prose(row->why))
            fail_msg("row %u: %s, %s, %s, %s", i, row->name, row->clause, row->sentence, row->why);
        assert_true(strlen(stet_lint_severity_name(row->severity)) > 0);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(stet_lint_row(j)->name, row->name);
    }
}

static void test_probes(void **state)
{
    for (unsigned i = 0; i < STET_PROBE_COUNT; i++) {
        const struct stet_lint_probe_row *row = stet_lint_probe_row(i);
        if (!is_name(row->name) || strlen(row->sentence) < 4)
            fail_msg("probe %u: %s, %s", i, row->name, row->sentence);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(stet_lint_probe_row(j)->name, row->name);
    }
}

static void test_severities(void **state)
{
    assert_string_equal(stet_lint_severity_name(STET_LINT_GOOD), "good");
    assert_string_equal(stet_lint_severity_name(STET_LINT_NOTE), "note");
    assert_string_equal(stet_lint_severity_name(STET_LINT_WARN), "warning");
    assert_string_equal(stet_lint_severity_name(STET_LINT_BAD), "error");
}

/* An answer with much to say about. */
static struct stet_lint_exchange answer(void)
{
    static const struct stet_field fields[] = {
        FIELD("ETag", "v1", STET_FIELD_ETAG),
        FIELD("Cache-Control", "maxage=60, foo, public, private", STET_FIELD_CACHE_CONTROL),
        FIELD("Date", "Sat, 21 Nov 2026 09:30:00 GMT", STET_FIELD_DATE),
        FIELD("Last-Modified", "Sat, 21 Nov 2026 10:30:00 GMT", STET_FIELD_LAST_MODIFIED),
        FIELD("Age", "99999999999", STET_FIELD_AGE),
        FIELD("Expires", "Fri, 31 Dec 9999 23:59:59 GMT", STET_FIELD_EXPIRES),
    };
    return (struct stet_lint_exchange){
        .request = {.method = STET_METHOD_GET, .method_name = STET_SPAN("GET"), .target = STET_SPAN("/")},
        .response = {.status = 200,
                     .fields = {fields, sizeof fields / sizeof *fields,
                                BIT(STET_FIELD_ETAG) | BIT(STET_FIELD_CACHE_CONTROL) | BIT(STET_FIELD_DATE) |
                                    BIT(STET_FIELD_LAST_MODIFIED) | BIT(STET_FIELD_AGE) |
                                    BIT(STET_FIELD_EXPIRES)}}};
}

static void test_counted_without_room(void **state)
{
    struct stet_lint_finding all[64], one[1];
    struct stet_lint_findings wide = {all, 64, 0}, narrow = {one, 1, 0}, none = {NULL, 0, 0};
    struct stet_lint_exchange exchange = answer();
    stet_lint_exchange(&exchange, &wide);
    stet_lint_exchange(&exchange, &narrow);
    stet_lint_exchange(&exchange, &none);
    assert_in_range(wide.count, 5, 64);
    assert_int_equal(narrow.count, wide.count);
    assert_int_equal(none.count, wide.count);
    assert_int_equal(one[0].lint, all[0].lint);
    assert_string_equal(one[0].detail, all[0].detail);
}

/* Findings are added to those that are there: a caller gathers those of several exchanges. */
static void test_added_to(void **state)
{
    struct stet_lint_finding room[64];
    struct stet_lint_findings findings = {room, 64, 0};
    struct stet_lint_exchange exchange = answer();
    stet_lint_exchange(&exchange, &findings);
    size_t first = findings.count;
    stet_lint_exchange(&exchange, &findings);
    assert_int_equal(findings.count, 2 * first);
    assert_int_equal(room[first].lint, room[0].lint);
}

/* The first of that row; one of row STET_LINT_COUNT if there is none. */
static struct stet_lint_finding find(const struct stet_lint_findings *findings, enum stet_lint lint)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->at[i].lint == lint)
            return findings->at[i];
    return (struct stet_lint_finding){.lint = STET_LINT_COUNT};
}

static void test_detail_ends_within_its_room(void **state)
{
    char value[1000];
    struct stet_lint_finding room[64];
    struct stet_lint_findings findings = {room, 64, 0};
    struct stet_lint_exchange exchange = answer();
    memset(value, 'a', sizeof value);
    value[1] = '!';
    const struct stet_field field = {
        STET_SPAN("Cache-Control"), {value, sizeof value}, STET_FIELD_CACHE_CONTROL};
    exchange.response.fields = (struct stet_fields){&field, 1, BIT(STET_FIELD_CACHE_CONTROL)};
    stet_lint_exchange(&exchange, &findings);
    const struct stet_lint_finding found = find(&findings, STET_LINT_CACHE_CONTROL_UNKNOWN);
    assert_int_equal(found.lint, STET_LINT_CACHE_CONTROL_UNKNOWN);
    assert_int_equal(strlen(found.detail), STET_LINT_DETAIL_MAX - 1);
    assert_ptr_equal(found.came.ptr, value);
}

static void test_details_are_plain(void **state)
{
    struct stet_lint_finding room[64];
    struct stet_lint_findings findings = {room, 64, 0};
    struct stet_lint_exchange exchange = answer();
    const struct stet_field field = FIELD("Accept-Ranges", "ro\x1b\xc3ws", STET_FIELD_ACCEPT_RANGES);
    exchange.response.fields = (struct stet_fields){&field, 1, BIT(STET_FIELD_ACCEPT_RANGES)};
    stet_lint_exchange(&exchange, &findings);
    const struct stet_lint_finding found = find(&findings, STET_LINT_ACCEPT_RANGES_UNKNOWN);
    assert_int_equal(found.lint, STET_LINT_ACCEPT_RANGES_UNKNOWN);
    assert_string_equal(found.detail, "ro??ws");
}

/* A recording may say anything. The sanitized build sees an overflow. */
static void test_any_clock(void **state)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, 1795253400, INT64_MAX};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            struct stet_lint_finding room[64];
            struct stet_lint_findings findings = {room, 64, 0};
            struct stet_lint_exchange exchange = answer();
            exchange.times_known = true;
            exchange.requested_at = times[i];
            exchange.received_at = times[j];
            stet_lint_exchange(&exchange, &findings);
            assert_int_equal(find(&findings, STET_LINT_LAST_MODIFIED_AFTER_DATE).lint,
                             STET_LINT_LAST_MODIFIED_AFTER_DATE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_probes),
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_counted_without_room),
        cmocka_unit_test(test_added_to),
        cmocka_unit_test(test_detail_ends_within_its_room),
        cmocka_unit_test(test_details_are_plain),
        cmocka_unit_test(test_any_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
