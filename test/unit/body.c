/* SPDX-License-Identifier: MIT */
/*
 * body: octets in every place that they can stand in, told and not told, with and without memory files, read
 * while they come by other threads, trimmed, joined, counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include "store/body.h"

#define SPAN(text) stet_span_of(text, strlen(text))

/* The octet at `offset` of every body here. */
static char octet(uint64_t offset)
{
    return (char)(offset * 7 + offset / 251 + offset / 65521);
}

static bool append(struct stet__body *body, uint64_t from, size_t n)
{
    char *octets = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        octets[i] = octet(from + i);
    bool appended = stet__body_append(body, stet_span_of(octets, n));
    free(octets);
    return appended;
}

/* Fills a body up to `length` in steps of `step`. */
static struct stet__body *filled(uint64_t expected, uint64_t length, size_t step)
{
    struct stet__body *body = stet__body_new(expected);
    assert_non_null(body);
    for (uint64_t at = 0; at < length; at += step)
        assert_true(append(body, at, length - at < step ? (size_t)(length - at) : step));
    return body;
}

static void expect_octets(const struct stet__body *body, uint64_t offset, size_t n)
{
    char *copy = malloc(n + 1);
    assert_int_equal(stet__body_copy(body, offset, n, copy), n);
    for (size_t i = 0; i < n; i++)
        if (copy[i] != octet(offset + i))
            fail_msg("octet %llu", (unsigned long long)(offset + i));
    free(copy);
}

static const uint64_t lengths[] = {0,     1,     2047,  2048,  2049,   4096,   32767,  32768,
                                   32769, 65535, 65536, 65537, 131072, 200000, 1100000};

static void check_lengths(void)
{
    static const size_t steps[] = {1000, 4096, 70000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (size_t j = 0; j < 2 * sizeof steps / sizeof *steps; j++) {
            bool told = j % 2 == 0;
            struct stet__body *body =
                filled(told ? lengths[i] : STET__BODY_LENGTH_UNKNOWN, lengths[i], steps[j / 2]);
            assert_int_equal(stet__body_length(body), lengths[i]);
            assert_int_equal(stet__body_state(body), STET__BODY_GROWING);
            stet__body_finish(body, true);
            assert_int_equal(stet__body_state(body), STET__BODY_COMPLETE);
            expect_octets(body, 0, (size_t)lengths[i]);
            expect_octets(body, lengths[i] / 3, (size_t)(lengths[i] / 2));
            assert_true(stet__body_bytes(body) >= lengths[i]);
            stet__body_release(body);
        }
}

static void test_lengths(void **state)
{
    check_lengths();
}

/* Bodies do without files if descriptors have run out. */
static void test_no_descriptors(void **state)
{
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    check_lengths();
    struct stet__body *body = filled(100000, 100000, 3000);
    struct stet__part part;
    assert_true(stet__body_read(body, 70000, 10, &part));
    assert_non_null(part.memory.ptr);
    stet__body_release(body);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Small ones stand in one piece, large ones in a file. */
static void test_parts(void **state)
{
    struct stet__part part;
    struct stet__body *small = filled(30000, 30000, 1000);
    assert_true(stet__body_read(small, 10, UINT64_MAX, &part));
    assert_int_equal(part.memory.len, 29990);
    assert_false(stet__body_read(small, 30000, 1, &part));
    stet__body_release(small);

    struct stet__body *large = filled(100000, 100000, 1000);
    assert_true(stet__body_read(large, 10, 1000, &part));
    assert_null(part.memory.ptr);
    assert_true(part.fd >= 0 && part.offset == 10 && part.length == 1000);
    int fd = part.fd;
    stet__body_release(large);
    assert_int_equal(fcntl(fd, F_GETFD), -1);

    struct stet__body *grown = filled(STET__BODY_LENGTH_UNKNOWN, 100000, 1000);
    assert_true(stet__body_read(grown, 5000, UINT64_MAX, &part));
    assert_int_equal(part.memory.len, 8192 - 5000);
    assert_true(stet__body_read(grown, 50000, UINT64_MAX, &part));
    assert_true(!part.memory.ptr && part.offset == 50000 - STET__BODY_FILE_BYTES && part.length == 50000);
    stet__body_release(grown);
}

/* More than was told is refused: nothing is written where it does not belong. */
static void test_more_than_told(void **state)
{
    struct stet__body *body = filled(10, 10, 10);
    assert_false(stet__body_append(body, SPAN("x")));
    assert_true(stet__body_append(body, SPAN("")));
    assert_int_equal(stet__body_length(body), 10);
    stet__body_finish(body, false);
    assert_int_equal(stet__body_state(body), STET__BODY_CUT);
    stet__body_release(body);
}

static void test_of_and_join(void **state)
{
    struct stet__body *empty = stet__body_of(stet_span_of("", 0));
    assert_int_equal(stet__body_state(empty), STET__BODY_COMPLETE);
    assert_int_equal(stet__body_length(empty), 0);
    static const uint64_t firsts[] = {0, 5, 32768, 90000};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 3; j++) {
            struct stet__body *first = filled(STET__BODY_LENGTH_UNKNOWN, firsts[i], 4096);
            struct stet__body *second = filled(70000 * j + 1, 70000 * j + 1, 10000);
            uint64_t skip = j == 2 ? 70001 : j;
            struct stet__body *joined = stet__body_join(first, second, skip);
            assert_int_equal(stet__body_length(joined), firsts[i] + 70000 * j + 1 - skip);
            expect_octets(joined, 0, (size_t)firsts[i]);
            struct stet__body *same = stet__body_join(empty, second, 0);
            expect_octets(same, 0, (size_t)(70000 * j + 1));
            char copied;
            if (stet__body_copy(joined, firsts[i], 1, &copied) == 1)
                assert_int_equal(copied, octet(skip));
            assert_int_equal(stet__body_state(joined), STET__BODY_COMPLETE);
            stet__body_release(same);
            stet__body_release(joined);
            stet__body_release(first);
            stet__body_release(second);
        }
    stet__body_release(empty);
}

/* A body that is streamed takes little memory, however long it is. */
static void check_trim(uint64_t expected)
{
    struct stet__body *body = stet__body_new(expected);
    for (uint64_t at = 0; at < 20 * 1024 * 1024; at += 50000) {
        assert_true(append(body, at, 50000));
        expect_octets(body, at, 50000);
        stet__body_trim(body, at + 50000);
        assert_true(stet__body_bytes(body) < 700 * 1024);
    }
    stet__body_trim(body, 100);
    stet__body_trim(body, UINT64_MAX);
    /* What is gone is not read, whoever comes late. */
    struct stet__part part;
    assert_true(stet__body_trimmed(body) > 0 && stet__body_lost(body));
    assert_false(stet__body_read(body, 0, 10, &part));
    assert_false(stet__body_read(body, stet__body_trimmed(body) - 1, 10, &part));
    assert_true(stet__body_read(body, stet__body_trimmed(body), 10, &part) ||
                stet__body_trimmed(body) == stet__body_length(body));
    stet__body_finish(body, true);
    stet__body_release(body);
}

static void test_trim(void **state)
{
    struct rlimit limit, none;
    check_trim(STET__BODY_LENGTH_UNKNOWN);
    check_trim(30 * 1024 * 1024);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    check_trim(STET__BODY_LENGTH_UNKNOWN);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct stet__body *small = filled(100, 100, 100);
    stet__body_trim(small, 50);
    expect_octets(small, 50, 50);
    stet__body_release(small);
}

static void *read_along(void *arg)
{
    struct stet__body *body = arg;
    uint64_t at = 0;
    for (;;) {
        enum stet__body_state state = stet__body_state(body);
        uint64_t length = stet__body_length(body);
        char copy[3000];
        size_t n = stet__body_copy(body, at, sizeof copy, copy);
        for (size_t i = 0; i < n; i++)
            if (copy[i] != octet(at + i))
                return NULL;
        at += n;
        if (state != STET__BODY_GROWING && at == length)
            break;
        if (n == 0)
            sched_yield();
    }
    stet__body_release(body);
    return arg;
}

static void test_threads(void **state)
{
    for (unsigned round = 0; round < 4; round++) {
        struct stet__body *body = stet__body_new(round % 2 ? 400000 : STET__BODY_LENGTH_UNKNOWN);
        pthread_t threads[3];
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, read_along, stet__body_acquire(body)), 0);
        for (uint64_t at = 0; at < 400000; at += 1000)
            assert_true(append(body, at, 1000));
        stet__body_finish(body, true);
        for (size_t i = 0; i < 3; i++) {
            void *good = NULL;
            pthread_join(threads[i], &good);
            assert_ptr_equal(good, body);
        }
        stet__body_release(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),     cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_parts),       cmocka_unit_test(test_more_than_told),
        cmocka_unit_test(test_of_and_join), cmocka_unit_test(test_trim),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
