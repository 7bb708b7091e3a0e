/* SPDX-License-Identifier: MIT */
/*
 * What a store counts of coded copies: the octets with the body that they were made of, which several
 * versions of a head may share, and each head with its object. Both come and go with the object; nothing of
 * them is evicted by itself, so a copy that was found stays good as long as its object is held.
 */
#include "store/shard.h"

/* Under the lock. */
static void recount(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                    size_t copies_bytes)
{
    size_t more = copies_bytes - object->place.copies_bytes;
    atomic_fetch_add_explicit(&store->used, more, memory_order_relaxed);
    object->place.copies_bytes = copies_bytes;
    stet__eviction_resize(&shard->eviction, &object->place.queue, stet__shard_counted(object));
}

bool stet__store_code(struct stet__store *store, struct stet__object *object, enum stet_coding coding,
                      struct stet__body *coded, uint32_t fingerprint, bool *too_large)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    size_t bytes = stet__body_bytes(coded) + stet__codings_overhead(object->body);
    *too_large = bytes > store->limits.object_bytes;
    if (*too_large || !stet__store_take_room(store, bytes))
        return false;
    pthread_mutex_lock(&shard->lock);
    struct stet__object *version = stet__shard_version(shard, object);
    if (version)
        *too_large = version->bytes + stet__body_bytes(object->body) + bytes > store->limits.object_bytes;
    bool taken = version && !*too_large;
    if (taken) {
        stet__codings_publish(object->body, coding, coded, fingerprint);
        stet__shard_recount(store, shard, version, stet__body_bytes(object->body));
    }
    atomic_fetch_sub_explicit(&store->used, bytes, memory_order_relaxed);
    pthread_mutex_unlock(&shard->lock);
    return taken;
}

bool stet__store_lend(struct stet__store *store, struct stet__object *object, enum stet_coding coding,
                      struct stet__object *copy)
{
    struct stet__shard *shard = stet__shard_of(store, object->hash);
    if (!stet__store_take_room(store, copy->bytes))
        return false;
    pthread_mutex_lock(&shard->lock);
    bool taken = object->place.in && !stet__object_copy(object, coding);
    if (taken) {
        atomic_store_explicit(&object->copies[coding], stet__object_acquire(copy), memory_order_release);
        recount(store, shard, object, object->place.copies_bytes + copy->bytes);
    }
    atomic_fetch_sub_explicit(&store->used, copy->bytes, memory_order_relaxed);
    pthread_mutex_unlock(&shard->lock);
    return taken;
}
