/* SPDX-License-Identifier: MIT */
/*
 * A hint is known by the hash of what it is about alone: two that collide overwrite one another, and the
 * comparison at the end (stet__variation_equivalent) sorts out what that leads to.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/variation.h"

#include <malloc.h>
#include <stdlib.h>

#include <stet/no_vary_search.h>

#include "base/assert.h"

#define ALLOCATION_OVERHEAD 8u
#define SIMPLE_MAX (3u * STET__VARIATION_KEY_MAX + 1)
#define HINT_TYPICAL_BYTES 128u
#define BUCKET_BYTES sizeof(void *)

struct stet__variation_hint {
    struct stet__variation_hint *next;
    struct stet__list order;
    uint64_t hash;
    size_t bytes;
    size_t len;
    char text[]; /* the rule (an octet for `prefixes`, and the value), or the key */
};

/* A key in two: what stands before the question mark, and the query behind it. */
struct parted {
    struct stet_span path, query;
};

static struct parted part(struct stet_span key)
{
    const char *mark = key.len > 0 ? memchr(key.ptr, '?', key.len) : NULL;
    if (!mark)
        return (struct parted){key, stet_span_of("", 0)};
    size_t path = (size_t)(mark - key.ptr);
    return (struct parted){stet_span_of(key.ptr, path), stet_span_skip(key, path + 1)};
}

bool stet__variation_init(struct stet__variation *variation, size_t bytes_max, const void *secret,
                          size_t secret_len, atomic_size_t *used)
{
    *variation = (struct stet__variation){
        .bytes_max = bytes_max, .secret = secret, .secret_len = secret_len, .used = used};
    size_t buckets = 16;
    while (buckets < bytes_max / HINT_TYPICAL_BYTES / 2)
        buckets *= 2;
    variation->buckets = calloc(buckets, BUCKET_BYTES);
    if (!variation->buckets)
        return false;
    variation->mask = buckets - 1;
    stet__list_init(&variation->order);
    pthread_mutex_init(&variation->lock, NULL);
    atomic_fetch_add(used, buckets * BUCKET_BYTES);
    return true;
}

static void drop(struct stet__variation *variation, struct stet__variation_hint *hint)
{
    struct stet__variation_hint **link = &variation->buckets[hint->hash & variation->mask];
    while (*link != hint)
        link = &(*link)->next;
    *link = hint->next;
    stet__list_remove(&hint->order);
    variation->bytes -= hint->bytes;
    atomic_fetch_sub(variation->used, hint->bytes);
    atomic_fetch_sub(&variation->count, 1);
    free(hint);
}

static struct stet__variation_hint *oldest(struct stet__variation *variation)
{
    return stet__list_entry(variation->order.next, struct stet__variation_hint, order);
}

void stet__variation_release(struct stet__variation *variation)
{
    while (!stet__list_empty(&variation->order))
        drop(variation, oldest(variation));
    atomic_fetch_sub(variation->used, (variation->mask + 1) * BUCKET_BYTES);
    free(variation->buckets);
    pthread_mutex_destroy(&variation->lock);
}

static uint64_t hash_of(const struct stet__variation *variation, struct stet_span text, uint64_t with)
{
    uint64_t both[2] = {XXH3_64bits_withSecret(text.ptr, text.len, variation->secret, variation->secret_len),
                        with};
    return XXH3_64bits_withSecret(both, sizeof both, variation->secret, variation->secret_len);
}

static struct stet__variation_hint *find(const struct stet__variation *variation, uint64_t hash)
{
    struct stet__variation_hint *hint = variation->buckets[hash & variation->mask];
    while (hint && hint->hash != hash)
        hint = hint->next;
    return hint;
}

static void put(struct stet__variation *variation, uint64_t hash, struct stet_span text)
{
    struct stet__variation_hint *hint = find(variation, hash);
    if (hint && stet_span_equal(stet_span_of(hint->text, hint->len), text))
        return;
    if (hint)
        drop(variation, hint);
    hint = malloc(sizeof *hint + text.len);
    if (!hint)
        return;
    hint->hash = hash;
    hint->len = text.len;
    memcpy(hint->text, text.ptr, text.len);
    hint->bytes = malloc_usable_size(hint) + ALLOCATION_OVERHEAD;
    hint->next = variation->buckets[hash & variation->mask];
    variation->buckets[hash & variation->mask] = hint;
    stet__list_init(&hint->order);
    stet__list_append(&variation->order, &hint->order);
    variation->bytes += hint->bytes;
    atomic_fetch_add(variation->used, hint->bytes);
    atomic_fetch_add(&variation->count, 1);
    while (variation->bytes > variation->bytes_max)
        drop(variation, oldest(variation));
}

static struct stet_span simplify(struct stet__variation_rule rule, struct stet_span query, char *room)
{
    struct stet_no_vary_search nvs;
    stet_no_vary_search_read_value(rule.value, &nvs);
    nvs.prefixes = rule.prefixes;
    size_t len = stet_no_vary_search_write(&nvs, query, room, SIMPLE_MAX);
    stet__assert(len <= SIMPLE_MAX);
    return stet_span_of(room, len);
}

/* The hash of the hint for all URIs that `rule` makes equivalent to `key`. */
static uint64_t class_of(const struct stet__variation *variation, struct parted key,
                         struct stet__variation_rule rule)
{
    char room[SIMPLE_MAX];
    uint64_t path = hash_of(variation, key.path, hash_of(variation, rule.value, rule.prefixes ? 2 : 1));
    return hash_of(variation, simplify(rule, key.query, room), path);
}

void stet__variation_note(struct stet__variation *variation, struct stet_span key,
                          struct stet__variation_rule rule)
{
    char text[STET__VARIATION_VALUE_MAX + 1];
    if (key.len > STET__VARIATION_KEY_MAX || rule.value.len > STET__VARIATION_VALUE_MAX)
        return;
    text[0] = rule.prefixes ? 1 : 0;
    memcpy(text + 1, rule.value.ptr, rule.value.len);
    struct parted parted = part(key);
    uint64_t path = hash_of(variation, parted.path, 0), class = class_of(variation, parted, rule);
    pthread_mutex_lock(&variation->lock);
    put(variation, path, stet_span_of(text, rule.value.len + 1));
    put(variation, class, key);
    pthread_mutex_unlock(&variation->lock);
}

/* Copies the text of a hint; SIZE_MAX if there is none or it does not fit. */
static size_t copy_hint(struct stet__variation *variation, uint64_t hash, char *to, size_t room)
{
    size_t len = SIZE_MAX;
    pthread_mutex_lock(&variation->lock);
    const struct stet__variation_hint *hint = find(variation, hash);
    if (hint && hint->len <= room) {
        memcpy(to, hint->text, hint->len);
        len = hint->len;
    }
    pthread_mutex_unlock(&variation->lock);
    return len;
}

bool stet__variation_find(struct stet__variation *variation, struct stet_span key,
                          struct stet__variation_match *out)
{
    if (key.len > STET__VARIATION_KEY_MAX)
        return false;
    struct parted parted = part(key);
    size_t len = copy_hint(variation, hash_of(variation, parted.path, 0), out->text, sizeof out->text);
    if (len == SIZE_MAX || len == 0)
        return false;
    out->rule = (struct stet__variation_rule){stet_span_of(out->text + 1, len - 1), out->text[0] != 0};
    uint64_t class = class_of(variation, parted, out->rule);
    out->key_len = copy_hint(variation, class, out->key, sizeof out->key);
    return out->key_len != SIZE_MAX;
}

bool stet__variation_equivalent(struct stet__variation_rule rule, struct stet_span a, struct stet_span b)
{
    char room_a[SIMPLE_MAX], room_b[SIMPLE_MAX];
    if (a.len > STET__VARIATION_KEY_MAX || b.len > STET__VARIATION_KEY_MAX)
        return false;
    struct parted first = part(a), second = part(b);
    return stet_span_equal(first.path, second.path) &&
           stet_span_equal(simplify(rule, first.query, room_a), simplify(rule, second.query, room_b));
}
