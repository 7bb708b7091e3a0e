/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdlib.h>

#define BLOCK_BYTES 4096
#define ALIGNMENT 16

struct stet__arena_block {
    struct stet__arena_block *next;
    size_t room;
    size_t used;
    char octets[] __attribute__((aligned(ALIGNMENT)));
};

void stet__arena_init(struct stet__arena *arena, size_t max)
{
    *arena = (struct stet__arena){.max = max};
}

static void free_blocks(struct stet__arena_block *block)
{
    while (block) {
        struct stet__arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void stet__arena_reset(struct stet__arena *arena)
{
    arena->used = 0;
    if (!arena->blocks)
        return;
    free_blocks(arena->blocks->next);
    arena->blocks->next = NULL;
    arena->blocks->used = 0;
}

void stet__arena_release(struct stet__arena *arena)
{
    free_blocks(arena->blocks);
    stet__arena_init(arena, arena->max);
}

void *stet__arena_alloc(struct stet__arena *arena, size_t n)
{
    if (n > SIZE_MAX - ALIGNMENT)
        return NULL;
    size_t rounded = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded > arena->max - arena->used)
        return NULL;
    struct stet__arena_block *block = arena->blocks;
    if (!block || rounded > block->room - block->used) {
        size_t room = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        block = malloc(sizeof *block + room);
        if (!block)
            return NULL;
        *block = (struct stet__arena_block){.next = arena->blocks, .room = room};
        arena->blocks = block;
    }
    void *result = block->octets + block->used;
    block->used += rounded;
    arena->used += rounded;
    return result;
}

struct stet_span stet__arena_copy(struct stet__arena *arena, struct stet_span octets)
{
    char *to = stet__arena_alloc(arena, octets.len);
    if (!to)
        return STET_SPAN_NONE;
    if (octets.len > 0)
        memcpy(to, octets.ptr, octets.len);
    return stet_span_of(to, octets.len);
}
