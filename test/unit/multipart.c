/* SPDX-License-Identifier: MIT */
/*
 * multipart: the parts put together are the body of RFC 9110 section 15.3.7.2, and their lengths add up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/multipart.h"

static const char secret[192] = "not random, but long enough for the hash that is keyed with it";

static struct stet_range_set ranges_of(const char *value, uint64_t length)
{
    struct stet_range_set set = stet_range_judge(stet_span_of(value, strlen(value)), length);
    assert_int_equal(set.verdict, STET_RANGE_SATISFIABLE);
    return set;
}

static void writes_the_body(void **state)
{
    (void)state;
    struct stet_range_set set = ranges_of("bytes=0-0,5-6", 10);
    struct stet__part body = {.memory = STET_SPAN("0123456789"), .fd = -1, .length = 10};
    struct stet__multipart_source source = {STET_SPAN("text/plain"), 10, &body};
    struct stet__part parts[STET__MULTIPART_PARTS];
    char boundary[STET__BOUNDARY_LEN], whole[512];
    memset(boundary, 'B', sizeof(boundary));
    char *text = malloc(stet__multipart_text_max(&set, source.type));
    size_t count = stet__multipart_parts(&source, &set, boundary, text, parts), len = 0;
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(parts[i].length, parts[i].memory.len);
        memcpy(whole + len, parts[i].memory.ptr, parts[i].memory.len);
        len += parts[i].memory.len;
    }
    whole[len] = '\0';
    free(text);
    assert_string_equal(whole, "\r\n--BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\r\nContent-Type: text/plain\r\n"
                               "Content-Range: bytes 0-0/10\r\n\r\n0"
                               "\r\n--BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB\r\nContent-Type: text/plain\r\n"
                               "Content-Range: bytes 5-6/10\r\n\r\n56"
                               "\r\n--BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB--\r\n");
}

/* The most parts, the longest numbers: what text_max says is enough (the sanitizer watches). */
static void has_room(void **state)
{
    (void)state;
    struct stet_range_set set = {.verdict = STET_RANGE_SATISFIABLE, .count = STET_RANGES_MAX};
    for (size_t i = 0; i < set.count; i++)
        set.at[i] = (struct stet_range){UINT64_MAX - 100 + 2 * i, UINT64_MAX - 100 + 2 * i};
    struct stet__part body = {.fd = 7, .length = UINT64_MAX}, parts[STET__MULTIPART_PARTS];
    struct stet__multipart_source source = {STET_SPAN("application/octet-stream"), UINT64_MAX, &body};
    char boundary[STET__BOUNDARY_LEN];
    stet__multipart_boundary(secret, sizeof(secret), STET_SPAN("tag"), &set, boundary);
    size_t room = stet__multipart_text_max(&set, source.type), used = 0;
    char *text = malloc(room);
    size_t count = stet__multipart_parts(&source, &set, boundary, text, parts);
    assert_int_equal(count, STET__MULTIPART_PARTS);
    for (size_t i = 0; i < count; i++)
        used += parts[i].memory.ptr ? parts[i].memory.len : 0;
    assert_true(used <= room);
    assert_int_equal(parts[3].fd, 7);
    assert_true(parts[3].offset == UINT64_MAX - 98 && parts[3].length == 1);
    free(text);
}

static void has_its_boundary(void **state)
{
    (void)state;
    struct stet_range_set one = ranges_of("bytes=0-0,5-6", 10), other = ranges_of("bytes=0-0,5-7", 10);
    char a[STET__BOUNDARY_LEN], b[STET__BOUNDARY_LEN], other_secret[sizeof(secret)] = "another";
    stet__multipart_boundary(secret, sizeof(secret), STET_SPAN("x"), &one, a);
    stet__multipart_boundary(secret, sizeof(secret), STET_SPAN("x"), &one, b);
    assert_memory_equal(a, b, sizeof(a));
    stet__multipart_boundary(secret, sizeof(secret), STET_SPAN("x"), &other, b);
    assert_memory_not_equal(a, b, sizeof(a));
    stet__multipart_boundary(secret, sizeof(secret), STET_SPAN("y"), &one, b);
    assert_memory_not_equal(a, b, sizeof(a));
    stet__multipart_boundary(other_secret, sizeof(other_secret), STET_SPAN("x"), &one, b);
    assert_memory_not_equal(a, b, sizeof(a));
    for (size_t i = 0; i < sizeof(a); i++)
        assert_non_null(memchr("0123456789abcdef", a[i], 16));
}

static void cuts_parts(void **state)
{
    (void)state;
    struct stet__part file = {.fd = 5, .offset = 100, .length = 50};
    struct stet__part cut = stet__part_of_range(&file, (struct stet_range){10, 19});
    assert_null(cut.memory.ptr);
    assert_int_equal(cut.offset, 110);
    assert_int_equal(cut.length, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_body),
        cmocka_unit_test(has_room),
        cmocka_unit_test(has_its_boundary),
        cmocka_unit_test(cuts_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
