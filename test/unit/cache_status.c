/* SPDX-License-Identifier: MIT */
/*
 * cache_status: every reason and every cause is written, fits what the header promises, and reads back as the
 * structured field that sf.h would write. The cases by name are in test/spec/cache-status.md and
 * proxy-status.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stet/cache_status.h>
#include <stet/sf.h>

#define SPAN(text) stet_span_of(text, strlen(text))

static void token(struct stet_sf_writer *w, const char *key, struct stet_span value)
{
    const struct stet_sf_item item = {.type = STET_SF_TOKEN, .text = value};
    stet_sf_write_param(w, SPAN(key), &item);
}

static void integer(struct stet_sf_writer *w, const char *key, int64_t value)
{
    const struct stet_sf_item item = {.type = STET_SF_INTEGER, .integer = value};
    stet_sf_write_param(w, SPAN(key), &item);
}

static void string(struct stet_sf_writer *w, const char *key, struct stet_span value)
{
    const struct stet_sf_item item = {.type = STET_SF_STRING, .text = value};
    stet_sf_write_param(w, SPAN(key), &item);
}

static void boolean(struct stet_sf_writer *w, const char *key, bool value)
{
    const struct stet_sf_item item = {.type = STET_SF_BOOLEAN, .integer = value};
    stet_sf_write_param(w, SPAN(key), &item);
}

/* The same by the serialiser of structured fields. */
static struct stet_span by_sf(const struct stet_cache_status *status, char *out, size_t room)
{
    struct stet_sf_writer w;
    struct stet_span written = STET_SPAN_NONE;
    const struct stet_sf_item name = {.type = STET_SF_TOKEN, .text = status->cache};
    stet_sf_write_begin(&w, out, room);
    stet_sf_write_item(&w, &name);
    if (status->hit)
        boolean(&w, "hit", true);
    if (!status->hit && status->forward != STET_FWD_NONE) {
        token(&w, "fwd", stet_forward_cause_name(status->forward));
        if (status->forward_status > 0)
            integer(&w, "fwd-status", status->forward_status);
        if (status->stored)
            boolean(&w, "stored", true);
        if (status->has_collapsed)
            boolean(&w, "collapsed", status->collapsed);
    }
    if (status->has_ttl)
        integer(&w, "ttl", status->ttl_s);
    if (status->key.ptr)
        string(&w, "key", status->key);
    token(&w, "detail", SPAN(stet_reason_row(status->detail)->name));
    assert_int_equal(stet_sf_finish(&w, &written), STET_OK);
    return written;
}

static void test_all_combinations(void **state)
{
    static const int64_t ttls[] = {0, -1, 7, 999999999999999, -999999999999999};
    size_t longest = 0;
    for (unsigned n = 0; n < STET_REASON_COUNT * 9u * 64u; n++) {
        unsigned flags = n % 64;
        struct stet_cache_status status = {
            .cache = STET_SPAN("stet"),
            .hit = flags & 1,
            .forward = (enum stet_forward_cause)(n / 64 % 9),
            .forward_status = flags & 2 ? 304 : 0,
            .has_ttl = flags & 4,
            .ttl_s = ttls[n % 5],
            .stored = flags & 8,
            .has_collapsed = flags & 16,
            .collapsed = flags & 1,
            .key = flags & 32 ? STET_SPAN("http://h/\"\\") : STET_SPAN_NONE,
            .detail = (enum stet_reason)(n / 64 / 9),
        };
        char out[512], want[512];
        size_t len = stet_cache_status_write(&status, out, sizeof(out));
        struct stet_span expected = by_sf(&status, want, sizeof(want));
        if (!stet_span_equal(expected, stet_span_of(out, len)))
            fail_msg("%.*s, want %.*s", (int)len, out, (int)expected.len, expected.ptr);
        assert_int_equal(stet_cache_status_write(&status, out, len - 1), 0);
        assert_int_equal(stet_cache_status_write(&status, out, len), len);
        longest = len > longest ? len : longest;
    }
    assert_in_range(longest, 100, STET_CACHE_STATUS_MAX);
}

static void test_causes(void **state)
{
    assert_null(stet_forward_cause_name(STET_FWD_NONE).ptr);
    assert_true(stet_span_equal(stet_forward_cause_name(STET_FWD_URI_MISS), STET_SPAN("uri-miss")));
    assert_true(stet_span_equal(stet_forward_cause_name(STET_FWD_PARTIAL), STET_SPAN("partial")));
}

/* RFC 9209 section 2.3: the clause of a reason of the upstream is that of its error type. */
static void test_error_types(void **state)
{
    static const char clause[] = "RFC 9209 2.3.";
    unsigned count = 0;
    for (unsigned i = 0; i < STET_REASON_COUNT; i++) {
        const struct stet_reason_row *row = stet_reason_row((enum stet_reason)i);
        struct stet_span type = stet_proxy_error_type((enum stet_reason)i);
        bool has_clause = strncmp(row->clause, clause, sizeof clause - 1) == 0;
        if (has_clause && !type.ptr)
            fail_msg("%s has no error type", row->name);
        struct stet_proxy_status status = {
            .proxy = STET_SPAN("stet"), .error = type, .received_status = 999, .detail = (enum stet_reason)i};
        char out[STET_CACHE_STATUS_MAX + 8];
        size_t len = stet_proxy_status_write(&status, out, sizeof(out));
        assert_in_range(len, 1, sizeof(out));
        assert_int_equal(stet_proxy_status_write(&status, out, len - 1), 0);
        count += type.ptr != NULL;
    }
    assert_true(count >= 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_combinations),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_error_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
