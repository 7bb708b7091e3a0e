/* SPDX-License-Identifier: MIT */
/*
 * sf: what parses and what it becomes when it is written again, values and their decoding, fields of several
 * lines, partial reading, and the serialiser's refusals. Texts follow the grammar of RFC 9651 section by
 * section.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/sf.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define TEXT_MAX 512
#define ITEM STET_SF_ITEM
#define LIST STET_SF_LIST
#define DICT STET_SF_DICTIONARY

static struct guard guard;

/* A copy of an item with its text decoded into `room`. */
static struct stet_sf_item decoded(const struct stet_sf_item *item, char room[TEXT_MAX])
{
    struct stet_sf_item raw = *item;
    if (item->type == STET_SF_STRING || item->type == STET_SF_BYTES || item->type == STET_SF_DISPLAY_STRING ||
        item->type == STET_SF_TOKEN) {
        raw.text = stet_span_of(room, stet_sf_decode(item, room));
        assert_true(raw.text.len <= item->text.len);
    }
    return raw;
}

static void write_params(struct stet_sf *sf, struct stet_sf_writer *w)
{
    struct stet_span key;
    struct stet_sf_item item;
    char room[TEXT_MAX];
    while (stet_sf_param(sf, &key, &item) == STET_OK) {
        item = decoded(&item, room);
        stet_sf_write_param(w, key, &item);
    }
}

/* Reads everything and writes it again. Gives the status of the end of reading. */
static int rewrite(struct stet_sf sf, char text[TEXT_MAX])
{
    struct stet_sf_writer w;
    struct stet_sf_member member;
    char room[TEXT_MAX];
    int status, checked = stet_sf_check(&sf);
    stet_sf_write_begin(&w, text, TEXT_MAX - 1);
    while ((status = stet_sf_next(&sf, &member)) == STET_OK) {
        struct stet_sf_item item = member.item;
        if (member.key.ptr)
            stet_sf_write_key(&w, member.key);
        if (item.type == STET_SF_INNER_LIST) {
            stet_sf_write_inner_begin(&w);
            while (stet_sf_inner(&sf, &item) == STET_OK) {
                item = decoded(&item, room);
                stet_sf_write_item(&w, &item);
                write_params(&sf, &w);
            }
            stet_sf_write_inner_end(&w);
        } else {
            item = decoded(&item, room);
            stet_sf_write_item(&w, &item);
        }
        write_params(&sf, &w);
    }
    assert_int_equal(checked, status == STET_END ? STET_OK : STET_E_SYNTAX);
    assert_int_equal(stet_sf_next(&sf, &member), status);
    if (status != STET_END)
        return status;
    struct stet_span out;
    assert_int_equal(stet_sf_finish(&w, &out), STET_OK);
    text[out.len] = 0;
    return status;
}

static struct stet_sf parser(enum stet_sf_kind kind, const char *value)
{
    struct stet_sf sf;
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): every row has a value */
    stet_sf_begin_value(&sf, kind, guard_at_end(&guard, SPAN(value)));
    return sf;
}

static const struct {
    enum stet_sf_kind kind;
    const char *value;
    const char *want; /* NULL: refused; "": the value itself is canonical */
} values[] = {
    /* items */
    {ITEM, "1", ""},
    {ITEM, "  1  ", "1"},
    {ITEM, "\t1", NULL},
    {ITEM, "1\t", NULL},
    {ITEM, "", NULL},
    {ITEM, " ", NULL},
    {ITEM, "1, 2", NULL},
    {ITEM, "(1)", NULL},
    {ITEM, "1;a;b=2", ""},
    {ITEM, "1; a;  b=?0;c=?1", "1;a;b=?0;c"},
    {ITEM, "1;\ta", NULL},
    {ITEM, "1 ;a", NULL},
    {ITEM, "1;a =1", NULL},
    {ITEM, "1;a= 1", NULL},
    {ITEM, "1;a=", NULL},
    {ITEM, "1;", NULL},
    {ITEM, "1;A", NULL},
    {ITEM, "1;1", NULL},
    {ITEM, "1;*_-.*9z", ""},
    {ITEM, "1;a=(1)", NULL},
    /* numbers */
    {ITEM, "-0", "0"},
    {ITEM, "-1", ""},
    {ITEM, "007", "7"},
    {ITEM, "999999999999999", ""},
    {ITEM, "-999999999999999", ""},
    {ITEM, "1000000000000000", NULL},
    {ITEM, "0000000000000001", NULL},
    {ITEM, "-", NULL},
    {ITEM, "--1", NULL},
    {ITEM, "+1", NULL},
    {ITEM, "1.0", ""},
    {ITEM, "1.50", "1.5"},
    {ITEM, "-1.005", ""},
    {ITEM, "-0.0", "0.0"},
    {ITEM, "-0.001", ""},
    {ITEM, "999999999999.999", ""},
    {ITEM, "1000000000000.0", NULL},
    {ITEM, "1.", NULL},
    {ITEM, ".5", NULL},
    {ITEM, "1.0000", NULL},
    {ITEM, "1.5.5", NULL},
    {ITEM, "1e3", NULL},
    {ITEM, "@1659578233", ""},
    {ITEM, "@-1", ""},
    {ITEM, "@1.5", NULL},
    {ITEM, "@", NULL},
    {ITEM, "@@1", NULL},
    /* strings */
    {ITEM, "\"\"", ""},
    {ITEM, "\"a b~\"", ""},
    {ITEM, "\"\\\"\\\\\"", ""},
    {ITEM, "\"\\a\"", NULL},
    {ITEM, "\"a", NULL},
    {ITEM, "\"a\\\"", NULL},
    {ITEM, "\"a\\", NULL},
    {ITEM, "\"", NULL},
    {ITEM, "\"\t\"", NULL},
    {ITEM, "\"\x7f\"", NULL},
    {ITEM, "\"\xc3\xbc\"", NULL},
    {ITEM, "'a'", NULL},
    /* tokens */
    {ITEM, "a", ""},
    {ITEM, "*", ""},
    {ITEM, "*a:b/c!#$%&'*+-.^_`|~9", ""},
    {ITEM, "a\"b\"", NULL},
    {ITEM, "a(", NULL},
    {ITEM, "!a", NULL},
    {ITEM, "`a", NULL},
    {ITEM, "{a", NULL},
    {ITEM, "[a", NULL},
    {ITEM, "\xc3\xbc", NULL},
    /* byte sequences */
    {ITEM, "::", ""},
    {ITEM, ":aGVsbG8=:", ""},
    {ITEM, ":aGVsbG8:", ":aGVsbG8=:"},
    {ITEM, ":aGVsbG9=:", ":aGVsbG8=:"},
    {ITEM, ":/+8=:", ":/+8=:"},
    {ITEM, ":YQ==:", ""},
    {ITEM, ":YQ:", ":YQ==:"},
    {ITEM, ":YQ=:", NULL},
    {ITEM, ":YWE==:", NULL},
    {ITEM, ":YWFh=:", NULL},
    {ITEM, ":Y:", NULL},
    {ITEM, ":Y===:", NULL},
    {ITEM, ":=:", NULL},
    {ITEM, ":====:", NULL},
    {ITEM, ":Y=Q=:", NULL},
    {ITEM, ":aG Vs:", NULL},
    {ITEM, ":_-8=:", NULL},
    {ITEM, ":aGVs", NULL},
    {ITEM, ":", NULL},
    /* booleans */
    {ITEM, "?1", ""},
    {ITEM, "?0", ""},
    {ITEM, "?", NULL},
    {ITEM, "?2", NULL},
    {ITEM, "?true", NULL},
    {ITEM, "?10", NULL},
    /* display strings */
    {ITEM, "%\"\"", ""},
    {ITEM, "%\"f%c3%bc \\ ok\"", ""},
    {ITEM, "%\"%41%22%25%00\"", "%\"A%22%25%00\""},
    {ITEM, "%\"%f0%9f%92%a9\"", ""},
    {ITEM, "%\"%C3%BC\"", NULL},
    {ITEM, "%\"%c3\"", NULL},
    {ITEM, "%\"%c3%\"", NULL},
    {ITEM, "%\"%c\"", NULL},
    {ITEM, "%\"%", NULL},
    {ITEM, "%\"%4", NULL},
    {ITEM, "%\"\xc3\xbc\"", NULL},
    {ITEM, "%\"\t\"", NULL},
    {ITEM, "%\"a", NULL},
    {ITEM, "%", NULL},
    {ITEM, "%a\"", NULL},
    /* UTF-8: overlong, surrogates, too large, tails alone, cut short */
    {ITEM, "%\"%c0%80\"", NULL},
    {ITEM, "%\"%c1%bf\"", NULL},
    {ITEM, "%\"%e0%9f%bf\"", NULL},
    {ITEM, "%\"%e0%a0%80\"", ""},
    {ITEM, "%\"%ed%9f%bf\"", ""},
    {ITEM, "%\"%ed%a0%80\"", NULL},
    {ITEM, "%\"%ef%bf%bf\"", ""},
    {ITEM, "%\"%f0%8f%bf%bf\"", NULL},
    {ITEM, "%\"%f0%90%80%80\"", ""},
    {ITEM, "%\"%f4%8f%bf%bf\"", ""},
    {ITEM, "%\"%f4%90%80%80\"", NULL},
    {ITEM, "%\"%f5%80%80%80\"", NULL},
    {ITEM, "%\"%ff\"", NULL},
    {ITEM, "%\"%80\"", NULL},
    {ITEM, "%\"%e2%82a\"", NULL},
    {ITEM, "%\"%e2%82%41\"", NULL},
    {ITEM, "%\"%c3%bc%bc\"", NULL},
    /* lists */
    {LIST, "", ""},
    {LIST, "   ", ""},
    {LIST, "\t", NULL},
    {LIST, "1", ""},
    {LIST, "1,2 , 3\t,\t4", "1, 2, 3, 4"},
    {LIST, "1, 2 ", "1, 2"},
    {LIST, "1, 2\t", "1, 2"},
    {LIST, "1,", NULL},
    {LIST, "1, ", NULL},
    {LIST, ",1", NULL},
    {LIST, "1,,2", NULL},
    {LIST, "1 2", NULL},
    {LIST, "1;a=1,2;b", "1;a=1, 2;b"},
    {LIST, "()", ""},
    {LIST, "( )", "()"},
    {LIST, "(1 2)", ""},
    {LIST, "(  1   2  );a, 3", "(1 2);a, 3"},
    {LIST, "(1;x 2;y=z);a=b", ""},
    {LIST, "(\"a\"(b))", NULL},
    {LIST, "(1\t2)", NULL},
    {LIST, "(1,2)", NULL},
    {LIST, "(1", NULL},
    {LIST, "(1 ", NULL},
    {LIST, "(", NULL},
    {LIST, "(1))", NULL},
    {LIST, "(\"a\"\"b\")", NULL},
    {LIST, "(1;)", NULL},
    {LIST, "(1);", NULL},
    {LIST, ")", NULL},
    {LIST, "a=1", NULL},
    /* dictionaries */
    {DICT, "", ""},
    {DICT, "a=1", ""},
    {DICT, "a=1,b=2", "a=1, b=2"},
    {DICT, "a", ""},
    {DICT, "a;x=1, b=?1;y, c=?0", "a;x=1, b;y, c=?0"},
    {DICT, "a=(1 2);x, b=()", ""},
    {DICT, "a=1, a=2", ""}, /* handed out as often as it stands there */
    {DICT, "*=1", ""},
    {DICT, "a =1", NULL},
    {DICT, "a= 1", NULL},
    {DICT, "a=", NULL},
    {DICT, "a=,b", NULL},
    {DICT, "=1", NULL},
    {DICT, "A=1", NULL},
    {DICT, "1=1", NULL},
    {DICT, "a=1,", NULL},
    {DICT, "a=1;", NULL},
    {DICT, "a=1 b=2", NULL},
    {DICT, "a=1=2", NULL},
    {DICT, "\"a\"=1", NULL},
    {DICT, "(1)", NULL},
};

static void test_values(void **state)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char got[TEXT_MAX];
        const char *want = values[i].want && !*values[i].want ? values[i].value : values[i].want;
        if (want && strspn(want, " ") == strlen(want))
            want = "";
        int status = rewrite(parser(values[i].kind, values[i].value), got);
        if (status != (want ? STET_END : STET_E_SYNTAX) || (want && strcmp(got, want) != 0))
            fail_msg("%s: status %d, %s, want %s", values[i].value, status, status == STET_END ? got : "",
                     want ? want : "refused");
        if (!want)
            continue;
        char again[TEXT_MAX];
        assert_int_equal(rewrite(parser(values[i].kind, got), again), STET_END);
        assert_string_equal(again, got);
    }
}

/* Every octet put in every place, and every cut: reading all of it and reading only the members agree. */
static void test_damaged(void **state)
{
    static const char *const whole[] = {"a=(1.5;x \"\\\\\";y=?0 b);z=:YQ==:, c;d=@1, e=%\"%c3%bc\", f=-1"};
    char text[TEXT_MAX], got[TEXT_MAX];
    for (size_t len = strlen(whole[0]), at = 0; at <= len; at++) {
        memcpy(text, whole[0], len + 1);
        for (unsigned octet = 0; octet < 256 && at < len; octet++) {
            text[at] = (char)octet;
            struct stet_sf sf;
            stet_sf_begin_value(&sf, DICT, guard_at_end(&guard, stet_span_of(text, len)));
            int status = rewrite(sf, got);
            assert_true(status == STET_END || status == STET_E_SYNTAX);
            assert_true(status == STET_END || text[at] != whole[0][at]);
            assert_true(status != STET_END || (octet >= 0x20 && octet < 0x7f) || octet == '\t');
        }
        memcpy(text, whole[0], at);
        text[at] = 0;
        rewrite(parser(DICT, text), got);
    }
}

static void test_typed(void **state)
{
    struct stet_sf sf =
        parser(DICT, "i=-42,d=1.05,s=\"a\\\"b\",t=*t/o:k,b=:aGk=:,y=?0,n=@-5,u=%\"%c3%bc\",l=(1)");
    static const struct {
        const char *key;
        enum stet_sf_type type;
        int64_t integer;
        const char *text;
        const char *decoded;
    } want[] = {
        {"i", STET_SF_INTEGER, -42, NULL, NULL},    {"d", STET_SF_DECIMAL, 1050, NULL, NULL},
        {"s", STET_SF_STRING, 0, "a\\\"b", "a\"b"}, {"t", STET_SF_TOKEN, 0, "*t/o:k", "*t/o:k"},
        {"b", STET_SF_BYTES, 0, "aGk=", "hi"},      {"y", STET_SF_BOOLEAN, 0, NULL, NULL},
        {"n", STET_SF_DATE, -5, NULL, NULL},        {"u", STET_SF_DISPLAY_STRING, 0, "%c3%bc", "\xc3\xbc"},
        {"l", STET_SF_INNER_LIST, 0, NULL, NULL},
    };
    struct stet_sf_member member;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char room[TEXT_MAX];
        assert_int_equal(stet_sf_next(&sf, &member), STET_OK);
        assert_true(stet_span_equal(member.key, SPAN(want[i].key)));
        assert_int_equal(member.item.type, want[i].type);
        assert_int_equal(member.item.integer, want[i].integer);
        if (!want[i].text) {
            assert_null(member.item.text.ptr);
            continue;
        }
        assert_true(stet_span_equal(member.item.text, SPAN(want[i].text)));
        size_t len = stet_sf_decode(&member.item, room);
        assert_true(stet_span_equal(stet_span_of(room, len), SPAN(want[i].decoded)));
    }
    assert_int_equal(stet_sf_next(&sf, &member), STET_END);
}

/* All octets through base64 and back, at each length modulo three. */
static void test_bytes_round_trip(void **state)
{
    char octets[256], text[TEXT_MAX], back[TEXT_MAX];
    for (unsigned i = 0; i < 256; i++)
        octets[i] = (char)(i * 167 + 13);
    for (size_t len = 0; len <= sizeof octets; len++) {
        struct stet_sf_item item = {.type = STET_SF_BYTES, .text = stet_span_of(octets, len)};
        struct stet_sf_writer w;
        struct stet_span out;
        stet_sf_write_begin(&w, text, sizeof text);
        stet_sf_write_item(&w, &item);
        assert_int_equal(stet_sf_finish(&w, &out), STET_OK);
        assert_int_equal(out.len, 2 + (len + 2) / 3 * 4);
        struct stet_sf sf;
        struct stet_sf_member member;
        stet_sf_begin_value(&sf, ITEM, out);
        assert_int_equal(stet_sf_next(&sf, &member), STET_OK);
        assert_int_equal(stet_sf_decode(&member.item, back), len);
        assert_memory_equal(back, octets, len);
    }
}

static void test_lines(void **state)
{
    static const struct {
        enum stet_sf_kind kind;
        const char *lines[3];
        const char *want; /* NULL: refused */
    } rows[] = {
        {LIST, {"1", "2", "3"}, "1, 2, 3"},
        {LIST, {"1,2", "3"}, "1, 2, 3"},
        {LIST, {"1 ", " 2"}, "1, 2"},
        {LIST, {"1;a", "(2 3);b"}, "1;a, (2 3);b"},
        {LIST, {NULL}, ""},
        {LIST, {""}, ""},
        {LIST, {"", ""}, NULL},
        {LIST, {"", "1"}, NULL},
        {LIST, {"1", ""}, NULL},
        {LIST, {"1,", "2"}, NULL},
        {LIST, {"1", ",2"}, NULL},
        {LIST, {"(1", "2)"}, NULL},
        {LIST, {"\"a", "b\""}, NULL},
        {LIST, {"1;", "a"}, NULL},
        {DICT, {"a=1", "b", "c=(2)"}, "a=1, b, c=(2)"},
        {DICT, {"a=", "1"}, NULL},
        {ITEM, {"1"}, "1"},
        {ITEM, {"1", "2"}, NULL},
        {ITEM, {"1", ""}, NULL},
        {ITEM, {"", "1"}, NULL},
        {ITEM, {NULL}, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stet_field lines[7];
        struct stet_fields fields = {lines, 0, 1};
        struct stet_sf sf;
        char got[TEXT_MAX];
        for (size_t j = 0; j < 3 && rows[i].lines[j]; j++) {
            lines[fields.count++] =
                (struct stet_field){STET_SPAN("x-SF"), SPAN(rows[i].lines[j]), STET_FIELD_OTHER};
            lines[fields.count++] = (struct stet_field){STET_SPAN("X-SG"), STET_SPAN("(?"), STET_FIELD_OTHER};
        }
        stet_sf_begin(&sf, rows[i].kind, &fields, STET_FIELD_OTHER, STET_SPAN("X-Sf"));
        int status = rewrite(sf, got);
        if (status != (rows[i].want ? STET_END : STET_E_SYNTAX) ||
            (rows[i].want && strcmp(got, rows[i].want) != 0))
            fail_msg("row %zu: status %d", i, status);
    }
}

static void test_lines_of_known_field(void **state)
{
    const struct stet_field line = {STET_SPAN("content-DIGEST"), STET_SPAN("a=1"), STET_FIELD_CONTENT_DIGEST};
    const struct stet_fields fields = {&line, 1, 1ull << STET_FIELD_CONTENT_DIGEST};
    struct stet_sf sf;
    char got[TEXT_MAX];
    stet_sf_begin(&sf, DICT, &fields, STET_FIELD_CONTENT_DIGEST, STET_SPAN_NONE);
    assert_int_equal(rewrite(sf, got), STET_END);
    assert_string_equal(got, "a=1");
    stet_sf_begin(&sf, DICT, &fields, STET_FIELD_OTHER, STET_SPAN("Content-Digest"));
    assert_int_equal(rewrite(sf, got), STET_END);
    assert_string_equal(got, "a=1");
    stet_sf_begin(&sf, DICT, &fields, STET_FIELD_REPR_DIGEST, STET_SPAN_NONE);
    assert_int_equal(rewrite(sf, got), STET_END);
    assert_string_equal(got, "");
}

static void test_partial_reading(void **state)
{
    struct stet_sf sf = parser(LIST, "(1;a 2;b);c;d, 3;e;f");
    struct stet_sf_member member;
    struct stet_sf_item item;
    struct stet_span key;
    /* Before the first member there is nothing to ask for. */
    assert_int_equal(stet_sf_inner(&sf, &item), STET_END);
    assert_int_equal(stet_sf_param(&sf, &key, &item), STET_END);
    assert_int_equal(stet_sf_next(&sf, &member), STET_OK);
    /* The parameters of an inner list, whose items nobody asked for. */
    assert_int_equal(stet_sf_param(&sf, &key, &item), STET_OK);
    assert_true(stet_span_equal(key, STET_SPAN("c")));
    assert_int_equal(stet_sf_inner(&sf, &item), STET_END);
    assert_int_equal(stet_sf_next(&sf, &member), STET_OK);
    assert_int_equal(member.item.integer, 3);
    assert_int_equal(stet_sf_inner(&sf, &item), STET_END);
    assert_int_equal(stet_sf_param(&sf, &key, &item), STET_OK);
    assert_true(stet_span_equal(key, STET_SPAN("e")));
    assert_int_equal(stet_sf_next(&sf, &member), STET_END);
    assert_int_equal(stet_sf_param(&sf, &key, &item), STET_END);

    sf = parser(LIST, "(1;a 2;b);c, 3");
    assert_int_equal(stet_sf_next(&sf, &member), STET_OK);
    assert_int_equal(stet_sf_inner(&sf, &item), STET_OK);
    assert_int_equal(stet_sf_inner(&sf, &item), STET_OK);
    assert_int_equal(item.integer, 2);
    assert_int_equal(stet_sf_param(&sf, &key, &item), STET_OK);
    assert_true(stet_span_equal(key, STET_SPAN("b")));
    assert_int_equal(stet_sf_next(&sf, &member), STET_OK);
    assert_int_equal(member.item.integer, 3);

    /* A failure in what was skipped is a failure, and stays one. */
    sf = parser(LIST, "(1 !), 3");
    assert_int_equal(stet_sf_check(&sf), STET_E_SYNTAX);
    assert_int_equal(stet_sf_next(&sf, &member), STET_OK);
    assert_int_equal(stet_sf_next(&sf, &member), STET_E_SYNTAX);
    assert_int_equal(stet_sf_inner(&sf, &item), STET_E_SYNTAX);
    assert_int_equal(stet_sf_param(&sf, &key, &item), STET_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),          cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_typed),           cmocka_unit_test(test_bytes_round_trip),
        cmocka_unit_test(test_lines),           cmocka_unit_test(test_lines_of_known_field),
        cmocka_unit_test(test_partial_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
