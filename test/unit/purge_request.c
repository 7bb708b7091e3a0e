/* SPDX-License-Identifier: MIT */
/*
 * purge_request: what is read of the admin's JSON, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/purge_request.h"

static const char *read(const char *body, struct stet__purge_request *out)
{
    return stet__purge_read(stet_span_of(body, strlen(body)), out);
}

static void assert_next(struct stet__purge_request *request, const char *expected)
{
    char room[256];
    struct stet_span selector;
    bool more = stet__purge_next(request, room, &selector);
    assert_int_equal(more, expected != NULL);
    if (expected) {
        assert_int_equal(selector.len, strlen(expected));
        assert_memory_equal(selector.ptr, expected, selector.len);
    }
}

static void reads_uris(void **state)
{
    (void)state;
    struct stet__purge_request request;
    assert_null(read("{\"type\":\"uri\",\"selectors\":[\"http://h/a\",\"http://h/b\"]}", &request));
    assert_int_equal(request.type, STET__PURGE_URI);
    assert_false(request.hard);
    assert_next(&request, "http://h/a");
    assert_next(&request, "http://h/b");
    assert_next(&request, NULL);
    assert_null(
        read(" { \"purge\" : true , \"selectors\" : [ \"x\" , \"y\" ] ,\n\t\"type\" : \"uri-prefix\" } \r\n",
             &request));
    assert_int_equal(request.type, STET__PURGE_PREFIX);
    assert_true(request.hard);
    assert_next(&request, "x");
    assert_next(&request, "y");
    assert_next(&request, NULL);
}

static void reads_the_other_types(void **state)
{
    (void)state;
    struct stet__purge_request request;
    assert_null(read("{\"type\":\"all\"}", &request));
    assert_int_equal(request.type, STET__PURGE_ALL);
    assert_next(&request, NULL);
    assert_null(read("{\"type\":\"origin\",\"selectors\":[]}", &request));
    assert_int_equal(request.type, STET__PURGE_ORIGIN);
    assert_next(&request, NULL);
    assert_null(
        read("{\"type\":\"group\",\"origin\":\"http://h\",\"selectors\":[\"g\"],\"purge\":false}", &request));
    assert_int_equal(request.type, STET__PURGE_GROUP);
    assert_int_equal(request.origin.len, 8);
    assert_next(&request, "g");
}

static void decodes_strings(void **state)
{
    (void)state;
    struct stet__purge_request request;
    assert_null(read(
        "{\"type\":\"group\",\"selectors\":[\"a\\\"\\\\\\/\\n\\u0041\\u00e9\\u20ac\\ud83d\\ude00z\", \"\"]}",
        &request));
    assert_next(&request, "a\"\\/\nA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    assert_next(&request, "");
    assert_next(&request, NULL);
}

static void passes_over_what_it_does_not_know(void **state)
{
    (void)state;
    struct stet__purge_request request;
    assert_null(read("{\"a\":{\"b\":[1,-2.5e3,{\"c\":null}],\"d\":{}},\"type\":\"uri\",\"e\":[],\"f\":\"]}\","
                     "\"selectors\":[\"s\"]}",
                     &request));
    assert_next(&request, "s");
    assert_null(read("{\"x\":[[[],[]],[{}]],\"type\":\"all\"}", &request));
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{}",
        "{\"type\":\"uri\"}",
        "{\"type\":\"urn\",\"selectors\":[]}",
        "{\"type\":uri,\"selectors\":[]}",
        "{\"type\":\"all\",\"selectors\":[\"x\"]}",
        "{\"type\":\"uri\",\"selectors\":\"x\"}",
        "{\"type\":\"uri\",\"selectors\":[1]}",
        "{\"type\":\"uri\",\"selectors\":[\"x\",]}",
        "{\"type\":\"uri\",\"selectors\":[\"x\"}",
        "{\"type\":\"uri\",\"selectors\":[\"x\"]",
        "{\"type\":\"uri\",\"selectors\":[\"x\"]}}",
        "{\"type\":\"uri\",\"selectors\":[\"x\"],}",
        "{\"type\":\"uri\",\"selectors\":[\"x\"],\"purge\":1}",
        "{\"type\":\"uri\",\"selectors\":[\"x\"],\"purge\":}",
        "{\"type\":\"uri\",\"selectors\":[\"\\ud83d\"]}",
        "{\"type\":\"uri\",\"selectors\":[\"\\ud83d\\u0041\"]}",
        "{\"type\":\"uri\",\"selectors\":[\"\\ude00\"]}",
        "{\"type\":\"uri\",\"selectors\":[\"\\x\"]}",
        "{\"type\":\"uri\",\"selectors\":[\"\\u12g4\"]}",
        "{\"type\":\"uri\",\"selectors\":[\"a\nb\"]}",
        "{\"type\":\"uri\",\"selectors\":[\"a",
        "{\"type\":\"uri\",\"selectors\":[\"a\\",
        "{\"type\":\"all\",\"x\":[}]}",
        "{\"type\":\"all\",\"x\":{\"a\"}}",
        "{\"type\":\"all\",\"x\":{\"a\":1,}}",
        "{\"type\":\"all\",\"x\":}",
        "{\"type\" \"all\"}",
        "{type:\"all\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct stet__purge_request request = {.type = STET__PURGE_GROUP};
        if (!read(bad[i], &request))
            fail_msg("not refused: %s", bad[i]);
        assert_int_equal(request.type, STET__PURGE_GROUP);
    }
}

static void bounds_the_depth(void **state)
{
    (void)state;
    char body[200] = "{\"type\":\"all\",\"x\":";
    struct stet__purge_request request;
    size_t len = strlen(body);
    for (size_t depth = 1; depth <= STET__PURGE_DEPTH + 1; depth++) {
        memset(body + len, '[', depth);
        memset(body + len + depth, ']', depth);
        body[len + 2 * depth] = '}';
        bool read_well = !stet__purge_read(stet_span_of(body, len + 2 * depth + 1), &request);
        assert_int_equal(read_well, depth <= STET__PURGE_DEPTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_uris),      cmocka_unit_test(reads_the_other_types),
        cmocka_unit_test(decodes_strings), cmocka_unit_test(passes_over_what_it_does_not_know),
        cmocka_unit_test(refuses),         cmocka_unit_test(bounds_the_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
