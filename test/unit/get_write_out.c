/* SPDX-License-Identifier: MIT */
/*
 * get_write_out: what -w and --json say of one URL, and what they refuse before anything is fetched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/get_write_out.h"

static const struct stet__get_result result = {
    .code = 200,
    .origin_code = 304,
    .source = STET__GET_VALIDATED,
    .reason = STET_REASON_FRESH,
    .had = true,
    .saved_octets = 1234,
    .age_s = 7,
    .etag = "\"x\"",
    .transfer = {.major = 1,
                 .minor = 1,
                 .connected_us = 1500,
                 .first_octet_us = 2000001,
                 .address = "::1",
                 .port = 80},
};

#define TEXT(literal)               \
    {                               \
        literal, sizeof literal - 1 \
    }

/* clang-format off */
static const struct stet_field lines[] = {
    {TEXT("Via"), TEXT("1.1 a"), STET_FIELD_OTHER},
    {TEXT("X-Odd"), TEXT("caf\xE9 \"q\"\t"), STET_FIELD_OTHER},
    {TEXT("VIA"), TEXT("1.1 b"), STET_FIELD_OTHER},
};
/* clang-format on */

static const struct stet__get_facts facts = {
    .url = "h/a",
    .url_effective = "https://h/a",
    .method = "GET",
    .file = "a",
    .number = 2,
    .field_count = 3,
    .fields = {lines, 3, 1},
    .total_us = 1234567,
    .result = &result,
};

/* What is written to out, and to err behind it. */
static char *written(const char *format)
{
    char *out = NULL, *err = NULL;
    size_t out_len, err_len;
    FILE *to = open_memstream(&out, &out_len), *other = open_memstream(&err, &err_len);
    assert_null(stet__write_out_check(format));
    stet__write_out(format, &facts, to, other);
    fclose(to);
    fclose(other);
    char *both = malloc(out_len + err_len + 1);
    assert_non_null(both);
    memcpy(both, out, out_len);
    memcpy(both + out_len, err, err_len + 1);
    free(out);
    free(err);
    return both;
}

static void is_written(const char *format, const char *wanted)
{
    char *got = written(format);
    assert_string_equal(got, wanted);
    free(got);
}

static void test_variables(void **state)
{
    is_written("%{http_code} %{response_code} %{origin_code}\n", "200 200 304\n");
    is_written("%{cache}/%{cache_reason}/%{cache_age}/%{cache_saved}/%{cache_changed}/%{cache_had}",
               "validated/fresh/7/1234/0/1");
    is_written("%{url}|%{url_effective}|%{scheme}|%{urlnum}|%{filename_effective}",
               "h/a|https://h/a|https|2|a");
    is_written("%{time_connect} %{time_starttransfer} %{time_total}", "0.001500 2.000001 1.234567");
    is_written("%{http_version} %{remote_ip}:%{remote_port} %{etag}", "1.1 ::1:80 \"x\"");
    is_written("[%{redirect_url}%{errormsg}%{content_type}]", "[]");
}

static void test_text(void **state)
{
    is_written("", "");
    is_written("100%% \\n\\t\\r\\\\", "100% \n\t\r\\");
    is_written("%d % \\x \\", "%d % \\x \\");
    is_written("a%{stderr}b%{stdout}c", "acb");
}

static void test_fields(void **state)
{
    is_written("%header{via}", "1.1 a, 1.1 b");
    is_written("[%header{absent}]", "[]");
}

static void test_what_is_refused(void **state)
{
    assert_string_equal(stet__write_out_check("%{http_cod}"),
                        "there is no variable http_cod; did you mean http_code?");
    assert_non_null(stet__write_out_check("%{"));
    assert_non_null(stet__write_out_check("a %{url"));
    assert_non_null(stet__write_out_check("%{}"));
    assert_non_null(stet__write_out_check("%header{}"));
    assert_non_null(stet__write_out_check("%header{a b}"));
}

static void test_json(void **state)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    assert_true(stet__write_out_json(&facts, out));
    fclose(out);
    assert_ptr_equal(memchr(text, '\n', len), text + len - 1);
    json_t *got = json_loads(text, 0, NULL);
    assert_non_null(got);
    assert_int_equal(json_integer_value(json_object_get(got, "http_code")), 200);
    assert_string_equal(json_string_value(json_object_get(got, "cache")), "validated");
    assert_true(json_is_false(json_object_get(got, "cache_changed")));
    assert_true(json_is_true(json_object_get(got, "cache_had")));
    assert_true(json_real_value(json_object_get(got, "time_total")) > 1.2345);
    assert_null(json_object_get(got, "errormsg"));
    json_decref(got);
    free(text);
}

/* Octets that are no UTF-8 are told as Latin-1, not dropped. */
static void test_json_of_fields(void **state)
{
    char *text = written("%{header_json}");
    json_t *got = json_loads(text, 0, NULL), *via = json_object_get(got, "via");
    assert_int_equal(json_array_size(via), 2);
    assert_string_equal(json_string_value(json_array_get(via, 1)), "1.1 b");
    assert_string_equal(json_string_value(json_array_get(json_object_get(got, "x-odd"), 0)),
                        "caf\xC3\xA9 \"q\"\t");
    json_decref(got);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables), cmocka_unit_test(test_text),
        cmocka_unit_test(test_fields),    cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_json),      cmocka_unit_test(test_json_of_fields),
    };
    return cmocka_run_group_tests_name("get_write_out", tests, NULL, NULL);
}
