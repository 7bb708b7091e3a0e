/* SPDX-License-Identifier: MIT */
/*
 * Reports as JSON and as SARIF: read again, they say what the report says, whatever a server sent; SARIF has
 * what its specification and GitHub's code scanning require.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "check/text.h"
#include "check_reports.h"

typedef bool writer(const struct stet__check_report *report, struct stet__buffer *out);

static json_t *read_again(writer *write, const struct stet__check_report *report)
{
    struct stet__buffer out;
    json_error_t error;
    stet__buffer_init(&out, 1 << 24);
    assert_true(write(report, &out));
    assert_true(out.len > 1 && out.ptr[out.len - 1] == '\n');
    json_t *json = json_loadb(out.ptr, out.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json)
        fail_msg("%s at %d:%d", error.text, error.line, error.column);
    stet__buffer_release(&out);
    return json;
}

static const char *text_at(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    if (!text)
        fail_msg("%s is no string", name);
    return text;
}

static json_int_t number_at(const json_t *json, const char *name)
{
    assert_true(json_is_integer(json_object_get(json, name)));
    return json_integer_value(json_object_get(json, name));
}

static const json_t *item(const json_t *json, const char *name, size_t i)
{
    const json_t *array = json_object_get(json, name);
    assert_true(json_is_array(array) && json_array_size(array) > i);
    return json_array_get(array, i);
}

static void test_report(void **state)
{
    json_t *json = read_again(stet__check_write_json, &usual_report);
    assert_int_equal(number_at(json, "version"), 1);
    assert_string_equal(text_at(json, "begun_at"), "2026-11-21T18:49:16Z");
    assert_int_equal(number_at(json, "duration_ms"), 812);
    assert_int_equal(number_at(json, "requests"), 46);
    assert_string_equal(text_at(json, "grade"), "D");
    assert_true(json_is_false(json_object_get(json, "passive")));
    assert_true(json_is_null(json_object_get(json, "source")));
    assert_int_equal(number_at(json_object_get(json, "counts"), "error"), 2);
    assert_int_equal(number_at(json_object_get(json, "counts"), "good"), 2);
    assert_int_equal(json_array_size(json_object_get(json, "resources")), 3);
    assert_string_equal(text_at(item(json, "resources", 2), "failure"), "the name leads nowhere");
    assert_int_equal(json_object_size(json_object_get(json, "rules")), 5);
    json_decref(json);
}

static void test_resource(void **state)
{
    json_t *json = read_again(stet__check_write_json, &usual_report);
    const json_t *resource = item(json, "resources", 0);
    assert_string_equal(text_at(resource, "uri"), "https://www.example.com/app.js");
    assert_string_equal(text_at(resource, "etag"), "\"5f3a-61c\"");
    assert_true(json_is_null(json_object_get(resource, "last_modified")));
    assert_int_equal(json_array_size(json_object_get(resource, "exchanges")), 4);
    assert_string_equal(text_at(item(resource, "exchanges", 1), "variant"), "gzip");
    assert_true(json_is_null(json_object_get(item(resource, "exchanges", 3), "response")));
    const json_t *finding = item(resource, "findings", 0);
    assert_string_equal(text_at(finding, "rule"), "coded-tag-not-matched");
    assert_string_equal(text_at(finding, "severity"), "error");
    assert_int_equal(number_at(finding, "exchange"), 2);
    assert_int_equal(number_at(finding, "times"), 2);
    const json_t *rule = json_object_get(json_object_get(json, "rules"), "coded-tag-not-matched");
    assert_string_equal(text_at(rule, "clause_uri"),
                        "https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.3");
    assert_non_null(strstr(text_at(json_object_get(rule, "mend"), "Apache"), "RequestHeader edit*"));
    json_decref(json);
}

/* What came is there, octet by octet, in UTF-8. */
static void test_hostile(void **state)
{
    struct chosen chosen;
    for (size_t i = 0; worst_text(i); i++) {
        struct stet__buffer utf8;
        json_t *json = read_again(stet__check_write_json, chosen_report(&chosen, worst_text(i)));
        const json_t *resource = item(json, "resources", 0);
        stet__buffer_init(&utf8, 1 << 20);
        stet__text_utf8(&utf8, stet__text_of(worst_text(i)));
        const json_t *etag = json_object_get(resource, "etag");
        assert_int_equal(json_string_length(etag), utf8.len);
        assert_true(utf8.len == 0 || memcmp(json_string_value(etag), utf8.ptr, utf8.len) == 0);
        assert_true(json_equal(json_object_get(item(resource, "findings", 0), "came"), etag));
        assert_true(json_equal(json_object_get(item(resource, "exchanges", 0), "request"), etag));
        stet__buffer_release(&utf8);
        json_decref(json);
    }
}

/* "A relative reference" without scheme, authority, query and fragment: what GitHub takes for the path of a
 * file. */
static void is_place(const char *uri)
{
    assert_null(strchr(uri, ':'));
    assert_null(strpbrk(uri, " <>\"\\^`{|}?#"));
    assert_false(uri[0] == '/' && uri[1] == '/');
    for (const char *at = uri; *at; at++) {
        assert_true(*at > 0x20 && *at < 0x7f);
        assert_true(*at != '%' || strspn(at + 1, "0123456789ABCDEFabcdef") >= 2);
    }
}

static void check_rule(const json_t *rule)
{
    const json_t *properties = json_object_get(rule, "properties");
    assert_true(strlen(text_at(rule, "id")) > 0);
    assert_true(strlen(text_at(json_object_get(rule, "shortDescription"), "text")) <= 1024);
    assert_true(strlen(text_at(json_object_get(rule, "fullDescription"), "text")) <= 1024);
    assert_true(strlen(text_at(json_object_get(rule, "help"), "text")) > 0);
    assert_true(strlen(text_at(json_object_get(rule, "help"), "markdown")) > 0);
    assert_int_equal(strncmp(text_at(rule, "helpUri"), "https://", 8), 0);
    text_at(json_object_get(rule, "defaultConfiguration"), "level");
    assert_true(json_array_size(json_object_get(properties, "tags")) <= 10);
    text_at(properties, "precision");
    text_at(properties, "problem.severity");
}

static void check_result(const json_t *result, const json_t *rules)
{
    const json_t *rule = json_array_get(rules, (size_t)number_at(result, "ruleIndex"));
    assert_string_equal(text_at(result, "ruleId"), text_at(rule, "id"));
    const char *level = text_at(result, "level");
    assert_true(strcmp(level, "error") == 0 || strcmp(level, "warning") == 0 || strcmp(level, "note") == 0);
    assert_string_equal(level, text_at(json_object_get(rule, "defaultConfiguration"), "level"));
    assert_true(strlen(text_at(json_object_get(result, "message"), "text")) > 0);
    const json_t *location = json_object_get(item(result, "locations", 0), "physicalLocation");
    is_place(text_at(json_object_get(location, "artifactLocation"), "uri"));
    assert_int_equal(number_at(json_object_get(location, "region"), "startLine"), 1);
    text_at(json_object_get(result, "partialFingerprints"), "primaryLocationLineHash");
}

/* Checks all of it and returns the number of results. */
static size_t check_sarif(const struct stet__check_report *report)
{
    json_t *json = read_again(stet__check_write_sarif, report);
    assert_string_equal(text_at(json, "version"), "2.1.0");
    assert_non_null(strstr(text_at(json, "$schema"), "sarif-2.1.0"));
    const json_t *run = item(json, "runs", 0);
    const json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");
    assert_string_equal(text_at(driver, "name"), "stet check");
    text_at(driver, "semanticVersion");
    const json_t *rules = json_object_get(driver, "rules"), *results = json_object_get(run, "results");
    assert_true(json_is_array(rules) && json_is_array(results));
    for (size_t i = 0; i < json_array_size(rules); i++)
        check_rule(json_array_get(rules, i));
    for (size_t i = 0; i < json_array_size(results); i++)
        check_result(json_array_get(results, i), rules);
    size_t count = json_array_size(results);
    json_decref(json);
    return count;
}

static void test_sarif(void **state)
{
    assert_int_equal(check_sarif(&usual_report), 4);
    assert_int_equal(check_sarif(&empty_report), 0);
    json_t *json = read_again(stet__check_write_sarif, &usual_report);
    const json_t *run = item(json, "runs", 0), *result = item(run, "results", 0);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(json_object_get(run, "tool"), "driver"), "rules")),
        3);
    assert_string_equal(text_at(result, "ruleId"), "coded-tag-not-matched");
    const json_t *location = json_object_get(item(result, "locations", 0), "physicalLocation");
    assert_string_equal(text_at(json_object_get(location, "artifactLocation"), "uri"),
                        "www.example.com/app.js");
    const json_t *invocation = item(run, "invocations", 0);
    assert_true(json_is_false(json_object_get(invocation, "executionSuccessful")));
    assert_int_equal(json_array_size(json_object_get(invocation, "toolExecutionNotifications")), 1);
    json_decref(json);
}

static void test_hostile_sarif(void **state)
{
    struct chosen chosen;
    for (size_t i = 0; worst_text(i); i++)
        assert_int_equal(check_sarif(chosen_report(&chosen, worst_text(i))), 2);
}

static void place_of(const char *uri, const char *want)
{
    struct chosen chosen;
    json_t *json = read_again(stet__check_write_sarif, chosen_report(&chosen, uri));
    const json_t *location = item(item(item(json, "runs", 0), "results", 0), "locations", 0);
    const json_t *artifact =
        json_object_get(json_object_get(location, "physicalLocation"), "artifactLocation");
    assert_string_equal(text_at(artifact, "uri"), want);
    assert_string_equal(text_at(item(location, "logicalLocations", 0), "fullyQualifiedName"), uri);
    json_decref(json);
}

static void test_places(void **state)
{
    place_of("https://www.example.com/", "www.example.com/index");
    place_of("https://www.example.com/a/b.css?v=1#top", "www.example.com/a/b.css");
    place_of("http://127.0.0.1:8304/a", "127.0.0.1%3A8304/a");
    place_of("http://[::1]/a%20b", "%5B%3A%3A1%5D/a%20b");
}

/* The same finding has the same fingerprint in another run; another resource or rule has another. */
static void test_fingerprints(void **state)
{
    const json_t *seen[3];
    json_t *json = read_again(stet__check_write_sarif, &usual_report);
    json_t *again = read_again(stet__check_write_sarif, &usual_report);
    static const size_t places[] = {0, 1, 3};
    for (size_t i = 0; i < 3; i++) {
        seen[i] = json_object_get(item(item(json, "runs", 0), "results", places[i]), "partialFingerprints");
        assert_true(json_equal(seen[i], json_object_get(item(item(again, "runs", 0), "results", places[i]),
                                                        "partialFingerprints")));
        for (size_t j = 0; j < i; j++)
            assert_false(json_equal(seen[i], seen[j]));
    }
    json_decref(json);
    json_decref(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report),        cmocka_unit_test(test_resource),
        cmocka_unit_test(test_hostile),       cmocka_unit_test(test_sarif),
        cmocka_unit_test(test_hostile_sarif), cmocka_unit_test(test_places),
        cmocka_unit_test(test_fingerprints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
