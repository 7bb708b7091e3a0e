/* SPDX-License-Identifier: MIT */
/*
 * disk_find: look-up, and bodies for reading.
 *
 * A look-up is one read transaction; it waits for nobody. What it finds is copied. By the time its body is
 * opened that may be gone: then it is a miss.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/disk_inside.h"

#define EACH_AT_ONCE 64
#define EACH_OCTETS (64 << 20)

int stet__disk_entries_of(MDB_txn *txn, const struct stet__disk *disk, struct stet_span uri,
                          stet__disk_each_of *call, void *owner)
{
    struct stet__disk_key from;
    MDB_cursor *cursor;
    stet__disk_key_make(uri, 0, &from);
    MDB_val key = stet__disk_val(from.octets, from.len), value;
    size_t shared = STET__DISK_KEY_URI(&from);
    int code = mdb_cursor_open(txn, disk->tables[STET__DISK_ENTRIES], &cursor);
    if (code != 0)
        return code;
    code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && key.mv_size == from.len && memcmp(key.mv_data, from.octets, shared) == 0) {
        if ((code = call(owner, key, value)) == 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

struct look {
    struct stet__disk *disk;
    MDB_txn *txn;
    struct stet_span uri;
    const struct stet_cache_policy *policy;
    struct stet__arena *arena;
    struct stet__disk_entry *out;
    size_t count;
    uint64_t sequences[STET_CANDIDATES_MAX];
    uint64_t damaged; /* id of one that does not parse */
};

/* What is held of a part is what its file has by now. */
static bool measure(struct stet__disk *disk, struct stet__disk_entry *entry)
{
    struct stet_held *held = &entry->stored.held;
    if (entry->part == 0)
        return true;
    entry->octets = stet__disk_part_idle(disk, entry->part, NULL);
    if (entry->octets == 0 || entry->octets > INT64_MAX - held->range.first)
        return false;
    held->range.last = held->range.first + entry->octets - 1;
    return true;
}

static void insert(struct look *look, const struct stet__disk_entry *entry, uint64_t sequence)
{
    size_t i = look->count++;
    for (; i > 0 && look->sequences[i - 1] < sequence; i--) {
        look->sequences[i] = look->sequences[i - 1];
        look->out[i] = look->out[i - 1];
    }
    look->sequences[i] = sequence;
    look->out[i] = *entry;
}

static int look_at(void *owner, MDB_val key, MDB_val value)
{
    struct look *look = owner;
    struct stet__disk_record record;
    struct stet__disk_entry entry;
    MDB_val unused;
    int code = STET_E_STORE_INDEX;
    if (stet__disk_record_check(value, &record))
        code = stet__disk_record_read(value, look->arena, &entry);
    if (code == STET_E_STORE_MEMORY)
        return ENOMEM;
    if (code != STET_OK || entry.id != stet__disk_key_id(key)) {
        look->damaged = stet__disk_key_id(key);
        return 0;
    }
    if (look->count == STET_CANDIDATES_MAX || !stet_span_equal(entry.uri, look->uri) ||
        !measure(look->disk, &entry))
        return 0;
    (void)stet__disk_ids_get(look->txn, look->disk, entry.id, &entry.used_at, &unused);
    stet_stored_read(&entry.stored, look->policy);
    insert(look, &entry, record.sequence);
    return 0;
}

int stet__disk_find(struct stet__disk *disk, struct stet_span uri, const struct stet_cache_policy *policy,
                    struct stet__arena *arena, struct stet__disk_entry *out, size_t *count)
{
    struct look look = {.disk = disk, .uri = uri, .policy = policy, .arena = arena, .out = out};
    stet__disk_pending_settle(disk, uri);
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return STET_E_STORE_INDEX;
    look.txn = txn;
    int code = stet__disk_entries_of(txn, disk, uri, look_at, &look);
    stet__disk_read_end(disk);
    if (look.damaged != 0)
        (void)stet__disk_remove_entry(disk, look.damaged);
    if (code == ENOMEM)
        return STET_E_STORE_MEMORY;
    if (stet__disk_noted(disk, code) != 0)
        return STET_E_STORE_INDEX;
    *count = look.count;
    return STET_OK;
}

/* --- bodies --- */

static struct stet_span small_of(MDB_val value)
{
    return stet_span_skip(stet_span_of(value.mv_data, value.mv_size), sizeof(struct stet__disk_content));
}

struct stet_span stet__disk_body_small(struct stet__disk *disk, const struct stet__disk_entry *entry,
                                       struct stet__arena *arena)
{
    struct stet_span copy = STET_SPAN_NONE;
    struct stet__disk_content content;
    MDB_val value;
    if (!entry->has_digest || entry->octets > STET__DISK_SMALL)
        return copy;
    stet__disk_pending_settle(disk, entry->uri);
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return copy;
    if (stet__disk_content_get(txn, disk, entry->digest, &content, &value) == 0 && content.small)
        copy = stet__arena_copy(arena, small_of(value));
    stet__disk_read_end(disk);
    return copy;
}

static int file_of(struct stet_span octets)
{
    int fd = memfd_create("stet-body", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (stet__disk_write_all(fd, octets, 0))
        return fd;
    close(fd);
    return -1;
}

/* Whether the octets of the file are those of the digest: by its state if that is as it was, else by hashing.
 */
static bool vouch(struct stet__disk *disk, int fd, const unsigned char *digest,
                  const struct stet__disk_content *content)
{
    struct stet__disk_op op = {.kind = STET__DISK_KNOWN};
    unsigned char found[STET__DISK_DIGEST_BYTES];
    struct stat state;
    if (fstat(fd, &state) != 0 || (uint64_t)state.st_size != content->octets)
        return false;
    stet__disk_identify(disk, &state, &op.identity);
    if (disk->boot != 0 && memcmp(&op.identity, &content->identity, sizeof op.identity) == 0)
        return true;
    if (!stet__disk_file_hash(fd, found) || memcmp(found, digest, sizeof found) != 0)
        return false;
    memcpy(op.digest, digest, sizeof op.digest);
    (void)stet__disk_pending_add(disk, &op, STET_SPAN_NONE);
    return true;
}

static int open_complete(struct stet__disk *disk, const struct stet__disk_entry *entry)
{
    struct stet__disk_content content;
    char name[STET__DISK_NAME_BYTES];
    int fd = -1;
    MDB_val value;
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return -1;
    bool known = stet__disk_content_get(txn, disk, entry->digest, &content, &value) == 0;
    if (known && content.small)
        fd = file_of(small_of(value));
    stet__disk_read_end(disk);
    if (!known || content.small)
        return fd;
    stet__disk_digest_name(entry->digest, name);
    fd = openat(disk->bodies, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && vouch(disk, fd, entry->digest, &content))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int stet__disk_body(struct stet__disk *disk, const struct stet__disk_entry *entry)
{
    char name[STET__DISK_NAME_BYTES];
    int fd;
    stet__disk_pending_settle(disk, entry->uri);
    errno = 0;
    if (entry->part != 0) {
        stet__disk_part_name(entry->part, name);
        fd = openat(disk->parts, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    } else {
        fd = open_complete(disk, entry);
    }
    if (fd < 0 && errno != EMFILE && errno != ENFILE && errno != ENOMEM)
        (void)stet__disk_remove_entry(disk, entry->id);
    return fd;
}

bool stet__disk_body_path(struct stet__disk *disk, const struct stet__disk_entry *entry, char *out,
                          size_t room)
{
    char name[STET__DISK_NAME_BYTES];
    struct stet__disk_content content = {.small = 0};
    const char *folder = entry->part != 0 ? "parts/" : "bodies/";
    if (entry->part != 0) {
        stet__disk_part_name(entry->part, name);
    } else {
        MDB_txn *txn = stet__disk_read_begin(disk);
        bool known = txn && stet__disk_content_get(txn, disk, entry->digest, &content, NULL) == 0;
        if (txn)
            stet__disk_read_end(disk);
        if (!known || content.small)
            return false;
        stet__disk_digest_name(entry->digest, name);
    }
    size_t at = strlen(folder), len = strlen(name);
    if (at + len >= room)
        return false;
    memcpy(out, folder, at);
    memcpy(out + at, name, len + 1);
    return true;
}

void stet__disk_touch(struct stet__disk *disk, const struct stet__disk_entry *entry, int64_t now)
{
    const struct stet__disk_op op = {.kind = STET__DISK_TOUCH, .id = entry->id, .now = now};
    if (now >= entry->used_at + 60)
        (void)stet__disk_pending_add(disk, &op, STET_SPAN_NONE);
}

/* --- all --- */

struct page {
    struct stet__disk_entry entries[EACH_AT_ONCE];
    size_t count;
    struct stet__disk_key last;
    bool more;
};

static int read_page(struct stet__disk *disk, MDB_cursor *cursor, const struct stet_cache_policy *policy,
                     struct stet__arena *arena, struct page *page)
{
    MDB_val key = stet__disk_val(page->last.octets, page->last.len), value;
    page->count = 0;
    int code = mdb_cursor_get(cursor, &key, &value, page->last.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
    if (code == 0 && page->last.len > 0 && key.mv_size == page->last.len &&
        memcmp(key.mv_data, page->last.octets, key.mv_size) == 0)
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    while (code == 0 && page->count < EACH_AT_ONCE) {
        struct stet__disk_entry *entry = &page->entries[page->count];
        MDB_val unused;
        int read = stet__disk_record_read(value, arena, entry);
        if (key.mv_size > sizeof page->last.octets)
            return MDB_CORRUPTED;
        if (read == STET_E_STORE_MEMORY) {
            page->more = page->count > 0;
            return page->more ? 0 : ENOMEM;
        }
        memcpy(page->last.octets, key.mv_data, key.mv_size);
        page->last.len = key.mv_size;
        if (read == STET_OK) {
            (void)stet__disk_ids_get(mdb_cursor_txn(cursor), disk, entry->id, &entry->used_at, &unused);
            (void)measure(disk, entry);
            stet_stored_read(&entry->stored, policy);
            page->count++;
        }
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    page->more = code == 0;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int one_page(struct stet__disk *disk, const struct stet_cache_policy *policy,
                    struct stet__arena *arena, struct page *page)
{
    MDB_cursor *cursor;
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return MDB_CORRUPTED;
    int code = mdb_cursor_open(txn, disk->tables[STET__DISK_ENTRIES], &cursor);
    if (code == 0) {
        code = read_page(disk, cursor, policy, arena, page);
        mdb_cursor_close(cursor);
    }
    stet__disk_read_end(disk);
    return code;
}

int stet__disk_each(struct stet__disk *disk, const struct stet_cache_policy *policy,
                    stet__disk_visitor *visit, void *owner)
{
    struct stet__arena arena;
    struct page *page = calloc(1, sizeof *page);
    int code = page ? 0 : ENOMEM;
    bool go_on = page != NULL;
    stet__disk_flush(disk);
    stet__arena_init(&arena, EACH_OCTETS * 2);
    while (go_on) {
        stet__arena_reset(&arena);
        code = one_page(disk, policy, &arena, page);
        go_on = code == 0 && page->more;
        for (size_t i = 0; code == 0 && i < page->count; i++) {
            if (!visit(owner, &page->entries[i])) {
                go_on = false;
                break;
            }
        }
    }
    stet__arena_release(&arena);
    free(page);
    if (code == ENOMEM)
        return STET_E_STORE_MEMORY;
    return stet__disk_noted(disk, code) == 0 ? STET_OK : STET_E_STORE_INDEX;
}
