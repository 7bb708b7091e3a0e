/* SPDX-License-Identifier: MIT */
/*
 * cache_control: what the cases of test/spec/cache-control.md cannot say: every directive by every row of the
 * table, cases of letters, any number, lines against one list, every octet at every place of a member, and
 * where the spans point. Values stand against unreadable pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/cache_control.h>

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SPAN(text) stet_span_of(text, strlen(text))

enum argument { NONE, SECONDS, OPTIONAL, FIELDS };

static const struct {
    const char *name;
    enum argument argument;
} rows[] = {
#define X(symbol, name, argument, clause) [symbol] = {name, argument},
#include <stet/cache_directive.def>
#undef X
};

static struct guard guard;

static struct stet_cache_control read_span(struct stet_span value)
{
    struct stet_field field = {STET_SPAN("Cache-Control"), guard_at_end(&guard, value),
                               STET_FIELD_CACHE_CONTROL};
    struct stet_fields fields = {&field, 1, 1ull << STET_FIELD_CACHE_CONTROL};
    struct stet_cache_control out, again;
    stet_cache_control_read(&fields, &out);
    field.value = guard_at_start(&guard, value);
    stet_cache_control_read(&fields, &again);
    assert_true(out.present == again.present && out.invalid == again.invalid && out.max_age == again.max_age);
    return again;
}

static struct stet_cache_control read_text(const char *value)
{
    return read_span(SPAN(value));
}

static int64_t number(const struct stet_cache_control *c, enum stet_cache_directive directive)
{
    switch (directive) {
    case STET_CC_MAX_AGE:
        return c->max_age;
    case STET_CC_S_MAXAGE:
        return c->s_maxage;
    case STET_CC_MIN_FRESH:
        return c->min_fresh;
    case STET_CC_MAX_STALE:
        return c->max_stale;
    case STET_CC_STALE_IF_ERROR:
        return c->stale_if_error;
    default:
        return c->stale_while_revalidate;
    }
}

static bool is_number(enum stet_cache_directive directive)
{
    return rows[directive].argument == SECONDS || rows[directive].argument == OPTIONAL;
}

/* Each directive alone is itself and nothing else, in all cases of its letters. */
static void test_each(void **state)
{
    for (unsigned d = 0; d < STET_CC_COUNT; d++)
        for (unsigned shape = 0; shape < 4; shape++) {
            char text[64];
            size_t len = strlen(rows[d].name);
            for (size_t i = 0; i < len; i++) {
                char c = rows[d].name[i];
                bool upper = shape == 1 || (shape == 2 && i % 2 == 0) || (shape == 3 && i + 1 == len);
                text[i] = upper && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
            }
            snprintf(text + len, sizeof(text) - len, "%s", is_number(d) ? "=17" : "");
            struct stet_cache_control c = read_text(text);
            assert_int_equal(c.present, UINT32_C(1) << d);
            assert_int_equal(c.invalid, 0);
            assert_true(!is_number(d) || number(&c, d) == 17);
            assert_true(stet_cache_control_has(&c, d) && stet_cache_control_valid(&c, d));
            assert_true(stet_span_equal(c.source, STET_SPAN("Cache-Control")) && !c.targeted);
        }
}

/* A name with one octet more, less or another is not the name. */
static void test_no_other_name(void **state)
{
    for (unsigned d = 0; d < STET_CC_COUNT; d++) {
        char text[64];
        size_t len = strlen(rows[d].name);
        for (size_t i = 0; i <= len; i++) {
            snprintf(text, sizeof(text), "%.*sx%s=1", (int)i, rows[d].name, rows[d].name + i);
            assert_int_equal(read_text(text).present, 0);
        }
        for (size_t i = 0; i < len; i++) {
            snprintf(text, sizeof(text), "%s=1", rows[d].name);
            text[i] = '~';
            assert_int_equal(read_text(text).present, 0);
        }
        assert_int_equal(read_span(stet_span_of(rows[d].name, len - 1)).present, 0);
    }
}

/* Numbers around every power of two, as token and quoted. */
static void test_numbers(void **state)
{
    for (unsigned bit = 0; bit < 64; bit++)
        for (int step = -2; step <= 2; step++) {
            uint64_t n = (UINT64_C(1) << bit) + (uint64_t)(int64_t)step;
            int64_t want = n > (uint64_t)STET_SECONDS_MAX ? STET_SECONDS_MAX : (int64_t)n;
            char text[64];
            const char *quote = step % 2 ? "\"" : "";
            snprintf(text, sizeof(text), "max-age=%s%llu%s", quote, (unsigned long long)n, quote);
            struct stet_cache_control c = read_text(text);
            assert_true(stet_cache_control_valid(&c, STET_CC_MAX_AGE) && c.max_age == want);
        }
}

/* Any octet put anywhere into a member never makes its lifetime longer, nor takes away what forbids. */
static void test_one_octet(void **state)
{
    static const char text[] = "a=\"b,c\", no-store, max-age=60, private";
    for (size_t at = 0; at < sizeof(text); at++)
        for (unsigned octet = 0; octet < 256; octet++) {
            char changed[sizeof(text) + 1];
            memcpy(changed, text, at);
            changed[at] = (char)octet;
            memcpy(changed + at + 1, text + at, sizeof(text) - 1 - at);
            struct stet_cache_control c = read_span(stet_span_of(changed, sizeof(text)));
            bool digit = octet >= '0' && octet <= '9';
            if (stet_cache_control_valid(&c, STET_CC_MAX_AGE) && !digit)
                assert_true(c.max_age <= 60);
            if (octet != '"' && at > 6 && (octet == ' ' || octet == ';' || octet == ',' || octet == '@'))
                assert_true(stet_cache_control_has(&c, STET_CC_NO_STORE) ||
                            (at > strlen("a=\"b,c\", ") && at < strlen("a=\"b,c\", no-store")));
        }
}

/* Members on lines of their own, and joined, in both orders. */
static void test_lines(void **state)
{
    static const char *const members[] = {"max-age=60", "max-age=5", "private=\"a\"", "private",
                                          "no-store",   "max-stale", "x=\"y,z\"",     "s-maxage=x"};
    for (size_t i = 0; i < COUNT(members); i++)
        for (size_t k = 0; k < COUNT(members); k++) {
            struct stet_field lines[] = {
                {STET_SPAN("cache-control"), SPAN(members[i]), STET_FIELD_CACHE_CONTROL},
                {STET_SPAN("Other"), STET_SPAN("public"), STET_FIELD_OTHER},
                {STET_SPAN("CACHE-CONTROL"), SPAN(members[k]), STET_FIELD_CACHE_CONTROL}};
            struct stet_fields fields = {lines, 3, 1ull << STET_FIELD_CACHE_CONTROL};
            struct stet_cache_control a;
            char joined[64];
            stet_cache_control_read(&fields, &a);
            snprintf(joined, sizeof(joined), "%s ,%s", members[k], members[i]);
            struct stet_cache_control b = read_text(joined);
            assert_true(a.present == b.present && a.invalid == b.invalid);
            for (unsigned d = 0; d < STET_CC_COUNT; d++)
                assert_true(!is_number(d) || number(&a, d) == number(&b, d) ||
                            !stet_cache_control_valid(&a, d));
            assert_true(stet_span_equal(a.private_fields, b.private_fields));
        }
}

static void test_absent(void **state)
{
    struct stet_fields none = {NULL, 0, 0};
    struct stet_span target = STET_SPAN("CDN-Cache-Control");
    struct stet_cache_control c;
    memset(&c, 0xff, sizeof(c));
    stet_cache_control_read(&none, &c);
    assert_true(c.present == 0 && c.invalid == 0 && !c.source.ptr && !c.targeted && !c.private_fields.ptr);
    memset(&c, 0xff, sizeof(c));
    stet_cache_control_read_targeted(&none, &target, 1, &c);
    assert_true(c.present == 0 && !c.source.ptr && !c.targeted);
    stet_cache_control_read_targeted(&none, NULL, 0, &c);
    assert_true(c.present == 0 && !c.source.ptr && !c.targeted);
}

/* Lists and the source borrow, from the fields and from the targets. */
static void test_spans(void **state)
{
    static const char value[] = "max-age=5, private=\"Set-Cookie, X-A\"";
    struct stet_field field = {STET_SPAN("cdn-cache-control"), SPAN(value), STET_FIELD_OTHER};
    struct stet_fields fields = {&field, 1, 0};
    struct stet_span targets[] = {STET_SPAN("Stet-Cache-Control"), STET_SPAN("CDN-Cache-Control")};
    struct stet_cache_control c;
    stet_cache_control_read_targeted(&fields, targets, 2, &c);
    assert_true(c.targeted && c.source.ptr == targets[1].ptr && c.source.len == targets[1].len);
    assert_ptr_equal(c.private_fields.ptr, strstr(value, "Set-Cookie"));
    assert_int_equal(c.private_fields.len, strlen("Set-Cookie, X-A"));
    assert_int_equal(c.max_age, 5);
    assert_false(stet_cache_control_unqualified(&c, STET_CC_PRIVATE));
    assert_false(stet_cache_control_unqualified(&c, STET_CC_NO_CACHE));
}

static void test_names(void **state)
{
    static const struct {
        const char *list, *field;
        bool named;
    } cases[] = {
        {"a", "a", true},
        {"a", "A", true},
        {"A, b", "a", true},
        {"a,b", "b", true},
        {" a ,\tb\t", "b", true},
        {",,a,,", "a", true},
        {"", "a", false},
        {"ab", "a", false},
        {"a", "ab", false},
        {"a b", "a", false},
        {"Set-Cookie", "set-cookie", true},
        {"Set-Cookie2", "Set-Cookie", false},
        {",", "", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(
            stet_cache_control_names(guard_at_end(&guard, SPAN(cases[i].list)), SPAN(cases[i].field)),
            cases[i].named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),    cmocka_unit_test(test_no_other_name),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_one_octet),
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_absent),
        cmocka_unit_test(test_spans),   cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
