/* SPDX-License-Identifier: MIT */
/*
 * What http1.h promises about responses to a C program: spans, cuts, framing whatever the method, unfolding
 * in place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/http1.h>

#include "guard.h"

static struct stet_http1_limits limits = {16384, 8192, 100};
static struct stet_field room[100];
static struct stet_http1_response response;
static struct guard guard;

static int parse(const char *text, enum stet_method method)
{
    struct stet_span input = guard_at_end(&guard, stet_span_of(text, strlen(text)));
    return stet_http1_response_parse(input, method, &limits, room, &response);
}

static void assert_span(struct stet_span got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void test_parts(void **state)
{
    assert_int_equal(
        parse("HTTP/1.1 203 So  so\r\nETag \t: \"a\"\r\nContent-Length: 5,5\r\n\r\nhello", STET_METHOD_GET),
        STET_OK);
    assert_int_equal(response.head.status, 203);
    assert_span(response.head.reason_phrase, "So  so");
    assert_span(response.head.fields.at[0].name, "ETag");
    assert_int_equal(response.head.fields.at[0].id, STET_FIELD_ETAG);
    assert_int_equal(response.body, STET_BODY_LENGTH);
    assert_int_equal(response.content_length, 5);
    assert_true(response.keep_alive);
    assert_int_equal(parse("HTTP/1.1 304\r\n\r\n", STET_METHOD_GET), STET_OK);
    assert_non_null(response.head.reason_phrase.ptr);
    assert_int_equal(response.head.reason_phrase.len, 0);
}

static void test_cuts(void **state)
{
    static const struct {
        const char *text;
        int want;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nA : b\r\n\r\nHTTP/1.1 200", STET_OK},
        {"HTTP/1.1 2000 OK\r\n\r\n", STET_E_STATUS_LINE},
        {"HTTP/1.1 099\r\n\r\n", STET_E_STATUS_LINE},
        {"HTTP/1.1\r\n", STET_E_STATUS_LINE},
        {"HTTP/1.1 200\tOK\r\n", STET_E_STATUS_LINE},
        {"HTTP/1.1 200 a\x01\r\n", STET_E_STATUS_LINE},
        {"HTTP/3.0 200 OK\r\n", STET_E_VERSION_UNSUPPORTED},
        {"HTTP/1.1 200 OK\nA: b\n\n", STET_E_BARE_LF},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n", STET_E_OBS_FOLD},
        {"HTTP/1.1 200 OK\r\nA: b\r\r\n", STET_E_BARE_CR},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", STET_E_STATUS_LINE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool ended = false;
        for (size_t len = 0; len <= strlen(rows[i].text); len++) {
            struct stet_span part = guard_at_end(&guard, stet_span_of(rows[i].text, len));
            int status = stet_http1_response_parse(part, STET_METHOD_GET, &limits, room, &response);
            if (status != STET_MORE || ended || rows[i].text[len] == '\0')
                assert_int_equal(status, rows[i].want);
            ended = status != STET_MORE;
        }
    }
}

static void test_failure_leaves_the_result_alone(void **state)
{
    struct stet_http1_response before;
    memset(&response, 0x5a, sizeof response);
    before = response;
    assert_int_equal(parse("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", STET_METHOD_GET),
                     STET_E_CONTENT_LENGTH);
    assert_memory_equal(&response, &before, sizeof before);
}

struct framing {
    const char *line; /* status line without version, then fields */
    unsigned minor;
    enum stet_method method;
    int status;
    enum stet_body_kind body;
    bool keep_alive;
};

static void test_framing(void **state)
{
    static const struct framing rows[] = {
        {"200 OK\r\n", 1, STET_METHOD_GET, STET_OK, STET_BODY_CLOSE, false},
        {"200 OK\r\nContent-Length: 3\r\n", 0, STET_METHOD_GET, STET_OK, STET_BODY_LENGTH, false},
        {"200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n", 0, STET_METHOD_GET, STET_OK,
         STET_BODY_LENGTH, true},
        {"200 OK\r\nContent-Length: 3\r\nContent-Length: 03\r\n", 1, STET_METHOD_GET, STET_OK,
         STET_BODY_LENGTH, true},
        {"200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n", 1, STET_METHOD_GET,
         STET_E_CONTENT_LENGTH_CONFLICT, 0, 0},
        {"200 OK\r\nContent-Length: \r\n", 1, STET_METHOD_GET, STET_E_CONTENT_LENGTH, 0, 0},
        {"200 OK\r\nTransfer-Encoding: chunked\r\n", 1, STET_METHOD_GET, STET_OK, STET_BODY_CHUNKED, true},
        {"200 OK\r\nTransfer-Encoding: chunked\r\n", 0, STET_METHOD_GET, STET_OK, STET_BODY_CLOSE, false},
        {"204 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n", 0, STET_METHOD_GET, STET_OK,
         STET_BODY_NONE, false},
        {"200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", 1, STET_METHOD_GET,
         STET_E_LENGTH_AND_CODING, 0, 0},
        {"200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", 1, STET_METHOD_GET, STET_E_CODING_UNKNOWN, 0, 0},
        {"200 OK\r\nTransfer-Encoding: chunked, chunked\r\n", 1, STET_METHOD_GET, STET_E_CODING_NOT_FINAL, 0,
         0},
        {"200 OK\r\nTransfer-Encoding: chunked, gzip\r\n", 1, STET_METHOD_GET, STET_OK, STET_BODY_CLOSE,
         false},
        {"304 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: x\r\n", 1, STET_METHOD_GET, STET_OK,
         STET_BODY_NONE, true},
        {"200 OK\r\nTransfer-Encoding: chunked\r\n", 1, STET_METHOD_HEAD, STET_OK, STET_BODY_NONE, true},
        {"200 OK\r\nContent-Length: 3\r\n", 1, STET_METHOD_CONNECT, STET_OK, STET_BODY_NONE, true},
        {"101 OK\r\nConnection: upgrade\r\n", 1, STET_METHOD_GET, STET_OK, STET_BODY_NONE, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "HTTP/1.%u %s\r\n", rows[i].minor, rows[i].line);
        assert_int_equal(parse(text, rows[i].method), rows[i].status);
        if (rows[i].status != STET_OK)
            continue;
        assert_int_equal(response.body, rows[i].body);
        assert_int_equal(response.keep_alive, rows[i].keep_alive);
        assert_int_equal(response.content_length, rows[i].body == STET_BODY_LENGTH ? 3 : 0);
    }
}

static void test_unfold(void **state)
{
    char text[] = "HTTP/1.1 200 OK\r\nA: b,\r\n c\r\n\t\r\nD: e\r\n\r\n f\r\n g";
    struct stet_span input = {text, sizeof text - 1};
    assert_int_equal(parse(text, STET_METHOD_GET), STET_E_OBS_FOLD);
    stet_http1_response_unfold(text, input.len);
    assert_string_equal(text, "HTTP/1.1 200 OK\r\nA: b,   c  \t\r\nD: e\r\n\r\n f\r\n g");
    assert_int_equal(parse(text, STET_METHOD_GET), STET_OK);
    assert_span(response.head.fields.at[0].value, "b,   c");
    assert_int_equal(response.head.fields.count, 2);
}

/* The result is the same if the octets come one by one and each call unfolds what is there. */
static void test_unfold_in_pieces(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n x\r\n y";
    char come[sizeof text] = {0};
    for (size_t len = 1; len < sizeof text; len++) {
        come[len - 1] = text[len - 1];
        struct stet_span input = guard_at_end(&guard, stet_span_of(come, len));
        char *octets = come + (input.len - len);
        stet_http1_response_unfold(octets, len);
    }
    assert_string_equal(come, "HTTP/1.1 200 OK\r\nA: b   c\r\n\r\n x\r\n y");
}

static void test_unfold_leaves_the_first_line_alone(void **state)
{
    char text[] = "HTTP/1.1 200 OK\r\n A: b\r\n\r\n";
    stet_http1_response_unfold(text, sizeof text - 1);
    assert_int_equal(parse(text, STET_METHOD_GET), STET_E_OBS_FOLD);
    stet_http1_response_unfold(text, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_failure_leaves_the_result_alone),
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_unfold),
        cmocka_unit_test(test_unfold_in_pieces),
        cmocka_unit_test(test_unfold_leaves_the_first_line_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
