/* SPDX-License-Identifier: MIT */
/*
 * What http1.h promises about the chunked coding: pieces, limits, final failures, 64-bit sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/http1.h>

#include "guard.h"

static struct guard guard;
static char data_read[10000];
static size_t data_len, rest_len;

/* Reads `text` in pieces of `step` octets; returns how it ended. */
static int read_in(const char *text, size_t step, size_t trailer_limit)
{
    struct stet_chunked chunked;
    struct stet_span all = {text, strlen(text)}, data;
    int status = STET_MORE;
    stet_chunked_begin(&chunked, trailer_limit);
    data_len = 0;
    while (status == STET_MORE && all.len > 0) {
        size_t len = all.len < step ? all.len : step;
        struct stet_span piece = guard_at_end(&guard, stet_span_of(all.ptr, len));
        all = stet_span_skip(all, len);
        while ((status = stet_chunked_next(&chunked, &piece, &data)) == STET_OK) {
            memcpy(data_read + data_len, data.ptr, data.len);
            data_len += data.len;
        }
        rest_len = all.len + piece.len;
    }
    return status;
}

static void assert_reads(const char *text, int status, const char *data)
{
    for (size_t step = 1; step <= strlen(text); step++) {
        assert_int_equal(read_in(text, step, 100), status);
        assert_int_equal(data_len, strlen(data));
        assert_memory_equal(data_read, data, data_len);
    }
}

static void test_pieces(void **state)
{
    assert_reads("5\r\nhello\r\n006;a=\"\\\";\";b\r\n world\r\n0\r\nA: b\r\n\r\nGET", STET_END,
                 "hello world");
    assert_int_equal(rest_len, 3);
    assert_reads("5\r\nhello\r\n0\r\n\r", STET_MORE, "hello");
    assert_reads("5\r\nhelloo\r\n", STET_E_CHUNK_END, "hello");
    assert_reads("5 \r\nhello\r\n", STET_E_CHUNK_EXTENSION, "");
    assert_reads("5;\r\nhello\r\n", STET_E_CHUNK_EXTENSION, "");
    assert_reads("5;a=\r\nhello\r\n", STET_E_CHUNK_EXTENSION, "");
    assert_reads("5;a=\"b\"c\r\nhello\r\n", STET_E_CHUNK_EXTENSION, "");
    assert_reads("5;a b\r\nhello\r\n", STET_E_CHUNK_EXTENSION, "");
    assert_reads("5;a=\"b\r\nhello\r\n", STET_E_CHUNK_EXTENSION, "");
    assert_reads("5;a\nhello\r\n", STET_E_BARE_LF, "");
    assert_reads("5\rhello", STET_E_BARE_CR, "");
    assert_reads("\r\n5\r\nhello", STET_E_CHUNK_SIZE, "");
}

static void test_sizes(void **state)
{
    struct stet_chunked chunked;
    struct stet_span input = STET_SPAN("fFfFfFfFfFfFfFfF\r\nabc"), data;
    stet_chunked_begin(&chunked, 0);
    assert_int_equal(stet_chunked_next(&chunked, &input, &data), STET_OK);
    assert_int_equal(data.len, 3);
    assert_int_equal(stet_chunked_next(&chunked, &input, &data), STET_MORE);
    assert_reads("10000000000000000\r\n", STET_E_CHUNK_SIZE, "");
    assert_reads("fffffffffffffffff\r\n", STET_E_CHUNK_SIZE, "");
}

static void test_end_and_failure_are_final(void **state)
{
    struct stet_chunked chunked;
    struct stet_span input = STET_SPAN("0\r\n\r\n0\r\n\r\n"), data = STET_SPAN_NONE;
    stet_chunked_begin(&chunked, 0);
    assert_int_equal(stet_chunked_next(&chunked, &input, &data), STET_END);
    assert_int_equal(stet_chunked_next(&chunked, &input, &data), STET_END);
    assert_int_equal(input.len, 5);
    stet_chunked_begin(&chunked, 0);
    input = STET_SPAN("x");
    assert_int_equal(stet_chunked_next(&chunked, &input, &data), STET_E_CHUNK_SIZE);
    input = STET_SPAN("0\r\n\r\n");
    assert_int_equal(stet_chunked_next(&chunked, &input, &data), STET_E_CHUNK_SIZE);
    assert_int_equal(input.len, 5);
    assert_null(data.ptr);
}

static void test_line_limit(void **state)
{
    char text[STET_CHUNK_LINE_MAX + 100];
    for (int over = 0; over < 2; over++) {
        int len = STET_CHUNK_LINE_MAX - 3 + over;
        memset(text, 'x', sizeof text);
        memcpy(text, "1;x", 3);
        snprintf(text + 3 + len, sizeof text - 3 - (size_t)len, "\r\na\r\n0\r\n\r\n");
        assert_int_equal(read_in(text, 1000, 0), over ? STET_E_CHUNK_EXTENSION : STET_END);
        memset(text, '0', (size_t)len + 3);
        /* nothing but zeros: the last chunk, if the line is short enough, and then "a" stands in the trailer
         * section */
        assert_int_equal(read_in(text, 1000, 0), over ? STET_E_CHUNK_SIZE : STET_E_TRAILER_TOO_LARGE);
    }
}

/* One octet of data behind a long line, again and again, is refused; as long a line before as much data is
 * not. */
static void test_overhead(void **state)
{
    static char line[2100];
    static const char data_after[] = "0123456789";
    struct stet_chunked chunked;
    struct stet_span data;
    int status = STET_MORE, lines = 0;
    size_t n = (size_t)snprintf(line, sizeof line, "1;%02000d\r\nx\r\n", 0);
    for (stet_chunked_begin(&chunked, 0); status == STET_MORE && lines < 100; lines++) {
        struct stet_span input = {line, n};
        while ((status = stet_chunked_next(&chunked, &input, &data)) == STET_OK)
            assert_int_equal(data.len, 1);
    }
    assert_int_equal(status, STET_E_CHUNK_EXTENSION);
    assert_int_equal(lines, STET_CHUNK_OVERHEAD_MAX / 1984 + 1);
    n = (size_t)snprintf(line, sizeof line, "a;0123456789abcdef\r\n%s\r\n", data_after);
    status = STET_MORE;
    for (stet_chunked_begin(&chunked, 0); status == STET_MORE && lines < 10000; lines++) {
        struct stet_span input = {line, n};
        while ((status = stet_chunked_next(&chunked, &input, &data)) == STET_OK)
            assert_int_equal(data.len, 10);
    }
    assert_int_equal(status, STET_MORE);
}

static void test_trailer(void **state)
{
    assert_int_equal(read_in("0\r\nA: b\r\nC: d\r\n\r\n", 100, 12), STET_END);
    assert_int_equal(read_in("0\r\nA: b\r\nC: d\r\n\r\n", 100, 11), STET_E_TRAILER_TOO_LARGE);
    assert_int_equal(read_in("0\r\n\r\n", 100, 0), STET_END);
    assert_reads("0\r\nA : b\r\n\r\n", STET_E_SPACE_BEFORE_COLON, "");
    assert_reads("0\r\nA\r\n\r\n", STET_E_FIELD_NAME, "");
    assert_reads("0\r\nA: b\r\n c\r\n\r\n", STET_E_OBS_FOLD, "");
    assert_reads("0\r\nA: \x7f\r\n\r\n", STET_E_FIELD_VALUE, "");
    assert_reads("0\r\nA: b\rC: d\r\n\r\n", STET_E_BARE_CR, "");
    assert_reads("0\r\n\rX", STET_E_BARE_CR, "");
}

/* The section that the caller keeps is the same however the body is cut. */
static void test_trailers_kept(void **state)
{
    const char *text = "1\r\nx\r\n0\r\nETag: \"a\"\r\nLength: 1 \r\n\r\nGET";
    const char *section = "ETag: \"a\"\r\nLength: 1 \r\n\r\n";
    for (size_t step = 1; step <= strlen(text); step++) {
        struct stet_chunked chunked;
        struct stet_span all = {text, strlen(text)}, data;
        char kept[100];
        size_t len = 0;
        int status = STET_MORE;
        stet_chunked_begin(&chunked, 100);
        while (status != STET_END) {
            struct stet_span piece = {all.ptr, all.len < step ? all.len : step};
            all = stet_span_skip(all, piece.len);
            do {
                status = stet_chunked_next(&chunked, &piece, &data);
                memcpy(kept + len, chunked.trailers.len > 0 ? chunked.trailers.ptr : "",
                       chunked.trailers.len);
                len += chunked.trailers.len;
            } while (status == STET_OK);
        }
        assert_int_equal(len, strlen(section));
        assert_memory_equal(kept, section, len);
    }
}

static void test_trailers_parsed(void **state)
{
    struct stet_field room[2];
    struct stet_fields fields;
    struct stet_span section = STET_SPAN("ETag: \"a\"\r\nLength: 1 \r\n\r\n");
    assert_int_equal(stet_trailers_parse(section, 1, room, &fields), STET_E_TOO_MANY_FIELDS);
    assert_int_equal(stet_trailers_parse(section, 2, room, &fields), STET_OK);
    assert_int_equal(fields.count, 2);
    assert_true(stet_span_equal(fields.at[1].value, STET_SPAN("1")));
    assert_true(stet_trailer_keeps(&fields.at[0]));
    assert_true(stet_trailer_keeps(&fields.at[1]));
    assert_int_equal(stet_trailers_parse(STET_SPAN("\r\n"), 2, room, &fields), STET_OK);
    assert_int_equal(fields.count, 0);
    assert_int_equal(stet_trailers_parse(STET_SPAN("Content-Length: 1\r\nTE: x\r\n\r\n"), 2, room, &fields),
                     STET_OK);
    assert_false(stet_trailer_keeps(&fields.at[0]));
    assert_false(stet_trailer_keeps(&fields.at[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_end_and_failure_are_final),
        cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_overhead),
        cmocka_unit_test(test_trailer),
        cmocka_unit_test(test_trailers_kept),
        cmocka_unit_test(test_trailers_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
