/* SPDX-License-Identifier: MIT */
/*
 * disk_index: the LMDB environment.
 *
 * An index that is damaged as far as that can be seen (no LMDB file, shorter than its pages, no tables, or
 * LMDB said so earlier), or that has another format, is moved aside and begun anew: a cache can be fetched
 * again. That needs the folder alone, which nobody gets who does not wait for all others to be gone.
 *
 * LMDB's own locks are robust mutexes in shared memory. A process that waits for one can sleep for ever: the
 * wake-up goes to one that is killed before it takes the mutex, a third takes it without knowing that
 * somebody waits, and wakes nobody (test/unit/disk_kill.c met it within seconds). So nobody ever waits for
 * one: whatever LMDB does under a mutex is done here under flock of the file "writer", which the kernel
 * gives up with its holder, and for which it wakes whoever waits. That are write transactions, opening, and
 * taking a reader's slot, which is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/disk_inside.h"

#define INDEX "index.mdb"
#define MARK "index.broken"
#define FORMAT UINT64_C(0x7374657430303031) /* "stet0001"; of another byte order it reads otherwise */
#define MAP_OCTETS (UINT64_C(1) << (sizeof(size_t) > 4 ? 30 : 28))
#define READERS 1024
#define LOCK_OCTETS (READERS * 64 + 4096) /* a cache line for each reader, and a head */
#define TRIES 64                          /* of a transaction that finds the map too small: each doubles it */

static const char *const names[STET__DISK_TABLES] = {
    "meta", "entries", "ids", "order", "bodies", "doomed", "parts", "outputs", "dictionaries",
};

struct format {
    uint64_t version;
    uint64_t totals_bytes, record_bytes, content_bytes;
};

static const struct format format = {
    FORMAT,
    sizeof(struct stet__disk_totals),
    sizeof(struct stet__disk_record),
    sizeof(struct stet__disk_content),
};

static bool lock_writer(struct stet__disk *disk)
{
    int code;
    do
        code = flock(disk->writer, LOCK_EX);
    while (code != 0 && errno == EINTR);
    return code == 0;
}

static void unlock_writer(struct stet__disk *disk)
{
    (void)flock(disk->writer, LOCK_UN);
}

int stet__disk_noted(struct stet__disk *disk, int code)
{
    if (code != MDB_CORRUPTED && code != MDB_PAGE_NOTFOUND && code != MDB_PANIC && code != MDB_INVALID)
        return code;
    if (!disk->broken) {
        int fd = openat(disk->folder, MARK, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0)
            close(fd);
    }
    disk->broken = true;
    return code;
}

/* The limit is the folder's: who does not say one keeps to that of whoever said one last. */
static int settle_limit(struct stet__disk *disk, MDB_txn *txn)
{
    uint64_t limit = 0;
    MDB_val key = stet__disk_val("limit", 5), value;
    int code = mdb_get(txn, disk->tables[STET__DISK_META], &key, &value);
    if (code == 0 && value.mv_size == sizeof limit)
        memcpy(&limit, value.mv_data, sizeof limit);
    else if (code != 0 && code != MDB_NOTFOUND)
        return code;
    if (disk->settings.octets_max == 0)
        disk->settings.octets_max = limit != 0 ? limit : UINT64_MAX;
    else if (disk->settings.octets_max != limit) {
        value = stet__disk_val(&disk->settings.octets_max, sizeof limit);
        return mdb_put(txn, disk->tables[STET__DISK_META], &key, &value, 0);
    }
    return 0;
}

static int make_tables(struct stet__disk *disk, MDB_txn *txn)
{
    for (int i = 0; i < STET__DISK_TABLES; i++) {
        int code = mdb_dbi_open(txn, names[i], MDB_CREATE, &disk->tables[i]);
        if (code != 0)
            return code;
    }
    MDB_val key = stet__disk_val("format", 6), value;
    int code = mdb_get(txn, disk->tables[STET__DISK_META], &key, &value);
    if (code == 0)
        return value.mv_size == sizeof format && memcmp(value.mv_data, &format, sizeof format) == 0
                   ? settle_limit(disk, txn)
                   : MDB_VERSION_MISMATCH;
    if (code != MDB_NOTFOUND)
        return code;
    value = stet__disk_val(&format, sizeof format);
    code = mdb_put(txn, disk->tables[STET__DISK_META], &key, &value, 0);
    return code != 0 ? code : settle_limit(disk, txn);
}

/* A file that ends before its last page would be met as a bus error. */
static int check_length(struct stet__disk *disk)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;
    if (mdb_env_info(disk->env, &info) != 0 || mdb_env_stat(disk->env, &stat) != 0 ||
        fstatat(disk->folder, INDEX, &file, AT_SYMLINK_NOFOLLOW) != 0)
        return MDB_INVALID;
    /* One that was just made has two pages, which last_pgno says. */
    return (uint64_t)file.st_size / stat.ms_psize > info.me_last_pgno ? 0 : MDB_CORRUPTED;
}

/*
 * LMDB makes its lock file with holes and writes to it as memory, so that a full disk is met as a bus error.
 * The blocks are taken before that. A file system that cannot do it has no holes to be afraid of, or bad
 * luck.
 */
static int reserve_lock_file(struct stet__disk *disk)
{
    int fd = openat(disk->folder, INDEX "-lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    int code = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, LOCK_OCTETS) == 0 ? 0 : errno;
    close(fd);
    return code == ENOSPC || code == EDQUOT ? ENOSPC : 0;
}

/* 0, a code of LMDB's, or errno. */
static int open_environment(struct stet__disk *disk)
{
    char path[4096];
    size_t folder_len = strlen(disk->settings.folder);
    uint64_t map = disk->settings.map_octets ? disk->settings.map_octets : MAP_OCTETS;
    MDB_txn *txn;
    int dead, code;
    if (folder_len + sizeof "/" INDEX > sizeof path)
        return ENAMETOOLONG;
    memcpy(path, disk->settings.folder, folder_len);
    memcpy(path + folder_len, "/" INDEX, sizeof "/" INDEX);
    if ((code = reserve_lock_file(disk)) != 0 || (code = mdb_env_create(&disk->env)) != 0)
        return code;
    (void)mdb_env_set_maxdbs(disk->env, STET__DISK_TABLES);
    (void)mdb_env_set_maxreaders(disk->env, READERS);
    (void)mdb_env_set_mapsize(disk->env, (size_t)map);
    if ((code = mdb_env_open(disk->env, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NOMETASYNC | MDB_NORDAHEAD,
                             0600)) != 0)
        return code;
    (void)mdb_reader_check(disk->env, &dead);
    if ((code = check_length(disk)) != 0)
        return code;
    code = mdb_txn_begin(disk->env, NULL, 0, &txn);
    if (code == MDB_MAP_RESIZED && mdb_env_set_mapsize(disk->env, 0) == 0)
        code = mdb_txn_begin(disk->env, NULL, 0, &txn);
    if (code != 0)
        return code;
    code = make_tables(disk, txn);
    if (code != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

void stet__disk_index_close(struct stet__disk *disk)
{
    if (disk->reader)
        mdb_txn_abort(disk->reader);
    disk->reader = NULL;
    if (disk->env)
        mdb_env_close(disk->env);
    disk->env = NULL;
}

static bool hopeless(int code)
{
    switch (code) {
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INCOMPATIBLE:
    case MDB_PANIC:
    case MDB_BAD_TXN:
        return true;
    default:
        return false;
    }
}

/* Nobody else is there. What the new index does not know of, the sweep that follows removes. */
static int begin_anew(struct stet__disk *disk)
{
    if (renameat(disk->folder, INDEX, disk->folder, INDEX ".old") != 0 && errno != ENOENT)
        return errno;
    (void)unlinkat(disk->folder, INDEX "-lock", 0);
    (void)unlinkat(disk->folder, MARK, 0);
    return 0;
}

static int one_try(struct stet__disk *disk)
{
    if (faccessat(disk->folder, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return MDB_CORRUPTED;
    if (!lock_writer(disk))
        return errno;
    int code = open_environment(disk);
    if (code == 0 && (code = mdb_txn_begin(disk->env, NULL, MDB_RDONLY, &disk->reader)) == 0)
        mdb_txn_reset(disk->reader);
    if (code != 0)
        stet__disk_index_close(disk);
    unlock_writer(disk);
    return code;
}

static const char *const anew_other = "the index was made by another version of stet; the cache begins anew";
static const char *const anew_damaged = "the index was damaged; the cache begins anew";

int stet__disk_index_open(struct stet__disk *disk, const char **cause)
{
    const char *news = NULL;
    disk->lock = openat(disk->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    disk->writer = openat(disk->folder, "writer", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (disk->lock < 0 || disk->writer < 0 || flock(disk->lock, LOCK_SH) != 0) {
        *cause = "the folder of the cache cannot be locked";
        return STET_E_STORE_FOLDER;
    }
    int code = one_try(disk);
    /* Whoever else wants to begin anew gave up the shared lock for the same; one of us gets it alone, and the
     * others find what that one made. */
    for (int i = 0; i < 8 && hopeless(code); i++) {
        const char *why = code == MDB_VERSION_MISMATCH ? anew_other : anew_damaged;
        bool alone = flock(disk->lock, LOCK_EX | LOCK_NB) == 0;
        if (alone && hopeless(code = one_try(disk)) && (code = begin_anew(disk)) == 0)
            news = why;
        (void)flock(disk->lock, LOCK_SH);
        if (!disk->env && (code == 0 || hopeless(code)))
            code = one_try(disk);
    }
    *cause = news;
    if (code == 0)
        return STET_OK;
    if (hopeless(code)) {
        *cause = "the index of the cache has to be begun anew, but another process is using it";
        return STET_E_STORE_BUSY;
    }
    *cause = code == ENOSPC ? "the disk is full" : "the index of the cache cannot be opened";
    return STET_E_STORE_INDEX;
}

MDB_txn *stet__disk_read_begin(struct stet__disk *disk)
{
    if (disk->broken)
        return NULL;
    int code = mdb_txn_renew(disk->reader);
    if (code == MDB_MAP_RESIZED && mdb_env_set_mapsize(disk->env, 0) == 0)
        code = mdb_txn_renew(disk->reader);
    return stet__disk_noted(disk, code) == 0 ? disk->reader : NULL;
}

void stet__disk_read_end(struct stet__disk *disk)
{
    mdb_txn_reset(disk->reader);
}

static int begin(struct stet__disk *disk, struct stet__disk_change *change)
{
    MDB_val key = stet__disk_val("totals", 6), value;
    int code = mdb_txn_begin(disk->env, NULL, 0, &change->txn);
    if (code != 0)
        return code;
    change->unlinked_count = 0;
    change->discard = false;
    code = mdb_get(change->txn, disk->tables[STET__DISK_META], &key, &value);
    if (code == 0 && value.mv_size == sizeof change->totals) {
        memcpy(&change->totals, value.mv_data, sizeof change->totals);
        return 0;
    }
    change->totals = (struct stet__disk_totals){.entries = 0};
    if (code == MDB_NOTFOUND)
        return 0;
    mdb_txn_abort(change->txn);
    return code == 0 ? MDB_CORRUPTED : code;
}

static int commit(struct stet__disk *disk, struct stet__disk_change *change)
{
    MDB_val key = stet__disk_val("totals", 6), value = stet__disk_val(&change->totals, sizeof change->totals);
    int code = mdb_put(change->txn, disk->tables[STET__DISK_META], &key, &value, 0);
    if (code == 0)
        return mdb_txn_commit(change->txn);
    mdb_txn_abort(change->txn);
    return code;
}

static int one_write(struct stet__disk *disk, struct stet__disk_change *change, stet__disk_step *step,
                     void *owner)
{
    int code = begin(disk, change);
    if (code != 0)
        return code;
    code = step(change, owner);
    if (code == 0 && !change->discard)
        return commit(disk, change);
    mdb_txn_abort(change->txn);
    return code;
}

static int grow(struct stet__disk *disk)
{
    MDB_envinfo info;
    if (mdb_env_info(disk->env, &info) != 0 || info.me_mapsize > SIZE_MAX / 4)
        return ENOMEM;
    return mdb_env_set_mapsize(disk->env, info.me_mapsize * 2);
}

int stet__disk_write(struct stet__disk *disk, stet__disk_step *step, void *owner)
{
    struct stet__disk_change change = {.disk = disk};
    int code = 0;
    if (disk->broken)
        return MDB_CORRUPTED;
    if (!lock_writer(disk))
        return errno;
    for (int i = 0; i < TRIES; i++) {
        code = one_write(disk, &change, step, owner);
        if (code == MDB_MAP_FULL)
            code = grow(disk) == 0 ? MDB_MAP_FULL : ENOMEM;
        else if (code == MDB_MAP_RESIZED)
            (void)mdb_env_set_mapsize(disk->env, 0);
        if (code != MDB_MAP_FULL && code != MDB_MAP_RESIZED)
            break;
    }
    unlock_writer(disk);
    for (size_t i = 0; code == 0 && !change.discard && i < change.unlinked_count; i++) {
        char name[STET__DISK_NAME_BYTES];
        stet__disk_part_name(change.unlinked[i], name);
        (void)unlinkat(disk->parts, name, 0);
    }
    free(change.unlinked);
    return stet__disk_noted(disk, code);
}
