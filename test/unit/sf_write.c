/* SPDX-License-Identifier: MIT */
/*
 * sf, the serialiser: what cannot be expressed, calls that no structure has, and a buffer of every size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/sf.h>

#define MAX INT64_C(999999999999999)
#define TEXT_MAX 512

static void test_items(void **state)
{
    static const struct {
        struct stet_sf_item item;
        const char *want; /* NULL: refused */
    } rows[] = {
        {{STET_SF_INTEGER, 0, {NULL, 0}}, "0"},
        {{STET_SF_INTEGER, MAX, {NULL, 0}}, "999999999999999"},
        {{STET_SF_INTEGER, -MAX, {NULL, 0}}, "-999999999999999"},
        {{STET_SF_INTEGER, MAX + 1, {NULL, 0}}, NULL},
        {{STET_SF_INTEGER, -MAX - 1, {NULL, 0}}, NULL},
        {{STET_SF_INTEGER, INT64_MIN, {NULL, 0}}, NULL},
        {{STET_SF_DECIMAL, 0, {NULL, 0}}, "0.0"},
        {{STET_SF_DECIMAL, -1, {NULL, 0}}, "-0.001"},
        {{STET_SF_DECIMAL, 1050, {NULL, 0}}, "1.05"},
        {{STET_SF_DECIMAL, 100500, {NULL, 0}}, "100.5"},
        {{STET_SF_DECIMAL, MAX, {NULL, 0}}, "999999999999.999"},
        {{STET_SF_DECIMAL, -MAX, {NULL, 0}}, "-999999999999.999"},
        {{STET_SF_DECIMAL, MAX + 1, {NULL, 0}}, NULL},
        {{STET_SF_DECIMAL, INT64_MIN, {NULL, 0}}, NULL},
        {{STET_SF_STRING, 0, {"a\"\\~ ", 5}}, "\"a\\\"\\\\~ \""},
        {{STET_SF_STRING, 0, {NULL, 0}}, "\"\""},
        {{STET_SF_STRING, 0, {"\0", 1}}, NULL},
        {{STET_SF_STRING, 0, {"a\x7f", 2}}, NULL},
        {{STET_SF_STRING, 0, {"\xc3\xbc", 2}}, NULL},
        {{STET_SF_TOKEN, 0, {"a:/*", 4}}, "a:/*"},
        {{STET_SF_TOKEN, 0, {"", 0}}, NULL},
        {{STET_SF_TOKEN, 0, {"1a", 2}}, NULL},
        {{STET_SF_TOKEN, 0, {"a b", 3}}, NULL},
        {{STET_SF_TOKEN, 0, {"a\"", 2}}, NULL},
        {{STET_SF_BYTES, 0, {NULL, 0}}, "::"},
        {{STET_SF_BYTES, 0, {"\xff\0", 2}}, ":/wA=:"},
        {{STET_SF_BOOLEAN, 1, {NULL, 0}}, "?1"},
        {{STET_SF_BOOLEAN, 0, {NULL, 0}}, "?0"},
        {{STET_SF_BOOLEAN, 2, {NULL, 0}}, NULL},
        {{STET_SF_BOOLEAN, -1, {NULL, 0}}, NULL},
        {{STET_SF_DATE, -1, {NULL, 0}}, "@-1"},
        {{STET_SF_DATE, MAX + 1, {NULL, 0}}, NULL},
        {{STET_SF_DISPLAY_STRING, 0, {"f\xc3\xbc\"%\n\\", 7}}, "%\"f%c3%bc%22%25%0a\\\""},
        {{STET_SF_DISPLAY_STRING, 0, {"\0\x7f", 2}}, "%\"%00%7f\""},
        {{STET_SF_DISPLAY_STRING, 0, {"\xc3", 1}}, NULL},
        {{STET_SF_DISPLAY_STRING, 0, {"\xed\xa0\x80", 3}}, NULL},
        {{STET_SF_DISPLAY_STRING, 0, {"\xff", 1}}, NULL},
        {{STET_SF_INNER_LIST, 0, {NULL, 0}}, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TEXT_MAX];
        struct stet_sf_writer w;
        struct stet_span out = STET_SPAN("untouched");
        stet_sf_write_begin(&w, text, sizeof text);
        stet_sf_write_item(&w, &rows[i].item);
        int status = stet_sf_finish(&w, &out);
        const char *want = rows[i].want ? rows[i].want : "untouched";
        if (status != (rows[i].want ? STET_OK : STET_E_SYNTAX) ||
            !stet_span_equal(out, stet_span_of(want, strlen(want))))
            fail_msg("row %zu: %d, %.*s, want %s", i, status, (int)out.len, out.ptr, want);
    }
}

/* Letters for calls: k key, i item, t true, ( and ) inner list, p parameter. */
static int play(const char *calls, char *text, size_t room, struct stet_span *out)
{
    const struct stet_sf_item one = {.type = STET_SF_INTEGER, .integer = 1};
    const struct stet_sf_item yes = {.type = STET_SF_BOOLEAN, .integer = 1};
    struct stet_sf_writer w;
    stet_sf_write_begin(&w, text, room);
    for (; *calls; calls++) {
        switch (*calls) {
        case 'k':
            stet_sf_write_key(&w, STET_SPAN("k"));
            break;
        case 'i':
            stet_sf_write_item(&w, &one);
            break;
        case 't':
            stet_sf_write_item(&w, &yes);
            break;
        case '(':
            stet_sf_write_inner_begin(&w);
            break;
        case ')':
            stet_sf_write_inner_end(&w);
            break;
        case 'p':
            stet_sf_write_param(&w, STET_SPAN("p"), NULL);
            break;
        default:
            fail_msg("no such call: %s", calls);
        }
    }
    return stet_sf_finish(&w, out);
}

static void test_order_of_calls(void **state)
{
    static const struct {
        const char *calls;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"", ""},
        {"i", "1"},
        {"iii", "1, 1, 1"},
        {"ippi", "1;p;p, 1"},
        {"t", "?1"},
        {"kt", "k"},
        {"ktpki", "k;p, k=1"},
        {"k(i)p", "k=(1);p"},
        {"()", "()"},
        {"(ipip)pi", "(1;p 1;p);p, 1"},
        {"(t)", "(?1)"},
        {"p", NULL},
        {"kp", NULL},
        {"(p)", NULL},
        {"k", NULL},
        {"ik", NULL},
        {"kk", NULL},
        {"kki", NULL},
        {"(", NULL},
        {"(i", NULL},
        {")", NULL},
        {"i)", NULL},
        {"())", NULL},
        {"((i))", NULL},
        {"(ki)", NULL},
        {"(k", NULL},
        {"k)", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[TEXT_MAX];
        struct stet_span out = STET_SPAN("untouched");
        int status = play(rows[i].calls, text, sizeof text, &out);
        const char *want = rows[i].want ? rows[i].want : "untouched";
        if (status != (rows[i].want ? STET_OK : STET_E_SYNTAX) ||
            !stet_span_equal(out, stet_span_of(want, strlen(want))))
            fail_msg("%s: %d, %.*s", rows[i].calls, status, (int)out.len, out.ptr);
    }
}

static void test_keys(void **state)
{
    static const char *const refused[] = {"", "A", "aA", "1", "-a", "a b", "a=", "_", ".", "a\x80"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char text[TEXT_MAX];
        const struct stet_span key = {refused[i], strlen(refused[i])};
        const struct stet_sf_item one = {.type = STET_SF_INTEGER, .integer = 1};
        struct stet_sf_writer w;
        struct stet_span out;
        stet_sf_write_begin(&w, text, sizeof text);
        stet_sf_write_key(&w, key);
        stet_sf_write_item(&w, &one);
        assert_int_equal(stet_sf_finish(&w, &out), STET_E_SYNTAX);
        stet_sf_write_begin(&w, text, sizeof text);
        stet_sf_write_item(&w, &one);
        stet_sf_write_param(&w, key, &one);
        assert_int_equal(stet_sf_finish(&w, &out), STET_E_SYNTAX);
    }
}

/* Nothing is written behind the room, and the failure is the same wherever it ends. */
static void test_every_room(void **state)
{
    static const char calls[] = "kipk(itp)pktk(i)";
    char whole[TEXT_MAX], text[TEXT_MAX];
    struct stet_span out;
    assert_int_equal(play(calls, whole, sizeof whole, &out), STET_OK);
    size_t len = out.len;
    for (size_t room = 0; room <= len + 1; room++) {
        memset(text, '#', sizeof text);
        int status = play(calls, text, room, &out);
        assert_int_equal(status, room < len ? STET_E_NO_ROOM : STET_OK);
        for (size_t i = room; i < sizeof text; i++)
            assert_true(text[i] == '#');
        if (status == STET_OK)
            assert_true(stet_span_equal(out, stet_span_of(whole, len)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_every_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
