/* SPDX-License-Identifier: MIT */
/*
 * A tag is never 0 and its low bits name the set. A new tag pushes the oldest of its set out, so the ghosts
 * of a set are a FIFO; over all sets that is nearly one of the whole.
 */
#include "store/eviction.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define SET 4u
#define SETS_MIN 16u
#define ROUNDS_MAX 32u /* of one call for a victim */
#define SMALL_SHARE 10u

void stet__eviction_init(struct stet__eviction *eviction)
{
    *eviction = (struct stet__eviction){.ghosts = NULL};
    for (size_t i = 0; i < sizeof eviction->queues / sizeof *eviction->queues; i++)
        stet__list_init(&eviction->queues[i]);
}

void stet__eviction_release(struct stet__eviction *eviction)
{
    free(eviction->ghosts);
    eviction->ghosts = NULL;
}

static size_t ghost_room(const struct stet__eviction *eviction)
{
    return eviction->ghosts ? (eviction->ghost_mask + 1) * SET : 0;
}

size_t stet__eviction_bytes(const struct stet__eviction *eviction)
{
    return ghost_room(eviction) * sizeof *eviction->ghosts;
}

size_t stet__eviction_wants(const struct stet__eviction *eviction)
{
    size_t room = ghost_room(eviction);
    if (room == 0)
        return SETS_MIN * SET;
    return eviction->count > room ? room * 2 : 0;
}

uint32_t *stet__eviction_grow(struct stet__eviction *eviction, uint32_t *tags, size_t count)
{
    uint32_t *old = eviction->ghosts;
    size_t mask = count / SET - 1;
    for (size_t i = 0; i < ghost_room(eviction); i++) {
        uint32_t *set = tags + (old[i] & mask) * SET;
        for (size_t place = 0; place < SET && old[i] != 0; place++)
            if (set[place] == 0) {
                set[place] = old[i];
                break;
            }
    }
    eviction->ghosts = tags;
    eviction->ghost_mask = mask;
    return old;
}

static uint32_t tag_of(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 16);
    return tag != 0 ? tag : 1;
}

static void remember(struct stet__eviction *eviction, uint64_t hash)
{
    if (!eviction->ghosts)
        return;
    uint32_t tag = tag_of(hash), *set = eviction->ghosts + (tag & eviction->ghost_mask) * SET;
    memmove(set + 1, set, (SET - 1) * sizeof *set);
    set[0] = tag;
}

/* Whether it was remembered; it is not any more. */
static bool recall(struct stet__eviction *eviction, uint64_t hash)
{
    if (!eviction->ghosts)
        return false;
    uint32_t tag = tag_of(hash), *set = eviction->ghosts + (tag & eviction->ghost_mask) * SET;
    for (size_t i = 0; i < SET; i++)
        if (set[i] == tag) {
            memmove(set + i, set + i + 1, (SET - 1 - i) * sizeof *set);
            set[SET - 1] = 0;
            return true;
        }
    return false;
}

static void enter(struct stet__eviction *eviction, struct stet__eviction_node *node,
                  enum stet__eviction_queue queue)
{
    stet__list_append(&eviction->queues[queue], &node->link);
    node->queue = (unsigned char)queue;
    eviction->bytes[queue] += node->bytes;
    eviction->count++;
}

void stet__eviction_add(struct stet__eviction *eviction, struct stet__eviction_node *node, uint64_t hash,
                        size_t bytes)
{
    node->hash = hash;
    node->bytes = bytes;
    atomic_store_explicit(&node->uses, 0, memory_order_relaxed);
    enter(eviction, node, recall(eviction, hash) ? STET__QUEUE_MAIN : STET__QUEUE_SMALL);
}

void stet__eviction_resize(struct stet__eviction *eviction, struct stet__eviction_node *node, size_t bytes)
{
    eviction->bytes[node->queue] += bytes - node->bytes;
    node->bytes = bytes;
}

void stet__eviction_remove(struct stet__eviction *eviction, struct stet__eviction_node *node)
{
    stet__assert(node->queue != STET__QUEUE_NONE && eviction->count > 0);
    stet__list_remove(&node->link);
    eviction->bytes[node->queue] -= node->bytes;
    eviction->count--;
    node->queue = STET__QUEUE_NONE;
}

void stet__eviction_inherit(struct stet__eviction *eviction, struct stet__eviction_node *node,
                            const struct stet__eviction_node *old)
{
    stet__assert(old->queue != STET__QUEUE_NONE && node != old);
    stet__list_remove(&node->link);
    eviction->bytes[node->queue] -= node->bytes;
    node->queue = old->queue;
    eviction->bytes[node->queue] += node->bytes;
    atomic_store_explicit(&node->uses, atomic_load_explicit(&old->uses, memory_order_relaxed),
                          memory_order_relaxed);
    struct stet__list *behind = old->link.next;
    stet__list_append(behind, &node->link);
}

static struct stet__eviction_node *oldest(struct stet__eviction *eviction, enum stet__eviction_queue queue)
{
    struct stet__list *list = &eviction->queues[queue];
    return stet__list_empty(list) ? NULL : stet__list_entry(list->next, struct stet__eviction_node, link);
}

/* Out of its queue, and into main with `uses` left. */
static void another_round(struct stet__eviction *eviction, struct stet__eviction_node *node,
                          unsigned char uses)
{
    stet__eviction_remove(eviction, node);
    atomic_store_explicit(&node->uses, uses, memory_order_relaxed);
    enter(eviction, node, STET__QUEUE_MAIN);
}

struct stet__eviction_node *stet__eviction_victim(struct stet__eviction *eviction)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        size_t all = eviction->bytes[STET__QUEUE_SMALL] + eviction->bytes[STET__QUEUE_MAIN];
        bool small = eviction->bytes[STET__QUEUE_SMALL] > all / SMALL_SHARE;
        struct stet__eviction_node *node = oldest(eviction, small ? STET__QUEUE_SMALL : STET__QUEUE_MAIN);
        if (!node)
            node = oldest(eviction, small ? STET__QUEUE_MAIN : STET__QUEUE_SMALL);
        if (!node)
            return NULL;
        unsigned char uses = atomic_load_explicit(&node->uses, memory_order_relaxed);
        if (node->queue == STET__QUEUE_SMALL && uses == 0)
            remember(eviction, node->hash);
        if (uses == 0)
            return node;
        another_round(eviction, node, node->queue == STET__QUEUE_SMALL ? 0 : (unsigned char)(uses - 1));
    }
    return NULL;
}
