/* SPDX-License-Identifier: MIT */
/*
 * mime: which table wins, charset, odd lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/mime.h"

static struct stet_span text(const char *s)
{
    return stet_span_of(s, strlen(s));
}

static void expect(const struct stet__mime *mime, const char *name, const char *type)
{
    struct stet_span found = stet__mime_type(mime, text(name));
    if (!stet_span_equal(found, text(type)))
        fail_msg("%s is %.*s, not %s", name, (int)found.len, found.ptr, type);
}

static void knows_the_web(void **state)
{
    (void)state;
    struct stet__mime *mime = stet__mime_new(NULL, "utf-8");
    assert_non_null(mime);
    expect(mime, "index.html", "text/html; charset=utf-8");
    expect(mime, "a.b.CSS", "text/css; charset=utf-8");
    expect(mime, "x.mjs", "text/javascript; charset=utf-8");
    expect(mime, "x.js", "text/javascript; charset=utf-8");
    expect(mime, "x.json", "application/json");
    expect(mime, "x.js.map", "application/json");
    expect(mime, "x.wasm", "application/wasm");
    expect(mime, "x.woff2", "font/woff2");
    expect(mime, "x.avif", "image/avif");
    expect(mime, "x.svg", "image/svg+xml; charset=utf-8");
    expect(mime, "site.webmanifest", "application/manifest+json");
    expect(mime, "README", "application/octet-stream");
    expect(mime, "x.", "application/octet-stream");
    expect(mime, "x.no-such-extension-at-all", "application/octet-stream");
    expect(mime, "", "application/octet-stream");
    stet__mime_free(mime);
}

static void adds_no_charset(void **state)
{
    (void)state;
    struct stet__mime *mime = stet__mime_new(NULL, "");
    assert_non_null(mime);
    expect(mime, "index.html", "text/html");
    stet__mime_free(mime);
}

static void reads_the_operators_table(void **state)
{
    (void)state;
    char path[] = "/tmp/stet-mime-XXXXXX";
    int fd = mkstemp(path);
    static const char table[] =
        "# comment\n\ntext/x-ten\tTEN  tenth # more\r\ntext/x-html html\nnot-a-type foo\n"
        "text/evil\x01 evil\nimage/none\ntext/last last";
    assert_int_equal(write(fd, table, sizeof(table) - 1), sizeof(table) - 1);
    close(fd);
    struct stet__mime *mime = stet__mime_new(path, "utf-8");
    unlink(path);
    assert_non_null(mime);
    expect(mime, "a.ten", "text/x-ten; charset=utf-8");
    expect(mime, "a.tenth", "text/x-ten; charset=utf-8");
    expect(mime, "a.html", "text/x-html; charset=utf-8");
    expect(mime, "a.css", "text/css; charset=utf-8");
    expect(mime, "a.foo", "application/octet-stream");
    expect(mime, "a.evil", "application/octet-stream");
    expect(mime, "a.last", "text/last; charset=utf-8");
    stet__mime_free(mime);
    assert_null(stet__mime_new("/nonexistent/mime.types", "utf-8"));
}

static void grows(void **state)
{
    (void)state;
    struct stet__mime *mime = stet__mime_new(NULL, "utf-8");
    assert_non_null(mime);
    char line[64], name[32], type[32];
    for (unsigned i = 0; i < 5000; i++) {
        int len = snprintf(line, sizeof(line), "x-stet/t%u stet%u\n", i, i);
        assert_true(stet__mime_add(mime, stet_span_of(line, (size_t)len)));
    }
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "f.stet%u", i);
        snprintf(type, sizeof(type), "x-stet/t%u", i);
        expect(mime, name, type);
    }
    stet__mime_free(mime);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_web),
        cmocka_unit_test(adds_no_charset),
        cmocka_unit_test(reads_the_operators_table),
        cmocka_unit_test(grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
