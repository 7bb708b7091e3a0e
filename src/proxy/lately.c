/* SPDX-License-Identifier: MIT */
#include "proxy/lately.h"

#include <stdatomic.h>

#define SLOTS 4096
#define TIME_BITS 16

/* One word: the upper bits of the hash, and the lower ones of the time. */
struct stet__lately {
    atomic_uint_least64_t slots[SLOTS];
};

struct stet__lately *stet__lately_new(void)
{
    return calloc(1, sizeof(struct stet__lately));
}

void stet__lately_free(struct stet__lately *lately)
{
    free(lately);
}

static uint64_t word(uint64_t hash, int64_t now)
{
    return hash >> TIME_BITS << TIME_BITS | ((uint64_t)now & 0xffff);
}

void stet__lately_put(struct stet__lately *lately, uint64_t hash, int64_t now)
{
    atomic_store_explicit(&lately->slots[hash % SLOTS], word(hash, now), memory_order_relaxed);
}

void stet__lately_drop(struct stet__lately *lately, uint64_t hash)
{
    uint64_t slot = atomic_load_explicit(&lately->slots[hash % SLOTS], memory_order_relaxed);
    if (slot >> TIME_BITS == hash >> TIME_BITS)
        atomic_store_explicit(&lately->slots[hash % SLOTS], 0, memory_order_relaxed);
}

bool stet__lately_has(const struct stet__lately *lately, uint64_t hash, int64_t now)
{
    uint64_t slot = atomic_load_explicit(&lately->slots[hash % SLOTS], memory_order_relaxed);
    uint64_t passed = ((uint64_t)now - slot) & 0xffff;
    return slot != 0 && slot >> TIME_BITS == hash >> TIME_BITS && passed < STET__LATELY_S;
}
