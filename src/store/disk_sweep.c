/* SPDX-License-Identifier: MIT */
/*
 * disk_sweep: what killed processes left.
 *
 * Each file in parts/ is locked by its writer, or has a row. One with neither was a body of a process that is
 * no more. If it died between giving the body its name and the end of the transaction, the file has two
 * names, and the one in bodies/ goes, too, unless it has a row by now: then the process died a moment later.
 * Opening does that much. Files in bodies/ without any trace (after a loss of power, or on a file system
 * without hard links) are looked for by `all`.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/disk_inside.h"

uint64_t stet__disk_part_idle(struct stet__disk *disk, uint64_t part, int *fd)
{
    char name[STET__DISK_NAME_BYTES];
    struct stat state;
    stet__disk_part_name(part, name);
    int file = openat(disk->parts, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return 0;
    if (flock(file, LOCK_EX | LOCK_NB) != 0 || fstat(file, &state) != 0 || state.st_nlink == 0 ||
        state.st_size <= 0) {
        close(file);
        return 0;
    }
    if (fd)
        *fd = file;
    else
        close(file);
    return (uint64_t)state.st_size;
}

struct sweep {
    struct stet__disk *disk;
    uint64_t part;
    int fd;
    struct stat state;
    bool all, removed;
    uint64_t count;
};

static bool part_read(const char *name, uint64_t *part)
{
    unsigned char octets[8];
    char padded[2 * STET__DISK_DIGEST_BYTES + 1];
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    size_t len = strlen(name);
    if (len != 2 * sizeof octets)
        return false;
    memset(padded, '0', sizeof padded - 1);
    padded[sizeof padded - 1] = 0;
    memcpy(padded, name, len);
    if (!stet__disk_digest_read(padded, digest))
        return false;
    memcpy(octets, digest, sizeof octets);
    *part = stet__disk_from_big_endian(octets);
    return true;
}

/* The id of the row of a part, 0 if it has none. */
static int row_of(MDB_txn *txn, const struct stet__disk *disk, uint64_t part, uint64_t *id)
{
    unsigned char name[8];
    stet__disk_big_endian(part, name);
    MDB_val key = stet__disk_val(name, sizeof name), value;
    int code = mdb_get(txn, disk->tables[STET__DISK_PARTS], &key, &value);
    *id = code == 0 && value.mv_size == 8 ? stet__disk_from_big_endian(value.mv_data) : 0;
    return code == MDB_NOTFOUND ? 0 : code;
}

/* Takes away the name in bodies/ that was given, but not committed. */
static int unname(struct stet__disk_change *change, const struct sweep *sweep)
{
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    char name[STET__DISK_NAME_BYTES];
    struct stet__disk_content content;
    struct stat state;
    if (sweep->state.st_nlink < 2 || !stet__disk_file_hash(sweep->fd, digest))
        return 0;
    int code = stet__disk_content_get(change->txn, change->disk, digest, &content, NULL);
    if (code != MDB_NOTFOUND)
        return code == MDB_BAD_VALSIZE ? 0 : code;
    stet__disk_digest_name(digest, name);
    if (fstatat(change->disk->bodies, name, &state, AT_SYMLINK_NOFOLLOW) == 0 &&
        state.st_ino == sweep->state.st_ino)
        (void)unlinkat(change->disk->bodies, name, 0);
    return 0;
}

static int look_at_part(struct stet__disk_change *change, void *owner)
{
    struct sweep *sweep = owner;
    uint64_t id;
    int code = row_of(change->txn, change->disk, sweep->part, &id);
    sweep->removed = false;
    if (code != 0)
        return code;
    if (id != 0)
        return stet__disk_entry_grown(change, id, (uint64_t)sweep->state.st_size,
                                      stet__disk_charge(&sweep->state));
    sweep->removed = true;
    if ((code = unname(change, sweep)) != 0)
        return code;
    return stet__disk_unlink_later(change, sweep->part);
}

/* Whether the index already says of this idle file what is so. */
static bool is_known(struct stet__disk *disk, const struct sweep *sweep)
{
    struct stet__disk_record record;
    uint64_t id;
    int64_t used_at;
    MDB_val key, value;
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return true;
    bool known = row_of(txn, disk, sweep->part, &id) == 0 && id != 0 &&
                 stet__disk_ids_get(txn, disk, id, &used_at, &key) == 0 &&
                 mdb_get(txn, disk->tables[STET__DISK_ENTRIES], &key, &value) == 0 &&
                 stet__disk_record_check(value, &record) && record.octets == (uint64_t)sweep->state.st_size;
    stet__disk_read_end(disk);
    return known;
}

static void sweep_part(struct sweep *sweep, const char *name)
{
    struct stet__disk *disk = sweep->disk;
    if (!part_read(name, &sweep->part))
        return;
    sweep->fd = openat(disk->parts, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (sweep->fd < 0)
        return;
    if (flock(sweep->fd, LOCK_EX | LOCK_NB) == 0 && fstat(sweep->fd, &sweep->state) == 0 &&
        S_ISREG(sweep->state.st_mode) && sweep->state.st_nlink > 0 && !is_known(disk, sweep) &&
        stet__disk_write(disk, look_at_part, sweep) == 0)
        sweep->count += sweep->removed;
    close(sweep->fd);
}

static DIR *open_folder(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !dir)
        close(fd);
    return dir;
}

static int sweep_body(struct stet__disk_change *change, struct sweep *sweep, const char *name)
{
    struct stet__disk_content content;
    char path[STET__DISK_NAME_BYTES];
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    MDB_val key = stet__disk_val(digest, sizeof digest), value;
    if (!stet__disk_digest_read(name, digest))
        return 0;
    int code = stet__disk_content_get(change->txn, change->disk, digest, &content, NULL);
    if (code != MDB_NOTFOUND)
        return code == MDB_BAD_VALSIZE ? 0 : code;
    code = mdb_get(change->txn, change->disk->tables[STET__DISK_DOOMED], &key, &value);
    if (code != MDB_NOTFOUND)
        return code;
    stet__disk_digest_name(digest, path);
    sweep->count += unlinkat(change->disk->bodies, path, 0) == 0;
    return 0;
}

/* Under the lock of writers, so that nobody is about to make a row for what has none. */
static int sweep_bodies(struct stet__disk_change *change, void *owner)
{
    struct sweep *sweep = owner;
    int code = 0;
    change->discard = true;
    for (int i = 0; i < 256 && code == 0; i++) {
        const char name[3] = {"0123456789abcdef"[i >> 4], "0123456789abcdef"[i & 15], 0};
        DIR *dir = open_folder(change->disk->bodies, name);
        struct dirent *file;
        while (dir && code == 0 && (file = readdir(dir)) != NULL)
            code = sweep_body(change, sweep, file->d_name);
        if (dir)
            closedir(dir);
    }
    return code;
}

uint64_t stet__disk_sweep(struct stet__disk *disk, bool all)
{
    struct sweep sweep = {.disk = disk, .all = all};
    DIR *dir = open_folder(disk->parts, ".");
    struct dirent *file;
    while (dir && (file = readdir(dir)) != NULL)
        sweep_part(&sweep, file->d_name);
    if (dir)
        closedir(dir);
    if (all)
        (void)stet__disk_write(disk, sweep_bodies, &sweep);
    return sweep.count;
}
