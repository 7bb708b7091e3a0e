/* SPDX-License-Identifier: MIT */
/*
 * disk_output: files that were written from the store, known by path and state.
 *
 * Rows of files that are gone would pile up, so each new row looks at one old one, whichever it meets, and
 * takes it away if its file is not there.
 */
#include "store/disk_inside.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct key {
    XXH128_canonical_t octets;
};

static MDB_val key_of(struct stet_span path, struct key *key)
{
    XXH128_canonicalFromHash(&key->octets, XXH3_128bits(path.ptr, path.len));
    return stet__disk_val(key->octets.digest, sizeof key->octets.digest);
}

static int64_t ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool state_of(const char *path, struct stet__disk_written *out)
{
    struct stat state;
    if (stat(path, &state) != 0 || !S_ISREG(state.st_mode))
        return false;
    *out = (struct stet__disk_written){
        .dev = state.st_dev,
        .ino = state.st_ino,
        .octets = (uint64_t)state.st_size,
        .mtime_ns = ns(state.st_mtim),
        .ctime_ns = ns(state.st_ctim),
    };
    return true;
}

bool stet__disk_output_find(struct stet__disk *disk, const char *path, struct stet__disk_output *out)
{
    struct stet_span name = stet_span_of(path, strlen(path));
    struct stet__disk_written now, then;
    struct key room;
    MDB_val key = key_of(name, &room), value;
    stet__disk_pending_settle(disk, name);
    if (!state_of(path, &now))
        return false;
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return false;
    bool found = mdb_get(txn, disk->tables[STET__DISK_OUTPUTS], &key, &value) == 0 &&
                 value.mv_size == sizeof then + name.len &&
                 memcmp((const char *)value.mv_data + sizeof then, name.ptr, name.len) == 0;
    if (found)
        memcpy(&then, value.mv_data, sizeof then);
    stet__disk_read_end(disk);
    if (!found || now.dev != then.dev || now.ino != then.ino || now.octets != then.octets ||
        now.mtime_ns != then.mtime_ns || now.ctime_ns != then.ctime_ns)
        return false;
    memcpy(out->digest, then.digest, sizeof out->digest);
    out->decoded = then.decoded != 0;
    return true;
}

void stet__disk_output_put(struct stet__disk *disk, const char *path, const struct stet__disk_output *output)
{
    struct stet_span name = stet_span_of(path, strlen(path));
    struct stet__disk_op op = {.kind = STET__DISK_OUTPUT,
                               .record_len = sizeof(struct stet__disk_written) + name.len};
    struct stet__disk_written written;
    if (!state_of(path, &written) || !(op.record = malloc(op.record_len)))
        return;
    memcpy(written.digest, output->digest, sizeof written.digest);
    written.decoded = output->decoded;
    memcpy(op.record, &written, sizeof written);
    memcpy(op.record + sizeof written, name.ptr, name.len);
    (void)stet__disk_pending_add(disk, &op, name);
}

static bool gone(MDB_val value)
{
    struct stat state;
    size_t len = value.mv_size - sizeof(struct stet__disk_written);
    char *path = value.mv_size > sizeof(struct stet__disk_written) ? malloc(len + 1) : NULL;
    if (!path)
        return false;
    memcpy(path, (const char *)value.mv_data + sizeof(struct stet__disk_written), len);
    path[len] = 0;
    bool missing = stat(path, &state) != 0;
    free(path);
    return missing;
}

static int tidy(struct stet__disk_change *change, MDB_cursor *cursor)
{
    const uint64_t anywhere[2] = {stet__disk_random(), 0};
    MDB_val key = stet__disk_val(anywhere, sizeof anywhere), value;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    if (code == MDB_NOTFOUND)
        code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (code == 0 && gone(value) && (code = mdb_cursor_del(cursor, 0)) == 0)
        change->totals.outputs--;
    return code == MDB_NOTFOUND ? 0 : code;
}

int stet__disk_output_apply(struct stet__disk_change *change, const struct stet__disk_op *op)
{
    MDB_cursor *cursor;
    struct key room;
    struct stet_span path =
        stet_span_skip(stet_span_of(op->record, op->record_len), sizeof(struct stet__disk_written));
    MDB_val key = key_of(path, &room), value, old;
    value = stet__disk_val(op->record, op->record_len);
    int code = mdb_cursor_open(change->txn, change->disk->tables[STET__DISK_OUTPUTS], &cursor);
    if (code != 0)
        return code;
    if (mdb_cursor_get(cursor, &key, &old, MDB_SET) == MDB_NOTFOUND)
        change->totals.outputs++;
    code = mdb_cursor_put(cursor, &key, &value, 0);
    if (code == 0)
        code = tidy(change, cursor);
    mdb_cursor_close(cursor);
    return code;
}
