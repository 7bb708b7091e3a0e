/* SPDX-License-Identifier: MIT */
/*
 * disk_dictionary: which entries may serve as dictionaries (RFC 9842), found by the origin.
 *
 * A row is made and taken away with its entry. An origin has at most ROWS_MAX; then that of the entry stored
 * longest ago goes, which is stored as before and offered no more. So a look-up costs little whatever an
 * origin sends. Only https (section 8). The origin is read from the key of the entry, which is there even if
 * its record is damaged.
 */
#include "store/disk_inside.h"

#include <stet/dictionary.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ROWS_MAX 128
#define ARENA_MAX (4 << 20)

/* "https://host:port" of a URI in normal form; absent if there is none. */
static struct stet_span origin_of(struct stet_span uri)
{
    const struct stet_span scheme = STET_SPAN("https://");
    if (!stet_span_starts(uri, scheme))
        return STET_SPAN_NONE;
    const char *end = memchr(uri.ptr + scheme.len, '/', uri.len - scheme.len);
    return end ? stet_span_of(uri.ptr, (size_t)(end - uri.ptr)) : STET_SPAN_NONE;
}

static struct stet_span origin_of_key(MDB_val key)
{
    const char *text = key.mv_data;
    return origin_of(stet_span_of(text, strnlen(text, key.mv_size)));
}

static void row_key(struct stet_span origin, uint64_t id, unsigned char out[STET__DISK_DICTIONARY_KEY])
{
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(origin.ptr, origin.len));
    memcpy(out, hash.digest, sizeof hash.digest);
    stet__disk_big_endian(id, out + sizeof hash.digest);
}

/* A row: when the entry was stored, and its pattern. */
struct row {
    uint64_t sequence;
    char match[STET_DICTIONARY_MATCH_MAX];
};

static bool row_read(MDB_val value, uint64_t *sequence, struct stet_span *match)
{
    if (value.mv_size <= sizeof *sequence || value.mv_size > sizeof(struct row))
        return false;
    memcpy(sequence, value.mv_data, sizeof *sequence);
    *match = stet_span_of((const char *)value.mv_data + sizeof *sequence, value.mv_size - sizeof *sequence);
    return true;
}

/* Calls for each row of an origin; another value than 0 ends it and is returned. */
typedef int each_row(void *owner, MDB_val key, MDB_val value);

static int each(MDB_txn *txn, const struct stet__disk *disk, struct stet_span origin, each_row *call,
                void *owner)
{
    unsigned char octets[STET__DISK_DICTIONARY_KEY];
    MDB_cursor *cursor;
    row_key(origin, 0, octets);
    MDB_val key = stet__disk_val(octets, sizeof octets), value;
    int code = mdb_cursor_open(txn, disk->tables[STET__DISK_DICTIONARIES], &cursor);
    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && key.mv_size == sizeof octets && memcmp(key.mv_data, octets, sizeof octets - 8) == 0) {
        if ((code = call(owner, key, value)) == 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* ---- changes ---- */

int stet__disk_dictionary_drop(struct stet__disk_change *change, MDB_val key)
{
    unsigned char octets[STET__DISK_DICTIONARY_KEY];
    struct stet_span origin = origin_of_key(key);
    if (!origin.ptr)
        return 0;
    row_key(origin, stet__disk_key_id(key), octets);
    MDB_val name = stet__disk_val(octets, sizeof octets);
    int code = mdb_del(change->txn, change->disk->tables[STET__DISK_DICTIONARIES], &name, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* The pattern of an entry that may serve; its length, or 0. */
static size_t match_of(MDB_val value, char out[STET_DICTIONARY_MATCH_MAX])
{
    struct stet__arena arena;
    struct stet__disk_entry entry;
    struct stet_dictionary dictionary;
    size_t len = 0;
    stet__arena_init(&arena, ARENA_MAX);
    bool serves = stet__disk_record_read(value, &arena, &entry) == STET_OK && entry.has_digest &&
                  entry.stored.method == STET_METHOD_GET && entry.stored.response.status == 200 &&
                  stet_dictionary_read(&entry.stored.response.fields, &dictionary);
    if (serves) {
        len = dictionary.match_len;
        memcpy(out, dictionary.match, len);
    }
    stet__arena_release(&arena);
    return len;
}

struct oldest {
    size_t count;
    uint64_t sequence;
    unsigned char key[STET__DISK_DICTIONARY_KEY];
};

static int look_at_age(void *owner, MDB_val key, MDB_val value)
{
    struct oldest *oldest = owner;
    struct stet_span unused;
    uint64_t sequence;
    if (!row_read(value, &sequence, &unused))
        sequence = 0;
    if (oldest->count++ > 0 && sequence >= oldest->sequence)
        return 0;
    oldest->sequence = sequence;
    memcpy(oldest->key, key.mv_data, sizeof oldest->key);
    return 0;
}

static int make_room(struct stet__disk_change *change, struct stet_span origin)
{
    struct oldest oldest = {.count = 0};
    int code = each(change->txn, change->disk, origin, look_at_age, &oldest);
    if (code != 0 || oldest.count < ROWS_MAX)
        return code;
    MDB_val key = stet__disk_val(oldest.key, sizeof oldest.key);
    return mdb_del(change->txn, change->disk->tables[STET__DISK_DICTIONARIES], &key, NULL);
}

int stet__disk_dictionary_put(struct stet__disk_change *change, MDB_val key, MDB_val value)
{
    unsigned char octets[STET__DISK_DICTIONARY_KEY];
    struct stet_span origin = origin_of_key(key);
    struct row row = {.sequence = change->totals.sequence};
    size_t len = origin.ptr ? match_of(value, row.match) : 0;
    int code = stet__disk_dictionary_drop(change, key);
    if (code != 0 || len == 0 || (code = make_room(change, origin)) != 0)
        return code;
    row_key(origin, stet__disk_key_id(key), octets);
    MDB_val name = stet__disk_val(octets, sizeof octets),
            content = stet__disk_val(&row, offsetof(struct row, match) + len);
    return mdb_put(change->txn, change->disk->tables[STET__DISK_DICTIONARIES], &name, &content, 0);
}

/* ---- look-up ---- */

struct found {
    uint64_t id, sequence;
    size_t match_len;
};

struct look {
    struct stet_span target;
    size_t count;
    struct found found[STET__DISK_DICTIONARIES_MAX]; /* that which takes precedence first */
};

static bool precedes(const struct found *a, const struct found *b)
{
    return stet_dictionary_precedes(a->match_len, a->sequence, b->match_len, b->sequence);
}

static int look_at_row(void *owner, MDB_val key, MDB_val value)
{
    struct look *look = owner;
    struct stet_span match;
    struct found row = {.id = stet__disk_key_id(key)};
    if (!row_read(value, &row.sequence, &match) || !stet_dictionary_matches(match, look->target))
        return 0;
    row.match_len = match.len;
    size_t i = look->count;
    if (i == STET__DISK_DICTIONARIES_MAX && !precedes(&row, &look->found[--i]))
        return 0;
    look->count = i + 1 > look->count ? i + 1 : look->count;
    for (; i > 0 && precedes(&row, &look->found[i - 1]); i--)
        look->found[i] = look->found[i - 1];
    look->found[i] = row;
    return 0;
}

static int read_entry(MDB_txn *txn, struct stet__disk *disk, uint64_t id, struct stet__arena *arena,
                      struct stet__disk_entry *out)
{
    int64_t used_at;
    MDB_val key, value;
    int code = stet__disk_ids_get(txn, disk, id, &used_at, &key);
    if (code == 0)
        code = mdb_get(txn, disk->tables[STET__DISK_ENTRIES], &key, &value);
    if (code != 0)
        return code;
    if (stet__disk_record_read(value, arena, out) != STET_OK)
        return MDB_NOTFOUND;
    out->used_at = used_at;
    return 0;
}

size_t stet__disk_dictionaries(struct stet__disk *disk, struct stet_span uri,
                               const struct stet_cache_policy *policy, struct stet__arena *arena,
                               struct stet__disk_entry out[STET__DISK_DICTIONARIES_MAX])
{
    struct stet_span origin = origin_of(uri);
    struct look look = {.count = 0};
    size_t count = 0;
    MDB_txn *txn = origin.ptr ? stet__disk_read_begin(disk) : NULL;
    if (!txn)
        return 0;
    look.target = stet_span_skip(uri, origin.len);
    int code = each(txn, disk, origin, look_at_row, &look);
    for (size_t i = 0; code == 0 && i < look.count; i++) {
        int read = read_entry(txn, disk, look.found[i].id, arena, &out[count]);
        if (read == 0 && stet_span_equal(origin_of(out[count].uri), origin)) /* hashes may be made alike */
            stet_stored_read(&out[count++].stored, policy);
        else if (read != 0 && read != MDB_NOTFOUND)
            code = read;
    }
    stet__disk_read_end(disk);
    (void)stet__disk_noted(disk, code);
    return count;
}

bool stet__disk_dictionary_agrees(MDB_txn *txn, const struct stet__disk *disk, MDB_val key, MDB_val value)
{
    unsigned char octets[STET__DISK_DICTIONARY_KEY];
    char match[STET_DICTIONARY_MATCH_MAX];
    struct stet_span told;
    uint64_t sequence;
    int64_t used_at;
    MDB_val stored, entry;
    if (key.mv_size != sizeof octets || !row_read(value, &sequence, &told) ||
        stet__disk_ids_get(txn, disk, stet__disk_key_id(key), &used_at, &stored) != 0 ||
        mdb_get(txn, disk->tables[STET__DISK_ENTRIES], &stored, &entry) != 0)
        return false;
    struct stet_span origin = origin_of_key(stored);
    if (!origin.ptr)
        return false;
    row_key(origin, stet__disk_key_id(key), octets);
    return memcmp(key.mv_data, octets, sizeof octets) == 0 &&
           stet_span_equal(told, stet_span_of(match, match_of(entry, match)));
}
