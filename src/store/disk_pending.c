/* SPDX-License-Identifier: MIT */
/*
 * disk_pending: changes gathered in memory, and their commit.
 *
 * A commit costs a write to the disk and shuts out other writers, so 10,000 answers are not 10,000 commits;
 * but an open transaction would shut them out all the time, so what is gathered waits outside of one. It is
 * bounded in number, octets, open files and time.
 *
 * A change is applied to what the index holds by then: what another process removed in the meantime is not
 * put back, and sums are added to, never written over.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/disk_inside.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define OPS_MAX 16384
#define FILES_MAX 1024 /* open until they are committed, and at most a quarter of the limit */
#define OCTETS_MAX (32 << 20)
#define WAIT_MS 1000
#define WAIT_MAX_MS 10000
#define PATIENCE 10 /* a commit is followed by at least so many times its own time without one */
#define REAP_MAX 1024
#define SLOTS 65536 /* of the set of URIs: at least twice OPS_MAX */

struct stet__disk_pending {
    struct stet__disk_op *ops;
    size_t count, room, files, octets;
    size_t files_max;
    int64_t since_ms, wait_ms;
    uint64_t events[STET__DISK_EVENTS], not_sent;
    bool counted;
    uint64_t uris[SLOTS]; /* hashes of those that something is pending about; 0: free */
};

struct stet__disk_pending *stet__disk_pending_new(void)
{
    struct stet__disk_pending *pending = calloc(1, sizeof *pending);
    struct rlimit limit;
    if (!pending)
        return NULL;
    pending->files_max = FILES_MAX;
    pending->wait_ms = WAIT_MS;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < FILES_MAX)
        pending->files_max = (size_t)limit.rlim_cur / 4;
    return pending;
}

int64_t stet__disk_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The slot of `uri`: its own, or the free one where it would be. */
static uint64_t *slot_of(struct stet__disk_pending *pending, struct stet_span uri, uint64_t *hash)
{
    *hash = XXH3_64bits(uri.ptr, uri.len) | 1;
    size_t i = (size_t)(*hash >> 1) % SLOTS;
    while (pending->uris[i] != 0 && pending->uris[i] != *hash)
        i = (i + 1) % SLOTS;
    return &pending->uris[i];
}

void stet__disk_op_release(struct stet__disk *disk, struct stet__disk_op *op)
{
    char name[STET__DISK_NAME_BYTES];
    free(op->record);
    free(op->replaced);
    if (!op->has_source)
        return;
    free((void *)(uintptr_t)op->source.small.ptr);
    if (op->source.fd < 0)
        return;
    stet__disk_part_name(op->source.part, name);
    if (!op->source.recorded)
        (void)unlinkat(disk->parts, name, 0);
    close(op->source.fd);
}

static void forget(struct stet__disk *disk)
{
    struct stet__disk_pending *pending = disk->pending;
    for (size_t i = 0; i < pending->count; i++)
        stet__disk_op_release(disk, &pending->ops[i]);
    if (pending->count > 0)
        memset(pending->uris, 0, sizeof pending->uris);
    pending->count = pending->files = pending->octets = 0;
}

void stet__disk_pending_free(struct stet__disk *disk)
{
    if (!disk->pending)
        return;
    forget(disk);
    free(disk->pending->ops);
    free(disk->pending);
    disk->pending = NULL;
}

/* --- applying --- */

/* What concerns this change alone: it is left out, and the others go on. */
static int passed_over(int code)
{
    return code > 0 || code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE || code == MDB_KEYEXIST ? 0 : code;
}

static int drop_replaced(struct stet__disk_change *change, const struct stet__disk_op *op, uint64_t but)
{
    for (size_t i = 0; i < op->replaced_count; i++) {
        int code = op->replaced[i] == but ? 0 : stet__disk_entry_drop(change, op->replaced[i]);
        if (code != 0 && code != MDB_NOTFOUND)
            return code;
    }
    return 0;
}

struct oldest {
    size_t count;
    uint64_t id, sequence;
};

static int look_at_age(void *owner, MDB_val key, MDB_val value)
{
    struct oldest *oldest = owner;
    struct stet__disk_record record;
    if (!stet__disk_record_check(value, &record))
        return 0;
    if (oldest->count++ == 0 || record.sequence < oldest->sequence) {
        oldest->id = stet__disk_key_id(key);
        oldest->sequence = record.sequence;
    }
    return 0;
}

/* Core looks at so many candidates, so no URI has more. */
static int make_room(struct stet__disk_change *change, const struct stet__disk_op *op)
{
    struct stet__disk_record record;
    struct oldest oldest = {0, 0, 0};
    memcpy(&record, op->record, sizeof record);
    struct stet_span uri = stet__disk_record_uri(stet__disk_val(op->record, op->record_len), &record);
    int code = stet__disk_entries_of(change->txn, change->disk, uri, look_at_age, &oldest);
    return code == 0 && oldest.count >= STET_CANDIDATES_MAX ? stet__disk_entry_drop(change, oldest.id) : code;
}

static int apply_put(struct stet__disk_change *change, struct stet__disk_op *op)
{
    int code = op->has_source ? stet__disk_content_add(change, op->digest, &op->source) : 0;
    if (code != 0)
        return passed_over(code);
    if ((code = drop_replaced(change, op, 0)) != 0 || (code = make_room(change, op)) != 0)
        return code;
    code = stet__disk_entry_put(change, op->record, op->record_len, op->now);
    if (code == MDB_KEYEXIST && op->has_source)
        code = stet__disk_content_release(change, op->digest);
    return code == MDB_KEYEXIST ? 0 : code;
}

/* What the record says of the body is what the stored one says by now. */
static int apply_head(struct stet__disk_change *change, struct stet__disk_op *op)
{
    struct stet__disk_record old, record;
    int64_t used_at;
    MDB_val key, value;
    int code = stet__disk_ids_get(change->txn, change->disk, op->id, &used_at, &key);
    if (code == 0)
        code = mdb_get(change->txn, change->disk->tables[STET__DISK_ENTRIES], &key, &value);
    if (code != 0)
        return passed_over(code);
    memcpy(&record, op->record, sizeof record);
    bool adopted = record.id != op->id;
    if (!stet__disk_record_check(value, &old) || (adopted && old.part != 0))
        return 0;
    const uint32_t of_body = STET__DISK_RECORD_COMPLETE | STET__DISK_RECORD_LENGTH_KNOWN;
    record.flags = (record.flags & ~of_body) | (old.flags & of_body);
    record.first = old.first, record.complete_length = old.complete_length;
    record.octets = old.octets, record.charge = old.charge, record.part = old.part;
    memcpy(record.digest, old.digest, sizeof record.digest);
    memcpy(op->record, &record, sizeof record);
    if (adopted && (code = stet__disk_content_share(change, record.digest)) != 0)
        return passed_over(code);
    if ((code = drop_replaced(change, op, op->id)) != 0)
        return code;
    if (!adopted)
        return stet__disk_entry_replace(change, op->record, op->record_len, op->now);
    code = make_room(change, op);
    return code != 0 ? code : stet__disk_entry_put(change, op->record, op->record_len, op->now);
}

static int apply_known(struct stet__disk_change *change, const struct stet__disk_op *op)
{
    struct stet__disk_content content;
    int code = stet__disk_content_get(change->txn, change->disk, op->digest, &content, NULL);
    if (code != 0 || content.small)
        return passed_over(code);
    content.identity = op->identity;
    return stet__disk_content_put(change, op->digest, &content, STET_SPAN_NONE);
}

static int apply(struct stet__disk_change *change, struct stet__disk_op *op)
{
    switch (op->kind) {
    case STET__DISK_PUT:
        return apply_put(change, op);
    case STET__DISK_HEAD:
        return apply_head(change, op);
    case STET__DISK_TOUCH:
        return stet__disk_entry_touch(change, op->id, op->now);
    case STET__DISK_KNOWN:
        return apply_known(change, op);
    case STET__DISK_GROWN:
        return passed_over(stet__disk_entry_grown(change, op->id, op->octets, op->charge));
    case STET__DISK_OUTPUT:
        return stet__disk_output_apply(change, op);
    }
    return 0;
}

static int apply_all(struct stet__disk_change *change, void *owner)
{
    struct stet__disk_pending *pending = owner;
    int code = change->disk->doomed ? stet__disk_reap(change, REAP_MAX) : 0;
    for (size_t i = 0; i < pending->count && code == 0; i++)
        code = apply(change, &pending->ops[i]);
    for (int i = 0; i < STET__DISK_EVENTS; i++)
        change->totals.events[i] += pending->events[i];
    change->totals.not_sent += pending->not_sent;
    return code != 0 ? code : stet__disk_evict(change);
}

/* A disk that is slow, or busy with others, is asked less often. */
static void settle_wait(struct stet__disk_pending *pending, int64_t took_ms)
{
    int64_t wait_ms = took_ms * PATIENCE;
    pending->wait_ms = wait_ms < WAIT_MS ? WAIT_MS : wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
}

void stet__disk_flush(struct stet__disk *disk)
{
    struct stet__disk_pending *pending = disk->pending;
    if (pending->count == 0 && !pending->counted && !disk->doomed)
        return;
    int64_t begun_ms = stet__disk_clock_ms();
    (void)stet__disk_write(disk, apply_all, pending);
    settle_wait(pending, stet__disk_clock_ms() - begun_ms);
    forget(disk);
    memset(pending->events, 0, sizeof pending->events);
    pending->not_sent = 0;
    pending->counted = false;
}

/* --- gathering --- */

static void begin_waiting(struct stet__disk_pending *pending)
{
    if (pending->count == 0 && !pending->counted)
        pending->since_ms = stet__disk_clock_ms();
}

void stet__disk_pending_tick(struct stet__disk *disk)
{
    struct stet__disk_pending *pending = disk->pending;
    if ((pending->count > 0 || pending->counted) &&
        stet__disk_clock_ms() - pending->since_ms >= pending->wait_ms)
        stet__disk_flush(disk);
}

static bool make_place(struct stet__disk_pending *pending)
{
    if (pending->count < pending->room)
        return true;
    size_t room = pending->room * 2 + 64;
    struct stet__disk_op *more = realloc(pending->ops, room * sizeof *more);
    if (!more)
        return false;
    pending->ops = more;
    pending->room = room;
    return true;
}

bool stet__disk_pending_add(struct stet__disk *disk, const struct stet__disk_op *op, struct stet_span uri)
{
    struct stet__disk_pending *pending = disk->pending;
    if (disk->broken || !make_place(pending)) {
        struct stet__disk_op copy = *op;
        stet__disk_op_release(disk, &copy);
        return false;
    }
    begin_waiting(pending);
    pending->ops[pending->count++] = *op;
    pending->octets += op->record_len + (op->has_source ? op->source.small.len : 0);
    pending->files += op->has_source && op->source.fd >= 0;
    if (uri.ptr) {
        uint64_t hash, *slot = slot_of(pending, uri, &hash);
        *slot = hash;
    }
    if (pending->count >= OPS_MAX || pending->files >= pending->files_max || pending->octets >= OCTETS_MAX)
        stet__disk_flush(disk);
    else
        stet__disk_pending_tick(disk);
    return true;
}

void stet__disk_pending_settle(struct stet__disk *disk, struct stet_span uri)
{
    uint64_t hash;
    if (disk->pending->count > 0 && *slot_of(disk->pending, uri, &hash) != 0)
        stet__disk_flush(disk);
    else
        stet__disk_pending_tick(disk);
}

void stet__disk_count(struct stet__disk *disk, enum stet__disk_event event, uint64_t octets_saved)
{
    begin_waiting(disk->pending);
    disk->pending->events[event]++;
    disk->pending->not_sent += octets_saved;
    disk->pending->counted = true;
}
