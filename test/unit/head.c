/* SPDX-License-Identifier: MIT */
/*
 * head: ready-made heads and their views, reason phrases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/head.h"

static void assert_span(struct stet_span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(span.ptr, text, span.len);
}

static void test_head(void **state)
{
    char etag[] = "\"abc\"";
    const struct stet_field fields[] = {
        {STET_SPAN("ETag"), stet_span_of(etag, 5), STET_FIELD_ETAG},
        {STET_SPAN("X-Empty"), STET_SPAN(""), STET_FIELD_OTHER},
    };
    struct stet_fields set = {fields, 2, UINT64_C(1) << STET_FIELD_ETAG | UINT64_C(1) << STET_FIELD_OTHER};
    struct stet__arena arena;
    stet__arena_init(&arena, 4096);
    struct stet__head *head = stet__head_make(&arena, 304, &set);
    assert_non_null(head);
    etag[1] = '?'; /* nothing points into what was given */
    assert_int_equal(head->status, 304);
    assert_int_equal(head->expires_after_s, -1);
    assert_span(head->h1, "HTTP/1.1 304 Not Modified\r\nETag: \"abc\"\r\nX-Empty: \r\n");
    assert_int_equal(head->fields.count, 2);
    const struct stet_field *field = stet_fields_find(&head->fields, STET_FIELD_ETAG, 0);
    assert_non_null(field);
    assert_span(field->name, "ETag");
    assert_span(field->value, "\"abc\"");
    assert_true(field->value.ptr > head->h1.ptr && field->value.ptr < head->h1.ptr + head->h1.len);
    assert_span(head->fields.at[1].value, "");
    stet__arena_release(&arena);
}

static void test_no_fields(void **state)
{
    struct stet__arena arena;
    stet__arena_init(&arena, 4096);
    struct stet__head *head = stet__head_make(&arena, 999, &(struct stet_fields){NULL, 0, 0});
    assert_non_null(head);
    assert_span(head->h1, "HTTP/1.1 999 \r\n");
    stet__arena_release(&arena);
}

static void test_no_room(void **state)
{
    char value[200];
    memset(value, 'v', sizeof value);
    const struct stet_field field = {STET_SPAN("N"), stet_span_of(value, sizeof value), STET_FIELD_OTHER};
    for (size_t max = 0; max < 200; max++) {
        struct stet__arena arena;
        stet__arena_init(&arena, max);
        assert_null(stet__head_make(&arena, 200, &(struct stet_fields){&field, 1, 1}));
        stet__arena_release(&arena);
    }
}

static void test_phrases(void **state)
{
    assert_span(stet__reason_phrase(200), "OK");
    assert_span(stet__reason_phrase(304), "Not Modified");
    assert_span(stet__reason_phrase(412), "Precondition Failed");
    assert_span(stet__reason_phrase(413), "Content Too Large");
    assert_span(stet__reason_phrase(511), "Network Authentication Required");
    assert_span(stet__reason_phrase(299), "");
    assert_span(stet__reason_phrase(0), "");
}

/* RFC 9112 section 4: reason-phrase = 1*( HTAB / SP / VCHAR / obs-text ); a row for each status that stet
 * sends. */
static void test_phrases_are_plain(void **state)
{
    static const unsigned sent[] = {200, 204, 206, 301, 304, 400, 403, 404, 405, 408,
                                    412, 413, 414, 416, 417, 431, 500, 501, 503, 505};
    for (unsigned status = 100; status <= 999; status++) {
        struct stet_span phrase = stet__reason_phrase(status);
        for (size_t i = 0; i < phrase.len; i++)
            assert_in_range(phrase.ptr[i], ' ', '~');
    }
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
        assert_true(stet__reason_phrase(sent[i]).len > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_no_fields),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_phrases),
        cmocka_unit_test(test_phrases_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
