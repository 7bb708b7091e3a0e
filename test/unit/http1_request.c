/* SPDX-License-Identifier: MIT */
/*
 * What http1.h promises about requests to a C program: spans, limits, `seen`, untouched out-parameters, and
 * the class of every octet at every place. What the grammar means is in test/spec.
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
static struct stet_http1_request request;
static struct guard guard;

static int parse(struct stet_span input)
{
    return stet_http1_request_parse(guard_at_end(&guard, input), 0, &limits, room, &request);
}

static int parse_text(const char *text)
{
    return parse(stet_span_of(text, strlen(text)));
}

static void assert_span(struct stet_span got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void test_parts(void **state)
{
    assert_int_equal(parse_text("\r\nGET /a?b HTTP/1.1\r\nHost: h:1\r\nEtag:  \t\r\nX-Y:  z \t\r\n\r\nbody"),
                     STET_OK);
    assert_int_equal(request.head.method, STET_METHOD_GET);
    assert_span(request.head.method_name, "GET");
    assert_span(request.head.target, "/a?b");
    assert_span(request.path_query, "/a?b");
    assert_span(request.authority, "h:1");
    assert_int_equal(request.head.fields.count, 3);
    assert_ptr_equal(request.head.fields.at, room);
    assert_int_equal(room[1].id, STET_FIELD_ETAG);
    assert_non_null(room[1].value.ptr);
    assert_int_equal(room[1].value.len, 0);
    assert_span(room[2].name, "X-Y");
    assert_span(room[2].value, "z");
    uint64_t present = 1ull << STET_FIELD_HOST | 1ull << STET_FIELD_ETAG | 1ull << STET_FIELD_OTHER;
    assert_int_equal(request.head.fields.present, present);
    assert_int_equal(request.head_len, 55);
}

static void test_absolute_form(void **state)
{
    assert_int_equal(parse_text("GET https://a:8/x?y HTTP/1.1\r\nHost: b\r\n\r\n"), STET_OK);
    assert_int_equal(request.form, STET_TARGET_ABSOLUTE);
    assert_span(request.authority, "a:8");
    assert_span(request.path_query, "/x?y");
    assert_int_equal(parse_text("GET http://a HTTP/1.1\r\nHost: b\r\n\r\n"), STET_OK);
    assert_span(request.path_query, "/");
    assert_int_equal(parse_text("GET http://a?q HTTP/1.1\r\nHost: b\r\n\r\n"), STET_OK);
    assert_span(request.path_query, "?q");
}

static void test_absolute_form_refused(void **state)
{
    static const char *const targets[] = {"http://",     "http:///x",    "http://u@a/", "http:/a",
                                          "http",        "https",        "ftp://a/",    "httpx://a/",
                                          "http://a:b/", "http://[::1/", "//",          "http://?q"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char text[100];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i]);
        int want = targets[i][0] == '/' ? STET_OK : STET_E_TARGET;
        assert_int_equal(parse_text(text), want);
    }
}

static void test_failure_leaves_the_result_alone(void **state)
{
    struct stet_http1_request before;
    memset(&request, 0x5a, sizeof request);
    before = request;
    assert_int_equal(parse_text("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), STET_E_HOST_REPEATED);
    assert_memory_equal(&request, &before, sizeof before);
    assert_int_equal(parse_text("GET / HTTP/1.1\r\nHost: a\r\n"), STET_MORE);
    assert_memory_equal(&request, &before, sizeof before);
}

/* Every cut, with every count of octets seen before, gives what the whole gives. */
static void assert_cuts(const char *text, int want)
{
    struct stet_span input = {text, strlen(text)};
    bool ended = false;
    for (size_t len = 0; len <= input.len; len++) {
        struct stet_span part = guard_at_end(&guard, stet_span_of(text, len));
        int status = stet_http1_request_parse(part, 0, &limits, room, &request);
        if (status != STET_MORE || ended || len == input.len)
            assert_int_equal(status, want);
        for (size_t seen = 1; seen < len && !ended; seen++)
            assert_int_equal(stet_http1_request_parse(part, seen, &limits, room, &request), status);
        ended = status != STET_MORE;
    }
}

static void test_cuts(void **state)
{
    assert_cuts("\r\nGET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nGET", STET_OK);
    assert_cuts("GET /\x01 HTTP/1.1\r\n", STET_E_TARGET);
    assert_cuts("GET / HTTP/1.1\r\nHost: a\r\nA: b\rc\r\n\r\n", STET_E_BARE_CR);
    assert_cuts("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", STET_E_OBS_FOLD);
    assert_cuts("GET / HTTP/1.1\nHost: a\n", STET_E_BARE_LF);
    assert_cuts("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", STET_E_VERSION_UNSUPPORTED);
    assert_cuts("GET / HTTP/1.1\r\nA \t : b\r\n", STET_E_SPACE_BEFORE_COLON);
    assert_cuts("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", STET_E_REQUEST_LINE);
    assert_cuts("\r\n\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n", STET_OK);
    assert_cuts("\rGET / HTTP/1.1\r\n", STET_E_BARE_CR);
}

/* What speaks another protocol is told so at once; it may never send LF. */
static void test_first_octet(void **state)
{
    static const char tchars[] = "!#$%&'*+-.^_`|~";
    for (int c = 0; c < 256; c++) {
        char octet = (char)c;
        bool tchar = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                     (c != 0 && memchr(tchars, c, sizeof tchars - 1));
        int want = tchar || c == '\r' ? STET_MORE : c == '\n' ? STET_E_BARE_LF : STET_E_METHOD;
        assert_int_equal(parse(stet_span_of(&octet, 1)), want);
    }
}

/* Each octet at each place of an element, in all alignments: what scans many octets at once agrees with the
 * grammar. */
static void assert_octets(const char *before, const char *after, bool (*allowed)(int c))
{
    char text[200];
    for (size_t len = 1; len <= 40; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 1; c < 256; c++) {
                int n = snprintf(text, sizeof text, "%s%.*s%s", before, (int)len,
                                 "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", after);
                text[strlen(before) + at] = (char)c;
                int status =
                    stet_http1_request_parse(stet_span_of(text, (size_t)n), 0, &limits, room, &request);
                if (allowed(c) != (status == STET_OK))
                    fail_msg("octet %d at %zu of %zu after '%s': %d", c, at, len, before, status);
            }
}

static bool in_value(int c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool in_target(int c)
{
    return c > 0x20 && c < 0x7f && !strchr("\"#<>", c);
}

static bool in_name(int c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80) ||
           strchr("!#$%&'*+-.^_`|~:", c);
}

static bool in_host(int c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80) ||
           strchr("-._~!$&'()*+,;=", c);
}

static void test_octets(void **state)
{
    assert_octets("GET / HTTP/1.0\r\nX: a", "a\r\nY: aaaaaaaaaaaaaaaaaaaaa\r\n\r\n", in_value);
    assert_octets("GET / HTTP/1.0\r\nX: a", "a\r\n\r\n", in_value);
    assert_octets("GET /a", "a HTTP/1.0\r\nX: aaaaaaaaaaaaaaaaaaa\r\n\r\n", in_target);
    assert_octets("GET /", " HTTP/1.0\r\n\r\n", in_target);
    assert_octets("GET / HTTP/1.0\r\nx", "x:\r\n\r\n", in_name);
    assert_octets("GET / HTTP/1.0\r\nHost:a", "a\r\n\r\n", in_host);
}

static void test_limits(void **state)
{
    static const char text[] = "GET /12345 HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
    struct stet_http1_limits usual = limits;
    limits = (struct stet_http1_limits){sizeof text - 1, 6, 2};
    assert_cuts(text, STET_OK);
    limits.head_bytes--;
    assert_cuts(text, STET_E_HEAD_TOO_LARGE);
    limits = (struct stet_http1_limits){1000, 5, 2};
    assert_cuts(text, STET_E_TARGET_TOO_LONG);
    limits = (struct stet_http1_limits){1000, 6, 1};
    assert_cuts(text, STET_E_TOO_MANY_FIELDS);
    limits = (struct stet_http1_limits){8, 1000, 100}; /* the head is too large because its target is */
    assert_cuts(text, STET_E_TARGET_TOO_LONG);
    limits = usual;
    assert_cuts("MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM / HTTP/1.0\r\n\r\n", STET_OK);
    assert_cuts("MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM / HTTP/1.0\r\n\r\n", STET_E_METHOD_TOO_LONG);
}

static const char *const good_hosts[] = {"",
                                         ":",
                                         "a:",
                                         "a.b-c_d~e",
                                         "%41",
                                         "[::]",
                                         "[::1]:80",
                                         "[1:2:3:4:5:6:7:8]",
                                         "[1::8]",
                                         "[::ffff:1.2.3.4]",
                                         "[1:2:3:4:5:6:1.2.3.4]",
                                         "[1:2:3:4:5:6:7::]",
                                         "[v1.a:b]",
                                         "1.2.3.4",
                                         "999.1"};

static const char *const bad_hosts[] = {"a@b",
                                        "%4",
                                        "%4g",
                                        "%",
                                        "[",
                                        "[]",
                                        "[:]",
                                        "[:::]",
                                        "[1]",
                                        "[1:2:3:4:5:6:7:8:9]",
                                        "[1::2::3]",
                                        "[12345::]",
                                        "[::1]x",
                                        "[::1]]",
                                        "[1:2:3:4:5:6:7:8::]",
                                        "[::1.2.3]",
                                        "[::1.2.3.256]",
                                        "[::1.2.3.4:5]",
                                        "[::01.2.3.4]",
                                        "[fe80::1%25eth0]",
                                        "[v.a]",
                                        "[v1.]",
                                        "[1:2:3:4:5:6:7:1.2.3.4]",
                                        "[1:]",
                                        "a:1:2",
                                        "a:x",
                                        "a:-1",
                                        "/",
                                        "a/b",
                                        "a?b",
                                        "a b",
                                        "[::1.2.3.4.5]"};

static void test_hosts(void **state)
{
    char text[100];
    for (size_t i = 0; i < sizeof good_hosts / sizeof *good_hosts; i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", good_hosts[i]);
        assert_int_equal(parse_text(text), STET_OK);
        assert_span(request.authority, good_hosts[i]);
        assert_non_null(request.authority.ptr);
    }
    for (size_t i = 0; i < sizeof bad_hosts / sizeof *bad_hosts; i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", bad_hosts[i]);
        assert_int_equal(parse_text(text), STET_E_HOST);
    }
}

static void test_authority_form(void **state)
{
    static const char *const bad[] = {"a", "a:", ":80", "a:80/", "http://a/", "*", "u@a:80"};
    char text[100];
    assert_int_equal(parse_text("CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n"), STET_OK);
    assert_span(request.authority, "[::1]:443");
    assert_null(request.path_query.ptr);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", bad[i]);
        assert_int_equal(parse_text(text), STET_E_TARGET);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_absolute_form),
        cmocka_unit_test(test_absolute_form_refused),
        cmocka_unit_test(test_failure_leaves_the_result_alone),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_first_octet),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_authority_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
