/* SPDX-License-Identifier: MIT */
/*
 * recent: which purges there were, for answers that were asked for before them and come after them. RFC 9111
 * section 4.4 has no exception for what is on its way: such an answer is as old as what was purged.
 *
 *   moment   1, and one more with each purge. Who asks an origin takes the moment along
 *   marks    a table without chains: URIs, groups and groups of an origin by their hash, each slot with the
 *            last purges of what has taken it last, and of all others that have had it
 *   prefixes the last few, by length and hash
 *
 * 1. A purge that selects an object is never missed. One that does not may count for it, if so many came that
 *    it has lost its slot to another: then an object is validated, or not stored, without need.
 * 2. Memory is fixed: a prefix that is forgotten counts for everything that was asked for before it.
 * 3. As long as there was no purge since the moment, a look is one load.
 *
 * Safe for threads.
 */
#ifndef STET_STORE_RECENT_H
#define STET_STORE_RECENT_H

#include <pthread.h>

#include "store/store.h"

#define STET__RECENT_SLOTS 1024u
#define STET__RECENT_PREFIXES 16u

/* The last purge of each kind. */
struct stet__recent_mark {
    uint64_t soft, hard;
};

struct stet__recent_slot {
    uint64_t hash; /* of what has it */
    struct stet__recent_mark own, others;
};

struct stet__recent_prefix {
    uint64_t hash;
    size_t len;
    struct stet__recent_mark mark;
};

struct stet__recent {
    _Atomic uint64_t moment;
    pthread_mutex_t lock;
    const void *secret; /* of the hash */
    size_t secret_len;
    struct stet__recent_mark all; /* also for prefixes that are forgotten */
    struct stet__recent_slot slots[STET__RECENT_SLOTS];
    struct stet__recent_prefix prefixes[STET__RECENT_PREFIXES];
    unsigned next; /* the prefix that is forgotten for the next one */
};

void stet__recent_init(struct stet__recent *recent, const void *secret, size_t secret_len);
void stet__recent_release(struct stet__recent *recent);

static inline uint64_t stet__recent_moment(const struct stet__recent *recent)
{
    return atomic_load_explicit(&recent->moment, memory_order_acquire);
}

/* A purge begins, as stet__store_purge has it: what enters the store from now on looks here. */
void stet__recent_note(struct stet__recent *recent, enum stet__selector selector, struct stet_span what,
                       struct stet_span origin, bool hard);

/* What has become of an object that was asked for at the moment `since`. */
enum stet__purged stet__recent_look(struct stet__recent *recent, const struct stet__object *object,
                                    uint64_t since);

#endif
