/* SPDX-License-Identifier: MIT */
/*
 * disk_write: bodies under way.
 *
 *              STET__DISK_SMALL           SOON_MS, or PART_SOON octets
 *   in memory ------------------> a file ---------------------------------> a part: it has a record
 *      |                            |  in parts/, locked by us                 |
 *      +------------ commit: a change that is pending, with what it needs -----+
 *      +------------ cut:  nothing is left  ------------------- a part is left +
 *
 * A file in parts/ without a lock and without a record belongs to nobody (disk_sweep.c). So the lock is taken
 * before the file counts as ours, and kept until its record is committed.
 *
 * Most bodies are complete before it is worth a record that they are not, so that waits a little; what is
 * killed before leaves nothing, what is cut becomes a part then.
 *
 * A part is for RFC 9111 section 3.3 and RFC 9110 section 14.5: it is worth keeping only if the origin can be
 * asked for the rest with If-Range, for which the validator has to be strong (RFC 9110 section 13.1.5).
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/disk_inside.h"

#define RECORD_MAX (1 << 20)
#define SOON_MS 200
#define PART_SOON (16 << 20)
#define NAMES 16 /* that are tried */

struct stet__disk_body {
    struct stet__disk *disk;
    struct stet__buffer record; /* of the entry that it becomes */
    struct stet_held held;      /* what the whole will be */
    bool resumable, failed;
    uint64_t *replaced; /* with room for the part's */
    size_t replaced_count;
    EVP_MD_CTX *hash;
    int fd;           /* -1: in memory only */
    uint64_t part;    /* the file's name */
    uint64_t part_id; /* of the part's record; 0: none yet */
    uint64_t octets;
    int64_t begun_ms;
    char small[STET__DISK_SMALL];
};

/* Ours from now on, or not there any more: who sweeps has the lock for a moment. */
static bool lock_new(int fd)
{
    struct stat state;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &state) == 0 && state.st_nlink > 0;
}

static bool make_file(struct stet__disk_body *body)
{
    for (int i = 0; i < NAMES; i++) {
        char name[STET__DISK_NAME_BYTES];
        uint64_t part = stet__disk_random();
        stet__disk_part_name(part, name);
        int fd = openat(body->disk->parts, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno != EEXIST)
            return false;
        if (fd >= 0 && lock_new(fd)) {
            body->fd = fd;
            body->part = part;
            return stet__disk_write_all(fd, stet_span_of(body->small, body->octets), 0);
        }
        if (fd >= 0)
            close(fd);
    }
    return false;
}

/* --- begin --- */

static bool is_resumable(const struct stet_stored *stored)
{
    const struct stet_representation *selected = &stored->selected;
    bool tagged = stet_etag_present(selected->etag);
    return stored->method == STET_METHOD_GET && stored->response.status == 200 && !stored->synthesised &&
           (tagged ? !selected->etag.weak : selected->last_modified_strong);
}

static bool take_head(struct stet__disk_body *body, const struct stet__disk_put *put)
{
    struct stet__disk_entry entry = {
        .id = body->disk->next++, .uri = put->uri, .stored = *put->stored, .asker = put->asker};
    body->held = put->stored->held;
    body->resumable = !put->whole && is_resumable(put->stored);
    body->replaced = calloc(put->replaced_count + 1, sizeof *body->replaced);
    if (!body->replaced)
        return false;
    if (put->replaced_count > 0)
        memcpy(body->replaced, put->replaced, put->replaced_count * sizeof *body->replaced);
    body->replaced_count = put->replaced_count;
    return stet__disk_record_write(&entry, &body->record);
}

static bool add_to_hash(struct stet__disk_body *body, uint64_t octets)
{
    char room[16384];
    for (uint64_t at = 0; at < octets;) {
        ssize_t got = pread(body->fd, room, sizeof room, (off_t)at);
        if (got <= 0 || EVP_DigestUpdate(body->hash, room, (size_t)got) != 1)
            return false;
        at += (uint64_t)got;
    }
    return true;
}

/* Goes on with a part. */
static bool take_part(struct stet__disk_body *body, const struct stet__disk_entry *part)
{
    body->octets = stet__disk_part_idle(body->disk, part->part, &body->fd);
    if (body->octets == 0)
        return false;
    body->part = part->part;
    body->part_id = part->id;
    if (body->held.complete)
        body->held.range.first = 0;
    return add_to_hash(body, body->octets);
}

static void free_body(struct stet__disk_body *body)
{
    stet__buffer_release(&body->record);
    free(body->replaced);
    EVP_MD_CTX_free(body->hash);
    if (body->fd >= 0)
        close(body->fd);
    free(body);
}

struct stet__disk_body *stet__disk_body_begin(struct stet__disk *disk, const struct stet__disk_put *put,
                                              const struct stet__disk_entry *part, uint64_t length)
{
    if (disk->broken || (length != UINT64_MAX && length > disk->settings.object_max))
        return NULL;
    struct stet__disk_body *body = malloc(sizeof *body);
    if (!body)
        return NULL;
    memset(body, 0, offsetof(struct stet__disk_body, small));
    body->disk = disk;
    body->fd = -1;
    body->begun_ms = stet__disk_clock_ms();
    stet__buffer_init(&body->record, RECORD_MAX);
    body->hash = EVP_MD_CTX_new();
    if (body->hash && EVP_DigestInit_ex(body->hash, EVP_sha256(), NULL) == 1 && take_head(body, put) &&
        (!part || take_part(body, part)))
        return body;
    free_body(body);
    return NULL;
}

/* --- append --- */

/* The entry as it is by now, in a record of its own. */
static char *record_of(struct stet__disk_body *body, const unsigned char *digest, uint64_t id)
{
    struct stet__disk_record record;
    char *copy = malloc(body->record.len);
    if (!copy)
        return NULL;
    memcpy(copy, body->record.ptr, body->record.len);
    memcpy(&record, copy, sizeof record);
    record.id = id;
    record.octets = body->octets;
    if (digest) {
        record.flags |= STET__DISK_RECORD_COMPLETE | STET__DISK_RECORD_LENGTH_KNOWN;
        record.first = 0;
        record.complete_length = body->octets;
        memcpy(record.digest, digest, sizeof record.digest);
    } else {
        record.part = body->part;
        record.charge = (body->octets + 4095) & ~UINT64_C(4095);
    }
    memcpy(copy, &record, sizeof record);
    return copy;
}

static struct stet_span uri_of(const struct stet__disk_body *body)
{
    struct stet__disk_record record;
    memcpy(&record, body->record.ptr, sizeof record);
    return stet__disk_record_uri(stet__disk_val(body->record.ptr, body->record.len), &record);
}

static int64_t used_at(const struct stet__disk_body *body)
{
    struct stet__disk_record record;
    memcpy(&record, body->record.ptr, sizeof record);
    return record.response;
}

static bool may_become_part(const struct stet__disk_body *body)
{
    return body->part_id == 0 && body->resumable && body->octets >= STET__DISK_PART_MIN;
}

/* From now on it can be resumed even if we are killed. */
static void become_part(struct stet__disk_body *body)
{
    struct stet__disk_op op = {.kind = STET__DISK_PUT, .now = used_at(body), .record_len = body->record.len};
    body->part_id = body->disk->next++;
    op.record = record_of(body, NULL, body->part_id);
    if (!op.record || !stet__disk_pending_add(body->disk, &op, uri_of(body)))
        body->part_id = 0, body->resumable = false;
}

bool stet__disk_body_append(struct stet__disk_body *body, struct stet_span octets)
{
    if (body->failed)
        return false;
    stet__disk_pending_tick(body->disk);
    bool fits = octets.len <= body->disk->settings.object_max - body->octets;
    bool good = fits && EVP_DigestUpdate(body->hash, octets.ptr, octets.len) == 1;
    if (good && body->octets + octets.len <= sizeof body->small) {
        memcpy(body->small + body->octets, octets.ptr, octets.len);
        good = body->fd < 0 || stet__disk_write_all(body->fd, octets, body->octets);
    } else if (good) {
        good = (body->fd >= 0 || make_file(body)) && stet__disk_write_all(body->fd, octets, body->octets);
    }
    if (!good) {
        body->failed = true;
        return false;
    }
    body->octets += octets.len;
    if (may_become_part(body) &&
        (body->octets >= PART_SOON || stet__disk_clock_ms() - body->begun_ms >= SOON_MS))
        become_part(body);
    return true;
}

uint64_t stet__disk_body_octets(const struct stet__disk_body *body)
{
    return body->octets;
}

int stet__disk_body_fd(struct stet__disk_body *body)
{
    if (body->fd < 0 && !body->failed && !make_file(body))
        body->failed = true;
    return body->failed ? -1 : body->fd;
}

/* --- end --- */

static void unlink_file(struct stet__disk_body *body)
{
    char name[STET__DISK_NAME_BYTES];
    if (body->fd < 0)
        return;
    stet__disk_part_name(body->part, name);
    (void)unlinkat(body->disk->parts, name, 0);
}

void stet__disk_body_cut(struct stet__disk_body *body)
{
    struct stet__disk_op op = {.kind = STET__DISK_GROWN, .octets = body->octets};
    struct stat state;
    if (!body->failed && may_become_part(body))
        become_part(body);
    op.id = body->part_id;
    if (body->part_id == 0) {
        unlink_file(body);
    } else if (body->failed || fstat(body->fd, &state) != 0) {
        (void)stet__disk_remove_entry(body->disk, body->part_id);
    } else {
        op.charge = stet__disk_charge(&state);
        (void)stet__disk_pending_add(body->disk, &op, uri_of(body));
        stet__disk_flush(body->disk);
    }
    free_body(body);
}

static bool is_whole(const struct stet__disk_body *body)
{
    const struct stet_held *held = &body->held;
    if (!held->complete && held->range.first != 0)
        return false;
    return held->length_known ? held->complete_length == body->octets : held->complete;
}

/* What the change takes over from the body. */
static bool give(struct stet__disk_body *body, struct stet__disk_op *op)
{
    struct stet__disk_source *source = &op->source;
    source->octets = body->octets;
    source->fd = -1;
    if (body->octets <= sizeof body->small && body->part_id == 0) {
        char *copy = malloc(body->octets + 1);
        if (!copy)
            return false;
        memcpy(copy, body->small, body->octets);
        source->small = stet_span_of(copy, body->octets);
        unlink_file(body);
    } else {
        source->fd = body->fd;
        source->part = body->part;
        source->recorded = body->part_id != 0;
        body->fd = -1;
    }
    op->has_source = true;
    if (body->part_id != 0)
        body->replaced[body->replaced_count++] = body->part_id;
    op->replaced = body->replaced;
    op->replaced_count = body->replaced_count;
    body->replaced = NULL;
    return true;
}

/* The entry that was made, for its maker. */
static bool show(const char *octets, size_t len, struct stet__arena *arena, struct stet__disk_entry *out)
{
    struct stet__disk_record record;
    char *copy = malloc(len);
    if (!copy)
        return false;
    memcpy(copy, octets, len);
    memcpy(&record, copy, sizeof record);
    stet__disk_record_seal(copy, len, &record);
    bool good = stet__disk_record_read(stet__disk_val(copy, len), arena, out) == STET_OK;
    free(copy);
    return good;
}

bool stet__disk_body_commit(struct stet__disk_body *body, struct stet__arena *arena,
                            struct stet__disk_entry *out)
{
    struct stet__disk_op op = {.kind = STET__DISK_PUT, .now = used_at(body), .record_len = body->record.len};
    struct stet__disk_record record;
    if (body->failed || !is_whole(body)) {
        stet__disk_body_cut(body);
        return false;
    }
    memcpy(&record, body->record.ptr, sizeof record);
    bool good = EVP_DigestFinal_ex(body->hash, op.digest, NULL) == 1 &&
                (op.record = record_of(body, op.digest, record.id)) != NULL &&
                (!out || show(op.record, op.record_len, arena, out));
    if (!good || !give(body, &op)) {
        free(op.record);
        body->failed = true;
        stet__disk_body_cut(body);
        return false;
    }
    good = stet__disk_pending_add(body->disk, &op, uri_of(body));
    free_body(body);
    return good;
}

bool stet__disk_put_head(struct stet__disk *disk, const struct stet__disk_entry *of,
                         const struct stet__disk_put *put)
{
    struct stet__disk_entry entry = *of;
    struct stet__disk_op op = {.kind = STET__DISK_HEAD, .id = of->id, .now = put->stored->times.response};
    struct stet__buffer record;
    int64_t unused;
    MDB_val key;
    stet__disk_pending_settle(disk, put->uri);
    MDB_txn *txn = stet__disk_read_begin(disk);
    int code = txn ? stet__disk_ids_get(txn, disk, of->id, &unused, &key) : MDB_NOTFOUND;
    if (txn)
        stet__disk_read_end(disk);
    if (code != 0)
        return false;
    entry.uri = put->uri;
    entry.stored = *put->stored;
    entry.invalidated = false;
    entry.id = disk->next++;
    op.replaced = calloc(put->replaced_count + 1, sizeof *op.replaced);
    for (size_t i = 0; op.replaced && i < put->replaced_count; i++) {
        op.replaced[op.replaced_count++] = put->replaced[i];
        if (put->replaced[i] == of->id)
            entry.id = of->id;
    }
    stet__buffer_init(&record, RECORD_MAX);
    if (!op.replaced || !stet__disk_record_write(&entry, &record)) {
        stet__buffer_release(&record);
        free(op.replaced);
        return false;
    }
    op.record = record.ptr;
    op.record_len = record.len;
    return stet__disk_pending_add(disk, &op, put->uri);
}
