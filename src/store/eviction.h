/* SPDX-License-Identifier: MIT */
/*
 * eviction: which stored object goes when there is no room. S3-FIFO (Yang and others, SOSP 2023).
 *
 *   new --> small (a tenth of the octets) --> used meanwhile? --> main --> used since? --> another round
 *                                             not used: out,               not used: out
 *                                             remembered as a ghost
 *   a ghost that comes again --> main
 *
 * What is asked for once only, as a crawler does, passes through the small queue and never pushes out what is
 * in main. A use costs one relaxed store and no lock order, since nothing moves in a queue: a hit does not
 * write to its neighbours as LRU does.
 *
 * SIEVE, which is simpler, was measured beside it (bench/eviction.c, hits in percent of requests; S3-FIFO,
 * SIEVE, LRU; room for 5 % of the popular objects): popularity alone 59.4, 59.6, 51.5; with scans 41.7, 41.5,
 * 35.3; with a loop in it and popularity that shifts 40.5, 29.9, 29.7. Both beat LRU; S3-FIFO is never much
 * worse than SIEVE and sometimes far better.
 *
 * Sizes are octets: small is a tenth of the octets, and a large object counts as much as it takes. Ghosts are
 * 32-bit tags of the keyed hash in sets of four; a false one costs a place in main, never correctness.
 */
#ifndef STET_STORE_EVICTION_H
#define STET_STORE_EVICTION_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/list.h"

#define STET__EVICTION_USES_MAX 3 /* more uses than that do not earn more rounds */

enum stet__eviction_queue { STET__QUEUE_NONE, STET__QUEUE_SMALL, STET__QUEUE_MAIN };

/* Part of what is evicted. */
struct stet__eviction_node {
    struct stet__list link;
    uint64_t hash;
    size_t bytes;
    atomic_uchar uses;
    unsigned char queue;
};

struct stet__eviction {
    struct stet__list queues[3]; /* by enum stet__eviction_queue; the oldest is at the front */
    size_t bytes[3];
    size_t count;
    uint32_t *ghosts;  /* sets of four, the latest first; 0: none */
    size_t ghost_mask; /* of sets; meaningless without ghosts */
};

void stet__eviction_init(struct stet__eviction *eviction);

/* Frees the ghosts. Nodes are the owner's. */
void stet__eviction_release(struct stet__eviction *eviction);

/* The octets that the ghosts take. */
size_t stet__eviction_bytes(const struct stet__eviction *eviction);

/*
 * The ghosts are about as many as the objects. To let them be more: 0, or the number of tags to allocate,
 * cleared, outside of any lock; stet__eviction_grow takes them and returns the old ones to be freed.
 */
size_t stet__eviction_wants(const struct stet__eviction *eviction);
uint32_t *stet__eviction_grow(struct stet__eviction *eviction, uint32_t *tags, size_t count);

/* A new object of `bytes` octets. */
void stet__eviction_add(struct stet__eviction *eviction, struct stet__eviction_node *node, uint64_t hash,
                        size_t bytes);

/* `node` moves next to `old` and has as many uses: it is another version of the same. */
void stet__eviction_inherit(struct stet__eviction *eviction, struct stet__eviction_node *node,
                            const struct stet__eviction_node *old);

void stet__eviction_resize(struct stet__eviction *eviction, struct stet__eviction_node *node, size_t bytes);
void stet__eviction_remove(struct stet__eviction *eviction, struct stet__eviction_node *node);

/*
 * The one that goes next, to be removed by the caller; NULL if there is none, or if many in a row had been
 * used (count is not 0 then): ask again. So one call is short however popular everything is.
 */
struct stet__eviction_node *stet__eviction_victim(struct stet__eviction *eviction);

/* It was used. Any thread that sees the node. */
static inline void stet__eviction_use(struct stet__eviction_node *node)
{
    unsigned char uses = atomic_load_explicit(&node->uses, memory_order_relaxed);
    if (uses < STET__EVICTION_USES_MAX)
        atomic_store_explicit(&node->uses, (unsigned char)(uses + 1), memory_order_relaxed);
}

#endif
