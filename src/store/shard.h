/* SPDX-License-Identifier: MIT */
/*
 * shard: what the files of the memory store share. Only memory.c, shard.c, room.c and purge.c include it.
 *
 * Order of locks: none is taken while another is held. What leaves a shard is put on a list of victims under
 * its lock, and what that costs (leaving the index, freeing a body) is paid after it (stet__victims_release).
 *
 * used: the octets of all that is stored and of what finding it takes. Room is taken before an object comes
 * in, so that `used` stays within the limit; only a table that grows and an index entry are counted after the
 * fact, and made room for then.
 */
#ifndef STET_STORE_SHARD_H
#define STET_STORE_SHARD_H

#include <pthread.h>
#include <stdalign.h>

#include "store/recent.h"
#include "store/store.h"
#include "store/table.h"
#include "store/variation.h"

#define STET__SHARDS_MAX 64u
#define STET__STORE_SECRET_LEN 192u

struct stet__shard {
    alignas(64) pthread_mutex_t lock;
    struct stet__table table;
    struct stet__eviction eviction;
    struct stet__index index; /* has its own lock */
};

struct stet__store {
    struct stet__store_limits limits;
    unsigned shard_bits;
    unsigned char secret[STET__STORE_SECRET_LEN];
    struct stet__variation variation;
    struct stet__recent recent;
    alignas(64) atomic_size_t used;
    atomic_uint hand;  /* the shard that gives up an object next */
    atomic_uint clock; /* of additions: what used_at means */
    _Atomic uint64_t objects, evicted, added, purged;
    struct stet__shard shards[];
};

static inline unsigned stet__store_shards(const struct stet__store *store)
{
    return 1u << store->shard_bits;
}

/* By the high bits of the hash; tables go by the low ones. */
static inline struct stet__shard *stet__shard_of(struct stet__store *store, uint64_t hash)
{
    return &store->shards[store->shard_bits == 0 ? 0 : hash >> (64 - store->shard_bits)];
}

/* Objects that are out of their shard, linked by place.next. */
struct stet__victims {
    struct stet__object *first;
};

/* The object that `node` is in. */
static inline struct stet__object *stet__object_of_queue(struct stet__eviction_node *node)
{
    return (struct stet__object *)(void *)((char *)node - offsetof(struct stet__object, place.queue));
}

/* The rest is under the lock of the shard. */

/* The latest variant under a key, or NULL. */
struct stet__object *stet__shard_find(const struct stet__shard *shard, uint64_t hash, struct stet_span key);

/* Puts an object in, which comes with a reference; `old` (or NULL), of the same key, gives it its place in
 * the queues. */
void stet__shard_insert(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                        struct stet__object *old);

/* Puts `updated` where `old` is, which becomes a victim. */
void stet__shard_swap(struct stet__store *store, struct stet__shard *shard, struct stet__object *old,
                      struct stet__object *updated);

/* Takes an object out that is in. */
void stet__shard_remove(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                        struct stet__victims *victims);

/* What an object takes that is in. */
static inline size_t stet__shard_counted(const struct stet__object *object)
{
    return object->bytes + object->place.body_bytes + object->place.copies_bytes;
}

/* `object`, or if that is out a version of it that is in: with the same body. NULL if there is none. */
struct stet__object *stet__shard_version(const struct stet__shard *shard, struct stet__object *object);

/* Counts the body of an object anew, whichever version of its head has it counted. */
void stet__shard_recount(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                         size_t body_bytes);

/* Without any lock. */

/* Lets table and ghosts grow, if that is due. False if there is no room and no memory for one more key. */
bool stet__shard_grow(struct stet__store *store, struct stet__shard *shard);

void stet__victims_release(struct stet__store *store, struct stet__shard *shard,
                           struct stet__victims *victims);

/* Takes `bytes` of the budget, evicting what has to go; false, and nothing is taken, if that is not enough.
 */
bool stet__store_take_room(struct stet__store *store, size_t bytes);

/* Evicts until the budget is kept. */
void stet__store_keep_budget(struct stet__store *store);

#endif
