/* SPDX-License-Identifier: MIT */
/*
 * octets: the octets of coded copies, shared by all workers, and where they come from.
 *
 * A copy is known by the digest of its base and its coding: two files with the same content have one. Whoever
 * sends it holds it. What nobody holds any more is kept for a while (an entry that is looked at again drops
 * its copies and wants them back), the oldest goes first.
 *
 * Where they come from, in this order, each checked to be a coding of exactly that base:
 *
 *   a precompressed sibling --> this table --> the folder of --cache-dir --> made, and put into that folder
 *
 * All of that is done by the thread in the background (coding/background.h), never by a loop. Whatever its
 * source, what is sent stands in memory of the process and cannot change; a sibling or a file of the folder
 * is decoded once in full, so a damaged or foreign one is never sent.
 */
#ifndef STET_SERVE_OCTETS_H
#define STET_SERVE_OCTETS_H

#include <pthread.h>

#include "base/list.h"
#include "coding/whole.h"
#include "serve/open.h"

/* Immutable but for what the table changes under its lock. */
struct stet__octets {
    struct stet__list node;
    struct stet__whole whole;
    struct stet__digest base;
    enum stet_coding coding;
    struct stet__identity
        sibling; /* that was there; inode 0: none was. What was made in place of a wrong one has it, too */
    unsigned refs;
};

/* Of the whole process; every function is safe for threads. */
struct stet__octets_table {
    pthread_mutex_t lock;
    struct stet__list held[256]; /* by the first octet of the digest of the base */
    struct stet__list idle;      /* that nobody holds; the oldest first */
    uint64_t idle_bytes, idle_max_bytes;
};

void stet__octets_table_init(struct stet__octets_table *table, uint64_t idle_max_bytes);
void stet__octets_table_release(struct stet__octets_table *table); /* when nobody holds any */

/* With a ref for the caller, or NULL. With a `sibling`, only what was read from it as it is now. */
struct stet__octets *stet__octets_find(struct stet__octets_table *table, const struct stet__digest *base,
                                       enum stet_coding coding, const struct stet__identity *sibling);
void stet__octets_release(struct stet__octets_table *table, struct stet__octets *octets);

/* What is wanted. A sibling goes before all else. */
struct stet__octets_order {
    struct stet__octets_table *table;
    struct stet__digest base;
    enum stet_coding coding;
    int level;               /* to make it with */
    uint64_t max_bytes;      /* larger copies are not kept */
    uint64_t make_max_bytes; /* larger bases are not coded, only siblings of them taken */
    struct stet__part from;  /* the base */
    int sibling;             /* descriptor, or -1 */
    struct stet__identity sibling_identity;
    int cache; /* descriptor of the folder of --cache-dir, or -1 */
};

/*
 * In the background: gets it, from wherever. With a ref for the caller; NULL if it cannot be had: not smaller
 * than its base, too large, no memory, stopped, or the base is not what its digest says any more.
 */
struct stet__octets *stet__octets_get(const struct stet__octets_order *order, const atomic_bool *stop);

#endif
