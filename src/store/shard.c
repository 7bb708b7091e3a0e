/* SPDX-License-Identifier: MIT */
/*
 * Variants of a key are few (limits.variants), so they are a list, the latest first. Of versions that share a
 * body one has it counted; when that one goes, another takes the count over.
 */
#include "store/shard.h"

#include <stdlib.h>

#include "base/assert.h"

struct stet__object *stet__shard_find(const struct stet__shard *shard, uint64_t hash, struct stet_span key)
{
    struct stet__table_slot *slot = stet__table_find(&shard->table, hash, key);
    return slot ? slot->object : NULL;
}

static void count(struct stet__store *store, size_t add, size_t subtract)
{
    atomic_fetch_add_explicit(&store->used, add - subtract, memory_order_relaxed);
}

/* Another version than `object` with the same body, in the store; that which has it counted first. */
static struct stet__object *sharing(struct stet__object *first, const struct stet__object *object)
{
    struct stet__object *found = NULL;
    for (; first && object->body; first = first->place.next) {
        if (first == object || first->body != object->body)
            continue;
        if (first->place.body_bytes > 0)
            return first;
        found = first;
    }
    return found;
}

struct stet__object *stet__shard_version(const struct stet__shard *shard, struct stet__object *object)
{
    return object->place.in ? object : sharing(stet__shard_find(shard, object->hash, object->key), object);
}

static void enter(struct stet__store *store, struct stet__object *object, struct stet__object *variants)
{
    struct stet__object *other = sharing(variants, object);
    bool counted = other && other->place.body_bytes > 0;
    object->place.body_bytes = object->body && !counted ? stet__body_bytes(object->body) : 0;
    object->place.in = true;
    object->place.once = true;
    atomic_store_explicit(&object->place.used_at, atomic_load_explicit(&store->clock, memory_order_relaxed),
                          memory_order_relaxed);
    count(store, stet__shard_counted(object), 0);
    atomic_fetch_add_explicit(&store->objects, 1, memory_order_relaxed);
}

void stet__shard_insert(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                        struct stet__object *old)
{
    struct stet__table_slot *slot = stet__table_find(&shard->table, object->hash, object->key);
    object->place.next = slot ? slot->object : NULL;
    enter(store, object, object->place.next);
    if (slot)
        slot->object = object;
    else
        stet__table_insert(&shard->table, object);
    stet__list_init(&object->place.queue.link);
    stet__eviction_add(&shard->eviction, &object->place.queue, object->hash, stet__shard_counted(object));
    if (old)
        stet__eviction_inherit(&shard->eviction, &object->place.queue, &old->place.queue);
}

/* The link that leads to an object that is in. */
static struct stet__object **link_to(struct stet__table_slot *slot, const struct stet__object *object)
{
    struct stet__object **link = &slot->object;
    while (*link != object) {
        stet__assert(*link);
        link = &(*link)->place.next;
    }
    return link;
}

/* What is left to do when `object` is unlinked from its variants. */
static void leave(struct stet__store *store, struct stet__shard *shard, struct stet__object *variants,
                  struct stet__object *object)
{
    struct stet__object *heir = object->place.body_bytes > 0 ? sharing(variants, object) : NULL;
    count(store, 0, stet__shard_counted(object));
    stet__eviction_remove(&shard->eviction, &object->place.queue);
    if (heir) {
        heir->place.body_bytes = object->place.body_bytes;
        count(store, heir->place.body_bytes, 0);
        stet__eviction_resize(&shard->eviction, &heir->place.queue, stet__shard_counted(heir));
    }
    object->place.in = false;
    atomic_fetch_sub_explicit(&store->objects, 1, memory_order_relaxed);
}

void stet__shard_swap(struct stet__store *store, struct stet__shard *shard, struct stet__object *old,
                      struct stet__object *updated)
{
    struct stet__table_slot *slot = stet__table_find(&shard->table, old->hash, old->key);
    enter(store, updated, slot->object);
    stet__list_init(&updated->place.queue.link);
    stet__eviction_add(&shard->eviction, &updated->place.queue, updated->hash, stet__shard_counted(updated));
    stet__eviction_inherit(&shard->eviction, &updated->place.queue, &old->place.queue);
    updated->place.next = old->place.next;
    *link_to(slot, old) = updated;
    leave(store, shard, slot->object, old);
}

void stet__shard_remove(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                        struct stet__victims *victims)
{
    struct stet__table_slot *slot = stet__table_find(&shard->table, object->hash, object->key);
    struct stet__object **link = link_to(slot, object);
    *link = object->place.next;
    leave(store, shard, slot->object, object);
    if (!slot->object) {
        slot->object = object; /* a probe must not end here before the slot is closed */
        stet__table_remove(&shard->table, slot);
    }
    object->place.next = victims->first;
    victims->first = object;
}

void stet__shard_recount(struct stet__store *store, struct stet__shard *shard, struct stet__object *object,
                         size_t body_bytes)
{
    if (object->place.body_bytes == 0) {
        struct stet__object *other = sharing(stet__shard_find(shard, object->hash, object->key), object);
        object = other && other->place.body_bytes > 0 ? other : object;
    }
    count(store, body_bytes, object->place.body_bytes);
    object->place.body_bytes = body_bytes;
    stet__eviction_resize(&shard->eviction, &object->place.queue, stet__shard_counted(object));
}

static void grow_table(struct stet__store *store, struct stet__shard *shard, size_t slots)
{
    struct stet__table_slot *at = slots > 0 ? calloc(slots, sizeof *at) : NULL;
    pthread_mutex_lock(&shard->lock);
    size_t before = stet__table_bytes(&shard->table);
    struct stet__table_slot *retired = stet__table_retired(&shard->table);
    if (at && stet__table_wants(&shard->table) == slots) {
        stet__table_grow(&shard->table, at, slots);
        at = NULL;
    }
    count(store, stet__table_bytes(&shard->table), before);
    pthread_mutex_unlock(&shard->lock);
    free(at);
    free(retired);
}

static void grow_ghosts(struct stet__store *store, struct stet__shard *shard, size_t tags)
{
    uint32_t *at = calloc(tags, sizeof *at);
    if (!at)
        return;
    pthread_mutex_lock(&shard->lock);
    size_t before = stet__eviction_bytes(&shard->eviction);
    if (stet__eviction_wants(&shard->eviction) == tags)
        at = stet__eviction_grow(&shard->eviction, at, tags);
    count(store, stet__eviction_bytes(&shard->eviction), before);
    pthread_mutex_unlock(&shard->lock);
    free(at);
}

bool stet__shard_grow(struct stet__store *store, struct stet__shard *shard)
{
    pthread_mutex_lock(&shard->lock);
    size_t slots = stet__table_wants(&shard->table), tags = stet__eviction_wants(&shard->eviction);
    bool retired = shard->table.old.at && shard->table.old.count == 0;
    pthread_mutex_unlock(&shard->lock);
    if (slots > 0 || retired)
        grow_table(store, shard, slots);
    if (tags > 0)
        grow_ghosts(store, shard, tags);
    pthread_mutex_lock(&shard->lock);
    bool room = stet__table_has_room(&shard->table);
    pthread_mutex_unlock(&shard->lock);
    return room;
}

void stet__victims_release(struct stet__store *store, struct stet__shard *shard,
                           struct stet__victims *victims)
{
    for (struct stet__object *object = victims->first, *next; object; object = next) {
        next = object->place.next;
        object->place.next = NULL;
        stet__index_leave(&shard->index, object);
        stet__object_release(object);
    }
    victims->first = NULL;
}
