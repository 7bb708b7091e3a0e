/* SPDX-License-Identifier: MIT */
/*
 * disk_remove: invalidation (RFC 9111 section 4.4) and removal. Both are rare and count at once, so each is a
 * commit of its own, after what was gathered before.
 */
#include <errno.h>

#include "store/disk_inside.h"

#define IDS_MAX 1024 /* of one URI: far more than are ever stored; of a prefix: at a time */

struct chosen {
    struct stet_span uri; /* ptr NULL: `ids` is given */
    bool invalidate;
    uint64_t ids[IDS_MAX];
    size_t count, done;
};

static int collect(void *owner, MDB_val key, MDB_val value)
{
    struct chosen *chosen = owner;
    if (chosen->count < IDS_MAX)
        chosen->ids[chosen->count++] = stet__disk_key_id(key);
    return 0;
}

static int invalidate(struct stet__disk_change *change, uint64_t id)
{
    struct stet__disk_record record;
    unsigned char room[STET__DISK_KEY_MAX];
    int64_t used_at;
    MDB_val key, value;
    int code = stet__disk_ids_get(change->txn, change->disk, id, &used_at, &key);
    if (code != 0)
        return code;
    memcpy(room, key.mv_data, key.mv_size);
    key.mv_data = room;
    code = mdb_get(change->txn, change->disk->tables[STET__DISK_ENTRIES], &key, &value);
    if (code != 0 || !stet__disk_record_check(value, &record))
        return code != 0 ? code : MDB_NOTFOUND;
    char *copy = malloc(value.mv_size);
    if (!copy)
        return ENOMEM;
    memcpy(copy, value.mv_data, value.mv_size);
    record.flags |= STET__DISK_RECORD_INVALIDATED;
    stet__disk_record_seal(copy, value.mv_size, &record);
    value.mv_data = copy;
    code = mdb_put(change->txn, change->disk->tables[STET__DISK_ENTRIES], &key, &value, 0);
    free(copy);
    return code;
}

static int apply(struct stet__disk_change *change, void *owner)
{
    struct chosen *chosen = owner;
    int code = 0;
    chosen->done = 0;
    if (chosen->uri.ptr) {
        chosen->count = 0;
        code = stet__disk_entries_of(change->txn, change->disk, chosen->uri, collect, chosen);
    }
    for (size_t i = 0; i < chosen->count && code == 0; i++) {
        code = chosen->invalidate ? invalidate(change, chosen->ids[i])
                                  : stet__disk_entry_drop(change, chosen->ids[i]);
        if (code == 0)
            chosen->done++;
        else if (code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE)
            code = 0;
    }
    change->discard = chosen->done == 0;
    return code;
}

static size_t run(struct stet__disk *disk, struct stet_span uri, uint64_t id, bool invalidating)
{
    struct chosen chosen = {.uri = uri, .invalidate = invalidating, .ids = {id}, .count = 1};
    stet__disk_flush(disk);
    return stet__disk_write(disk, apply, &chosen) == 0 ? chosen.done : 0;
}

struct prefix {
    struct stet_span text;
    uint64_t ids[IDS_MAX];
    size_t count, done;
};

/* What begins so, as far as there is room. A key has the begin of a URI only; a record all of it, if it can
 * be read. */
static int collect_prefix(struct stet__disk_change *change, struct prefix *prefix)
{
    size_t in_key = prefix->text.len < STET__DISK_URI_KEPT ? prefix->text.len : STET__DISK_URI_KEPT;
    MDB_cursor *cursor;
    MDB_val key = stet__disk_val(prefix->text.ptr, in_key), value;
    int code = mdb_cursor_open(change->txn, change->disk->tables[STET__DISK_ENTRIES], &cursor);
    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, in_key > 0 ? MDB_SET_RANGE : MDB_FIRST);
    while (code == 0 && prefix->count < IDS_MAX && key.mv_size >= in_key &&
           memcmp(key.mv_data, prefix->text.ptr, in_key) == 0) {
        struct stet__disk_record record;
        if (!stet__disk_record_check(value, &record) ||
            stet_span_starts(stet__disk_record_uri(value, &record), prefix->text))
            prefix->ids[prefix->count++] = stet__disk_key_id(key);
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int apply_prefix(struct stet__disk_change *change, void *owner)
{
    struct prefix *prefix = owner;
    prefix->count = prefix->done = 0;
    int code = collect_prefix(change, prefix);
    for (size_t i = 0; i < prefix->count && code == 0; i++) {
        code = stet__disk_entry_drop(change, prefix->ids[i]);
        prefix->done += code == 0;
        code = code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE ? 0 : code;
    }
    change->discard = prefix->done == 0;
    return code;
}

size_t stet__disk_remove_prefix(struct stet__disk *disk, struct stet_span text)
{
    struct prefix prefix = {.text = text};
    size_t done = 0;
    stet__disk_flush(disk);
    do {
        if (stet__disk_write(disk, apply_prefix, &prefix) != 0)
            break;
        done += prefix.done;
    } while (prefix.done > 0);
    return done;
}

size_t stet__disk_invalidate(struct stet__disk *disk, struct stet_span uri)
{
    return run(disk, uri, 0, true);
}

bool stet__disk_invalidate_entry(struct stet__disk *disk, uint64_t id)
{
    return run(disk, STET_SPAN_NONE, id, true) > 0;
}

size_t stet__disk_remove(struct stet__disk *disk, struct stet_span uri)
{
    return run(disk, uri, 0, false);
}

bool stet__disk_remove_entry(struct stet__disk *disk, uint64_t id)
{
    return run(disk, STET_SPAN_NONE, id, false) > 0;
}
