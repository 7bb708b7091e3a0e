/* SPDX-License-Identifier: MIT */
/*
 * object: a deep copy that shares nothing with what it was made of but the body, and views into itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/object.h"

static const struct stet_cache_policy shared_policy = {.shared = true};

static bool within(const struct stet__object *object, struct stet_span span)
{
    uintptr_t from = (uintptr_t)object, at = (uintptr_t)span.ptr;
    return at >= from && at + span.len <= from + object->bytes;
}

static char *copied(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static void expect(const struct stet__object *object, struct stet_span span, const char *text)
{
    assert_true(within(object, span));
    assert_true(stet_span_equal(span, stet_span_of(text, strlen(text))));
}

static void test_copy(void **state)
{
    static const char *const texts[] = {"Cache-Control",   "max-age=60", "ETag",         "\"tag\"",
                                        "Accept-Language", "de",         "http://h/key", "head 200",
                                        "head 304",        "group",      "key-order"};
    char *at[11];
    struct stet_span spans[11];
    for (size_t i = 0; i < 11; i++) {
        at[i] = copied(texts[i]);
        spans[i] = stet_span_of(at[i], strlen(at[i]));
    }
    struct stet_field fields[] = {{spans[0], spans[1], stet_field_id(spans[0])},
                                  {spans[2], spans[3], stet_field_id(spans[2])}};
    struct stet_field selecting[] = {{spans[4], spans[5], stet_field_id(spans[4])}};
    struct stet_stored stored = {
        .response = {.status = 200,
                     .fields = {fields, 2, UINT64_C(1) << fields[0].id | UINT64_C(1) << fields[1].id}},
        .method = STET_METHOD_GET,
        .selecting = {selecting, 1, UINT64_C(1) << selecting[0].id},
        .times = {1000, 1001, 5},
        .held = {.complete = true},
    };
    struct stet__body *body = stet__body_of(STET_SPAN("content"));
    struct stet__object_parts parts = {.key = spans[6],
                                       .hash = 7,
                                       .stored = &stored,
                                       .heads = {spans[7], spans[8]},
                                       .groups = &spans[9],
                                       .group_count = 1,
                                       .no_vary_search = spans[10],
                                       .body = body};
    struct stet__object *object = stet__object_new(&parts, &shared_policy);
    assert_non_null(object);
    stet__body_release(body);
    for (size_t i = 0; i < 11; i++) {
        memset(at[i], 'x', strlen(at[i]));
        free(at[i]);
    }
    memset(fields, 0, sizeof fields);
    memset(selecting, 0, sizeof selecting);

    for (size_t i = 0; i < 2; i++) {
        expect(object, object->stored.response.fields.at[i].name, texts[2 * i]);
        expect(object, object->stored.response.fields.at[i].value, texts[2 * i + 1]);
    }
    expect(object, object->stored.selecting.at[0].value, texts[5]);
    expect(object, object->key, texts[6]);
    expect(object, object->heads[STET__HEAD_WHOLE], texts[7]);
    expect(object, object->heads[STET__HEAD_NOT_MODIFIED], texts[8]);
    expect(object, object->groups[0], texts[9]);
    expect(object, object->no_vary_search, texts[10]);
    assert_int_equal(object->hash, 7);
    assert_int_equal(object->stored.freshness.lifetime_s, 60);
    assert_true(within(object, object->stored.selected.etag.opaque));
    assert_int_equal(stet__body_length(object->body), 7);
    stet__object_release(stet__object_acquire(object));
    stet__object_release(object);
}

/* Absent stays absent, empty stays present. */
static void test_least(void **state)
{
    struct stet_stored stored = {.response = {.status = 404}, .method = STET_METHOD_HEAD};
    struct stet__object_parts parts = {.key = STET_SPAN("k"), .stored = &stored, .no_vary_search = {"", 0}};
    struct stet__object *object = stet__object_new(&parts, &shared_policy);
    assert_null(object->heads[STET__HEAD_NOT_MODIFIED].ptr);
    assert_non_null(object->no_vary_search.ptr);
    assert_null(object->stored.response.reason_phrase.ptr);
    assert_int_equal(object->no_vary_search.len, 0);
    assert_null(object->body);
    assert_int_equal(object->stored.response.fields.count, 0);
    stet__object_release(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_copy), cmocka_unit_test(test_least)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
