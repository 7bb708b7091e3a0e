/* SPDX-License-Identifier: MIT */
/*
 * Texts are not kept, only their hashes under the secret of the store, so nobody outside can choose URIs that
 * fall into one slot.
 *
 * With No-Vary-Search a purge of one URI also selects what is equivalent to it, and which that is only the
 * answer will tell. So a URI leaves a second mark, without its query, and that counts for answers that have
 * such a rule: more than need be, never less.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/recent.h"

enum kind { KIND_URI, KIND_PATH, KIND_GROUP, KIND_GROUP_OF_ORIGIN };

void stet__recent_init(struct stet__recent *recent, const void *secret, size_t secret_len)
{
    memset(recent, 0, sizeof *recent);
    atomic_init(&recent->moment, 1);
    pthread_mutex_init(&recent->lock, NULL);
    recent->secret = secret;
    recent->secret_len = secret_len;
}

void stet__recent_release(struct stet__recent *recent)
{
    pthread_mutex_destroy(&recent->lock);
}

static uint64_t hash_of(const struct stet__recent *recent, struct stet_span text)
{
    return XXH3_64bits_withSecret(text.ptr, text.len, recent->secret, recent->secret_len);
}

static struct stet__recent_slot *slot_of(struct stet__recent *recent, uint64_t hash)
{
    return &recent->slots[hash % STET__RECENT_SLOTS];
}

static uint64_t name_of(const struct stet__recent *recent, enum kind kind, struct stet_span text,
                        struct stet_span origin)
{
    uint64_t parts[] = {kind, hash_of(recent, text), hash_of(recent, origin)};
    return XXH3_64bits_withSecret(parts, sizeof parts, recent->secret, recent->secret_len);
}

static struct stet_span without_query(struct stet_span key)
{
    const char *query = key.len > 0 ? memchr(key.ptr, '?', key.len) : NULL;
    return query ? stet_span_of(key.ptr, (size_t)(query - key.ptr)) : key;
}

/* Of a URI in normal form: what is before its path. */
static struct stet_span origin_of(struct stet_span key)
{
    size_t len = 0, slashes = 0;
    while (len < key.len && (key.ptr[len] != '/' || ++slashes < 3))
        len++;
    return stet_span_of(key.ptr, len);
}

/* ---- a purge ---- */

static void set(struct stet__recent_mark *mark, uint64_t moment, bool hard)
{
    if (hard)
        mark->hard = moment;
    else
        mark->soft = moment;
}

static void widen(struct stet__recent_mark *mark, const struct stet__recent_mark *by)
{
    mark->soft = by->soft > mark->soft ? by->soft : mark->soft;
    mark->hard = by->hard > mark->hard ? by->hard : mark->hard;
}

static void note_name(struct stet__recent *recent, uint64_t name, uint64_t moment, bool hard)
{
    struct stet__recent_slot *slot = slot_of(recent, name);
    if (slot->hash != name) {
        widen(&slot->others, &slot->own);
        slot->hash = name;
        slot->own = (struct stet__recent_mark){0, 0};
    }
    set(&slot->own, moment, hard);
}

static void note_prefix(struct stet__recent *recent, struct stet_span prefix, uint64_t moment, bool hard)
{
    uint64_t hash = hash_of(recent, prefix);
    struct stet__recent_prefix *at = NULL;
    for (size_t i = 0; i < STET__RECENT_PREFIXES && !at; i++)
        if (recent->prefixes[i].hash == hash && recent->prefixes[i].len == prefix.len)
            at = &recent->prefixes[i];
    if (!at) {
        at = &recent->prefixes[recent->next++ % STET__RECENT_PREFIXES];
        widen(&recent->all, &at->mark);
        *at = (struct stet__recent_prefix){.hash = hash, .len = prefix.len};
    }
    set(&at->mark, moment, hard);
}

void stet__recent_note(struct stet__recent *recent, enum stet__selector selector, struct stet_span what,
                       struct stet_span origin, bool hard)
{
    struct stet_span none = STET_SPAN("");
    pthread_mutex_lock(&recent->lock);
    uint64_t moment = atomic_load_explicit(&recent->moment, memory_order_relaxed) + 1;
    switch (selector) {
    case STET__SELECT_URI:
        note_name(recent, name_of(recent, KIND_URI, what, none), moment, hard);
        note_name(recent, name_of(recent, KIND_PATH, without_query(what), none), moment, hard);
        break;
    case STET__SELECT_PREFIX:
        note_prefix(recent, what, moment, hard);
        break;
    case STET__SELECT_GROUP:
        if (origin.ptr)
            note_name(recent, name_of(recent, KIND_GROUP_OF_ORIGIN, what, origin), moment, hard);
        else
            note_name(recent, name_of(recent, KIND_GROUP, what, none), moment, hard);
        break;
    case STET__SELECT_ALL:
        set(&recent->all, moment, hard);
        break;
    }
    atomic_store_explicit(&recent->moment, moment, memory_order_release);
    pthread_mutex_unlock(&recent->lock);
}

/* ---- a look ---- */

static void add_name(struct stet__recent *recent, struct stet__recent_mark *last, uint64_t name)
{
    const struct stet__recent_slot *slot = slot_of(recent, name);
    widen(last, &slot->others);
    if (slot->hash == name)
        widen(last, &slot->own);
}

static struct stet__recent_mark marks_of(struct stet__recent *recent, const struct stet__object *object)
{
    struct stet__recent_mark last = recent->all;
    struct stet_span none = STET_SPAN(""), origin = origin_of(object->key);
    add_name(recent, &last, name_of(recent, KIND_URI, object->key, none));
    if (object->no_vary_search.len > 0)
        add_name(recent, &last, name_of(recent, KIND_PATH, without_query(object->key), none));
    for (size_t i = 0; i < object->group_count; i++) {
        add_name(recent, &last, name_of(recent, KIND_GROUP, object->groups[i], none));
        add_name(recent, &last, name_of(recent, KIND_GROUP_OF_ORIGIN, object->groups[i], origin));
    }
    for (size_t i = 0; i < STET__RECENT_PREFIXES; i++) {
        const struct stet__recent_prefix *prefix = &recent->prefixes[i];
        if (prefix->len <= object->key.len &&
            hash_of(recent, stet_span_of(object->key.ptr, prefix->len)) == prefix->hash)
            widen(&last, &prefix->mark);
    }
    return last;
}

enum stet__purged stet__recent_look(struct stet__recent *recent, const struct stet__object *object,
                                    uint64_t since)
{
    if (stet__recent_moment(recent) <= since)
        return STET__PURGED_NOT;
    pthread_mutex_lock(&recent->lock);
    struct stet__recent_mark last = marks_of(recent, object);
    pthread_mutex_unlock(&recent->lock);
    if (last.hard > since)
        return STET__PURGED_HARD;
    return last.soft > since ? STET__PURGED_SOFT : STET__PURGED_NOT;
}
