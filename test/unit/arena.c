/* SPDX-License-Identifier: MIT */
/*
 * arena: aligned, within its maximum, and everything gone at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_alignment_and_no_overlap(void **state)
{
    struct stet__arena arena;
    char *at[200];
    stet__arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < 200; i++) {
        at[i] = stet__arena_alloc(&arena, i * 7);
        assert_non_null(at[i]);
        assert_int_equal((uintptr_t)at[i] % _Alignof(max_align_t), 0);
        memset(at[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t j = 0; j < i * 7; j++)
            assert_int_equal((unsigned char)at[i][j], i);
    stet__arena_release(&arena);
}

static void test_maximum(void **state)
{
    struct stet__arena arena;
    stet__arena_init(&arena, 10000);
    assert_null(stet__arena_alloc(&arena, 10001));
    assert_null(stet__arena_alloc(&arena, SIZE_MAX));
    size_t had = 0;
    while (stet__arena_alloc(&arena, 1))
        had++;
    /* Alignment counts, so the maximum bounds the memory too. */
    assert_int_equal(had, 10000 / 16);
    stet__arena_reset(&arena);
    assert_non_null(stet__arena_alloc(&arena, 9000));
    stet__arena_release(&arena);
}

static void test_reset_keeps_a_block(void **state)
{
    struct stet__arena arena;
    stet__arena_init(&arena, 1 << 20);
    for (int i = 0; i < 5; i++)
        assert_non_null(stet__arena_alloc(&arena, 3000));
    stet__arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    const struct stet__arena_block *kept = arena.blocks;
    assert_non_null(kept);
    assert_non_null(stet__arena_alloc(&arena, 3000));
    assert_ptr_equal(arena.blocks, kept);
    stet__arena_release(&arena);
    assert_null(arena.blocks);
}

static void test_copy(void **state)
{
    struct stet__arena arena;
    stet__arena_init(&arena, 32);
    char octets[] = "abc";
    struct stet_span copy = stet__arena_copy(&arena, stet_span_of(octets, 3));
    octets[0] = 'x';
    assert_true(stet_span_equal(copy, STET_SPAN("abc")));
    assert_non_null(stet__arena_copy(&arena, STET_SPAN("")).ptr);
    char more[64] = {0};
    assert_null(stet__arena_copy(&arena, stet_span_of(more, sizeof more)).ptr);
    stet__arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment_and_no_overlap),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_reset_keeps_a_block),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
