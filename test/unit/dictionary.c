/* SPDX-License-Identifier: MIT */
/*
 * dictionary: RFC 9842. What Use-As-Dictionary has to say to be of use, which targets a pattern matches,
 * which of two takes precedence, and the fields of a request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stet/dictionary.h>

#include "guard.h"

static struct guard guard;

static struct stet_span span(const char *text)
{
    return stet_span_of(text, strlen(text));
}

static bool read(const char *value, struct stet_dictionary *out)
{
    struct stet_field line = {STET_SPAN("use-as-dictionary"), guard_at_end(&guard, span(value)),
                              STET_FIELD_OTHER};
    const struct stet_fields fields = {&line, 1, UINT64_C(1) << STET_FIELD_OTHER};
    return stet_dictionary_read(&fields, out);
}

static void test_fields_that_are_of_use(void **state)
{
    static const struct {
        const char *value, *match, *id;
    } cases[] = {
        {"match=\"/a\"", "/a", ""},
        {"match=\"/product/*\", match-dest=(\"document\")", "/product/*", ""},
        {"match=\"/app/*/main.js\", id=\"dictionary-12345\"", "/app/*/main.js", "dictionary-12345"},
        {"match=\"/a\", type=raw", "/a", ""},
        {"type=other, match=\"/a\", type=raw", "/a", ""}, /* the last one of a name counts */
        {"match=\"/a\", id=\"q\\\"\\\\\"", "/a", "q\"\\"},
        {"match=\"/a\", other=?1", "/a", ""},
        {"match=\"/d%C3%BCsseldorf?x=*\"", "/d%C3%BCsseldorf?x=*", ""},
        {"match=\"/a\\\\*\"", "/a\\*", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stet_dictionary dictionary;
        assert_true(read(cases[i].value, &dictionary));
        assert_int_equal(dictionary.match_len, strlen(cases[i].match));
        assert_memory_equal(dictionary.match, cases[i].match, dictionary.match_len);
        assert_int_equal(dictionary.id_len, strlen(cases[i].id));
        assert_memory_equal(dictionary.id, cases[i].id, dictionary.id_len);
    }
}

static void test_fields_that_are_of_no_use(void **state)
{
    static const char *const values[] = {
        "",
        "match",
        "match=/a",
        "match=\"\"",
        "id=\"x\"",
        "match=\"/a\", type=\"raw\"",
        "match=\"/a\", type=zstd",
        "match=\"/a\", id=x",
        "match=\"/a\",",
        "match=\"/a",
        "match=\"a*\"",
        "match=\"*\"",
        "match=\"https://h/a\"",
        "match=\"/:id\"",
        "match=\"/(.*)\"",
        "match=\"/{a}?\"",
        "match=\"/**\"",
        "match=\"/*?\"",
        "match=\"/*+\"",
        "match=\"/a+\"",
        "match=\"/a#b\"",
        "match=\"/a?b?c\"",
        "match=\"/a\\\\\"",
        "match=\"/a\\\\?\"",
        "match=\"/a b\"",
        "match=\"/a\"; x, match=\"/:a\"",
    };
    struct stet_dictionary dictionary;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (read(values[i], &dictionary))
            fail_msg("%s is not refused", values[i]);
    const struct stet_fields none = {NULL, 0, 0};
    assert_false(stet_dictionary_read(&none, &dictionary));
}

/* A member with so many octets. */
static bool read_long(const char *before, size_t len, const char *behind)
{
    char value[1200];
    struct stet_dictionary dictionary;
    size_t at = strlen(before);
    memcpy(value, before, at);
    memset(value + at, 'x', len);
    memcpy(value + at + len, behind, strlen(behind) + 1);
    return read(value, &dictionary);
}

static void test_limits(void **state)
{
    assert_true(read_long("match=\"/", STET_DICTIONARY_MATCH_MAX - 1, "\""));
    assert_false(read_long("match=\"/", STET_DICTIONARY_MATCH_MAX, "\""));
    assert_true(read_long("match=\"/\", id=\"", STET_DICTIONARY_ID_MAX, "\""));
    assert_false(read_long("match=\"/\", id=\"", STET_DICTIONARY_ID_MAX + 1, "\""));
}

static void test_patterns(void **state)
{
    static const struct {
        const char *match, *target;
        bool matches;
    } cases[] = {
        {"/app*js", "/app.v2.js", true},
        {"/app*js", "/app.v2.css", false},
        {"/app*js", "/appjs", true},
        {"/app*js", "/app.v2.js?x", true}, /* without a query in the pattern: for any */
        {"/app*js", "/app.v2.css?js", false},
        {"/product/*", "/product/a/b", true},
        {"/product/*", "/product/", true},
        {"/product/*", "/product", false},
        {"/app/*/main.js", "/app/main.js", false},
        {"/app/*/main.js", "/app/1/2/main.js", true},
        {"/*a*b*c", "/aabbcc", true},
        {"/*a*b*c", "/aabbccd", false},
        {"/*ab", "/aab", true}, /* the star gives back */
        {"/a", "/a", true},
        {"/a", "/A", false},
        {"/a", "/ab", false},
        {"/ab", "/a", false},
        {"/a?", "/a", true},
        {"/a?", "/a?x", false},
        {"/a?x=*", "/a?x=1", true},
        {"/a?x=*", "/a?y=1", false},
        {"/a?x=*", "/a", false},
        {"/a\\*", "/a*", true},
        {"/a\\*", "/ab", false},
        {"/*\\*b", "/a*b", true},
        {"/*", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (stet_dictionary_matches(span(cases[i].match), guard_at_end(&guard, span(cases[i].target))) !=
            cases[i].matches)
            fail_msg("%s and %s", cases[i].match, cases[i].target);
}

/* The same by trying everything. Patterns without escapes and queries. */
static bool matches_slowly(const char *match, const char *target)
{
    if (*match == '\0')
        return *target == '\0';
    if (*match != '*')
        return *match == *target && matches_slowly(match + 1, target + 1);
    return matches_slowly(match + 1, target) || (*target != '\0' && matches_slowly(match, target + 1));
}

static void test_against_an_oracle(void **state)
{
    static const char octets[] = {'a', 'b', '*'};
    char match[8] = "/", target[8] = "/";
    for (unsigned p = 0; p < 243; p++)
        for (unsigned t = 0; t < 64; t++) {
            for (unsigned i = 0, left = p; i < 5; i++, left /= 3)
                match[1 + i] = octets[left % 3];
            for (unsigned i = 0; i < 6; i++)
                target[1 + i] = octets[t >> i & 1];
            assert_true(stet_dictionary_matches(span(match), span(target)) == matches_slowly(match, target));
        }
}

static void test_precedence(void **state)
{
    assert_true(stet_dictionary_precedes(4, 1, 3, 2));
    assert_false(stet_dictionary_precedes(3, 2, 4, 1));
    assert_true(stet_dictionary_precedes(3, 2, 3, 1));
    assert_false(stet_dictionary_precedes(3, 1, 3, 1));
}

static void test_fields_of_a_request(void **state)
{
    struct stet_dictionary dictionary = {.id_len = 0};
    char id[STET_DICTIONARY_ID_LEN], digest[STET_DICTIONARY_DIGEST_LEN];
    unsigned char octets[32];
    memset(octets, 0xff, sizeof octets);
    stet_dictionary_write_digest(octets, digest);
    assert_memory_equal(digest, "://////////////////////////////////////////8=:", sizeof digest);
    assert_int_equal(stet_dictionary_write_id(&dictionary, id), 0);
    memset(dictionary.id, '"', sizeof dictionary.id);
    dictionary.id_len = sizeof dictionary.id;
    assert_int_equal(stet_dictionary_write_id(&dictionary, id), STET_DICTIONARY_ID_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_that_are_of_use),
        cmocka_unit_test(test_fields_that_are_of_no_use),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_against_an_oracle),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_fields_of_a_request),
    };
    return cmocka_run_group_tests_name("dictionary", tests, NULL, NULL);
}
