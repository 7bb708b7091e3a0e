/* SPDX-License-Identifier: MIT */
/* base/json.h: whatever came is valid text of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static void check(struct stet_span octets, struct stet_span wanted)
{
    json_t *json = stet__json_text(octets);
    assert_true(json_is_string(json));
    assert_int_equal(json_string_length(json), wanted.len);
    assert_memory_equal(json_string_value(json), wanted.ptr, wanted.len);
    json_decref(json);
}

static void test_text(void **state)
{
    static const struct {
        struct stet_span octets, wanted;
    } rows[] = {
        {{"", 0}, {"", 0}},
        {{"a\"b\x1b", 4}, {"a\"b\x1b", 4}},
        {{"a\0b", 3}, {"a\0b", 3}},
        {{"\xc3\xa9", 2}, {"\xc3\xa9", 2}},
        {{"caf\xe9", 4}, {"caf\xc3\xa9", 5}},
        {{"\xff", 1}, {"\xc3\xbf", 2}},
        {{"\xc3\xa9\x80", 3}, {"\xc3\x83\xc2\xa9\xc2\x80", 6}},
        {{"\xc0\xaf", 2}, {"\xc3\x80\xc2\xaf", 4}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check(rows[i].octets, rows[i].wanted);
}

static void test_absent(void **state)
{
    (void)state;
    assert_true(json_is_null(stet__json_text(STET_SPAN_NONE)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_absent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
