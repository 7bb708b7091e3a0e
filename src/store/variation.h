/* SPDX-License-Identifier: MIT */
/*
 * variation: which stored URI stands for another one by No-Vary-Search (draft-ietf-httpbis-no-vary-search
 * section 7, the look-up it describes).
 *
 *   origin and path                             --> the rule seen last for it
 *   origin, path, rule and the simplified query --> the key that was stored last with it
 *
 * Both are hints in a bounded memory, the oldest dropped first: what is found is looked up again in the store
 * and compared, so a lost or wrong hint costs a miss, never a wrong answer. While nothing was noted, a
 * look-up is one load.
 */
#ifndef STET_STORE_VARIATION_H
#define STET_STORE_VARIATION_H

#include <pthread.h>
#include <stdatomic.h>

#include <stet/span.h>

#include "base/list.h"

#define STET__VARIATION_VALUE_MAX 1024u /* longer field values are not followed */
#define STET__VARIATION_KEY_MAX 4096u   /* nor longer keys */

struct stet__variation_hint;

struct stet__variation {
    pthread_mutex_t lock;
    struct stet__variation_hint **buckets;
    struct stet__list order; /* the oldest at the front */
    size_t mask, bytes, bytes_max;
    atomic_size_t count;
    const void *secret;
    size_t secret_len;
    atomic_size_t *used; /* what it allocates is counted here, too */
};

/* False if there is no memory. */
bool stet__variation_init(struct stet__variation *variation, size_t bytes_max, const void *secret,
                          size_t secret_len, atomic_size_t *used);
void stet__variation_release(struct stet__variation *variation);

/* What makes URIs equivalent: a field value, or an operator's option, which may have `prefixes`
 * (no_vary_search.h). */
struct stet__variation_rule {
    struct stet_span value;
    bool prefixes;
};

/* A response with that rule was stored under `key`. Without memory nothing is noted. */
void stet__variation_note(struct stet__variation *variation, struct stet_span key,
                          struct stet__variation_rule rule);

/* What may stand for a key. */
struct stet__variation_match {
    struct stet__variation_rule rule; /* its value is in `text` */
    char text[STET__VARIATION_VALUE_MAX + 1];
    char key[STET__VARIATION_KEY_MAX];
    size_t key_len;
};

/* False if nothing is known that could stand for `key`. */
bool stet__variation_find(struct stet__variation *variation, struct stet_span key,
                          struct stet__variation_match *out);

/* Whether the queries of two keys are equivalent by `rule`, and the rest of them is the same. */
bool stet__variation_equivalent(struct stet__variation_rule rule, struct stet_span a, struct stet_span b);

static inline bool stet__variation_any(const struct stet__variation *variation)
{
    return atomic_load_explicit(&variation->count, memory_order_relaxed) > 0;
}

#endif
