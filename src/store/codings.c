/* SPDX-License-Identifier: MIT */
/*
 * A body that nobody wants coded has a NULL pointer; the first who asks allocates the rest. Bits only ever
 * come, but for that of who gives up for now.
 */
#include "store/codings.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"

#define ALLOCATION_OVERHEAD 8u

struct stet__codings {
    atomic_uint asked, refused, there;
    uint32_t fingerprints[STET__CODINGS_MADE];
    struct stet__body *bodies[STET__CODINGS_MADE]; /* read if the bit in `there` was seen */
};

static struct stet__codings *get(struct stet__body *body)
{
    struct stet__codings *codings = stet__body_codings(body);
    if (codings)
        return codings;
    codings = calloc(1, sizeof *codings);
    return codings ? stet__body_set_codings(body, codings) : NULL;
}

bool stet__codings_begin(struct stet__body *body, enum stet_coding coding)
{
    struct stet__codings *codings = coding < STET__CODINGS_MADE ? get(body) : NULL;
    if (!codings)
        return false;
    unsigned bit = stet_coding_bit(coding);
    if ((atomic_load_explicit(&codings->asked, memory_order_relaxed) & bit) != 0)
        return false;
    return (atomic_fetch_or_explicit(&codings->asked, bit, memory_order_relaxed) & bit) == 0;
}

void stet__codings_give_up(struct stet__body *body, enum stet_coding coding, bool for_good)
{
    struct stet__codings *codings = stet__body_codings(body);
    if (for_good)
        atomic_fetch_or_explicit(&codings->refused, stet_coding_bit(coding), memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&codings->asked, ~stet_coding_bit(coding), memory_order_relaxed);
}

void stet__codings_publish(struct stet__body *body, enum stet_coding coding, struct stet__body *coded,
                           uint32_t fingerprint)
{
    struct stet__codings *codings = stet__body_codings(body);
    stet__assert(codings && !codings->bodies[coding]);
    codings->bodies[coding] = stet__body_acquire(coded);
    codings->fingerprints[coding] = fingerprint;
    atomic_fetch_or_explicit(&codings->there, stet_coding_bit(coding), memory_order_release);
}

unsigned stet__codings_there(const struct stet__body *body)
{
    const struct stet__codings *codings = stet__body_codings(body);
    return codings ? atomic_load_explicit(&codings->there, memory_order_acquire) : 0;
}

unsigned stet__codings_refused(const struct stet__body *body)
{
    const struct stet__codings *codings = stet__body_codings(body);
    return codings ? atomic_load_explicit(&codings->refused, memory_order_relaxed) : 0;
}

struct stet__body *stet__codings_find(const struct stet__body *body, enum stet_coding coding,
                                      uint32_t *fingerprint)
{
    if ((stet__codings_there(body) & stet_coding_bit(coding)) == 0)
        return NULL;
    const struct stet__codings *codings = stet__body_codings(body);
    *fingerprint = codings->fingerprints[coding];
    return codings->bodies[coding];
}

static size_t own_bytes(const struct stet__codings *codings)
{
    return malloc_usable_size((void *)(uintptr_t)codings) + ALLOCATION_OVERHEAD;
}

size_t stet__codings_overhead(const struct stet__body *body)
{
    const struct stet__codings *codings = stet__body_codings(body);
    return codings ? own_bytes(codings) : 0;
}

void stet__codings_free(struct stet__codings *codings)
{
    for (size_t i = 0; codings && i < STET__CODINGS_MADE; i++)
        stet__body_release(codings->bodies[i]);
    free(codings);
}

size_t stet__codings_bytes(const struct stet__codings *codings)
{
    if (!codings)
        return 0;
    unsigned there = atomic_load_explicit(&codings->there, memory_order_acquire);
    size_t bytes = own_bytes(codings);
    for (size_t i = 0; i < STET__CODINGS_MADE; i++)
        if ((there >> i & 1) != 0)
            bytes += stet__body_bytes(codings->bodies[i]);
    return bytes;
}
