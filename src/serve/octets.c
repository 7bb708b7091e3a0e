/* SPDX-License-Identifier: MIT */
#include "serve/octets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stet/status.h>

#include "base/assert.h"
#include "serve/cache_dir.h"

void stet__octets_table_init(struct stet__octets_table *table, uint64_t idle_max_bytes)
{
    pthread_mutex_init(&table->lock, NULL);
    for (size_t i = 0; i < sizeof table->held / sizeof *table->held; i++)
        stet__list_init(&table->held[i]);
    stet__list_init(&table->idle);
    table->idle_bytes = 0;
    table->idle_max_bytes = idle_max_bytes;
}

static struct stet__octets *octets_of(struct stet__list *node)
{
    return stet__list_entry(node, struct stet__octets, node);
}

/* Lets the oldest that nobody holds go, until no more than `max_bytes` of them are left. */
static void shrink(struct stet__octets_table *table, uint64_t max_bytes)
{
    while (table->idle_bytes > max_bytes) {
        struct stet__octets *octets = octets_of(table->idle.next);
        stet__list_remove(&octets->node);
        table->idle_bytes -= octets->whole.length;
        stet__whole_release(&octets->whole);
        free(octets);
    }
}

void stet__octets_table_release(struct stet__octets_table *table)
{
    for (size_t i = 0; i < sizeof table->held / sizeof *table->held; i++)
        stet__assert(stet__list_empty(&table->held[i]));
    shrink(table, 0);
    pthread_mutex_destroy(&table->lock);
}

static struct stet__octets *find_in(struct stet__list *list, const struct stet__digest *base,
                                    enum stet_coding coding, const struct stet__identity *sibling)
{
    for (struct stet__list *node = list->next; node != list; node = node->next) {
        struct stet__octets *octets = octets_of(node);
        if (octets->coding == coding && memcmp(&octets->base, base, sizeof *base) == 0 &&
            (!sibling || stet__identity_equal(&octets->sibling, sibling)))
            return octets;
    }
    return NULL;
}

static struct stet__list *held_list(struct stet__octets_table *table, const struct stet__digest *base)
{
    return &table->held[base->octets[0]];
}

/* Under the lock. */
static struct stet__octets *take(struct stet__octets_table *table, const struct stet__digest *base,
                                 enum stet_coding coding, const struct stet__identity *sibling)
{
    struct stet__octets *octets = find_in(held_list(table, base), base, coding, sibling);
    if (!octets && (octets = find_in(&table->idle, base, coding, sibling)) != NULL) {
        stet__list_remove(&octets->node);
        stet__list_append(held_list(table, base), &octets->node);
        table->idle_bytes -= octets->whole.length;
    }
    if (octets)
        octets->refs++;
    return octets;
}

struct stet__octets *stet__octets_find(struct stet__octets_table *table, const struct stet__digest *base,
                                       enum stet_coding coding, const struct stet__identity *sibling)
{
    pthread_mutex_lock(&table->lock);
    struct stet__octets *octets = take(table, base, coding, sibling);
    pthread_mutex_unlock(&table->lock);
    return octets;
}

void stet__octets_release(struct stet__octets_table *table, struct stet__octets *octets)
{
    pthread_mutex_lock(&table->lock);
    stet__assert(octets->refs > 0);
    if (--octets->refs == 0) {
        stet__list_remove(&octets->node);
        stet__list_append(&table->idle, &octets->node);
        table->idle_bytes += octets->whole.length;
        shrink(table, table->idle_max_bytes);
    }
    pthread_mutex_unlock(&table->lock);
}

/* Takes `whole` over, unless another thread was first: then both have that one's. */
static struct stet__octets *add(const struct stet__octets_order *order, struct stet__whole *whole,
                                const struct stet__identity *sibling)
{
    struct stet__octets *octets = malloc(sizeof *octets), *other;
    if (!octets) {
        stet__whole_release(whole);
        return NULL;
    }
    *octets = (struct stet__octets){
        .whole = *whole, .base = order->base, .coding = order->coding, .sibling = *sibling, .refs = 1};
    stet__list_init(&octets->node);
    pthread_mutex_lock(&order->table->lock);
    other = take(order->table, &order->base, order->coding, sibling);
    if (!other)
        stet__list_append(held_list(order->table, &order->base), &octets->node);
    pthread_mutex_unlock(&order->table->lock);
    if (!other)
        return octets;
    stet__whole_release(whole);
    free(octets);
    return other;
}

#define WORTH_BYTES 64 /* what the head of a copy is longer: Content-Encoding, and the suffix of the tag */

/* A coding that saves nothing is not worth a representation of its own. */
static uint64_t limit(const struct stet__octets_order *order)
{
    uint64_t smaller = order->from.length > WORTH_BYTES ? order->from.length - WORTH_BYTES : 0;
    return smaller < order->max_bytes ? smaller : order->max_bytes;
}

/* Reads a coded file and decodes it: it has to give the base, all of it and nothing else. */
static bool take_file(const struct stet__octets_order *order, int fd, const atomic_bool *stop,
                      struct stet__whole *out)
{
    struct stat stat;
    struct stet__whole decoded;
    if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
        return false;
    struct stet__part file = {.fd = fd, .length = (uint64_t)stat.st_size};
    if (stet__whole_copy(&file, limit(order), stop, out) != STET_OK)
        return false;
    struct stet__coder_options options = {
        .coding = order->coding, .decode = true, .output_max = order->from.length};
    struct stet__part part = stet__whole_part(out);
    if (stet__whole_make(&options, &part, STET__WHOLE_DIGEST, stop, &decoded) == STET_OK &&
        decoded.length == order->from.length &&
        memcmp(&decoded.digest, &order->base, sizeof order->base) == 0)
        return true;
    stet__whole_release(out);
    return false;
}

static bool take_cached(const struct stet__octets_order *order, const atomic_bool *stop,
                        struct stet__whole *out)
{
    int fd = stet__cache_dir_open(order->cache, order);
    bool good = take_file(order, fd, stop, out);
    if (fd >= 0)
        close(fd);
    return good;
}

static bool make(const struct stet__octets_order *order, const atomic_bool *stop, struct stet__whole *out)
{
    struct stet__coder_options options = {
        .coding = order->coding, .level = order->level, .output_max = limit(order)};
    if (order->from.length > order->make_max_bytes ||
        stet__whole_make(&options, &order->from, STET__WHOLE_KEEP, stop, out) != STET_OK)
        return false;
    /* A file that is not kept in memory may have changed since it was hashed. */
    if (memcmp(&out->from_digest, &order->base, sizeof order->base) != 0) {
        stet__whole_release(out);
        return false;
    }
    stet__cache_dir_put(order->cache, order, out);
    return true;
}

struct stet__octets *stet__octets_get(const struct stet__octets_order *order, const atomic_bool *stop)
{
    struct stet__identity sibling = {.inode = 0};
    struct stet__whole whole;
    if (order->sibling >= 0) {
        sibling = order->sibling_identity; /* of a wrong one, too: the next who asks need not try it again */
        struct stet__octets *octets = stet__octets_find(order->table, &order->base, order->coding, &sibling);
        if (octets)
            return octets;
        if (take_file(order, order->sibling, stop, &whole))
            return add(order, &whole, &sibling);
    }
    struct stet__octets *octets = stet__octets_find(order->table, &order->base, order->coding, NULL);
    if (octets)
        return octets;
    if (take_cached(order, stop, &whole) || make(order, stop, &whole))
        return add(order, &whole, &sibling);
    return NULL;
}
