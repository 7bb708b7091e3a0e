/* SPDX-License-Identifier: MIT */
/*
 * Objects for the tests of the store: a 200 to GET with a body of so many octets.
 */
#ifndef STET_TEST_UNIT_STORED_OBJECTS_H
#define STET_TEST_UNIT_STORED_OBJECTS_H

#include "store/store.h"

static const struct stet_cache_policy shared_policy = {.shared = true};

static inline struct stet__store *store_with(const struct stet__store_limits *limits)
{
    struct stet__store *store = stet__store_new(limits);
    assert_non_null(store);
    return store;
}

static inline struct stet__store *store_of(size_t bytes)
{
    return store_with(&(struct stet__store_limits){.bytes = bytes, .object_bytes = bytes, .variants = 64});
}

static inline struct stet_stored plain_stored(void)
{
    static const struct stet_field fields[] = {
        {{"Content-Type", 12}, {"text/plain", 10}, STET_FIELD_OTHER},
        {{"ETag", 4}, {"\"x\"", 3}, STET_FIELD_ETAG},
    };
    return (struct stet_stored){
        .response = {.status = 200, .fields = {fields, 2, UINT64_C(1) << STET_FIELD_ETAG}},
        .method = STET_METHOD_GET,
        .held = {.complete = true},
    };
}

static inline struct stet__object *object_made(struct stet__store *store,
                                               const struct stet__object_parts *given)
{
    struct stet_stored stored = plain_stored();
    struct stet__object_parts parts = *given;
    parts.hash = stet__store_hash(store, parts.key);
    parts.stored = &stored;
    struct stet__object *object = stet__object_new(&parts, &shared_policy);
    assert_non_null(object);
    return object;
}

static inline struct stet__object *object_with(struct stet__store *store, const char *key,
                                               struct stet__body *body)
{
    struct stet_span groups[] = {STET_SPAN("all"), stet_span_of(key, strlen(key))};
    struct stet__object_parts parts = {
        .key = stet_span_of(key, strlen(key)), .groups = groups, .group_count = 2, .body = body};
    return object_made(store, &parts);
}

static inline struct stet__body *body_of(size_t octets)
{
    struct stet__body *body = stet__body_new(octets);
    static const char zeros[4096];
    for (size_t n; octets > 0; octets -= n) {
        n = octets < sizeof zeros ? octets : sizeof zeros;
        assert_true(stet__body_append(body, stet_span_of(zeros, n)));
    }
    stet__body_finish(body, true);
    return body;
}

static inline struct stet__object *object_of(struct stet__store *store, const char *key, size_t octets)
{
    struct stet__body *body = body_of(octets);
    struct stet__object *object = object_with(store, key, body);
    stet__body_release(body);
    return object;
}

static inline struct stet__object *object_nvs(struct stet__store *store, const char *key, const char *value)
{
    struct stet__object_parts parts = {.key = stet_span_of(key, strlen(key)),
                                       .no_vary_search = stet_span_of(value, strlen(value))};
    return object_made(store, &parts);
}

/* Another head for the same body. */
static inline struct stet__object *version_of(struct stet__store *store, const struct stet__object *object)
{
    struct stet__object_parts parts = {.key = object->key, .body = object->body};
    return object_made(store, &parts);
}

static inline size_t find(struct stet__store *store, const char *key, struct stet__candidate *out,
                          size_t room)
{
    struct stet_span span = stet_span_of(key, strlen(key));
    return stet__store_find(store, span, stet__store_hash(store, span), out, room);
}

static inline void release(struct stet__candidate *found, size_t count)
{
    for (size_t i = 0; i < count; i++)
        stet__object_release(found[i].object);
}

static inline size_t purge(struct stet__store *store, enum stet__selector selector, const char *what,
                           bool hard)
{
    return stet__store_purge(store, selector, stet_span_of(what, strlen(what)), STET_SPAN_NONE, hard);
}

static inline size_t used(const struct stet__store *store)
{
    struct stet__store_statistics told;
    stet__store_statistics(store, &told);
    return (size_t)told.bytes;
}

static inline size_t stored(const struct stet__store *store)
{
    struct stet__store_statistics told;
    stet__store_statistics(store, &told);
    return (size_t)told.objects;
}

#endif
