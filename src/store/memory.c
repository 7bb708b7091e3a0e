/* SPDX-License-Identifier: MIT */
/*
 * The life of an object in the store, as store.h tells it. Each function takes what it needs of memory first,
 * then the lock of one shard for a change of pointers, then pays for what that set free.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/shard.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/assert.h"

#define SHARD_BYTES (4u * 1024 * 1024) /* smaller stores have fewer shards */
#define VARIATION_SHARE 64u            /* of the budget: hints of No-Vary-Search */
#define VARIATION_BYTES_MAX (8u * 1024 * 1024)

static_assert(STET__STORE_SECRET_LEN >= XXH3_SECRET_SIZE_MIN, "");

static unsigned shard_bits(size_t bytes)
{
    unsigned bits = 0;
    while ((1u << bits) < STET__SHARDS_MAX && bytes / SHARD_BYTES >> (bits + 1) > 0)
        bits++;
    return bits;
}

static struct stet__store *allocate(const struct stet__store_limits *limits)
{
    unsigned bits = shard_bits(limits->bytes);
    size_t size = sizeof(struct stet__store) + sizeof(struct stet__shard) * ((size_t)1 << bits);
    struct stet__store *store = aligned_alloc(alignof(struct stet__store), size);
    if (!store)
        return NULL;
    memset(store, 0, size);
    store->limits = *limits;
    store->shard_bits = bits;
    atomic_init(&store->used, size);
    return store;
}

struct stet__store *stet__store_new(const struct stet__store_limits *limits)
{
    struct stet__store *store = allocate(limits);
    if (!store)
        return NULL;
    if (store->limits.variants == 0 || store->limits.variants > STET_CANDIDATES_MAX)
        store->limits.variants = STET_CANDIDATES_MAX;
    size_t hints = limits->bytes / VARIATION_SHARE;
    if (hints > VARIATION_BYTES_MAX)
        hints = VARIATION_BYTES_MAX;
    if (getrandom(store->secret, sizeof store->secret, 0) != (ssize_t)sizeof store->secret ||
        !stet__variation_init(&store->variation, hints, store->secret, sizeof store->secret, &store->used)) {
        free(store);
        return NULL;
    }
    stet__recent_init(&store->recent, store->secret, sizeof store->secret);
    for (unsigned i = 0; i < stet__store_shards(store); i++) {
        struct stet__shard *shard = &store->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        stet__eviction_init(&shard->eviction);
        stet__index_init(&shard->index, store->secret, sizeof store->secret, &store->used);
    }
    return store;
}

void stet__store_free(struct stet__store *store)
{
    if (!store)
        return;
    stet__store_purge(store, STET__SELECT_ALL, STET_SPAN_NONE, STET_SPAN_NONE, true);
    for (unsigned i = 0; i < stet__store_shards(store); i++) {
        struct stet__shard *shard = &store->shards[i];
        stet__assert(shard->eviction.count == 0);
        stet__index_release(&shard->index);
        stet__eviction_release(&shard->eviction);
        free(shard->table.now.at);
        free(shard->table.old.at);
        pthread_mutex_destroy(&shard->lock);
    }
    stet__variation_release(&store->variation);
    stet__recent_release(&store->recent);
    free(store);
}

uint64_t stet__store_hash(const struct stet__store *store, struct stet_span key)
{
    return XXH3_64bits_withSecret(key.ptr, key.len, store->secret, sizeof store->secret);
}

static size_t find_key(struct stet__store *store, struct stet_span key, uint64_t hash,
                       struct stet__candidate *out, size_t room)
{
    struct stet__shard *shard = stet__shard_of(store, hash);
    size_t count = 0;
    pthread_mutex_lock(&shard->lock);
    struct stet__object *object = stet__shard_find(shard, hash, key);
    for (; object && count < room; object = object->place.next) {
        stet__eviction_use(&object->place.queue);
        out[count].object = stet__object_acquire(object);
        out[count++].invalidated = object->place.invalidated;
    }
    pthread_mutex_unlock(&shard->lock);
    return count;
}

/* Those under another key whose own No-Vary-Search makes it equivalent to `key`. */
static size_t find_equivalent(struct stet__store *store, struct stet_span key, struct stet__candidate *out,
                              size_t room)
{
    struct stet__variation_match match;
    if (!stet__variation_find(&store->variation, key, &match))
        return 0;
    struct stet_span other = stet_span_of(match.key, match.key_len);
    if (!stet__variation_equivalent(match.rule, key, other))
        return 0;
    size_t count = find_key(store, other, stet__store_hash(store, other), out, room), kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct stet__object *object = out[i].object;
        if (stet_span_equal(object->no_vary_search, match.rule.value) &&
            object->query_prefixes == match.rule.prefixes)
            out[kept++] = out[i];
        else
            stet__object_release(out[i].object);
    }
    return kept;
}

size_t stet__store_find(struct stet__store *store, struct stet_span key, uint64_t hash,
                        struct stet__candidate *out, size_t room)
{
    size_t count = find_key(store, key, hash, out, room);
    if (count == 0 && room > 0 && stet__variation_any(&store->variation))
        count = find_equivalent(store, key, out, room);
    return count;
}

void stet__store_use(struct stet__store *store, struct stet__object *object)
{
    /* Only additions advance the clock, so that hits of all threads read it and seldom write anything. */
    unsigned now = atomic_load_explicit(&store->clock, memory_order_relaxed);
    if (atomic_load_explicit(&object->place.used_at, memory_order_relaxed) != now)
        atomic_store_explicit(&object->place.used_at, now, memory_order_relaxed);
}

void stet__store_remove(struct stet__store *store, struct stet__object *object)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    struct stet__victims victims = {NULL};
    pthread_mutex_lock(&shard->lock);
    if (object->place.in)
        stet__shard_remove(store, shard, object, &victims);
    pthread_mutex_unlock(&shard->lock);
    stet__victims_release(store, shard, &victims);
}

static bool same_key(const struct stet__object *a, const struct stet__object *b)
{
    return a->hash == b->hash && stet_span_equal(a->key, b->key);
}

/* What needs no room: that of those in `replaced` that are in and of the key of `object`, and of its body if
 * another one, which stays, has that counted. */
static size_t counted_of(struct stet__shard *shard, struct stet__object *object,
                         struct stet__object *const *replaced, size_t count)
{
    size_t bytes = 0;
    pthread_mutex_lock(&shard->lock);
    struct stet__object *sharing = stet__shard_version(shard, object);
    for (size_t i = 0; i < count; i++) {
        if (!same_key(object, replaced[i]) || !replaced[i]->place.in)
            continue;
        bytes += stet__shard_counted(replaced[i]);
        if (replaced[i] == sharing)
            sharing = NULL;
    }
    if (sharing)
        bytes += sharing->place.body_bytes;
    pthread_mutex_unlock(&shard->lock);
    return bytes;
}

/* Variants beyond the limit: those used longest ago. `kept` stays. */
static void limit_variants(struct stet__store *store, struct stet__shard *shard, struct stet__object *kept,
                           struct stet__victims *victims)
{
    for (;;) {
        unsigned count = 1, age_max = 0, now = atomic_load_explicit(&store->clock, memory_order_relaxed);
        struct stet__object *least = NULL;
        for (struct stet__object *object = kept->place.next; object; object = object->place.next) {
            unsigned age = now - atomic_load_explicit(&object->place.used_at, memory_order_relaxed);
            count++;
            if (!least || age >= age_max)
                least = object, age_max = age;
        }
        if (count <= store->limits.variants || !least)
            return;
        stet__shard_remove(store, shard, least, victims);
        atomic_fetch_add_explicit(&store->evicted, 1, memory_order_relaxed);
    }
}

/* Under the lock: in comes `object`, out go `replaced`. */
static void exchange(struct stet__store *store, struct stet__object *object,
                     struct stet__object *const *replaced, size_t count, struct stet__victims *victims)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    struct stet__object *heir_of = NULL;
    for (size_t i = 0; i < count && !heir_of; i++)
        if (same_key(object, replaced[i]) && replaced[i]->place.in)
            heir_of = replaced[i];
    stet__shard_insert(store, shard, object, heir_of);
    for (size_t i = 0; i < count; i++)
        if (same_key(object, replaced[i]) && replaced[i]->place.in)
            stet__shard_remove(store, shard, replaced[i], victims);
    limit_variants(store, shard, object, victims);
}

uint64_t stet__store_moment(const struct stet__store *store)
{
    return stet__recent_moment(&store->recent);
}

/* Purges that came before an object was in the store or its indexes: they could not find it. */
static enum stet__purged purged_since(struct stet__store *store, const struct stet__object *object,
                                      uint64_t since)
{
    return since == 0 ? STET__PURGED_NOT : stet__recent_look(&store->recent, object, since);
}

enum stet__purged stet__store_purged(struct stet__store *store, const struct stet__object *object)
{
    return purged_since(store, object, object->asked_at);
}

static void purge_again(struct stet__store *store, struct stet__object *object, uint64_t since)
{
    enum stet__purged purged = purged_since(store, object, since);
    if (purged == STET__PURGED_HARD)
        stet__store_remove(store, object);
    else if (purged == STET__PURGED_SOFT)
        stet__store_invalidate(store, object);
}

/*
 * Enters the index and the hints; false if that fails or there was no room for it, and it is out again.
 * Purges since `since` have not found it before.
 */
static bool make_findable(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                          uint64_t since)
{
    bool found = stet__index_enter(&shard->index, object);
    if (!found)
        stet__store_remove(store, object);
    if (found && object->no_vary_search.len > 0)
        stet__variation_note(&store->variation, object->key,
                             (struct stet__variation_rule){object->no_vary_search, object->query_prefixes});
    stet__store_keep_budget(store);
    purge_again(store, object, since);
    pthread_mutex_lock(&shard->lock);
    bool in = object->place.in;
    pthread_mutex_unlock(&shard->lock);
    return in;
}

static size_t size_of(const struct stet__object *object)
{
    return object->bytes + (object->body ? stet__body_bytes(object->body) : 0);
}

bool stet__store_add(struct stet__store *store, struct stet__object *object,
                     struct stet__object *const *replaced, size_t count)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    struct stet__victims victims = {NULL};
    stet__assert(!object->place.once);
    for (size_t i = 0; i < count; i++)
        if (!same_key(object, replaced[i]))
            stet__store_remove(store, replaced[i]);
    size_t size = size_of(object), goes = counted_of(shard, object, replaced, count);
    size_t taken = size > goes ? size - goes : 0;
    uint64_t since = stet__store_moment(store);
    enum stet__purged purged = stet__store_purged(store, object);
    bool fits = purged != STET__PURGED_HARD && size <= store->limits.object_bytes &&
                stet__shard_grow(store, shard) && stet__store_take_room(store, taken);
    if (!fits) {
        for (size_t i = 0; i < count; i++)
            stet__store_remove(store, replaced[i]);
        return false;
    }
    stet__object_acquire(object);
    object->place.invalidated = purged == STET__PURGED_SOFT;
    atomic_fetch_add_explicit(&store->clock, 1, memory_order_relaxed);
    pthread_mutex_lock(&shard->lock);
    exchange(store, object, replaced, count, &victims);
    atomic_fetch_sub_explicit(&store->used, taken, memory_order_relaxed);
    pthread_mutex_unlock(&shard->lock);
    stet__victims_release(store, shard, &victims);
    atomic_fetch_add_explicit(&store->added, 1, memory_order_relaxed);
    return make_findable(store, shard, object, since);
}

static bool swap(struct stet__store *store, struct stet__object *old, struct stet__object *updated,
                 bool validated)
{
    struct stet__shard *shard = stet__shard_of(store, old->hash);
    struct stet__victims victims = {NULL};
    stet__assert(same_key(old, updated) && !updated->place.once);
    uint64_t since = stet__store_moment(store);
    validated = validated && stet__store_purged(store, updated) == STET__PURGED_NOT;
    if (!stet__store_take_room(store, updated->bytes))
        return false;
    stet__object_acquire(updated);
    pthread_mutex_lock(&shard->lock);
    bool in = old->place.in;
    if (in) {
        updated->place.invalidated = old->place.invalidated && !validated;
        stet__shard_swap(store, shard, old, updated);
        old->place.next = NULL;
        victims.first = old;
    }
    atomic_fetch_sub_explicit(&store->used, updated->bytes, memory_order_relaxed);
    pthread_mutex_unlock(&shard->lock);
    stet__victims_release(store, shard, &victims);
    if (in)
        return make_findable(store, shard, updated, since);
    stet__object_release(updated);
    return false;
}

bool stet__store_update(struct stet__store *store, struct stet__object *old, struct stet__object *updated)
{
    return swap(store, old, updated, true);
}

bool stet__store_amend(struct stet__store *store, struct stet__object *old, struct stet__object *updated)
{
    return swap(store, old, updated, false);
}

struct stet__object *stet__store_version(struct stet__store *store, struct stet__object *object)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    pthread_mutex_lock(&shard->lock);
    struct stet__object *version = stet__shard_version(shard, object);
    if (version)
        stet__object_acquire(version);
    pthread_mutex_unlock(&shard->lock);
    return version;
}

static bool recount(struct stet__store *store, struct stet__object *object, size_t body_bytes)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    struct stet__victims victims = {NULL};
    pthread_mutex_lock(&shard->lock);
    object = stet__shard_version(shard, object);
    bool in = object, fits = in && object->bytes + body_bytes <= store->limits.object_bytes;
    if (in && fits)
        stet__shard_recount(store, shard, object, body_bytes);
    else if (in)
        stet__shard_remove(store, shard, object, &victims);
    pthread_mutex_unlock(&shard->lock);
    stet__victims_release(store, shard, &victims);
    return in && fits;
}

bool stet__store_account(struct stet__store *store, struct stet__object *object)
{
    if (!recount(store, object, object->body ? stet__body_bytes(object->body) : 0))
        return false;
    if (atomic_load_explicit(&store->used, memory_order_relaxed) <= store->limits.bytes)
        return true;
    stet__store_keep_budget(store);
    struct stet__object *version = stet__store_version(store, object);
    if (version)
        stet__object_release(version);
    return version != NULL;
}

bool stet__store_holds(struct stet__store *store, struct stet__object *object)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    pthread_mutex_lock(&shard->lock);
    bool in = object->place.in;
    pthread_mutex_unlock(&shard->lock);
    return in;
}

void stet__store_invalidate(struct stet__store *store, struct stet__object *object)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    pthread_mutex_lock(&shard->lock);
    object->place.invalidated = true;
    pthread_mutex_unlock(&shard->lock);
}

void stet__store_statistics(const struct stet__store *store, struct stet__store_statistics *out)
{
    out->objects = atomic_load_explicit(&store->objects, memory_order_relaxed);
    out->bytes = atomic_load_explicit(&store->used, memory_order_relaxed);
    out->evicted = atomic_load_explicit(&store->evicted, memory_order_relaxed);
    out->added = atomic_load_explicit(&store->added, memory_order_relaxed);
    out->purged = atomic_load_explicit(&store->purged, memory_order_relaxed);
}
