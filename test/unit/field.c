/* SPDX-License-Identifier: MIT */
/*
 * field: tokens, list members over lines, parameters, quoted strings, q-values; and all short values against
 * readings of field.h that go octet by octet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/field.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define TEXT_MAX 256

static struct guard guard;

static void append(char text[TEXT_MAX], const char *before, struct stet_span s)
{
    size_t n = strlen(text);
    if (s.ptr)
        snprintf(text + n, TEXT_MAX - n, "%s%.*s", before, (int)s.len, s.ptr);
}

static void test_tokens(void **state)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (unsigned octet = 0; octet < 256; octet++) {
        bool want = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
                    (octet >= 'A' && octet <= 'Z') || (octet != 0 && strchr(others, (int)octet));
        char text[3] = {'x', (char)octet, 'x'};
        assert_int_equal(stet_is_tchar((char)octet), want);
        assert_int_equal(stet_is_token(stet_span_of(text, 3)), want);
        assert_int_equal(stet_is_token(stet_span_of(text + 1, 1)), want);
    }
    assert_false(stet_is_token(STET_SPAN("")));
    assert_false(stet_is_token(STET_SPAN_NONE));
}

/* Members of the lines of `value` (LF between them), each in brackets. */
static void read_list(struct stet_span value, bool named, char text[TEXT_MAX])
{
    struct stet_field lines[9];
    struct stet_fields fields = {lines, 0, 1};
    enum stet_field_id id = named ? STET_FIELD_OTHER : STET_FIELD_VARY;
    const struct stet_span name = named ? STET_SPAN("x-NAMES") : STET_SPAN("vary");
    for (size_t i = 0; i <= value.len && fields.count < 8;) {
        size_t len = 0;
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): memory of the guard */
        while (i + len < value.len && value.ptr[i + len] != '\n')
            len++;
        lines[fields.count++] = (struct stet_field){name, stet_span_of(value.ptr + i, len), id};
        lines[fields.count++] =
            (struct stet_field){STET_SPAN("X-Name"), STET_SPAN("other"), STET_FIELD_OTHER};
        i += len + 1;
    }
    fields.present |= 1ull << id;
    struct stet_list list;
    struct stet_span member;
    if (named)
        stet_list_begin_named(&list, &fields, STET_SPAN("X-Names"));
    else
        stet_list_begin(&list, &fields, id);
    text[0] = 0;
    while (stet_list_next(&list, &member) == STET_OK) {
        append(text, "[", member);
        append(text, "]", STET_SPAN(""));
    }
    assert_int_equal(stet_list_next(&list, &member), STET_END);
}

static void test_lists(void **state)
{
    static const struct {
        const char *value;
        const char *want;
    } rows[] = {
        {"", ""},
        {",", ""},
        {" \t, ,", ""},
        {"a", "[a]"},
        {"a,b , c\t,\td", "[a][b][c][d]"},
        {",a,,b,", "[a][b]"},
        {"a b, c", "[a b][c]"},
        {"a\nb,c\n\nd", "[a][b][c][d]"},
        {"a=\"b,c\", d", "[a=\"b,c\"][d]"},
        {"a=\"b\\\",c\", d", "[a=\"b\\\",c\"][d]"},
        {"a=\"b\\\\\",c", "[a=\"b\\\\\"][c]"},
        {"a=\"b, c", "[a=\"b, c]"},
        {"a=\"b, c\nd", "[a=\"b, c][d]"},
        {"a=\"b, c\\", "[a=\"b, c\\]"},
        {"\"\",\",\"", "[\"\"][\",\"]"},
        {"a\\,b", "[a\\][b]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int named = 0; named < 2; named++) {
            char got[TEXT_MAX];
            read_list(guard_at_end(&guard, SPAN(rows[i].value)), named, got);
            if (strcmp(got, rows[i].want) != 0)
                fail_msg("%s gives %s, want %s", rows[i].value, got, rows[i].want);
        }
    }
}

static void test_lists_of_nothing(void **state)
{
    const struct stet_field line = {STET_SPAN("ETag"), STET_SPAN("\"a\""), STET_FIELD_ETAG};
    const struct stet_fields fields = {&line, 1, 1ull << STET_FIELD_ETAG}, none = {NULL, 0, 0};
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, &fields, STET_FIELD_VARY);
    assert_int_equal(stet_list_next(&list, &member), STET_END);
    stet_list_begin_named(&list, &fields, STET_SPAN("vary"));
    assert_int_equal(stet_list_next(&list, &member), STET_END);
    stet_list_begin_named(&list, &fields, STET_SPAN("X-Vary"));
    assert_int_equal(stet_list_next(&list, &member), STET_END);
    stet_list_begin(&list, &none, STET_FIELD_VARY);
    assert_int_equal(stet_list_next(&list, &member), STET_END);
    /* A known name finds lines by their id. */
    stet_list_begin_named(&list, &fields, STET_SPAN("eTaG"));
    assert_int_equal(stet_list_next(&list, &member), STET_OK);
    assert_true(stet_span_equal(member, line.value));
}

/* Cuts at each comma that is outside of quotes, one octet after the other. */
static void naive_list(const char *value, char text[TEXT_MAX])
{
    char member[16];
    size_t len = 0;
    bool quoted = false, escaped = false;
    text[0] = 0;
    for (;; value++) {
        if (*value && (*value != ',' || quoted)) {
            member[len++] = *value;
            bool escapes = quoted && !escaped && *value == '\\';
            quoted ^= *value == '"' && !escaped;
            escaped = escapes;
            continue;
        }
        struct stet_span trimmed = stet_span_trim(stet_span_of(member, len));
        if (trimmed.len > 0) {
            append(text, "[", trimmed);
            append(text, "]", STET_SPAN(""));
        }
        len = 0;
        if (!*value)
            return;
    }
}

static void number_to_text(size_t number, size_t len, const char *alphabet, char *text)
{
    size_t kinds = strlen(alphabet);
    for (size_t i = 0; i < len; i++, number /= kinds)
        text[i] = alphabet[number % kinds];
    text[len] = 0;
}

static void test_all_short_lists(void **state)
{
    for (size_t len = 0, count = 1; len <= 8; len++, count *= 5) {
        for (size_t number = 0; number < count; number++) {
            char value[16], want[TEXT_MAX], got[TEXT_MAX];
            number_to_text(number, len, "\",\\a ", value);
            naive_list(value, want);
            read_list(SPAN(value), true, got);
            if (strcmp(got, want) != 0)
                fail_msg("%s gives %s, want %s", value, got, want);
        }
    }
}

/* "thing|name=value|..." with "!" for a malformed parameter. */
static void read_params(struct stet_span member, char text[TEXT_MAX])
{
    struct stet_span thing, params, name = STET_SPAN_NONE, value = STET_SPAN_NONE;
    int status;
    text[0] = 0;
    stet_member_split(member, &thing, &params);
    append(text, "", thing);
    append(text, params.ptr ? ";" : "", STET_SPAN(""));
    while ((status = stet_param_next(&params, &name, &value)) != STET_END) {
        if (status == STET_OK) {
            assert_true(stet_is_token(name));
            append(text, "|", name);
            append(text, "=", value);
        } else {
            assert_int_equal(status, STET_E_SYNTAX);
            append(text, "|!", STET_SPAN(""));
        }
    }
    assert_int_equal(stet_param_next(&params, &name, &value), STET_END);
}

static void test_params(void **state)
{
    static const struct {
        const char *member;
        const char *want;
    } rows[] = {
        {"text/html", "text/html"},
        {"text/html;", "text/html;"},
        {"text/html ; charset=utf-8", "text/html;|charset=utf-8"},
        {"a;b;c=d;e=\"f;g\"", "a;|b|c=d|e=\"f;g\""},
        {"a ; ; b = c", "a;|!"},
        {"a;b =c;d", "a;|!|d"},
        {"a;b= c;d", "a;|!|d"},
        {"a;b=;c", "a;|!|c"},
        {"a;=b;c", "a;|!|c"},
        {"a;b=\"c;d", "a;|!"},
        {"a;b=\"c\\", "a;|!"},
        {"a;b=\"c\"d;e", "a;|!|e"},
        {"a;b=\"c\\\";d\";e", "a;|b=\"c\\\";d\"|e"},
        {"a;b=c\"d;e\"", "a;|!"},
        {"a;b=\"\x01\";c", "a;|!|c"},
        {"a;b=\"\\\x7f\";c", "a;|!|c"},
        {"a;b=\"\"", "a;|b=\"\""},
        {"a;b=c=d", "a;|!"},
        {"a;b/c", "a;|!"},
        {"\"a;b\";c", "\"a;b\";|c"},
        {";a", ";|a"},
        {"", ""},
        {"a;\t;;b;", "a;|b"},
        {"q=0.5;b", "q=0.5;|b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char got[TEXT_MAX];
        read_params(guard_at_end(&guard, SPAN(rows[i].member)), got);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s gives %s, want %s", rows[i].member, got, rows[i].want);
    }
}

static void test_unquote(void **state)
{
    static const struct {
        const char *value;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"a", "a"},           {"a.b~1", "a.b~1"},
        {"\"\"", ""},         {"\"a b\"", "a b"},
        {"\"a\tb\"", "a\tb"}, {"\"a\xff\"", "a\xff"},
        {"\"\\\"\"", "\""},   {"\"\\\\\"", "\\"},
        {"\"\\a\\b\"", "ab"}, {"\"\\\t\\ \\\x80\"", "\t \x80"},
        {"", NULL},           {"a b", NULL},
        {"\"", NULL},         {"\"a", NULL},
        {"\"a\\", NULL},      {"a\"", NULL},
        {"\"a\"b", NULL},     {"\"a\"\"", NULL},
        {"\"a\\\"", NULL},    {"\"\x01\"", NULL},
        {"\"\x7f\"", NULL},   {"\"\\\x01\"", NULL},
        {"\"\\\x7f\"", NULL}, {"'a b'", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char room[32];
        struct stet_span value = guard_at_end(&guard, SPAN(rows[i].value)), out = STET_SPAN("untouched");
        int status = stet_unquote(value, room, &out);
        const char *want = rows[i].want ? rows[i].want : "untouched";
        if (status != (rows[i].want ? STET_OK : STET_E_SYNTAX) || !stet_span_equal(out, SPAN(want)))
            fail_msg("%s", rows[i].value);
        bool borrows = out.ptr >= value.ptr && out.ptr <= value.ptr + value.len;
        assert_int_equal(borrows, rows[i].want && !strchr(rows[i].value, '\\'));
    }
    struct stet_span out = STET_SPAN("untouched");
    char room[8];
    assert_int_equal(stet_unquote(stet_span_of("\"\0\"", 3), room, &out), STET_E_SYNTAX);
}

static void test_qvalues(void **state)
{
    /* All that the grammar has: 0 to 1 with up to three places. */
    for (unsigned n = 0; n <= 1000; n++) {
        char text[8];
        for (int places = 3, step = 1; places >= 0 && n % (unsigned)step == 0; places--, step *= 10) {
            snprintf(text, sizeof text, "%u.%03u", n / 1000, n % 1000);
            size_t len = 2 + (size_t)places;
            unsigned got = 9999;
            assert_int_equal(stet_qvalue_parse(guard_at_end(&guard, stet_span_of(text, len)), &got), STET_OK);
            assert_int_equal(got, n);
        }
    }
    unsigned got = 9999;
    assert_int_equal(stet_qvalue_parse(STET_SPAN("0"), &got), STET_OK);
    assert_int_equal(got, 0);
    assert_int_equal(stet_qvalue_parse(STET_SPAN("1"), &got), STET_OK);
    assert_int_equal(got, 1000);
    static const char *const refused[] = {"",     ".",    ".5",    "2",   "1.001", "1.1",  "1.0000", "0.0000",
                                          "00.5", "-0.5", "+0.5",  "0,5", "0.5 ",  " 0.5", "0.a",    "0.5a",
                                          "01",   "10",   "0.1.2", "1e0", "0..5",  "nan",  "\"1\"",  "0x1"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        got = 9999;
        if (stet_qvalue_parse(SPAN(refused[i]), &got) != STET_E_SYNTAX || got != 9999)
            fail_msg("accepted: %s", refused[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),           cmocka_unit_test(test_lists),
        cmocka_unit_test(test_lists_of_nothing), cmocka_unit_test(test_all_short_lists),
        cmocka_unit_test(test_params),           cmocka_unit_test(test_unquote),
        cmocka_unit_test(test_qvalues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
