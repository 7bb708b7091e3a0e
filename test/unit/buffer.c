/* SPDX-License-Identifier: MIT */
/*
 * buffer: grows to its maximum and not beyond; a failure changes nothing and sticks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"

static void test_grows(void **state)
{
    struct stet__buffer buffer;
    stet__buffer_init(&buffer, SIZE_MAX);
    assert_null(buffer.ptr);
    for (unsigned i = 0; i < 5000; i++) {
        char octet = (char)i;
        assert_true(stet__buffer_append(&buffer, stet_span_of(&octet, 1)));
    }
    assert_int_equal(buffer.len, 5000);
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(buffer.ptr[i], (char)i);
    stet__buffer_release(&buffer);
    assert_null(buffer.ptr);
    assert_int_equal(buffer.room, 0);
}

static void test_maximum_sticks(void **state)
{
    struct stet__buffer buffer;
    stet__buffer_init(&buffer, 10);
    assert_true(stet__buffer_append(&buffer, STET_SPAN("12345678")));
    assert_false(stet__buffer_append(&buffer, STET_SPAN("abc")));
    assert_true(buffer.failed);
    assert_false(stet__buffer_append(&buffer, STET_SPAN("a")));
    assert_false(stet__buffer_append(&buffer, STET_SPAN("")));
    assert_true(stet_span_equal(stet__buffer_span(&buffer), STET_SPAN("12345678")));
    stet__buffer_clear(&buffer);
    assert_true(stet__buffer_append(&buffer, STET_SPAN("0123456789")));
    assert_int_equal(buffer.room, 10);
    stet__buffer_release(&buffer);
}

/* A maximum that is no power of two can be used to its end. */
static void test_whole_maximum(void **state)
{
    struct stet__buffer buffer;
    stet__buffer_init(&buffer, 1000);
    assert_non_null(stet__buffer_reserve(&buffer, 1000));
    assert_int_equal(buffer.room, 1000);
    assert_null(stet__buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.failed);
    stet__buffer_release(&buffer);
}

static void test_numbers(void **state)
{
    struct stet__buffer buffer;
    stet__buffer_init(&buffer, 100);
    assert_true(stet__buffer_append_u64(&buffer, 0));
    assert_true(stet__buffer_append_u64(&buffer, UINT64_MAX));
    assert_true(stet_span_equal(stet__buffer_span(&buffer), STET_SPAN("018446744073709551615")));
    stet__buffer_release(&buffer);
}

static void test_consume(void **state)
{
    struct stet__buffer buffer;
    stet__buffer_init(&buffer, 100);
    assert_true(stet__buffer_append(&buffer, STET_SPAN("abcdef")));
    stet__buffer_consume(&buffer, 0);
    stet__buffer_consume(&buffer, 2);
    assert_true(stet_span_equal(stet__buffer_span(&buffer), STET_SPAN("cdef")));
    stet__buffer_consume(&buffer, 4);
    assert_int_equal(buffer.len, 0);
    stet__buffer_release(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),         cmocka_unit_test(test_maximum_sticks),
        cmocka_unit_test(test_whole_maximum), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_consume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
