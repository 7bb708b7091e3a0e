/* SPDX-License-Identifier: MIT */
/*
 * explain_tally: lines of access logs are counted as what they are, whoever has written them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "explain/tally.h"

static void add(struct stet__tally *tally, const char *line)
{
    stet__tally_line(tally, stet_span_of(line, strlen(line)));
}

static uint64_t count_of(const struct stet__tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->row_count; i++)
        if (strcmp(tally->rows[i].name, name) == 0)
            return tally->rows[i].count;
    fail_msg("there is no row %s", name);
    return 0;
}

#define WHEN "192.0.2.1 - - [21/Nov/2026:09:30:00 +0000] "

static void test_own_formats(void **state)
{
    struct stet__tally *tally = stet__tally_new();
    assert_non_null(tally);
    add(tally, WHEN "\"GET / HTTP/1.1\" 304 0 if-none-match-matches\n");
    add(tally, WHEN "\"GET / HTTP/1.1\" 200 12 \"http://a/\" \"curl \\x22 b\" ok aborted\n");
    add(tally, "{\"time\":\"2026-11-21T09:30:00Z\",\"peer\":\"192.0.2.1\",\"method\":\"GET\",\"status\":304,"
               "\"bytes\":0,"
               "\"reason\":\"if-none-match-matches\"}");
    add(tally, WHEN "\"-\" 400 5 request-line");
    add(tally, "log: 17 records dropped");
    add(tally, "{\"dropped\":3}");
    assert_int_equal(tally->answers, 4);
    assert_int_equal(tally->octets, 17);
    assert_int_equal(tally->gets, 3);
    assert_int_equal(tally->not_modified, 2);
    assert_int_equal(tally->aborted, 1);
    assert_int_equal(tally->dropped, 20);
    assert_int_equal(tally->unreadable, 0);
    assert_int_equal(count_of(tally, "if-none-match-matches"), 2);
    assert_int_equal(count_of(tally, "ok"), 1);
    stet__tally_free(tally);
}

static void test_formats_of_others(void **state)
{
    struct stet__tally *tally = stet__tally_new();
    assert_non_null(tally);
    add(tally, WHEN "\"GET /a\\\" HTTP/1.1\" 304 -\r\n");
    add(tally, WHEN "\"POST /a HTTP/1.1\" 200 1234 \"-\" \"Mozilla/5.0 (X11; \\\"x\\\")\"");
    add(tally, "host:80 ::1 - user name [21/Nov/2026:09:30:00 +0000] \"GET / HTTP/2.0\" 404 153");
    add(tally, WHEN "\"GET / HTTP/1.1\" 200 1 \"-\" \"-\" not-a-reason 0.001");
    assert_int_equal(tally->answers, 4);
    assert_int_equal(tally->octets, 1388);
    assert_int_equal(tally->gets, 3);
    assert_int_equal(count_of(tally, "status-304"), 1);
    assert_int_equal(count_of(tally, "status-404"), 1);
    assert_int_equal(count_of(tally, "status-200"), 2);
    stet__tally_free(tally);
}

static void test_no_log(void **state)
{
    static const char *const lines[] = {"hello",
                                        "[]",
                                        "{\"a\":1}",
                                        "{broken",
                                        WHEN "\"GET / HTTP/1.1\" abc 1",
                                        WHEN "\"GET / HTTP/1.1\" 99 1",
                                        WHEN "\"GET / HTTP/1.1\" 1000 1",
                                        WHEN "\"GET / HTTP/1.1\\",
                                        WHEN,
                                        "log: x records dropped"};
    struct stet__tally *tally = stet__tally_new();
    assert_non_null(tally);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        add(tally, lines[i]);
    add(tally, "\n");
    assert_int_equal(tally->unreadable, sizeof lines / sizeof *lines);
    assert_int_equal(tally->answers, 0);
    assert_int_equal(stet__tally_sort(tally), 0);
    stet__tally_free(tally);
}

static void test_told(void **state)
{
    struct stet__tally *tally = stet__tally_new();
    struct stet__buffer text;
    assert_non_null(tally);
    add(tally, WHEN "\"GET / HTTP/1.1\" 200 1500 ok");
    add(tally, WHEN "\"GET / HTTP/1.1\" 304 0 if-none-match-matches");
    add(tally, WHEN "\"GET / HTTP/1.1\" 304 0 if-none-match-matches");
    size_t count = stet__tally_sort(tally);
    assert_int_equal(count, 2);
    stet__buffer_init(&text, 1u << 16);
    stet__tally_write(tally, count, false, &text);
    assert_true(stet__buffer_append(&text, stet_span_of("", 1)));
    assert_string_equal(
        text.ptr,
        "3 answers, 1.5 kB of content. 2 of 3 GETs got a 304: 66.7 %.\n\n"
        "         2   66.7 %  if-none-match-matches  A tag of If-None-Match equals the current one by "
        "weak comparison.\n"
        "         1   33.3 %  ok                     The selected representation is sent.\n");
    stet__buffer_release(&text);
    json_t *json = stet__tally_json(tally, count);
    assert_int_equal(json_integer_value(json_object_get(json, "answers")), 3);
    assert_int_equal(json_array_size(json_object_get(json, "reasons")), 2);
    json_decref(json);
    stet__tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_formats),
        cmocka_unit_test(test_formats_of_others),
        cmocka_unit_test(test_no_log),
        cmocka_unit_test(test_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
