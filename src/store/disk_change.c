/* SPDX-License-Identifier: MIT */
/*
 * disk_change: entries within a write transaction, and eviction.
 *
 * What an entry refers to and how it is counted changes with it, in the same transaction. What does not agree
 * (a row that damage has taken) is passed over here and found by disk_verify.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/disk_inside.h"

#define TOUCH_S 60 /* a later use within so long is not worth a write */

MDB_val stet__disk_order_key(struct stet__disk_order_key *key, int64_t used_at, uint64_t id)
{
    stet__disk_big_endian(used_at < 0 ? 0 : (uint64_t)used_at, key->octets);
    stet__disk_big_endian(id, key->octets + 8);
    return stet__disk_val(key->octets, sizeof key->octets);
}

int stet__disk_ids_get(MDB_txn *txn, const struct stet__disk *disk, uint64_t id, int64_t *used_at,
                       MDB_val *key)
{
    unsigned char octets[8];
    stet__disk_big_endian(id, octets);
    MDB_val name = stet__disk_val(octets, sizeof octets), value;
    int code = mdb_get(txn, disk->tables[STET__DISK_IDS], &name, &value);
    if (code != 0)
        return code;
    if (value.mv_size <= 8 || value.mv_size > 8 + STET__DISK_KEY_MAX)
        return MDB_BAD_VALSIZE;
    memcpy(used_at, value.mv_data, 8);
    *key = stet__disk_val((const char *)value.mv_data + 8, value.mv_size - 8);
    return 0;
}

/* What LMDB hands out lasts until the next change. */
static MDB_val copy_key(MDB_val key, struct stet__disk_key *copy)
{
    copy->len = key.mv_size;
    memcpy(copy->octets, key.mv_data, key.mv_size);
    return stet__disk_val(copy->octets, copy->len);
}

/* Rows of ids and order. */
int stet__disk_use_put(struct stet__disk_change *change, uint64_t id, int64_t used_at, MDB_val key,
                       unsigned flags)
{
    struct stet__disk *disk = change->disk;
    unsigned char name[8], row[8 + STET__DISK_KEY_MAX];
    struct stet__disk_order_key order;
    MDB_val nothing = {0, NULL}, value = stet__disk_val(row, 8 + key.mv_size);
    if (used_at < 0)
        used_at = 0;
    memcpy(row, &used_at, 8);
    memcpy(row + 8, key.mv_data, key.mv_size);
    stet__disk_big_endian(id, name);
    MDB_val id_key = stet__disk_val(name, sizeof name), place = stet__disk_order_key(&order, used_at, id);
    int code = mdb_put(change->txn, disk->tables[STET__DISK_IDS], &id_key, &value, flags);
    return code != 0 ? code : mdb_put(change->txn, disk->tables[STET__DISK_ORDER], &place, &nothing, 0);
}

static int del(struct stet__disk_change *change, enum stet__disk_table table, MDB_val key)
{
    int code = mdb_del(change->txn, change->disk->tables[table], &key, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int put_part(struct stet__disk_change *change, const struct stet__disk_record *record)
{
    unsigned char name[8], id[8];
    if (record->part == 0)
        return 0;
    stet__disk_big_endian(record->part, name);
    stet__disk_big_endian(record->id, id);
    MDB_val key = stet__disk_val(name, sizeof name), value = stet__disk_val(id, sizeof id);
    change->totals.parts++;
    change->totals.part_octets += record->charge;
    return mdb_put(change->txn, change->disk->tables[STET__DISK_PARTS], &key, &value, 0);
}

static int put_record(struct stet__disk_change *change, const struct stet__disk_key *key, char *octets,
                      size_t len, struct stet__disk_record *record)
{
    MDB_val name = stet__disk_val(key->octets, key->len), value = stet__disk_val(octets, len);
    record->sequence = ++change->totals.sequence;
    stet__disk_record_seal(octets, len, record);
    int code = mdb_put(change->txn, change->disk->tables[STET__DISK_ENTRIES], &name, &value, 0);
    return code != 0 ? code : stet__disk_dictionary_put(change, name, value);
}

static void key_of(const char *octets, size_t len, const struct stet__disk_record *record,
                   struct stet__disk_key *key)
{
    stet__disk_key_make(stet__disk_record_uri(stet__disk_val(octets, len), record), record->id, key);
}

int stet__disk_entry_put(struct stet__disk_change *change, char *octets, size_t len, int64_t used_at)
{
    struct stet__disk_record record;
    struct stet__disk_key key;
    memcpy(&record, octets, sizeof record);
    key_of(octets, len, &record, &key);
    int code =
        stet__disk_use_put(change, record.id, used_at, stet__disk_val(key.octets, key.len), MDB_NOOVERWRITE);
    if (code == 0)
        code = put_record(change, &key, octets, len, &record);
    if (code == 0)
        code = put_part(change, &record);
    if (code == 0)
        change->totals.entries++, change->totals.stored += record.part == 0;
    return code;
}

/* Uses that are only a little later are left as they are. */
static int move_use(struct stet__disk_change *change, uint64_t id, int64_t now, int64_t grain)
{
    int64_t used_at;
    struct stet__disk_order_key order;
    struct stet__disk_key copy;
    MDB_val key;
    int code = stet__disk_ids_get(change->txn, change->disk, id, &used_at, &key);
    if (code != 0 || now < used_at + grain)
        return code;
    key = copy_key(key, &copy);
    code = del(change, STET__DISK_ORDER, stet__disk_order_key(&order, used_at, id));
    return code != 0 ? code : stet__disk_use_put(change, id, now, key, 0);
}

int stet__disk_entry_touch(struct stet__disk_change *change, uint64_t id, int64_t now)
{
    int code = move_use(change, id, now, TOUCH_S);
    return code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE ? 0 : code;
}

int stet__disk_entry_replace(struct stet__disk_change *change, char *octets, size_t len, int64_t used_at)
{
    struct stet__disk_record record;
    struct stet__disk_key key;
    memcpy(&record, octets, sizeof record);
    key_of(octets, len, &record, &key);
    int code = put_record(change, &key, octets, len, &record);
    return code != 0 ? code : move_use(change, record.id, used_at, 1);
}

int stet__disk_entry_grown(struct stet__disk_change *change, uint64_t id, uint64_t octets, uint64_t charge)
{
    struct stet__disk_record record;
    struct stet__disk_key copy;
    int64_t used_at;
    MDB_val key, value;
    int code = stet__disk_ids_get(change->txn, change->disk, id, &used_at, &key);
    if (code != 0)
        return code;
    key = copy_key(key, &copy);
    if ((code = mdb_get(change->txn, change->disk->tables[STET__DISK_ENTRIES], &key, &value)) != 0)
        return code;
    if (!stet__disk_record_check(value, &record) || record.part == 0)
        return MDB_NOTFOUND;
    char *octets_copy = malloc(value.mv_size);
    if (!octets_copy)
        return ENOMEM;
    memcpy(octets_copy, value.mv_data, value.mv_size);
    change->totals.part_octets += charge - record.charge;
    record.octets = octets;
    record.charge = charge;
    stet__disk_record_seal(octets_copy, value.mv_size, &record);
    value.mv_data = octets_copy;
    code = mdb_put(change->txn, change->disk->tables[STET__DISK_ENTRIES], &key, &value, 0);
    free(octets_copy);
    return code;
}

int stet__disk_unlink_later(struct stet__disk_change *change, uint64_t part)
{
    if (change->unlinked_count == change->unlinked_room) {
        size_t room = change->unlinked_room * 2 + 16;
        uint64_t *more = realloc(change->unlinked, room * sizeof *more);
        if (!more)
            return ENOMEM;
        change->unlinked = more;
        change->unlinked_room = room;
    }
    change->unlinked[change->unlinked_count++] = part;
    return 0;
}

static int release(struct stet__disk_change *change, const struct stet__disk_record *record)
{
    unsigned char name[8];
    if (record->part == 0)
        return stet__disk_content_release(change, record->digest);
    stet__disk_big_endian(record->part, name);
    change->totals.parts--;
    change->totals.part_octets -= record->charge;
    int code = del(change, STET__DISK_PARTS, stet__disk_val(name, sizeof name));
    return code != 0 ? code : stet__disk_unlink_later(change, record->part);
}

int stet__disk_entry_drop(struct stet__disk_change *change, uint64_t id)
{
    struct stet__disk *disk = change->disk;
    struct stet__disk_record record;
    struct stet__disk_order_key order;
    unsigned char name[8];
    int64_t used_at;
    struct stet__disk_key copy;
    MDB_val key, value;
    int code = stet__disk_ids_get(change->txn, disk, id, &used_at, &key);
    if (code != 0)
        return code;
    key = copy_key(key, &copy);
    code = mdb_get(change->txn, disk->tables[STET__DISK_ENTRIES], &key, &value);
    if (code == 0) {
        bool good = stet__disk_record_check(value, &record);
        change->totals.entries--;
        if ((code = del(change, STET__DISK_ENTRIES, key)) == 0)
            code = stet__disk_dictionary_drop(change, key);
        if (code == 0 && good)
            code = release(change, &record);
    }
    if (code != 0 && code != MDB_NOTFOUND)
        return code;
    stet__disk_big_endian(id, name);
    code = del(change, STET__DISK_IDS, stet__disk_val(name, sizeof name));
    return code != 0 ? code : del(change, STET__DISK_ORDER, stet__disk_order_key(&order, used_at, id));
}

uint64_t stet__disk_index_octets(MDB_txn *txn, const struct stet__disk *disk)
{
    uint64_t pages = 0, octets = 0;
    for (int i = 0; i < STET__DISK_TABLES; i++) {
        MDB_stat stat;
        if (mdb_stat(txn, disk->tables[i], &stat) != 0)
            continue;
        pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        octets = pages * stat.ms_psize;
    }
    return octets;
}

static bool too_much(struct stet__disk_change *change)
{
    const struct stet__disk_totals *totals = &change->totals;
    return totals->body_octets + totals->part_octets + stet__disk_index_octets(change->txn, change->disk) >
           change->disk->settings.octets_max;
}

/* Whether somebody is writing it: that is not what was not used for longest. */
static bool busy(struct stet__disk_change *change, uint64_t id)
{
    struct stet__disk_record record;
    int64_t used_at;
    MDB_val key, value;
    return stet__disk_ids_get(change->txn, change->disk, id, &used_at, &key) == 0 &&
           mdb_get(change->txn, change->disk->tables[STET__DISK_ENTRIES], &key, &value) == 0 &&
           stet__disk_record_check(value, &record) && record.part != 0 &&
           stet__disk_part_idle(change->disk, record.part, NULL) == 0;
}

/* The next to go from `from` on, which moves past it. */
static int next_victim(struct stet__disk_change *change, struct stet__disk_order_key *from, uint64_t *id)
{
    MDB_cursor *cursor;
    MDB_val key = stet__disk_val(from->octets, sizeof from->octets), value;
    int code = mdb_cursor_open(change->txn, change->disk->tables[STET__DISK_ORDER], &cursor);
    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code == 0 && key.mv_size != sizeof from->octets)
        code = MDB_BAD_VALSIZE;
    if (code == 0) {
        memcpy(from->octets, key.mv_data, sizeof from->octets);
        *id = stet__disk_from_big_endian(from->octets + 8);
    }
    mdb_cursor_close(cursor);
    return code;
}

int stet__disk_evict(struct stet__disk_change *change)
{
    struct stet__disk_order_key from = {{0}};
    while (too_much(change)) {
        uint64_t id;
        int code = next_victim(change, &from, &id);
        if (code != 0)
            return code == MDB_NOTFOUND ? 0 : code;
        if (!busy(change, id)) {
            if ((code = stet__disk_entry_drop(change, id)) == 0)
                change->totals.evicted++;
            else if (code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE)
                code = del(change, STET__DISK_ORDER, stet__disk_val(from.octets, sizeof from.octets));
            if (code != 0)
                return code;
        }
        stet__disk_big_endian(stet__disk_from_big_endian(from.octets + 8) + 1, from.octets + 8);
    }
    return 0;
}
