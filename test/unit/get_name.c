/* SPDX-License-Identifier: MIT */
/*
 * get_name: URLs as people type them, names of files that lead nowhere else, lines of --input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/get_name.h"

static struct stet_span span(const char *text)
{
    return stet_span_of(text, strlen(text));
}

static void is_uri(const char *typed, const char *wanted)
{
    const char *wrong = "";
    char *uri = stet__get_uri(span(typed), &wrong);
    assert_null(wrong);
    assert_string_equal(uri, wanted);
    free(uri);
}

static void is_no_uri(const char *typed)
{
    const char *wrong = NULL;
    assert_null(stet__get_uri(span(typed), &wrong));
    assert_non_null(wrong);
}

static void test_uris(void **state)
{
    is_uri("http://example.com/", "http://example.com/");
    is_uri("example.com", "http://example.com");
    is_uri("example.com:8080/a?b=http://c/", "http://example.com:8080/a?b=http://c/");
    is_uri("127.0.0.1:8304/x", "http://127.0.0.1:8304/x");
    is_uri("HTTPS://Example.com/A", "https://Example.com/A");
    is_uri("http://example.com/a#part", "http://example.com/a");
    is_uri("http://example.com/a b\xC3\xA9<>\"", "http://example.com/a%20b%C3%A9%3C%3E%22");
    is_uri("http://example.com/[1-3]{a,b}", "http://example.com/[1-3]{a,b}");
    is_uri("http://example.com/a@b", "http://example.com/a@b");
    is_uri("http://example.com?mail=a@b", "http://example.com?mail=a@b");
    is_uri("h?mail=a@b", "http://h?mail=a@b");
    is_uri("http://[::1]:80/", "http://[::1]:80/");
}

static void test_what_is_no_uri(void **state)
{
    is_no_uri("");
    is_no_uri("http://");
    is_no_uri("ftp://example.com/");
    is_no_uri("file:///etc/passwd");
    is_no_uri("http://name:secret@example.com/");
    is_no_uri("name@example.com");
    is_no_uri("https://name@example.com?a");
    is_no_uri("http://example.com:99999/");
}

static void is_named(const char *uri, const char *wanted)
{
    struct stet_span name = stet__get_remote_name(uri);
    if (!wanted) {
        assert_null(name.ptr);
        return;
    }
    assert_int_equal(name.len, strlen(wanted));
    assert_memory_equal(name.ptr, wanted, name.len);
}

static void test_remote_names(void **state)
{
    is_named("http://h/a/b.txt", "b.txt");
    is_named("http://h/b.txt?query=/x", "b.txt");
    is_named("http://h/%2e%2e", "%2e%2e");
    is_named("http://h/a%2Fb", "a%2Fb");
    is_named("http://h/...", "...");
    is_named("http://h/a/", NULL);
    is_named("http://h/", NULL);
    is_named("http://h", NULL);
    is_named("http://h?x/y", NULL);
    is_named("http://h/a/..", NULL);
    is_named("http://h/.", NULL);
}

static void is_line(const char *line, const char *url, const char *name)
{
    struct stet__get_line got = stet__get_line_read(span(line));
    assert_int_equal(got.url.len, strlen(url));
    assert_memory_equal(got.url.ptr, url, got.url.len);
    assert_int_equal(got.name.ptr != NULL, name != NULL);
    if (name) {
        assert_int_equal(got.name.len, strlen(name));
        assert_memory_equal(got.name.ptr, name, got.name.len);
    }
}

static void test_lines(void **state)
{
    is_line("", "", NULL);
    is_line("  ", "", NULL);
    is_line("\r", "", NULL);
    is_line("# http://h/", "", NULL);
    is_line("http://h/#part", "http://h/#part", NULL);
    is_line(" http://h/a \r", "http://h/a", NULL);
    is_line("http://h/a\r\n", "http://h/a", NULL);
    is_line("\n", "", NULL);
    is_line("http://h/a\tname of file", "http://h/a", "name of file");
    is_line("http://h/a \t name\r", "http://h/a", "name");
    is_line("http://h/a b", "http://h/a b", NULL);
}

static void is_path(const char *folder, const char *name, const char *wanted)
{
    char *path = stet__get_path(folder, span(name));
    assert_string_equal(path, wanted);
    free(path);
}

static void test_tidy(void **state)
{
    char text[] = "a\x1b[2J\tb\x7f\xC3\xA9";
    stet__get_tidy(text);
    assert_string_equal(text, "a?[2J?b?\xC3\xA9");
    stet__get_tidy(NULL);
}

static void test_paths(void **state)
{
    is_path(NULL, "a", "a");
    is_path("d", "a", "d/a");
    is_path("d", "/a", "/a");
    is_path("", "a", "a");
    is_path("/", "a", "//a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uris),         cmocka_unit_test(test_what_is_no_uri),
        cmocka_unit_test(test_remote_names), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_paths),        cmocka_unit_test(test_tidy),
    };
    return cmocka_run_group_tests_name("get_name", tests, NULL, NULL);
}
