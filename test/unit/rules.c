/* SPDX-License-Identifier: MIT */
/*
 * rules: patterns, and what a rule may not set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/rules.h"

static struct stet_span text(const char *s)
{
    return stet_span_of(s, strlen(s));
}

static bool matches(const char *pattern, const char *path)
{
    struct stet__rule rule = {.kind = STET__RULE_HEADER, .pattern = text(pattern)};
    return stet__rule_matches(&rule, text(path));
}

static void matches_patterns(void **state)
{
    (void)state;
    assert_true(matches("*.css", "/a/b.css"));
    assert_true(matches("*.css", "/b.css"));
    assert_false(matches("*.css", "/b.css/c"));
    assert_false(matches("*.css", "/b.cssx"));
    assert_true(matches("/a/*.css", "/a/b.css"));
    assert_false(matches("/a/*.css", "/a/b/c.css"));
    assert_true(matches("/a/**.css", "/a/b/c.css"));
    assert_true(matches("/**/c.css", "/a/b/c.css"));
    assert_true(matches("/a/**", "/a/"));
    assert_true(matches("**", "/a/b"));
    assert_true(matches("?.js", "/x/a.js"));
    assert_false(matches("?.js", "/x/ab.js"));
    assert_false(matches("/a?b", "/a/b"));
    assert_true(matches("/*/*b/c", "/x/aab/c"));
    assert_true(matches("/**/b*/**.x", "/a/bb/q/bc/d/e.x"));
    assert_true(matches("/*?*b", "/axb"));
    assert_false(matches("/*a*b", "/xa/ab"));
    assert_true(matches("index.html", "/a/index.html"));
    assert_false(matches("/index.html", "/a/index.html"));
    assert_false(matches("a", ""));
    assert_true(matches("*", "/"));
}

/* Patterns that make naive matchers exponential. */
static void stays_fast(void **state)
{
    (void)state;
    char path[4001];
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_false(matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", path));
    path[0] = '/';
    assert_false(matches("/**a**a**a**a**a**a**a**a**a**a**b", path));
}

static void parses_headers(void **state)
{
    (void)state;
    struct stet__rule rule;
    assert_int_equal(stet__rule_parse_header(text("*.txt: X-A: b: c "), &rule), STET_OK);
    assert_int_equal(rule.kind, STET__RULE_HEADER);
    assert_true(stet_span_equal(rule.pattern, text("*.txt")));
    assert_true(stet_span_equal(rule.name, text("X-A")));
    assert_true(stet_span_equal(rule.value, text("b: c")));
    assert_int_equal(stet__rule_parse_header(text("*:X:"), &rule), STET_OK);
    assert_int_equal(rule.value.len, 0);
    assert_int_equal(stet__rule_parse_header(text("*.txt"), &rule), STET_E_SYNTAX);
    assert_int_equal(stet__rule_parse_header(text("*.txt: X-A"), &rule), STET_E_SYNTAX);
    assert_int_equal(stet__rule_parse_header(text(": X: y"), &rule), STET_E_SYNTAX);
    assert_int_equal(stet__rule_parse_header(text("*: X A: y"), &rule), STET_E_FIELD_NAME);
    assert_int_equal(stet__rule_parse_header(text("*: : y"), &rule), STET_E_FIELD_NAME);
    assert_int_equal(stet__rule_parse_header(text("*: X: a\r\nY: b"), &rule), STET_E_FIELD_VALUE);
    assert_int_equal(stet__rule_parse_header(text("*: X: a\x7f"), &rule), STET_E_FIELD_VALUE);
    static const char *const forbidden[] = {
        "*: Content-Length: 1", "*: transfer-encoding: chunked",
        "*: Connection: close", "*: Keep-Alive: x",
        "*: Date: x",           "*: ETag: \"a\"",
        "*: LAST-MODIFIED: x",  "*: Content-Range: x",
        "*: Upgrade: x",        "*: Trailer: x",
        "*: Accept-Ranges: x",  "*: Age: 1",
    };
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        assert_int_equal(stet__rule_parse_header(text(forbidden[i]), &rule), STET_E_FIELD_NAME);
}

static int64_t max_age(const char *rule_text)
{
    struct stet__rule rule;
    assert_int_equal(stet__rule_parse_cache(text(rule_text), &rule), STET_OK);
    assert_int_equal(rule.kind, STET__RULE_CACHE);
    return rule.max_age_s;
}

static void parses_cache(void **state)
{
    (void)state;
    struct stet__rule rule;
    assert_int_equal(max_age("*.css=max-age=60"), 60);
    assert_int_equal(max_age("*.css = public, Max-Age=3600 , immutable"), 3600);
    assert_int_equal(max_age("*=no-cache"), -1);
    assert_int_equal(max_age("*=no-cache, max-age=60"), -1);
    assert_int_equal(max_age("*=max-age=60, no-store"), -1);
    assert_int_equal(max_age("*=s-maxage=60"), -1);
    assert_int_equal(max_age("*=max-age=x"), -1);
    assert_int_equal(max_age("*=max-age=99999999999999999999"), -1);
    assert_int_equal(max_age("*=max-age=9999999999"), INT32_MAX);
    assert_int_equal(max_age("*=max-age=0"), 0);
    assert_int_equal(stet__rule_parse_cache(text("*.css"), &rule), STET_E_SYNTAX);
    assert_int_equal(stet__rule_parse_cache(text("*.css="), &rule), STET_E_SYNTAX);
    assert_int_equal(stet__rule_parse_cache(text("=max-age=1"), &rule), STET_E_SYNTAX);
    assert_int_equal(stet__rule_parse_cache(text("*=a\nb"), &rule), STET_E_FIELD_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_patterns),
        cmocka_unit_test(stays_fast),
        cmocka_unit_test(parses_headers),
        cmocka_unit_test(parses_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
