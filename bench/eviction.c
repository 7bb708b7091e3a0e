/* SPDX-License-Identifier: MIT */
/*
 * Hit ratios of the store's eviction (S3-FIFO), SIEVE and LRU on three synthetic traces, each over three
 * sizes of the cache: what eviction.h chooses by. No network, no time: the same numbers on every machine.
 *
 *   zipf     popularity alone: object k is asked for in proportion to k^-0.9
 *   scans    the same, and every so often a crawler passes through objects that nobody else asks for
 *   mixed    a third of requests go round a loop that is larger than the small cache; the rest are popular,
 *            and what is popular shifts
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#include "store/eviction.h"

#define OBJECTS 400000u /* popular ones and the crawler's */
#define POPULAR 100000u
#define REQUESTS 2000000u
#define LOOP 6000u

struct cache {
    struct stet__eviction_node *nodes;
    struct stet__eviction eviction; /* S3-FIFO */
    struct stet__list queue;        /* of the others: the oldest at the front */
    struct stet__list *hand;        /* SIEVE */
    size_t capacity, count;
};

enum policy { S3_FIFO, SIEVE, LRU, POLICIES };

static uint64_t state;

static uint64_t random_next(void)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double *cumulative;

static unsigned popular(void)
{
    double at = (double)(random_next() >> 11) / 9007199254740992.0 * cumulative[POPULAR - 1];
    unsigned low = 0, high = POPULAR - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (cumulative[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static unsigned zipf(unsigned i)
{
    return popular();
}

static unsigned scans(unsigned i)
{
    if (i % 100000 < 30000)
        return POPULAR + (i / 100000 * 30000 + i % 100000) % (OBJECTS - POPULAR);
    return popular();
}

static unsigned mixed(unsigned i)
{
    if (i % 3 == 0)
        return POPULAR + i / 3 % LOOP;
    return (popular() + i / 200000 * 2000) % POPULAR;
}

static bool ask_s3_fifo(struct cache *cache, struct stet__eviction_node *node)
{
    struct stet__eviction *eviction = &cache->eviction;
    if (node->queue != STET__QUEUE_NONE) {
        stet__eviction_use(node);
        return true;
    }
    while (eviction->count >= cache->capacity) {
        struct stet__eviction_node *victim = stet__eviction_victim(eviction);
        if (victim)
            stet__eviction_remove(eviction, victim);
    }
    uint64_t hash = (uint64_t)(node - cache->nodes + 1) * UINT64_C(0x9e3779b97f4a7c15);
    stet__list_init(&node->link);
    stet__eviction_add(eviction, node, hash ^ hash >> 29, 1);
    size_t wants = stet__eviction_wants(eviction);
    if (wants > 0)
        free(stet__eviction_grow(eviction, calloc(wants, sizeof(uint32_t)), wants));
    return false;
}

static bool enter(struct cache *cache, struct stet__eviction_node *node)
{
    stet__list_init(&node->link);
    stet__list_append(&cache->queue, &node->link);
    node->queue = STET__QUEUE_MAIN;
    atomic_store(&node->uses, 0);
    cache->count++;
    return false;
}

static void leave(struct cache *cache, struct stet__list *link)
{
    struct stet__eviction_node *node = stet__list_entry(link, struct stet__eviction_node, link);
    stet__list_remove(link);
    node->queue = STET__QUEUE_NONE;
    cache->count--;
}

static bool ask_lru(struct cache *cache, struct stet__eviction_node *node)
{
    if (node->queue != STET__QUEUE_NONE) {
        stet__list_remove(&node->link);
        stet__list_append(&cache->queue, &node->link);
        return true;
    }
    if (cache->count >= cache->capacity)
        leave(cache, cache->queue.next);
    return enter(cache, node);
}

static bool ask_sieve(struct cache *cache, struct stet__eviction_node *node)
{
    if (node->queue != STET__QUEUE_NONE) {
        atomic_store(&node->uses, 1);
        return true;
    }
    while (cache->count >= cache->capacity) {
        struct stet__list *at = cache->hand == &cache->queue ? cache->queue.next : cache->hand;
        cache->hand = at->next;
        struct stet__eviction_node *seen = stet__list_entry(at, struct stet__eviction_node, link);
        if (atomic_exchange(&seen->uses, 0) == 0)
            leave(cache, at);
    }
    return enter(cache, node);
}

static double run(enum policy policy, unsigned (*trace)(unsigned i), size_t capacity)
{
    static bool (*const ask[POLICIES])(struct cache *, struct stet__eviction_node *) = {ask_s3_fifo,
                                                                                        ask_sieve, ask_lru};
    struct cache cache = {.nodes = calloc(OBJECTS, sizeof *cache.nodes), .capacity = capacity};
    unsigned hits = 0;
    if (!cache.nodes)
        return 0;
    stet__eviction_init(&cache.eviction);
    stet__list_init(&cache.queue);
    cache.hand = &cache.queue;
    state = 8304;
    for (unsigned i = 0; i < REQUESTS; i++)
        hits += ask[policy](&cache, &cache.nodes[trace(i)]);
    stet__eviction_release(&cache.eviction);
    free(cache.nodes);
    return 100.0 * hits / REQUESTS;
}

int main(void)
{
    static const struct {
        const char *name;
        unsigned (*next)(unsigned i);
    } traces[] = {{"zipf", zipf}, {"scans", scans}, {"mixed", mixed}};
    static const size_t capacities[] = {1000, 5000, 20000};
    cumulative = malloc(POPULAR * sizeof *cumulative);
    if (!cumulative)
        return 1;
    double sum = 0;
    for (unsigned i = 0; i < POPULAR; i++)
        cumulative[i] = sum += pow(i + 1, -0.9);
    printf("%-6s %8s %8s %8s %8s %s\n", "trace", "objects", "S3-FIFO", "SIEVE", "LRU",
           "hits of S3-FIFO, LRU's being 1");
    for (size_t t = 0; t < sizeof traces / sizeof *traces; t++)
        for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
            double ratio[POLICIES];
            for (enum policy policy = 0; policy < POLICIES; policy++)
                ratio[policy] = run(policy, traces[t].next, capacities[c]);
            printf("%-6s %8zu %7.2f%% %7.2f%% %7.2f%% %.3f\n", traces[t].name, capacities[c], ratio[S3_FIFO],
                   ratio[SIEVE], ratio[LRU], ratio[S3_FIFO] / ratio[LRU]);
        }
    free(cumulative);
    return 0;
}
