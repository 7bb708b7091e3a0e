/* SPDX-License-Identifier: MIT */
/*
 * disk_content: bodies, their references and their names. All within a write transaction, so no two
 * processes are here at once.
 *
 *            content_add            content_release            reap
 *   (none) -------------> refs 1 -------------------> doomed ---------> (none)
 *                           ^                           |
 *                           +------- content_add -------+
 *
 * A file gets its name before the transaction ends; if the process dies in between, the file still has its
 * first name in parts/, and no lock, and disk_sweep.c removes both.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/disk_inside.h"

int stet__disk_content_get(MDB_txn *txn, const struct stet__disk *disk, const unsigned char *digest,
                           struct stet__disk_content *out, MDB_val *value)
{
    MDB_val key = stet__disk_val(digest, STET__DISK_DIGEST_BYTES), found;
    int code = mdb_get(txn, disk->tables[STET__DISK_BODIES], &key, &found);
    if (code != 0)
        return code;
    if (value)
        *value = found;
    return stet__disk_content_check(found, out) ? 0 : MDB_BAD_VALSIZE;
}

static struct stet_span small_of(MDB_val value)
{
    return stet_span_skip(stet_span_of(value.mv_data, value.mv_size), sizeof(struct stet__disk_content));
}

/*
 * There is a file with that name: a doomed one, a damaged one, or one of a transaction that did not end. At
 * no instant may the name be gone, because a record may count on it; and the name in parts/ stays as the
 * trace.
 */
static int take_name(struct stet__disk *disk, const char *part, const char *name)
{
    char other[STET__DISK_NAME_BYTES];
    struct stat there, ours;
    if (fstatat(disk->bodies, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        fstatat(disk->parts, part, &ours, AT_SYMLINK_NOFOLLOW) == 0 && there.st_ino == ours.st_ino)
        return 0; /* this transaction is run again */
    stet__disk_part_name(stet__disk_random(), other);
    if (linkat(disk->parts, part, disk->parts, other, 0) != 0)
        return errno;
    if (renameat(disk->parts, other, disk->bodies, name) == 0)
        return 0;
    int cause = errno;
    (void)unlinkat(disk->parts, other, 0);
    return cause;
}

/* The file in parts/ gets the name of its digest, too. 0 or errno. */
static int name_file(struct stet__disk *disk, const struct stet__disk_source *source, const char *name)
{
    char part[STET__DISK_NAME_BYTES];
    const char folder[3] = {name[0], name[1], 0};
    stet__disk_part_name(source->part, part);
    if (linkat(disk->parts, part, disk->bodies, name, 0) == 0)
        return 0;
    if (errno == ENOENT && mkdirat(disk->bodies, folder, 0700) == 0 &&
        linkat(disk->parts, part, disk->bodies, name, 0) == 0)
        return 0;
    if (errno == EEXIST)
        return take_name(disk, part, name);
    /* A file system without hard links: what is left then if we die is found by verify only. */
    if (errno == EPERM || errno == EOPNOTSUPP)
        return renameat(disk->parts, part, disk->bodies, name) == 0 ? 0 : errno;
    return errno;
}

/* Puts the file of `source` in place and describes it in `content`. */
static int place(struct stet__disk_change *change, const unsigned char *digest,
                 const struct stet__disk_source *source, struct stet__disk_content *content)
{
    char name[STET__DISK_NAME_BYTES];
    struct stat state;
    MDB_val key = stet__disk_val(digest, STET__DISK_DIGEST_BYTES);
    stet__disk_digest_name(digest, name);
    int code = name_file(change->disk, source, name);
    if (code != 0)
        return code;
    if (fstatat(change->disk->bodies, name, &state, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    stet__disk_identify(change->disk, &state, &content->identity);
    content->charge = stet__disk_charge(&state);
    code = mdb_del(change->txn, change->disk->tables[STET__DISK_DOOMED], &key, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* Whether what is there is still what it was. If not, what came now takes its place. */
static bool intact(struct stet__disk *disk, const unsigned char *digest,
                   const struct stet__disk_content *content)
{
    char name[STET__DISK_NAME_BYTES];
    struct stat state;
    struct stet__disk_identity now;
    if (content->small)
        return true;
    stet__disk_digest_name(digest, name);
    if (fstatat(disk->bodies, name, &state, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    stet__disk_identify(disk, &state, &now);
    return now.ino == content->identity.ino && now.mtime_ns == content->identity.mtime_ns &&
           (uint64_t)state.st_size == content->octets;
}

int stet__disk_content_add(struct stet__disk_change *change, const unsigned char *digest,
                           const struct stet__disk_source *source)
{
    struct stet__disk_content content = {.refs = 0}, fresh = {.refs = 1, .octets = source->octets};
    MDB_val value = {0, NULL};
    int code = stet__disk_content_get(change->txn, change->disk, digest, &content, &value);
    if (code == 0 && intact(change->disk, digest, &content)) {
        content.refs++;
        return stet__disk_content_put(change, digest, &content, small_of(value));
    }
    bool known = code == 0;
    if (!known && code != MDB_NOTFOUND && code != MDB_BAD_VALSIZE)
        return code;
    fresh.small = source->small.ptr != NULL;
    if (!fresh.small && (code = place(change, digest, source, &fresh)) != 0)
        return code;
    if (known) {
        fresh.refs = content.refs + 1;
        change->totals.bodies--;
        change->totals.body_octets -= content.charge;
    }
    change->totals.bodies++;
    change->totals.body_octets += fresh.charge;
    return stet__disk_content_put(change, digest, &fresh, source->small);
}

int stet__disk_content_share(struct stet__disk_change *change, const unsigned char *digest)
{
    struct stet__disk_content content;
    MDB_val value;
    int code = stet__disk_content_get(change->txn, change->disk, digest, &content, &value);
    if (code != 0)
        return code;
    content.refs++;
    return stet__disk_content_put(change, digest, &content, small_of(value));
}

int stet__disk_content_release(struct stet__disk_change *change, const unsigned char *digest)
{
    struct stet__disk *disk = change->disk;
    struct stet__disk_content content;
    MDB_val key = stet__disk_val(digest, STET__DISK_DIGEST_BYTES), value, nothing = {0, NULL};
    int code = stet__disk_content_get(change->txn, disk, digest, &content, &value);
    if (code != 0)
        return code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE ? 0 : code;
    if (content.refs > 1) {
        content.refs--;
        return stet__disk_content_put(change, digest, &content, small_of(value));
    }
    if ((code = mdb_del(change->txn, disk->tables[STET__DISK_BODIES], &key, NULL)) != 0)
        return code;
    change->totals.bodies--;
    change->totals.body_octets -= content.charge;
    if (content.small)
        return 0;
    disk->doomed = true;
    return mdb_put(change->txn, disk->tables[STET__DISK_DOOMED], &key, &nothing, 0);
}

int stet__disk_reap(struct stet__disk_change *change, size_t max)
{
    struct stet__disk *disk = change->disk;
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = mdb_cursor_open(change->txn, disk->tables[STET__DISK_DOOMED], &cursor);
    if (code != 0)
        return code;
    for (size_t i = 0; i < max && (code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)) == 0; i++) {
        char name[STET__DISK_NAME_BYTES];
        struct stet__disk_content content;
        if (key.mv_size == STET__DISK_DIGEST_BYTES &&
            stet__disk_content_get(change->txn, disk, key.mv_data, &content, NULL) == MDB_NOTFOUND) {
            stet__disk_digest_name(key.mv_data, name);
            (void)unlinkat(disk->bodies, name, 0);
        }
        if ((code = mdb_cursor_del(cursor, 0)) != 0)
            break;
    }
    mdb_cursor_close(cursor);
    if (code == MDB_NOTFOUND)
        disk->doomed = false;
    return code == MDB_NOTFOUND ? 0 : code;
}
