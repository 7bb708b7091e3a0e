/* SPDX-License-Identifier: MIT */
/*
 * The order of use is a clock (second chance): a hit sets one flag; the hand, at the front of the list, gives
 * an entry with the flag another round and drops one without. The hash is keyed with a random secret, so
 * nobody outside can make keys collide.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "serve/files.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"
#include "serve/file_copies.h"
#include "serve/octets.h"

#define BUCKETS_MIN 1024
#define ENTRY_ARENA_MAX (256 * 1024) /* heads with many rules are large; this is plenty */
#define ENTRY_OVERHEAD (sizeof(struct stet__entry) + 4096 + 64)

struct stet__files {
    struct stet__entry **buckets;
    size_t mask;
    size_t sweep;             /* the next bucket of it */
    struct stet__list recent; /* the hand is at its front */
    size_t count, open_count, open_max;
    uint64_t memory, memory_max;
    unsigned char secret[XXH3_SECRET_SIZE_MIN];
};

struct stet__entry *stet__entry_new(struct stet_span key, struct stet_span path)
{
    struct stet__entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    stet__list_init(&entry->watched.node);
    stet__list_init(&entry->recent);
    stet__arena_init(&entry->arena, ENTRY_ARENA_MAX);
    entry->watched.owner = entry;
    entry->refs = 1;
    entry->fd = -1;
    entry->review_at = INT64_MAX;
    entry->key = stet__arena_copy(&entry->arena, key);
    entry->path = stet__arena_copy(&entry->arena, path);
    if (entry->key.ptr && entry->path.ptr)
        return entry;
    stet__entry_release(entry);
    return NULL;
}

void stet__entry_hold(struct stet__entry *entry)
{
    entry->refs++;
}

void stet__entry_release(struct stet__entry *entry)
{
    stet__assert(entry->refs > 0);
    if (--entry->refs > 0)
        return;
    stet__file_copies_free(entry->copies);
    if (entry->fd >= 0)
        close(entry->fd);
    if (entry->octets)
        stet__octets_release(entry->octets_table, entry->octets);
    free(entry->content);
    stet__arena_release(&entry->arena);
    free(entry);
}

struct stet__files *stet__files_new(unsigned open_files, uint64_t memory_bytes)
{
    struct stet__files *files = calloc(1, sizeof *files);
    if (!files)
        return NULL;
    size_t buckets = BUCKETS_MIN;
    while (buckets < open_files)
        buckets *= 2;
    files->mask = buckets - 1;
    files->open_max = open_files;
    files->memory_max = memory_bytes;
    stet__list_init(&files->recent);
    files->buckets = calloc(buckets, sizeof(struct stet__entry *));
    if (files->buckets &&
        getrandom(files->secret, sizeof(files->secret), 0) == (ssize_t)sizeof(files->secret))
        return files;
    free(files->buckets);
    free(files);
    return NULL;
}

void stet__files_free(struct stet__files *files)
{
    if (!files)
        return;
    stet__files_drop_all(files);
    free(files->buckets);
    free(files);
}

static uint64_t hash_of(const struct stet__files *files, struct stet_span key)
{
    return XXH3_64bits_withSecret(key.ptr, key.len, files->secret, sizeof(files->secret));
}

static struct stet__entry *find_hashed(const struct stet__files *files, struct stet_span key, uint64_t hash)
{
    struct stet__entry *entry = files->buckets[hash & files->mask];
    while (entry && (entry->hash != hash || !stet_span_equal(entry->key, key)))
        entry = entry->next;
    return entry;
}

struct stet__entry *stet__files_find(struct stet__files *files, struct stet_span key)
{
    struct stet__entry *entry = find_hashed(files, key, hash_of(files, key));
    if (entry)
        entry->used = true;
    return entry;
}

static void make_room(struct stet__files *files)
{
    while ((files->open_count > files->open_max || files->memory > files->memory_max) &&
           !stet__list_empty(&files->recent)) {
        struct stet__entry *entry = stet__list_entry(files->recent.next, struct stet__entry, recent);
        if (entry->used) {
            entry->used = false;
            stet__list_remove(&entry->recent);
            stet__list_append(&files->recent, &entry->recent);
            continue;
        }
        stet__files_drop(files, entry);
    }
}

void stet__files_add(struct stet__files *files, struct stet__entry *entry)
{
    uint64_t hash = hash_of(files, entry->key);
    struct stet__entry *old = find_hashed(files, entry->key, hash);
    if (old)
        stet__files_drop(files, old);
    stet__entry_hold(entry);
    entry->cached = true;
    entry->hash = hash;
    entry->cost += ENTRY_OVERHEAD;
    entry->open = entry->fd >= 0;
    entry->next = files->buckets[hash & files->mask];
    files->buckets[hash & files->mask] = entry;
    stet__list_append(&files->recent, &entry->recent);
    files->count++;
    files->open_count += entry->open;
    files->memory += entry->cost;
    make_room(files);
}

void stet__files_grow(struct stet__files *files, struct stet__entry *entry, size_t cost, unsigned open)
{
    entry->cost += cost + ENTRY_OVERHEAD;
    entry->open += open;
    if (!entry->cached)
        return;
    files->memory += cost + ENTRY_OVERHEAD;
    files->open_count += open;
    make_room(files);
}

void stet__files_drop(struct stet__files *files, struct stet__entry *entry)
{
    if (!entry->cached)
        return;
    struct stet__entry **link = &files->buckets[entry->hash & files->mask];
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    stet__list_remove(&entry->recent);
    stet__list_remove(&entry->watched.node);
    if (entry->copies)
        stet__file_copies_unwatch(entry->copies);
    entry->cached = false;
    files->count--;
    files->open_count -= entry->open;
    files->memory -= entry->cost;
    stet__entry_release(entry);
}

void stet__files_drop_all(struct stet__files *files)
{
    while (!stet__list_empty(&files->recent))
        stet__files_drop(files, stet__list_entry(files->recent.next, struct stet__entry, recent));
}

void stet__files_sweep(struct stet__files *files, bool (*stays)(void *arg, const struct stet__entry *entry),
                       void *arg)
{
    for (size_t i = (files->mask + 1) / STET__SWEEP_ROUNDS; i > 0; i--) {
        struct stet__entry *entry = files->buckets[files->sweep++ & files->mask], *next;
        for (; entry; entry = next) {
            next = entry->next;
            if (!stays(arg, entry))
                stet__files_drop(files, entry);
        }
    }
}

const void *stet__files_secret(const struct stet__files *files, size_t *len)
{
    *len = sizeof(files->secret);
    return files->secret;
}
