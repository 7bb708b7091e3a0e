/* SPDX-License-Identifier: MIT */
/*
 * arena: memory that dies all at once, with the exchange it belongs to. One block is kept for the next use,
 * so a busy arena does not call the allocator.
 */
#ifndef STET_BASE_ARENA_H
#define STET_BASE_ARENA_H

#include <stet/span.h>

struct stet__arena_block;

struct stet__arena {
    struct stet__arena_block *blocks; /* the one in use first */
    size_t used;                      /* octets handed out of all blocks, with what alignment takes */
    size_t max;                       /* what it may hand out at the most */
};

void stet__arena_init(struct stet__arena *arena, size_t max);

/* Forgets everything; keeps one block. */
void stet__arena_reset(struct stet__arena *arena);

/* Frees everything. */
void stet__arena_release(struct stet__arena *arena);

/* `n` octets aligned for any type, not cleared; NULL if the maximum or the memory is used up. */
void *stet__arena_alloc(struct stet__arena *arena, size_t n);

/* A copy of `octets`; the absent span if there is no room. */
struct stet_span stet__arena_copy(struct stet__arena *arena, struct stet_span octets);

#endif
