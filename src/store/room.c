/* SPDX-License-Identifier: MIT */
/*
 * One budget for all shards. Who needs room takes one object at a time of one shard after the other, so that
 * all give up the same share, and a shard that happens to be empty does not keep an object out.
 */
#include "store/shard.h"

/* Evicts one object, or brings that nearer; false if nothing is stored. */
static bool evict_one(struct stet__store *store)
{
    unsigned shards = stet__store_shards(store);
    unsigned hand = atomic_fetch_add_explicit(&store->hand, 1, memory_order_relaxed);
    for (unsigned i = 0; i < shards; i++) {
        struct stet__shard *shard = &store->shards[(hand + i) & (shards - 1)];
        struct stet__victims victims = {NULL};
        pthread_mutex_lock(&shard->lock);
        bool any = shard->eviction.count > 0;
        struct stet__eviction_node *node = stet__eviction_victim(&shard->eviction);
        if (node)
            stet__shard_remove(store, shard, stet__object_of_queue(node), &victims);
        pthread_mutex_unlock(&shard->lock);
        if (node) {
            atomic_fetch_add_explicit(&store->evicted, 1, memory_order_relaxed);
            stet__victims_release(store, shard, &victims);
        }
        if (any)
            return true;
    }
    return false;
}

bool stet__store_take_room(struct stet__store *store, size_t bytes)
{
    if (bytes > store->limits.bytes)
        return false;
    size_t used = atomic_load_explicit(&store->used, memory_order_relaxed);
    for (;;) {
        if (used <= store->limits.bytes - bytes) {
            if (atomic_compare_exchange_weak_explicit(&store->used, &used, used + bytes, memory_order_relaxed,
                                                      memory_order_relaxed))
                return true;
            continue;
        }
        if (!evict_one(store))
            return false;
        used = atomic_load_explicit(&store->used, memory_order_relaxed);
    }
}

void stet__store_keep_budget(struct stet__store *store)
{
    while (atomic_load_explicit(&store->used, memory_order_relaxed) > store->limits.bytes &&
           evict_one(store)) {
    }
}
