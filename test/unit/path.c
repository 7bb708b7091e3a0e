/* SPDX-License-Identifier: MIT */
/*
 * path: what a target decodes to, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/path.h"

static struct stet_span text(const char *s)
{
    return stet_span_of(s, strlen(s));
}

static void check(const char *target, enum stet_reason reason, const char *decoded)
{
    struct stet__path path;
    assert_string_equal(stet_reason_row(stet__path_decode(text(target), false, &path))->name,
                        stet_reason_row(reason)->name);
    if (decoded) {
        assert_string_equal(path.text, decoded);
        assert_int_equal(path.len, strlen(decoded));
    }
}

static void decodes(void **state)
{
    (void)state;
    check("/", STET_REASON_OK, "/");
    check("/a/b.html", STET_REASON_OK, "/a/b.html");
    check("/%61%2e%62", STET_REASON_OK, "/a.b");
    check("/a%20b+c", STET_REASON_OK, "/a b+c");
    check("/%C3%a9", STET_REASON_OK, "/\xc3\xa9");
    check("/%2541", STET_REASON_OK, "/%41");
    check("//a///b", STET_REASON_OK, "/a/b");
    check("/...", STET_REASON_DOTFILE, NULL);
    check("/a..b/c.", STET_REASON_OK, "/a..b/c.");
}

static void refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "a",       "/%",     "/%4",    "/%zz",        "/%00",   "/a%00.html",
        "/a%2fb",  "/a%2Fb",  "/a%5cb", "/a\\b",  "/..",         "/.",     "/a/../b",
        "/%2e%2e", "/.%2e/a", "/a/./b", "/a/%2e", "/../../../x", "/%2E./", "//..//a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check(bad[i], STET_REASON_BAD_PATH, NULL);
}

static void hides_dotfiles(void **state)
{
    (void)state;
    struct stet__path path;
    check("/.git/config", STET_REASON_DOTFILE, NULL);
    check("/a/.b", STET_REASON_DOTFILE, NULL);
    check("/%2egit", STET_REASON_DOTFILE, NULL);
    check("/.well-known/x", STET_REASON_OK, "/.well-known/x");
    check("/.well-known/.x", STET_REASON_DOTFILE, NULL);
    check("/a/.well-known/x", STET_REASON_DOTFILE, NULL);
    check("/.git/..", STET_REASON_BAD_PATH, NULL);
    assert_int_equal(stet__path_decode(text("/.git"), true, &path), STET_REASON_OK);
    assert_int_equal(stet__path_decode(text("/.."), true, &path), STET_REASON_BAD_PATH);
}

static void tells_the_slash(void **state)
{
    (void)state;
    struct stet__path path;
    stet__path_decode(text("/a/"), false, &path);
    assert_true(path.slash);
    assert_string_equal(path.text, "/a");
    stet__path_decode(text("/a"), false, &path);
    assert_false(path.slash);
    stet__path_decode(text("/"), false, &path);
    assert_true(path.slash);
    assert_string_equal(stet__path_name(&path), ".");
}

static void keeps_to_its_room(void **state)
{
    (void)state;
    struct stet__path path;
    char long_text[2 * STET__PATH_ROOM];
    memset(long_text, 'a', sizeof(long_text));
    long_text[0] = '/';
    for (size_t len = STET__PATH_ROOM - 8; len < STET__PATH_ROOM + 8; len++) {
        enum stet_reason reason = stet__path_decode(stet_span_of(long_text, len), false, &path);
        if (reason == STET_REASON_OK)
            assert_int_equal(path.text[path.len], '\0');
        assert_true(len < STET__PATH_ROOM - 1 || reason == STET_REASON_NOT_FOUND);
    }
    for (size_t i = 0; i < sizeof(long_text); i++)
        long_text[i] = i % 2 ? 'a' : '/';
    assert_int_equal(stet__path_decode(stet_span_of(long_text, sizeof(long_text)), false, &path),
                     STET_REASON_NOT_FOUND);
}

static void sets_and_appends(void **state)
{
    (void)state;
    struct stet__path path;
    assert_int_equal(stet__path_set(text("404.html"), &path), STET_REASON_OK);
    assert_string_equal(path.text, "/404.html");
    assert_int_equal(stet__path_set(text("/a//b/"), &path), STET_REASON_OK);
    assert_string_equal(path.text, "/a/b");
    assert_true(stet__path_append(&path, text("c")));
    assert_string_equal(stet__path_name(&path), "a/b/c");
    assert_int_equal(stet__path_set(text("/a/../b"), &path), STET_REASON_BAD_PATH);
    assert_int_equal(stet__path_set(text("/"), &path), STET_REASON_OK);
    assert_true(stet__path_append(&path, text("c")));
    assert_string_equal(path.text, "/c");
}

static void splits_and_encodes(void **state)
{
    (void)state;
    char out[64];
    assert_true(stet_span_equal(stet__path_of_target(text("/a?b?c")), text("/a")));
    assert_true(stet_span_equal(stet__path_of_target(text("/a")), text("/a")));
    assert_true(stet_span_equal(stet__path_of_target(text("?b")), text("/")));
    assert_true(stet_span_equal(stet__path_last(text("/a/b.c")), text("b.c")));
    assert_int_equal(stet__path_last(text("/")).len, 0);
    size_t len = stet__path_encode(text("a b/%\xff~"), out);
    assert_true(stet_span_equal(stet_span_of(out, len), text("a%20b%2F%25%FF~")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(hides_dotfiles),
        cmocka_unit_test(tells_the_slash),
        cmocka_unit_test(keeps_to_its_room),
        cmocka_unit_test(sets_and_appends),
        cmocka_unit_test(splits_and_encodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
