/* SPDX-License-Identifier: MIT */
/*
 * A purge finds what it is about in the indexes and then looks at each object again under the lock of its
 * shard: what has gone meanwhile does not count. What comes in while a purge goes on may or may not be met;
 * so the purge is noted before it looks (recent.h), and what comes in looks for it after it has entered.
 */
#include "store/shard.h"

#define BATCH 32u

struct purge {
    struct stet__store *store;
    struct stet__shard *shard;
    struct stet_span origin;
    bool hard;
    size_t count;
};

static void purge_one(struct purge *purge, struct stet__object *object)
{
    struct stet__victims victims = {NULL};
    pthread_mutex_lock(&purge->shard->lock);
    purge->count += object->place.in;
    if (object->place.in && purge->hard)
        stet__shard_remove(purge->store, purge->shard, object, &victims);
    else
        object->place.invalidated = true;
    pthread_mutex_unlock(&purge->shard->lock);
    stet__victims_release(purge->store, purge->shard, &victims);
}

static void purge_prefix(struct purge *purge, struct stet_span prefix)
{
    struct stet__index_walk walk = {0};
    struct stet__object *batch[BATCH];
    size_t count;
    while ((count = stet__index_prefix(&purge->shard->index, prefix, &walk, batch, BATCH)) > 0)
        for (size_t i = 0; i < count; i++) {
            purge_one(purge, batch[i]);
            stet__object_release(batch[i]);
        }
}

/* RFC 9875 section 2.1: groups are of one origin. */
static bool of_origin(struct stet_span key, struct stet_span origin)
{
    return !origin.ptr ||
           (stet_span_starts(key, origin) && (key.len == origin.len || key.ptr[origin.len] == '/'));
}

static void purge_member(void *arg, struct stet__object *object)
{
    struct purge *purge = arg;
    if (of_origin(object->key, purge->origin))
        purge_one(purge, object);
}

/* A key, and what No-Vary-Search lets stand for it: else an equivalent would answer as if nothing had been.
 */
static void purge_key(struct purge *purge, struct stet_span key)
{
    struct stet__candidate found[STET_CANDIDATES_MAX];
    uint64_t hash = stet__store_hash(purge->store, key);
    size_t count;
    do {
        count = stet__store_find(purge->store, key, hash, found, STET_CANDIDATES_MAX);
        for (size_t i = 0; i < count; i++) {
            purge->shard = stet__shard_of(purge->store, found[i].object->hash);
            purge_one(purge, found[i].object);
            stet__object_release(found[i].object);
        }
    } while (purge->hard && count > 0);
}

size_t stet__store_purge(struct stet__store *store, enum stet__selector selector, struct stet_span what,
                         struct stet_span origin, bool hard)
{
    struct purge purge = {.store = store, .origin = origin, .hard = hard};
    stet__recent_note(&store->recent, selector, what, origin, hard);
    if (selector == STET__SELECT_URI)
        purge_key(&purge, what);
    for (unsigned i = 0; selector != STET__SELECT_URI && i < stet__store_shards(store); i++) {
        purge.shard = &store->shards[i];
        if (selector == STET__SELECT_GROUP)
            stet__index_group(&purge.shard->index, what, purge_member, &purge);
        else
            purge_prefix(&purge, selector == STET__SELECT_ALL ? STET_SPAN("") : what);
    }
    atomic_fetch_add_explicit(&store->purged, purge.count, memory_order_relaxed);
    return purge.count;
}
