/* SPDX-License-Identifier: MIT */
/*
 * representation: from an open file to validators and ready-made heads (RFC 9110 section 8.8).
 *
 * The tag is the SHA-256 of the octets, cut to 128 bits, in base64url: 22 octets. It never depends on inode
 * or mtime. A file is read between two looks at its identity; if they differ it is read again, a few times,
 * and then sent without a tag. Last-Modified is the mtime, where stet_representation_date takes it for one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stet/not_modified.h>

#include "base/file.h"
#include "net/head.h"
#include "serve/worker.h"

#define HEAP_MAX 32768 /* larger contents are not copied for each answer, but sent by sendfile */
#define MEMORY_SHARE 8 /* a content that needs more than this part of the memory is sent from the file */
#define READ_ATTEMPTS 4
#define AT_ONCE_MAX (UINT64_C(16) << 20) /* what a worker reads in one go at the most; about 10 ms */
#define ASK_AGAIN_S 5                    /* when the queue of the hashing thread was full */

static void hold(void *owner)
{
    stet__entry_hold(owner);
}

static void release(void *owner)
{
    stet__entry_release(owner);
}

/*
 * ctime is not compared: it changes when the name goes away, and a file that is replaced by rename may be
 * sent to its end. A file without a tag may have grown: Last-Modified promises no octets, and logs that are
 * written to can be read.
 */
static bool intact(void *owner)
{
    const struct stet__entry *entry = owner;
    struct stat stat;
    struct stet__identity now;
    if (fstat(entry->fd, &stat) != 0)
        return false;
    stet__identity_of(&stat, &now);
    if (!stet_etag_present(entry->selected.etag) && now.size > entry->identity.size)
        return true;
    return !entry->changed && now.size == entry->identity.size && now.mtime_ns == entry->identity.mtime_ns;
}

/* The ready-made heads of an entry whose 200 has these fields. */
static bool set_heads(struct stet__entry *entry, const struct stet_fields *fields, int64_t expires_after_s)
{
    struct stet__head *whole = stet__head_make(&entry->arena, 200, fields);
    struct stet_field *kept =
        stet__arena_alloc(&entry->arena, (fields->count + 1) * sizeof(struct stet_field));
    if (!whole || !kept)
        return false;
    const struct stet_field *tag = stet_fields_find(fields, STET_FIELD_ETAG, 0);
    entry->tag = tag ? tag->value : STET_SPAN_NONE;
    struct stet_fields of_304 = {kept, stet_not_modified_fields(fields, kept), fields->present};
    struct stet__head *not_modified = stet__head_make(&entry->arena, 304, &of_304);
    if (!not_modified)
        return false;
    whole->expires_after_s = not_modified->expires_after_s = expires_after_s;
    entry->whole = (struct stet__reply){.head = whole,
                                        .parts = &entry->body,
                                        .part_count = entry->selected.length > 0,
                                        .reason = STET_REASON_OK,
                                        .owner = entry,
                                        .hold = hold,
                                        .release = release,
                                        .intact = entry->fd >= 0 && !entry->sealed ? intact : NULL};
    /* The driver copies the head, and there is nothing else to keep. */
    entry->not_modified = (struct stet__reply){.head = not_modified};
    return true;
}

static bool make_heads(struct stet__serve_worker *worker, struct stet__entry *entry, struct stet_span type)
{
    struct stet_fields fields;
    int64_t expires_after_s;
    return stet__fields_of_whole(worker, entry, type, &fields, &expires_after_s) &&
           (!entry->codable || stet__file_copies_init(worker, entry)) &&
           set_heads(entry, &fields, expires_after_s);
}

static bool set_tag(struct stet__entry *entry, const struct stet__digest *digest)
{
    char text[STET__DIGEST_TAG_LEN];
    stet__digest_tag(digest, text);
    entry->digest = *digest;
    entry->selected.etag.opaque = stet__arena_copy(&entry->arena, stet_span_of(text, sizeof(text)));
    return entry->selected.etag.opaque.ptr != NULL;
}

static void review(struct stet__entry *entry, int64_t at)
{
    if (entry->review_at > at)
        entry->review_at = at;
}

static void set_date(struct stet__entry *entry, int64_t now)
{
    review(entry, stet_representation_date(&entry->selected, entry->identity.mtime_ns / 1000000000, now));
}

/*
 * Reads the content to memory until it holds still. `*stable` tells whether it did. If not, the octets that
 * were read last are what is sent, without a tag.
 */
static bool read_content(struct stet__entry *entry, int fd, bool *stable)
{
    for (int i = 0; i < READ_ATTEMPTS; i++) {
        struct stat stat;
        struct stet__identity after;
        size_t size = (size_t)entry->identity.size;
        char *content = malloc(size + 1);
        ssize_t n = content ? stet__read_at(fd, content, size, 0) : -1;
        if (n < 0 || fstat(fd, &stat) != 0) {
            free(content);
            return false;
        }
        free(entry->content);
        entry->content = content;
        entry->selected.length = (uint64_t)n;
        stet__identity_of(&stat, &after);
        *stable = stet__identity_equal(&entry->identity, &after) && (size_t)n == size;
        if (*stable)
            return true;
        entry->identity = after;
    }
    return true;
}

/* A file that has its tag with the first answer, and whose content is sent as it was hashed, if it is not too
 * large. */
static bool take_small(struct stet__serve_worker *worker, struct stet__entry *entry, int fd, int64_t now)
{
    struct stet__digest digest;
    bool stable = true;
    bool keeps = entry->identity.size <= worker->configuration->memory_bytes / MEMORY_SHARE;
    bool known = stet__hashes_find(worker->shared->hashes, &entry->identity, &digest);
    int64_t now_ns = stet__hash_clock_ns();
    if (known && !keeps) {
        set_date(entry, now);
        return set_tag(entry, &digest);
    }
    if (!read_content(entry, fd, &stable))
        return false;
    entry->racy = stet__identity_racy(&entry->identity, now_ns);
    if (!stable) {
        review(entry, INT64_MIN);
        return true;
    }
    set_date(entry, now);
    if (!stet__digest_of(stet_span_of(entry->content, entry->selected.length), &digest) ||
        !set_tag(entry, &digest))
        return false;
    stet__hashes_remember(worker->shared->hashes, &entry->identity, &digest, now_ns);
    /* What may change without a trace is sent as it was hashed, whatever its size. */
    if (!keeps && !entry->racy) {
        free(entry->content);
        entry->content = NULL;
    }
    return true;
}

/* A new answer may have the tag: the entry goes. */
static void hashed(void *arg, bool remembered, struct stet_span key)
{
    struct stet__serve_worker *worker = arg;
    struct stet__entry *entry = stet__files_find(worker->files, key);
    if (remembered && entry && !stet_etag_present(entry->selected.etag))
        stet__files_drop(worker->files, entry);
}

/* A file that is sent at once, and gets its tag when it has been hashed. */
static bool take_large(struct stet__serve_worker *worker, struct stet__entry *entry, int fd, int64_t now)
{
    struct stet__digest digest;
    set_date(entry, now);
    entry->racy = stet__identity_racy(&entry->identity, stet__hash_clock_ns());
    if (stet__hashes_find(worker->shared->hashes, &entry->identity, &digest))
        return set_tag(entry, &digest);
    /* A racy one would not be remembered; it has a review when it is old enough, and is asked for then. */
    if (entry->racy) {
        review(entry, (entry->identity.ctime_ns + STET__RACY_NS) / 1000000000 + 1);
        return true;
    }
    struct stet__hash_asker asker = {worker->loop, hashed, worker};
    if (!stet__hashes_ask(worker->shared->hashes, fd, entry->key, &asker))
        review(entry, now + ASK_AGAIN_S);
    return true;
}

/*
 * A copy of the content that nobody can change any more, in a file of memory: sendfile takes it as it is, and
 * a body sent from it is the one that was hashed, whatever happens to the file. -1 if the system refuses.
 */
static int seal(const struct stet__entry *entry)
{
    int fd = memfd_create("stet content", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    size_t len = (size_t)entry->selected.length;
    if (write(fd, entry->content, len) == (ssize_t)len &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    close(fd);
    return -1;
}

static void set_body(struct stet__entry *entry, int fd)
{
    entry->body = (struct stet__part){.fd = -1, .length = entry->selected.length};
    if (!entry->content) {
        entry->fd = entry->body.fd = fd;
        return;
    }
    close(fd);
    entry->cost += entry->identity.size;
    if (entry->selected.length > HEAP_MAX)
        entry->fd = entry->body.fd = seal(entry);
    entry->sealed = entry->fd >= 0;
    if (!entry->sealed) {
        entry->body.memory = stet_span_of(entry->content, entry->selected.length);
        return;
    }
    free(entry->content);
    entry->content = NULL;
}

struct stet__entry *stet__representation_of_file(struct stet__serve_worker *worker, struct stet_span key,
                                                 struct stet_span path, struct stet__opened *file,
                                                 int64_t now)
{
    struct stet__entry *entry = stet__entry_new(key, path);
    if (!entry) {
        close(file->fd);
        return NULL;
    }
    stet__identity_of(&file->stat, &entry->identity);
    entry->selected = (struct stet_representation){
        .exists = true, .last_modified = STET_NO_DATE, .length = entry->identity.size};
    uint64_t at_once = worker->configuration->tag_at_once_bytes;
    bool small = entry->identity.size <= (at_once < AT_ONCE_MAX ? at_once : AT_ONCE_MAX);
    bool good = small ? take_small(worker, entry, file->fd, now) : take_large(worker, entry, file->fd, now);
    set_body(entry, file->fd);
    if (good && make_heads(worker, entry, stet__mime_type(worker->shared->mime, stet__path_last(path))))
        return entry;
    stet__entry_release(entry);
    return NULL;
}

struct stet__entry *stet__representation_of_page(struct stet__serve_worker *worker, struct stet_span path,
                                                 struct stet_span type, struct stet__buffer *page)
{
    struct stet__digest digest;
    struct stet__entry *entry = stet__entry_new(path, path);
    if (!entry) {
        stet__buffer_release(page);
        return NULL;
    }
    struct stet_span octets = stet__buffer_span(page);
    entry->content = page->ptr;
    stet__buffer_init(page, 0);
    entry->selected =
        (struct stet_representation){.exists = true, .last_modified = STET_NO_DATE, .length = octets.len};
    entry->body = (struct stet__part){.memory = octets, .fd = -1, .length = octets.len};
    if (stet__digest_of(octets, &digest) && set_tag(entry, &digest) && make_heads(worker, entry, type))
        return entry;
    stet__entry_release(entry);
    return NULL;
}

/* The tag of a copy: the field value, with its quotes. Absent if there is no memory. */
static struct stet_span copy_tag(struct stet__entry *copy, const struct stet__entry *file,
                                 const struct stet__octets *octets)
{
    size_t room = file->selected.etag.opaque.len + STET_CODED_TAG_MORE;
    char *text = stet__arena_alloc(&copy->arena, room);
    struct stet_coded_tag tag = {.base = file->selected.etag,
                                 .kind = STET_CODED_TAG_KEPT,
                                 .coding = octets->coding,
                                 .mark = stet__fingerprint(&octets->whole.digest)};
    size_t len = text ? stet_coded_tag_write(&tag, text, room) : 0;
    return len ? stet_span_of(text, len) : STET_SPAN_NONE;
}

static bool set_copy_heads(struct stet__entry *copy, const struct stet__entry *file,
                           const struct stet__octets *octets)
{
    const struct stet__head *whole = file->whole.head;
    char digits[20];
    struct stet_coded_head head = {
        .coding = octets->coding,
        .etag = copy_tag(copy, file, octets),
        .content_length = stet__arena_copy(
            &copy->arena, stet_span_of(digits, stet_format_u64(octets->whole.length, digits)))};
    struct stet_field *room = stet__arena_alloc(&copy->arena, (whole->fields.count + STET_CODED_FIELDS_MORE) *
                                                                  sizeof(struct stet_field));
    if (!head.etag.ptr || !head.content_length.ptr || !room)
        return false;
    copy->selected.etag.opaque = stet_span_of(head.etag.ptr + 1, head.etag.len - 2);
    struct stet_fields fields = {room, stet_coded_fields(&whole->fields, &head, room), 0};
    for (size_t i = 0; i < fields.count; i++)
        fields.present |= UINT64_C(1) << room[i].id;
    return set_heads(copy, &fields, whole->expires_after_s);
}

struct stet__entry *stet__representation_of_copy(const struct stet__entry *file, struct stet__octets *octets)
{
    struct stet__entry *copy = stet__entry_new(file->key, file->path);
    if (!copy)
        return NULL;
    copy->selected = file->selected;
    copy->selected.length = octets->whole.length;
    copy->body = stet__whole_part(&octets->whole);
    if (!set_copy_heads(copy, file, octets)) {
        stet__entry_release(copy);
        return NULL;
    }
    copy->octets = octets;
    copy->octets_table = file->copies->octets;
    return copy;
}
