/* SPDX-License-Identifier: MIT */
/*
 * etag: what one tag is, comparison, and lists: a table, every octet at every place, and all short values
 * against a reading of etag.h that goes octet by octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/etag.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define ID STET_FIELD_IF_NONE_MATCH

static struct guard guard;

static bool is_etagc(unsigned char c)
{
    return c == 0x21 || (c >= 0x23 && c <= 0x7e) || c >= 0x80;
}

static void test_parse(void **state)
{
    static const struct {
        const char *value;
        const char *opaque; /* NULL: refused */
        bool weak;
    } rows[] = {
        {"\"\"", "", false},
        {"W/\"\"", "", true},
        {"\"xyzzy\"", "xyzzy", false},
        {"W/\"xyzzy\"", "xyzzy", true},
        {"\"a,b;c\\d\"", "a,b;c\\d", false},
        {"\"x\\\"", "x\\", false},
        {"\"*\"", "*", false},
        {"\"W/\"", "W/", false},
        {"\"\xfc\xff\x80\"", "\xfc\xff\x80", false},
        {"\"!#~\"", "!#~", false},
        {"", NULL, false},
        {"*", NULL, false},
        {"\"", NULL, false},
        {"W", NULL, false},
        {"W/", NULL, false},
        {"W/\"", NULL, false},
        {"xyzzy", NULL, false},
        {"'xyzzy'", NULL, false},
        {"\"xyzzy", NULL, false},
        {"xyzzy\"", NULL, false},
        {"w/\"xyzzy\"", NULL, false},
        {"W\"xyzzy\"", NULL, false},
        {"W /\"xyzzy\"", NULL, false},
        {"W/ \"xyzzy\"", NULL, false},
        {"W/W/\"xyzzy\"", NULL, false},
        {"\"x y\"", NULL, false},
        {"\"x\ty\"", NULL, false},
        {"\"x\x7fy\"", NULL, false},
        {"\"x\"y\"", NULL, false},
        {"\"x\"y", NULL, false},
        {"\"x\",", NULL, false},
        {"\"x\", \"y\"", NULL, false},
        {" \"x\"", NULL, false},
        {"\"x\" ", NULL, false},
        {"\"x\";q=1", NULL, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stet_etag tag = {STET_SPAN("untouched"), false};
        int status = stet_etag_parse(guard_at_end(&guard, SPAN(rows[i].value)), &tag);
        const char *want = rows[i].opaque ? rows[i].opaque : "untouched";
        if ((status == STET_OK) != (rows[i].opaque != NULL) || !stet_span_equal(tag.opaque, SPAN(want)) ||
            tag.weak != rows[i].weak)
            fail_msg("%s", rows[i].value);
        assert_true(status == STET_OK || status == STET_E_SYNTAX);
        assert_true(stet_etag_present(tag));
    }
}

/* The scan for the closing quote goes by words: each octet, at each place, in tags that end at each place of
 * a word. */
static void test_every_octet(void **state)
{
    for (size_t len = 1; len <= 26; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned octet = 0; octet < 256; octet++) {
                char text[32];
                memset(text, 'x', sizeof text);
                text[0] = text[len + 1] = '"';
                text[1 + at] = (char)octet;
                struct stet_etag tag;
                int status = stet_etag_parse(guard_at_end(&guard, stet_span_of(text, len + 2)), &tag);
                if ((status == STET_OK) != is_etagc((unsigned char)octet))
                    fail_msg("octet %02x at %zu of %zu", octet, at, len);
                if (status == STET_OK)
                    assert_true(stet_span_equal(tag.opaque, stet_span_of(text + 1, len)));
            }
        }
    }
}

static void test_comparison(void **state)
{
    /* The table of RFC 9110 section 8.8.3.2, and absent tags. */
    const struct stet_etag weak_1 = {STET_SPAN("1"), true}, weak_2 = {STET_SPAN("2"), true};
    const struct stet_etag strong_1 = {STET_SPAN("1"), false}, empty = {STET_SPAN(""), false};
    const struct {
        struct stet_etag a, b;
        bool strong, weak;
    } rows[] = {
        {weak_1, weak_1, false, true},       {weak_1, weak_2, false, false},
        {weak_1, strong_1, false, true},     {strong_1, strong_1, true, true},
        {strong_1, weak_2, false, false},    {empty, empty, true, true},
        {empty, strong_1, false, false},     {STET_NO_ETAG, STET_NO_ETAG, false, false},
        {STET_NO_ETAG, empty, false, false}, {STET_NO_ETAG, strong_1, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(stet_etag_strong_equal(rows[i].a, rows[i].b), rows[i].strong);
        assert_int_equal(stet_etag_strong_equal(rows[i].b, rows[i].a), rows[i].strong);
        assert_int_equal(stet_etag_weak_equal(rows[i].a, rows[i].b), rows[i].weak);
        assert_int_equal(stet_etag_weak_equal(rows[i].b, rows[i].a), rows[i].weak);
    }
    assert_false(stet_etag_present(STET_NO_ETAG));
}

#define LINES_MAX 4

/* The lines of `value` (they end in LF) between lines of other fields. */
static struct stet_fields lines_of(struct stet_span value, struct stet_field lines[2 * LINES_MAX + 1])
{
    struct stet_fields fields = {lines, 0, 1};
    const struct stet_field other = {STET_SPAN("X"), STET_SPAN("\"other\""), STET_FIELD_OTHER};
    lines[fields.count++] = other;
    for (size_t i = 0; i < value.len; fields.present |= 1ull << ID) {
        size_t len = 0;
        while (i + len < value.len && value.ptr[i + len] != '\n')
            len++;
        lines[fields.count++] = (struct stet_field){STET_SPAN("If-None-Match"),
                                                    stet_span_trim(stet_span_of(value.ptr + i, len)), ID};
        lines[fields.count++] = other;
        i += len + 1;
    }
    return fields;
}

#define TEXT_MAX 256

/* "absent", "any", or "tags" and the members: "tags \"a\" W/\"b\"" */
static void read_list(struct stet_span value, char text[TEXT_MAX])
{
    struct stet_field lines[2 * LINES_MAX + 1];
    struct stet_fields fields = lines_of(value, lines);
    static const char *const kinds[] = {"absent", "any", "tags"};
    struct stet_etag_list list;
    struct stet_etag tag;
    enum stet_etag_list_kind kind = stet_etag_list_begin(&list, &fields, ID);
    int n = snprintf(text, TEXT_MAX, "%s", kinds[kind]);
    if (kind != STET_ETAG_LIST_TAGS)
        return;
    while (stet_etag_list_next(&list, &tag) == STET_OK)
        n += snprintf(text + n, TEXT_MAX - (size_t)n, " %s\"%.*s\"", tag.weak ? "W/" : "",
                      (int)tag.opaque.len, tag.opaque.ptr);
    assert_int_equal(stet_etag_list_next(&list, &tag), STET_END);
}

static const struct {
    const char *value;
    const char *want;
} lists[] = {
    {"", "absent"},
    {"\n", "tags"},
    {"\n\n", "tags"},
    {" , ,\t,\n", "tags"},
    {"\"a\"\n", "tags \"a\""},
    {"W/\"a\"\n", "tags W/\"a\""},
    {"\"a\",\"b\",W/\"c\"\n", "tags \"a\" \"b\" W/\"c\""},
    {", \"a\",, \t\"b\"\t ,\n", "tags \"a\" \"b\""},
    {"\"a\"\n\"b\"\n\nW/\"c\"\n", "tags \"a\" \"b\" W/\"c\""},
    {"\"a,b\", \"c, d\", \"e\"\n", "tags \"a,b\" \"e\""},
    {"\"a\\\", \"b\"\n", "tags \"a\\\" \"b\""},
    {"\"\", \"\"\n", "tags \"\" \"\""},
    /* the wildcard */
    {"*\n", "any"},
    {" * \n", "any"},
    {",*,\n", "any"},
    {"\n*\n", "any"},
    {"*\n\n , \n", "any"},
    {"*\n*\n", "tags"},
    {"*, *\n", "tags"},
    {"**\n", "tags"},
    {"* *\n", "tags"},
    {"\"a\", *\n", "tags \"a\""},
    {"*, \"a\"\n", "tags \"a\""},
    {"*\n\"a\"\n", "tags \"a\""},
    {"\"a\"\n*\n", "tags \"a\""},
    {"\"*\"\n", "tags \"*\""},
    {"W/*\n", "tags"},
    {"*;q=1\n", "tags"},
    /* malformed members hide nothing */
    {"a, \"b\"\n", "tags \"b\""},
    {"w/\"a\", \"b\"\n", "tags \"b\""},
    {"w/\"a,x\", \"b\"\n", "tags \"b\""},
    {"\"a\"x, \"b\"\n", "tags \"b\""},
    {"\"a\" x, \"b\"\n", "tags \"b\""},
    {"\"a\" \"b\", \"c\"\n", "tags \"c\""},
    {"\"a\"\"b\", \"c\"\n", "tags \"c\""},
    {"\"a\";q=1, \"b\"\n", "tags \"b\""},
    {"\"a b\", \"c\"\n", "tags \"c\""},
    {"\"a b,c\", \"d\"\n", "tags \"d\""},
    {"\"a\x01\", \"b\"\n", "tags \"b\""},
    {"\"a\x7f,\", \"b\"\n", "tags \"b\""},
    {"\"a, \"b\"\n", "tags \"b\""},
    {"\"a\n\"b\"\n", "tags \"b\""},
    {"\"a\", \"b\n", "tags \"a\""},
    {"\"a\", W/\n", "tags \"a\""},
    {"\"a\", W\n", "tags \"a\""},
    {"W/ \"a\", \"b\"\n", "tags \"b\""},
    {"x\"a,b\", \"c\"\n", "tags \"c\""},
};

static void test_lists(void **state)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char got[TEXT_MAX];
        read_list(guard_at_end(&guard, SPAN(lists[i].value)), got);
        if (strcmp(got, lists[i].want) != 0)
            fail_msg("%s gives %s, want %s", lists[i].value, got, lists[i].want);
    }
}

/* The length of a quoted part at `at`, with its quotes; 0 if there is none. */
static size_t naive_quoted(const char *at)
{
    if (*at != '"')
        return 0;
    size_t i = 1;
    while (is_etagc((unsigned char)at[i]))
        i++;
    return at[i] == '"' ? i + 1 : 0;
}

/* The members of a terminated line, as etag.h describes them. */
static int naive_members(const char *at, char *text, int n)
{
    while (*at) {
        if (*at == ',' || *at == ' ') {
            at++;
            continue;
        }
        const char *mark = strncmp(at, "W/", 2) == 0 ? at + 2 : at;
        size_t quoted = naive_quoted(mark);
        const char *end = mark + quoted;
        while (*end == ' ')
            end++;
        if (quoted > 0 && (*end == ',' || *end == 0)) {
            n += snprintf(text + n, TEXT_MAX - (size_t)n, " %.*s", (int)(mark + quoted - at), at);
            at = end;
            continue;
        }
        while (*at && *at != ',')
            at += naive_quoted(at) > 0 ? naive_quoted(at) : 1;
    }
    return n;
}

/* "*" and nothing else but commas, spaces and line ends. */
static bool naive_any(const char *value)
{
    size_t stars = 0, others = 0;
    for (; *value; value++) {
        stars += *value == '*';
        others += *value != '*' && *value != ',' && *value != ' ' && *value != '\n';
    }
    return stars == 1 && others == 0;
}

static void naive_list(const char *value, char text[TEXT_MAX])
{
    int n = snprintf(text, TEXT_MAX, "%s", naive_any(value) ? "any" : "tags");
    if (naive_any(value))
        return;
    while (*value) {
        char line[16];
        size_t len = strcspn(value, "\n");
        memcpy(line, value, len);
        line[len] = 0;
        n = naive_members(line, text, n);
        value += len + 1;
    }
}

/* All values of up to seven octets that can mean something, a line end among them. */
static void test_all_short_values(void **state)
{
    static const char alphabet[] = "\",aW/ *\n";
    size_t kinds = sizeof alphabet - 1;
    for (size_t len = 1, count = kinds; len <= 7; len++, count *= kinds) {
        for (size_t number = 0; number < count; number++) {
            char value[10], want[TEXT_MAX], got[TEXT_MAX];
            size_t rest = number, lines = 1;
            for (size_t i = 0; i < len; i++, rest /= kinds) {
                value[i] = alphabet[rest % kinds];
                lines += value[i] == '\n';
            }
            if (lines > LINES_MAX)
                continue;
            memcpy(value + len, "\n", 2);
            naive_list(value, want);
            read_list(SPAN(value), got);
            if (strcmp(got, want) != 0)
                fail_msg("%s gives %s, want %s", value, got, want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_all_short_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
