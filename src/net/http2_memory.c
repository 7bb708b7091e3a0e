/* SPDX-License-Identifier: MIT */
/*
 * Memory for nghttp2: what a stream takes and gives back for each request, in a handful of sizes. Freed
 * blocks are kept, by size, for the next stream of any connection of the worker; nghttp2 is called on the
 * worker's thread only, so this needs no lock. The allocator of libc keeps seven of a size at hand, and a
 * connection has a hundred streams.
 *
 * Each block says its class in front, because nghttp2 does not say a block's size when it frees it. And
 * whether it is kept: nghttp2 1.52 frees what it could not queue for lack of memory once at once, and once
 * more with its session (session_attach_stream_item), which the connection's end follows at once.
 */
#include "net/http2_stream.h"

#define STEP 64                 /* sizes are multiples of it */
#define KEPT_MAX (512u * 1024u) /* octets that a worker keeps: some 600 streams' */

#define KEPT ((size_t)1 << 32)

struct stet__http2_block {
    struct stet__http2_block *next; /* while it is kept */
    size_t class;                   /* and KEPT */
    char octets[] __attribute__((aligned(16)));
};

static size_t room(size_t class)
{
    return class * STEP - sizeof(struct stet__http2_block);
}

static struct stet__http2_block *block_of(void *octets)
{
    return (void *)((char *)octets - offsetof(struct stet__http2_block, octets));
}

static void *take(size_t size, void *user)
{
    struct stet__http2_memory *memory = user;
    if (size > SIZE_MAX - sizeof(struct stet__http2_block) - STEP)
        return NULL;
    size_t class = (size + sizeof(struct stet__http2_block) + STEP - 1) / STEP;
    struct stet__http2_block *block = class < STET__HTTP2_CLASSES ? memory->kept[class] : NULL;
    if (block) {
        memory->kept[class] = block->next;
        memory->kept_bytes -= class * STEP;
        block->class = class;
    } else {
        block = malloc(class * STEP);
        if (!block)
            return NULL;
        block->class = class;
    }
    return block->octets;
}

static void give(void *octets, void *user)
{
    struct stet__http2_memory *memory = user;
    if (!octets)
        return;
    struct stet__http2_block *block = block_of(octets);
    size_t class = block->class;
    if (class & KEPT)
        return;
    if (class >= STET__HTTP2_CLASSES || memory->kept_bytes > KEPT_MAX) {
        free(block);
        return;
    }
    block->next = memory->kept[class];
    block->class = class | KEPT;
    memory->kept[class] = block;
    memory->kept_bytes += class * STEP;
}

static void *take_zeros(size_t count, size_t size, void *user)
{
    size_t octets;
    if (__builtin_mul_overflow(count, size, &octets))
        return NULL;
    void *to = take(octets, user);
    return to ? memset(to, 0, octets) : NULL;
}

static void *change(void *octets, size_t size, void *user)
{
    if (octets && size <= room(block_of(octets)->class))
        return octets;
    void *to = take(size, user);
    if (to && octets) {
        memcpy(to, octets, room(block_of(octets)->class));
        give(octets, user);
    }
    return to;
}

void stet__http2_memory_begin(struct stet__http2_memory *memory)
{
    memory->functions = (nghttp2_mem){memory, take, give, take_zeros, change};
}

void stet__http2_memory_end(struct stet__http2_memory *memory)
{
    for (size_t class = 0; class < STET__HTTP2_CLASSES; class ++) {
        while (memory->kept[class]) {
            struct stet__http2_block *block = memory->kept[class];
            memory->kept[class] = block->next;
            free(block);
        }
    }
}
