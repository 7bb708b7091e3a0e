/* SPDX-License-Identifier: MIT */
/*
 * Where the octets stand:
 *
 *   told, less than STET__BODY_FILE_BYTES   behind the struct, in the same allocation
 *   told, at least that many                all in a memory file
 *   not told                                in pieces of memory up to STET__BODY_FILE_BYTES, then in a file
 *   no file to be had                       in pieces of memory
 *
 * What stands in memory never moves, since readers may have parts of it; so a body that turns out to be large
 * keeps its first pieces. Piece k begins at 0, 2K, 4K, 8K, 16K, 32K, and from 64K on there are pieces of 64K:
 * the piece of an offset is computed, not searched.
 *
 * Invariants: everything below `length` is written before `length` is (release), and readers look at nothing
 * beyond the length that they read (acquire). `fd` changes once, from -1, and before the length passes
 * file_from.
 *
 * Files are counted in the process: at most half of the descriptors that it may have are bodies, so that
 * stored responses never keep a connection from being accepted.
 */
#include "store/body.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"
#include "store/codings.h"

#define PIECE_FIRST_BYTES 2048u
#define PIECE_BYTES (64u * 1024)
#define PIECES_GROWING 6u   /* pieces below PIECE_BYTES */
#define DIRECTORY_FIRST 16u /* row r of the directory has DIRECTORY_FIRST << r pieces */
#define DIRECTORY_ROWS 28u
#define FILE_OVERHEAD 1536u /* inode, dentry and struct file of a memory file */
#define PAGE_BYTES 4096u
#define ALLOCATION_OVERHEAD 8u
#define TRIM_BYTES (256u * 1024) /* a hole is not punched for less */
#define COPY_BYTES (16u * 1024)

struct directory {
    char *first[DIRECTORY_FIRST];
    char **rows[DIRECTORY_ROWS];
};

struct stet__body {
    atomic_uint references;
    atomic_uint state;
    atomic_int fd;
    bool file_refused;  /* the writer's: there is none to be had */
    uint64_t file_from; /* octets from here on stand in the file, if there is one */
    uint64_t inline_room;
    _Atomic uint64_t length;
    atomic_size_t bytes;
    _Atomic uint64_t trimmed; /* changed by the writer */
    struct stet__codings *_Atomic codings;
    struct directory *directory;
    char octets[];
};

static atomic_uint files_open;

static void count_bytes(struct stet__body *body, void *allocation)
{
    atomic_fetch_add_explicit(&body->bytes, malloc_usable_size(allocation) + ALLOCATION_OVERHEAD,
                              memory_order_relaxed);
}

static void discount_bytes(struct stet__body *body, void *allocation)
{
    atomic_fetch_sub_explicit(&body->bytes, malloc_usable_size(allocation) + ALLOCATION_OVERHEAD,
                              memory_order_relaxed);
}

static unsigned log2_of(uint64_t n)
{
    return 63u - (unsigned)__builtin_clzll(n);
}

static uint64_t piece_of(uint64_t offset)
{
    if (offset < PIECE_FIRST_BYTES)
        return 0;
    if (offset < PIECE_BYTES)
        return log2_of(offset / PIECE_FIRST_BYTES) + 1;
    return offset / PIECE_BYTES + PIECES_GROWING - 1;
}

static uint64_t piece_begin(uint64_t piece)
{
    if (piece == 0)
        return 0;
    if (piece < PIECES_GROWING)
        return (uint64_t)PIECE_FIRST_BYTES << (piece - 1);
    return (piece - PIECES_GROWING + 1) * PIECE_BYTES;
}

static unsigned row_of(uint64_t piece)
{
    return log2_of(piece / DIRECTORY_FIRST + 1);
}

/* Where the pointer to a piece stands; NULL if there is no memory for it (`make`) or no such row. */
static char **piece_slot(struct stet__body *body, uint64_t piece, bool make)
{
    if (piece < DIRECTORY_FIRST)
        return &body->directory->first[piece];
    unsigned row = row_of(piece);
    if (row >= DIRECTORY_ROWS)
        return NULL;
    char ***at = &body->directory->rows[row];
    if (!*at && make) {
        *at = calloc((size_t)DIRECTORY_FIRST << row, sizeof(char *));
        if (*at)
            count_bytes(body, *at);
    }
    return *at ? &(*at)[piece - DIRECTORY_FIRST * (((uint64_t)1 << row) - 1)] : NULL;
}

struct stet__body *stet__body_new(uint64_t expected)
{
    bool small = expected < STET__BODY_FILE_BYTES;
    size_t room = small ? (size_t)expected : 0;
    struct stet__body *body = malloc(sizeof *body + room);
    if (!body)
        return NULL;
    *body = (struct stet__body){.inline_room = room};
    atomic_init(&body->references, 1);
    atomic_init(&body->state, STET__BODY_GROWING);
    atomic_init(&body->fd, -1);
    atomic_init(&body->bytes, 0);
    body->file_from = expected == STET__BODY_LENGTH_UNKNOWN ? STET__BODY_FILE_BYTES : 0;
    body->file_refused = small;
    count_bytes(body, body);
    if (small)
        return body;
    body->directory = calloc(1, sizeof *body->directory);
    if (body->directory) {
        count_bytes(body, body->directory);
        return body;
    }
    free(body);
    return NULL;
}

struct stet__body *stet__body_of(struct stet_span octets)
{
    struct stet__body *body = stet__body_new(octets.len);
    if (!body)
        return NULL;
    bool complete = stet__body_append(body, octets);
    stet__body_finish(body, complete);
    if (complete)
        return body;
    stet__body_release(body);
    return NULL;
}

static bool append_all(struct stet__body *to, const struct stet__body *from, uint64_t offset)
{
    char copy[COPY_BYTES];
    uint64_t length = stet__body_length(from);
    while (offset < length) {
        size_t n = stet__body_copy(from, offset, sizeof copy, copy);
        if (n == 0 || !stet__body_append(to, stet_span_of(copy, n)))
            return false;
        offset += n;
    }
    return true;
}

struct stet__body *stet__body_join(struct stet__body *first, struct stet__body *second, uint64_t skip)
{
    uint64_t more = stet__body_length(second);
    more = skip < more ? more - skip : 0;
    struct stet__body *body = stet__body_new(stet__body_length(first) + more);
    if (!body)
        return NULL;
    bool complete = append_all(body, first, 0) && append_all(body, second, skip);
    stet__body_finish(body, complete);
    if (complete)
        return body;
    stet__body_release(body);
    return NULL;
}

struct stet__body *stet__body_acquire(struct stet__body *body)
{
    atomic_fetch_add_explicit(&body->references, 1, memory_order_relaxed);
    return body;
}

static void free_directory(struct directory *directory)
{
    for (size_t i = 0; i < DIRECTORY_FIRST; i++)
        free(directory->first[i]);
    for (unsigned row = 0; row < DIRECTORY_ROWS; row++) {
        for (size_t i = 0; directory->rows[row] && i < (size_t)DIRECTORY_FIRST << row; i++)
            free(directory->rows[row][i]);
        free(directory->rows[row]);
    }
    free(directory);
}

void stet__body_release(struct stet__body *body)
{
    if (!body || atomic_fetch_sub_explicit(&body->references, 1, memory_order_acq_rel) != 1)
        return;
    int fd = atomic_load_explicit(&body->fd, memory_order_relaxed);
    if (fd >= 0) {
        close(fd);
        atomic_fetch_sub_explicit(&files_open, 1, memory_order_relaxed);
    }
    if (body->directory)
        free_directory(body->directory);
    stet__codings_free(stet__body_codings(body));
    free(body);
}

/* A memory file, if bodies have less than their half of the descriptors. */
static int open_file(void)
{
    struct rlimit limit;
    unsigned open = atomic_fetch_add_explicit(&files_open, 1, memory_order_relaxed);
    int fd = -1;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && open < limit.rlim_cur / 2)
        fd = memfd_create("stet body", MFD_CLOEXEC);
    if (fd < 0)
        atomic_fetch_sub_explicit(&files_open, 1, memory_order_relaxed);
    return fd;
}

static bool in_file(struct stet__body *body, uint64_t length)
{
    if (length < body->file_from || body->file_refused)
        return false;
    if (atomic_load_explicit(&body->fd, memory_order_relaxed) >= 0)
        return true;
    int fd = open_file();
    body->file_refused = fd < 0;
    if (fd < 0)
        return false;
    atomic_fetch_add_explicit(&body->bytes, FILE_OVERHEAD, memory_order_relaxed);
    atomic_store_explicit(&body->fd, fd, memory_order_relaxed);
    return true;
}

static uint64_t pages(uint64_t octets)
{
    return (octets + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* Returns how much was written; 0 if nothing can be. */
static size_t append_to_file(struct stet__body *body, uint64_t length, struct stet_span octets)
{
    uint64_t at = length - body->file_from;
    if (at > INT64_MAX - octets.len)
        return 0;
    ssize_t n;
    do
        n = pwrite(atomic_load_explicit(&body->fd, memory_order_relaxed), octets.ptr, octets.len, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return 0;
    uint64_t grown = (pages(at + (uint64_t)n) - pages(at)) * PAGE_BYTES;
    atomic_fetch_add_explicit(&body->bytes, grown, memory_order_relaxed);
    return (size_t)n;
}

static size_t append_to_piece(struct stet__body *body, uint64_t length, struct stet_span octets)
{
    uint64_t piece = piece_of(length), begin = piece_begin(piece), end = piece_begin(piece + 1);
    char **slot = piece_slot(body, piece, true);
    if (!slot)
        return 0;
    if (!*slot) {
        *slot = malloc(end - begin);
        if (!*slot)
            return 0;
        count_bytes(body, *slot);
    }
    size_t n = octets.len < end - length ? octets.len : (size_t)(end - length);
    memcpy(*slot + (length - begin), octets.ptr, n);
    return n;
}

static size_t append_some(struct stet__body *body, uint64_t length, struct stet_span octets)
{
    if (!body->directory) {
        if (octets.len > body->inline_room - length)
            return 0;
        memcpy(body->octets + length, octets.ptr, octets.len);
        return octets.len;
    }
    if (in_file(body, length))
        return append_to_file(body, length, octets);
    return append_to_piece(body, length, octets);
}

bool stet__body_append(struct stet__body *body, struct stet_span octets)
{
    stet__assert(atomic_load_explicit(&body->state, memory_order_relaxed) == STET__BODY_GROWING);
    while (octets.len > 0) {
        uint64_t length = atomic_load_explicit(&body->length, memory_order_relaxed);
        size_t n = append_some(body, length, octets);
        if (n == 0)
            return false;
        atomic_store_explicit(&body->length, length + n, memory_order_release);
        octets = stet_span_skip(octets, n);
    }
    return true;
}

void stet__body_finish(struct stet__body *body, bool complete)
{
    atomic_store_explicit(&body->state, complete ? STET__BODY_COMPLETE : STET__BODY_CUT,
                          memory_order_release);
}

enum stet__body_state stet__body_state(const struct stet__body *body)
{
    return (enum stet__body_state)atomic_load_explicit(&body->state, memory_order_acquire);
}

uint64_t stet__body_length(const struct stet__body *body)
{
    return atomic_load_explicit(&body->length, memory_order_acquire);
}

bool stet__body_read(const struct stet__body *body, uint64_t offset, uint64_t max, struct stet__part *out)
{
    uint64_t length = stet__body_length(body);
    if (offset >= length || offset < stet__body_trimmed(body))
        return false;
    max = max < length - offset ? max : length - offset;
    if (!body->directory) {
        *out = stet__part_memory(stet_span_of(body->octets + offset, (size_t)max));
        return true;
    }
    int fd = offset < body->file_from ? -1 : atomic_load_explicit(&body->fd, memory_order_relaxed);
    if (fd >= 0) {
        *out = (struct stet__part){.fd = fd, .offset = offset - body->file_from, .length = max};
        return true;
    }
    uint64_t piece = piece_of(offset), left = piece_begin(piece + 1) - offset;
    char *const *row =
        piece < DIRECTORY_FIRST ? body->directory->first : body->directory->rows[row_of(piece)];
    if (piece >= DIRECTORY_FIRST)
        piece -= DIRECTORY_FIRST * (((uint64_t)1 << row_of(piece)) - 1);
    stet__assert(row[piece]);
    const char *at = row[piece] + (offset - piece_begin(piece_of(offset)));
    *out = stet__part_memory(stet_span_of(at, (size_t)(max < left ? max : left)));
    return true;
}

static size_t copy_part(const struct stet__part *part, char *to)
{
    if (part->memory.ptr) {
        memcpy(to, part->memory.ptr, part->memory.len);
        return part->memory.len;
    }
    ssize_t n;
    do
        n = pread(part->fd, to, (size_t)part->length, (off_t)part->offset);
    while (n < 0 && errno == EINTR);
    return n < 0 ? 0 : (size_t)n;
}

size_t stet__body_copy(const struct stet__body *body, uint64_t offset, size_t max, char *to)
{
    size_t done = 0;
    struct stet__part part;
    while (done < max && stet__body_read(body, offset + done, max - done, &part)) {
        size_t n = copy_part(&part, to + done);
        if (n == 0)
            break;
        done += n;
    }
    return done;
}

uint64_t stet__body_trimmed(const struct stet__body *body)
{
    return atomic_load_explicit(&body->trimmed, memory_order_acquire);
}

static void trim_file(struct stet__body *body, uint64_t offset)
{
    int fd = atomic_load_explicit(&body->fd, memory_order_relaxed);
    uint64_t trimmed = stet__body_trimmed(body);
    uint64_t from = trimmed < body->file_from ? 0 : trimmed - body->file_from;
    uint64_t to = (offset - body->file_from) / PAGE_BYTES * PAGE_BYTES;
    if (to < from + TRIM_BYTES)
        return;
    atomic_store_explicit(&body->trimmed, body->file_from + to, memory_order_release);
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)) == 0)
        atomic_fetch_sub_explicit(&body->bytes, to - from, memory_order_relaxed);
}

static void trim_pieces(struct stet__body *body, uint64_t offset)
{
    uint64_t piece = piece_of(stet__body_trimmed(body));
    for (; piece_begin(piece + 1) <= offset; piece++) {
        atomic_store_explicit(&body->trimmed, piece_begin(piece + 1), memory_order_release);
        char **slot = piece_slot(body, piece, false);
        if (slot && *slot) {
            discount_bytes(body, *slot);
            free(*slot);
            *slot = NULL;
        }
    }
}

void stet__body_trim(struct stet__body *body, uint64_t offset)
{
    uint64_t length = atomic_load_explicit(&body->length, memory_order_relaxed);
    offset = offset < length ? offset : length;
    if (!body->directory || offset <= stet__body_trimmed(body))
        return;
    bool file = atomic_load_explicit(&body->fd, memory_order_relaxed) >= 0;
    uint64_t pieces_end = file && offset > body->file_from ? body->file_from : offset;
    if (stet__body_trimmed(body) < pieces_end)
        trim_pieces(body, pieces_end);
    if (file && offset > body->file_from)
        trim_file(body, offset);
}

bool stet__body_lost(const struct stet__body *body)
{
    return stet__body_state(body) == STET__BODY_CUT || stet__body_trimmed(body) > 0;
}

size_t stet__body_bytes(const struct stet__body *body)
{
    return atomic_load_explicit(&body->bytes, memory_order_relaxed) +
           stet__codings_bytes(stet__body_codings(body));
}

struct stet__codings *stet__body_codings(const struct stet__body *body)
{
    return atomic_load_explicit(&body->codings, memory_order_acquire);
}

struct stet__codings *stet__body_set_codings(struct stet__body *body, struct stet__codings *codings)
{
    struct stet__codings *there = NULL;
    if (atomic_compare_exchange_strong_explicit(&body->codings, &there, codings, memory_order_acq_rel,
                                                memory_order_acquire))
        return codings;
    stet__codings_free(codings);
    return there;
}
