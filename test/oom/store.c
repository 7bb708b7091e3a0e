/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails in the store: objects with bodies of every kind are added in numbers that evict,
 * found, versioned, invalidated and purged by every selector.
 *
 * What has to hold: no crash, no leak (with the address sanitizer), the budget, whatever is found is what was
 * put in, what was purged is not found, and after a single failure everything works.
 */
#include "store/store.h"
#include "sweep.h"

#define BUDGET (256u * 1024)
#define KEYS 40
#define VARIANTS 3

static const struct stet_cache_policy policy = {.shared = true};

/* Of key `k`: nothing, what stands behind the struct, in a file, in pieces, in pieces and a file. */
static const struct {
    uint64_t length;
    bool told;
} kinds[] = {{0, true}, {100, true}, {40000, true}, {5000, false}, {50000, false}};

/* NULL without memory. */
static struct stet__body *make_body(size_t k)
{
    static const char octets[1000] = "content";
    uint64_t length = kinds[k % 5].length, put = 0;
    struct stet__body *body = stet__body_new(kinds[k % 5].told ? length : STET__BODY_LENGTH_UNKNOWN);
    bool good = body != NULL;
    for (size_t n; good && put < length; put += n) {
        n = length - put < sizeof octets ? (size_t)(length - put) : sizeof octets;
        good = stet__body_append(body, stet_span_of(octets, n));
    }
    if (body)
        stet__body_finish(body, good);
    if (body && !good) {
        stet__body_release(body);
        body = NULL;
    }
    return body;
}

static struct stet_span key_of(size_t k, char *room)
{
    int len = snprintf(room, 64, "http://a/%s%zu?a=%zu", k % 2 ? "odd/" : "", k, k);
    return stet_span_of(room, (size_t)len);
}

static struct stet__object *make_object(struct stet__store *store, size_t k, struct stet__body *body)
{
    static const struct stet_field fields[] = {{{"ETag", 4}, {"\"x\"", 3}, STET_FIELD_ETAG}};
    char room[64], group[16];
    struct stet_stored stored = {
        .response = {.status = 200, .fields = {fields, 1, UINT64_C(1) << STET_FIELD_ETAG}},
        .method = STET_METHOD_GET,
        .held = {.complete = true}};
    int len = snprintf(group, sizeof group, "g%zu", k % 4);
    struct stet_span groups[] = {STET_SPAN("all"), stet_span_of(group, (size_t)len)};
    struct stet__object_parts parts = {
        .key = key_of(k, room), .stored = &stored, .groups = groups, .group_count = 2, .body = body};
    if (k % 3 == 0) {
        parts.no_vary_search = STET_SPAN("params=(\"a*\")");
        parts.query_prefixes = true;
    }
    parts.hash = stet__store_hash(store, parts.key);
    return stet__object_new(&parts, &policy);
}

/* Two copies in codings, of which the first gets a head. */
static void code_one(struct stet__store *store, struct stet__object *object, size_t k)
{
    bool too_large;
    for (enum stet_coding coding = STET_CODING_GZIP; coding <= STET_CODING_BR; coding++) {
        if (!stet__codings_begin(object->body, coding))
            return;
        struct stet__body *coded = make_body(k + 1);
        bool there = coded && stet__store_code(store, object, coding, coded, 1, &too_large);
        if (!there)
            stet__codings_give_up(object->body, coding, k % 2 == 0);
        struct stet__object *copy = there ? make_object(store, k, coded) : NULL;
        if (copy)
            stet__store_lend(store, object, STET_CODING_GZIP, copy);
        stet__object_release(copy);
        stet__body_release(coded);
    }
}

/* Adds, codes, versions and invalidates as memory allows. */
static void put_one(struct stet__store *store, size_t k)
{
    struct stet__body *body = make_body(k);
    if (!body)
        return;
    struct stet__object *object = make_object(store, k, body), *updated = NULL;
    if (object && stet__store_add(store, object, NULL, 0)) {
        stet__store_account(store, object);
        if (k % 3 == 1)
            code_one(store, object, k);
        if (k % 4 == 0)
            updated = make_object(store, k, body);
        if (updated)
            stet__store_update(store, object, updated);
        if (k % 5 == 0)
            stet__store_invalidate(store, updated ? updated : object);
    }
    stet__object_release(object);
    stet__object_release(updated);
    stet__body_release(body);
}

/* The number of variants under the key of `k`; SIZE_MAX if one is not what was put in. */
static size_t find_one(struct stet__store *store, size_t k)
{
    struct stet__candidate found[VARIANTS];
    char room[64];
    struct stet_span key = key_of(k, room);
    size_t count = stet__store_find(store, key, stet__store_hash(store, key), found, VARIANTS);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        struct stet__object *object = found[i].object;
        good = good && stet_span_equal(object->key, key) &&
               stet__body_length(object->body) == kinds[k % 5].length &&
               stet__body_state(object->body) == STET__BODY_COMPLETE;
        stet__store_use(store, object);
        stet__object_release(object);
    }
    return good ? count : SIZE_MAX;
}

static const char *use(struct stet__store *store, bool memory_is_enough)
{
    struct stet__store_statistics statistics;
    char room[64];
    size_t last = 0;
    for (size_t k = 0; k < KEYS; k++) {
        put_one(store, k);
        last = find_one(store, k);
        stet__store_statistics(store, &statistics);
        if (last == SIZE_MAX)
            return "something is found that was not put in";
        if (statistics.bytes > BUDGET)
            return "more than the budget is stored";
    }
    if (memory_is_enough && last == 0)
        return "what was put in last is not found";
    stet__store_purge(store, STET__SELECT_URI, key_of(KEYS - 1, room), STET_SPAN_NONE, true);
    if (find_one(store, KEYS - 1) != 0)
        return "what was purged is found";
    stet__store_purge(store, STET__SELECT_PREFIX, STET_SPAN("http://a/odd/"), STET_SPAN_NONE, false);
    stet__store_purge(store, STET__SELECT_GROUP, STET_SPAN("g2"), STET_SPAN("http://a"), true);
    for (size_t k = 2; k < KEYS; k += 4)
        if (find_one(store, k) != 0)
            return "what was purged by its group is found";
    stet__store_purge(store, STET__SELECT_ALL, STET_SPAN_NONE, STET_SPAN_NONE, true);
    stet__store_statistics(store, &statistics);
    return statistics.objects == 0 ? NULL : "something is left after everything was purged";
}

static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    struct stet__store_limits limits = {.bytes = BUDGET, .object_bytes = BUDGET / 2, .variants = VARIANTS};
    failing_arm(n, all_after);
    struct stet__store *store = stet__store_new(&limits);
    const char *problem = store ? use(store, n == 0) : NULL;
    *calls = failing_calls();
    failing_arm(0, false);
    if (store && !problem)
        problem = use(store, true);
    if (!store && n == 0)
        problem = "there is no store";
    stet__store_free(store);
    return !problem && leaks() ? "a leak" : problem;
}

int main(void)
{
    return sweep(play);
}
