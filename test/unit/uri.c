/* SPDX-License-Identifier: MIT */
/*
 * uri: every short reference against RFC 3986 sections 5.2.2 to 5.2.4 done by the letter, with buffers; every
 * octet at every place; every room. The cases by name are in test/spec/uri.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stet/uri.h>

#include "guard.h"

#define SPAN(text) stet_span_of(text, strlen(text))
#define ROOM 256

static struct guard guard;

/* A string that is built from pieces. */
struct naive {
    char text[ROOM];
    size_t len;
};

static void add(struct naive *s, const char *text, size_t len)
{
    assert_true(s->len + len < ROOM);
    memcpy(s->text + s->len, text, len);
    s->len += len;
    s->text[s->len] = '\0';
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void drop_last_segment(struct naive *out)
{
    while (out->len > 0 && out->text[--out->len] != '/')
        continue;
    out->text[out->len] = '\0';
}

/* Section 5.2.4, steps A to E. */
static void remove_dot_segments(const char *input, struct naive *out)
{
    char buffer[ROOM];
    snprintf(buffer, sizeof(buffer), "%s", input);
    char *in = buffer;
    *out = (struct naive){.len = 0};
    while (*in) {
        if (starts(in, "../")) {
            in += 3;
        } else if (starts(in, "./") || starts(in, "/./")) {
            in += 2;
        } else if (strcmp(in, "/.") == 0) {
            *++in = '/';
        } else if (starts(in, "/../") || strcmp(in, "/..") == 0) {
            in += 3;
            if (*in == '\0')
                *--in = '/';
            drop_last_segment(out);
        } else if (strcmp(in, ".") == 0 || strcmp(in, "..") == 0) {
            break;
        } else {
            size_t len = 1 + strcspn(in + 1, "/");
            add(out, in, len);
            in += len;
        }
    }
}

/* Section 5.2.3, for a base that has an authority. */
static void merge(const char *base_path, const char *path, struct naive *out)
{
    const char *slash = strrchr(base_path, '/');
    *out = (struct naive){.len = 0};
    add(out, slash ? base_path : "/", slash ? (size_t)(slash - base_path) + 1 : 1);
    add(out, path, strlen(path));
}

/* A reference without scheme and authority, against "http://b" `base_path` "?q"; what comes after the host.
 */
static void naive_resolve(const char *base_path, const char *reference, struct naive *out)
{
    struct naive path = {.len = 0}, merged;
    size_t end = strcspn(reference, "#"), mark = strcspn(reference, "?#");
    add(&path, reference, mark);
    if (path.len == 0) {
        *out = (struct naive){.len = 0};
        add(out, base_path, strlen(base_path));
    } else if (path.text[0] == '/') {
        remove_dot_segments(path.text, out);
    } else {
        merge(base_path, path.text, &merged);
        remove_dot_segments(merged.text, out);
    }
    if (out->len == 0)
        add(out, "/", 1);
    if (mark < end)
        add(out, reference + mark, end - mark);
    else if (path.len == 0)
        add(out, "?q", 2);
}

static void check(const char *base_path, const char *reference)
{
    char base_text[ROOM], out[ROOM];
    struct naive want;
    struct stet_uri base;
    snprintf(base_text, sizeof(base_text), "http://b%s?q", base_path);
    assert_int_equal(stet_uri_parse(SPAN(base_text), &base), STET_OK);
    size_t len = stet_uri_resolve(&base, guard_at_end(&guard, SPAN(reference)), out, sizeof(out));
    naive_resolve(base_path, reference, &want);
    if (len < 8 || memcmp(out, "http://b", 8) != 0 ||
        !stet_span_equal(stet_span_of(out + 8, len - 8), stet_span_of(want.text, want.len)))
        fail_msg("\"%s\" against \"%s\": %.*s, want %s", reference, base_path, (int)len, out, want.text);
    assert_int_equal(stet_uri_resolve(&base, SPAN(reference), out, len - 1), 0);
}

/* All references of up to seven of these octets that have neither scheme nor authority. */
static void test_all_short_references(void **state)
{
    static const char alphabet[] = "./a?#";
    static const char *const bases[] = {"", "/", "/x", "/x/", "/x/y/z", "/x/../y", "//x//", "/./x/."};
    enum { LETTERS = sizeof alphabet - 1, MAX = 7 };
    size_t all = 1;
    for (size_t len = 0; len <= MAX; len++, all *= LETTERS)
        for (size_t n = 0; n < all; n++) {
            char reference[MAX + 1];
            size_t rest = n;
            for (size_t i = 0; i < len; i++, rest /= LETTERS)
                reference[i] = alphabet[rest % LETTERS];
            reference[len] = '\0';
            if (!starts(reference, "//"))
                check(bases[n % 8], reference);
        }
}

/* Each octet at each place of a URI: what is accepted has a normal form that is one again. */
static void test_every_octet(void **state)
{
    static const char uri[] = "http://a.b:80/c?d#e";
    unsigned accepted = 0;
    for (size_t at = 0; at < sizeof uri - 1; at++)
        for (unsigned octet = 0; octet < 256; octet++) {
            char text[sizeof uri], out[ROOM], again[ROOM];
            struct stet_uri parsed = {.port = 7};
            memcpy(text, uri, sizeof uri);
            text[at] = (char)octet;
            int status = stet_uri_parse(guard_at_end(&guard, stet_span_of(text, sizeof uri - 1)), &parsed);
            assert_true(status == STET_OK || (status == STET_E_SYNTAX && parsed.port == 7));
            if (status != STET_OK)
                continue;
            accepted++;
            size_t len = stet_uri_write(&parsed, out, sizeof uri - 1 + 16);
            assert_true(len > 0);
            for (size_t room = 0; room < len; room++)
                assert_int_equal(stet_uri_write(&parsed, again, room), 0);
            assert_int_equal(stet_uri_parse(stet_span_of(out, len), &parsed), STET_OK);
            assert_int_equal(stet_uri_write(&parsed, again, len), len);
            assert_memory_equal(out, again, len);
        }
    assert_true(accepted > 500);
}

static void test_parts(void **state)
{
    struct stet_uri uri;
    assert_int_equal(stet_uri_parse(STET_SPAN("HTTPS://[::1]?#x"), &uri), STET_OK);
    assert_true(stet_span_equal(uri.scheme, STET_SPAN("HTTPS")));
    assert_true(stet_span_equal(uri.host, STET_SPAN("[::1]")));
    assert_int_equal(uri.port, 443);
    assert_int_equal(uri.path.len, 0);
    assert_true(uri.query.ptr != NULL && uri.query.len == 0);
    assert_int_equal(stet_uri_parse(STET_SPAN("http://h/p"), &uri), STET_OK);
    assert_null(uri.query.ptr);
    assert_true(stet_span_equal(uri.path, STET_SPAN("/p")));
    assert_int_equal(stet_uri_parse(STET_SPAN_NONE, &uri), STET_E_SYNTAX);
}

static void test_target_room(void **state)
{
    char out[ROOM];
    struct stet_span http = STET_SPAN("http"), authority = STET_SPAN("H:81"), path = STET_SPAN("/a?b");
    static const char want[] = "http://h:81/a?b";
    assert_int_equal(stet_uri_write_target(http, authority, path, out, sizeof want - 1), sizeof want - 1);
    assert_memory_equal(out, want, sizeof want - 1);
    for (size_t room = 0; room < sizeof want - 1; room++)
        assert_int_equal(stet_uri_write_target(http, authority, path, out, room), 0);
    assert_int_equal(stet_uri_write_target(http, authority, STET_SPAN_NONE, out, ROOM),
                     strlen("http://h:81/"));
    assert_int_equal(stet_uri_write_target(http, STET_SPAN_NONE, path, out, ROOM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_short_references),
        cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_target_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
