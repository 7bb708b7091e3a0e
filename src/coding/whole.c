/* SPDX-License-Identifier: MIT */
#include "coding/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stet/status.h>

#define PIECE_BYTES 65536

struct work {
    const struct stet__part *from;
    uint64_t at; /* octets of it that were read */
    enum stet__whole_keep keep;
    uint64_t length; /* of the result so far */
    char *memory;    /* the result, while it fits */
    int fd;          /* then -1 no more */
    struct stet__digester *in_digest, *out_digest;
    char *in, *out; /* of PIECE_BYTES each */
};

static bool begin(struct work *work, const struct stet__part *from, enum stet__whole_keep keep)
{
    *work = (struct work){.from = from, .keep = keep, .fd = -1};
    work->in = malloc(PIECE_BYTES);
    work->out = malloc(PIECE_BYTES);
    work->in_digest = stet__digester_new();
    work->out_digest = stet__digester_new();
    return work->in && work->out && work->in_digest && work->out_digest;
}

static void release(struct work *work)
{
    free(work->in);
    free(work->out);
    stet__digester_free(work->in_digest);
    stet__digester_free(work->out_digest);
    free(work->memory);
    if (work->fd >= 0)
        close(work->fd);
}

/* The next piece of what is coded; false if it cannot be had. */
static bool next_piece(struct work *work, struct stet_span *out)
{
    const struct stet__part *from = work->from;
    uint64_t left = from->length - work->at;
    size_t want = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES, len = 0;
    if (from->memory.ptr) {
        *out = stet_span_of(from->memory.ptr + work->at, want);
        len = want;
    }
    while (len < want) {
        ssize_t n = pread(from->fd, work->in + len, want - len, (off_t)(from->offset + work->at + len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        len += (size_t)n;
        *out = stet_span_of(work->in, len);
    }
    if (want == 0)
        *out = stet_span_of("", 0);
    work->at += want;
    stet__digester_add(work->in_digest, *out);
    return true;
}

static bool write_whole(int fd, struct stet_span octets, uint64_t offset)
{
    while (octets.len > 0) {
        ssize_t n = pwrite(fd, octets.ptr, octets.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        octets = stet_span_skip(octets, (size_t)n);
        offset += (uint64_t)n;
    }
    return true;
}

/* What stands on the heap moves to a memory file. */
static bool spill(struct work *work)
{
    work->fd = memfd_create("stet coded", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return work->fd >= 0 && write_whole(work->fd, stet_span_of(work->memory, (size_t)work->length), 0);
}

static bool keep(struct work *work, struct stet_span octets)
{
    if (work->keep == STET__WHOLE_DIGEST)
        return true;
    if (work->fd < 0 && work->length + octets.len <= STET__WHOLE_HEAP_MAX) {
        if (!work->memory)
            work->memory = malloc(STET__WHOLE_HEAP_MAX);
        if (!work->memory)
            return false;
        memcpy(work->memory + work->length, octets.ptr, octets.len);
        return true;
    }
    return (work->fd >= 0 || spill(work)) && write_whole(work->fd, octets, work->length);
}

static int put(struct work *work, struct stet_span octets)
{
    if (octets.len == 0)
        return STET_OK;
    stet__digester_add(work->out_digest, octets);
    if (!keep(work, octets))
        return STET_E_CODED_MEMORY;
    work->length += octets.len;
    return STET_OK;
}

/* All that one piece gives. */
static int run_piece(struct work *work, struct stet__coder *coder, struct stet_span piece,
                     const atomic_bool *stop)
{
    bool last = work->at == work->from->length;
    int status = STET_MORE;
    while (status == STET_MORE) {
        struct stet__coder_output output = {work->out, PIECE_BYTES, 0};
        if (stop && atomic_load_explicit(stop, memory_order_relaxed))
            return STET_E_CODED_STOPPED;
        status = stet__coder_run(coder, &piece, last ? STET__CODER_FINISH : STET__CODER_FEED, &output);
        int kept = put(work, stet_span_of(output.ptr, output.len));
        if (kept < 0)
            return kept;
    }
    return status;
}

static int run(struct work *work, struct stet__coder *coder, const atomic_bool *stop)
{
    struct stet_span piece;
    int status = STET_OK;
    do {
        if (!next_piece(work, &piece))
            return STET_E_CODED_READ;
        status = run_piece(work, coder, piece, stop);
    } while (status == STET_OK && work->at < work->from->length);
    return status;
}

/* What is not filled is given back, or sealed. */
static bool settle(struct work *work)
{
    if (work->fd >= 0)
        return fcntl(work->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
    if (work->keep == STET__WHOLE_DIGEST)
        return true;
    char *fitting = realloc(work->memory, work->length ? (size_t)work->length : 1);
    if (!fitting)
        return false;
    work->memory = fitting;
    return true;
}

static int finish(struct work *work, struct stet__whole *out)
{
    struct stet__whole result = {.length = work->length};
    bool settled = settle(work);
    bool hashed = stet__digester_finish(work->out_digest, &result.digest);
    bool from_hashed = stet__digester_finish(work->in_digest, &result.from_digest);
    work->in_digest = work->out_digest = NULL;
    if (!settled || !hashed || !from_hashed)
        return STET_E_CODED_MEMORY;
    result.fd = work->fd;
    work->fd = -1;
    if (result.fd < 0) {
        result.memory = work->memory;
        work->memory = NULL;
    }
    *out = result;
    return STET_OK;
}

int stet__whole_make(const struct stet__coder_options *options, const struct stet__part *from,
                     enum stet__whole_keep keep, const atomic_bool *stop, struct stet__whole *out)
{
    struct stet__coder_options exact = *options;
    struct work work;
    exact.length = from->length;
    struct stet__coder *coder = stet__coder_new(&exact);
    bool ready = begin(&work, from, keep) && coder;
    int status = ready ? run(&work, coder, stop) : STET_E_CODED_MEMORY;
    stet__coder_free(coder);
    if (status == STET_OK)
        status = finish(&work, out);
    release(&work);
    return status;
}

int stet__whole_copy(const struct stet__part *from, uint64_t max, const atomic_bool *stop,
                     struct stet__whole *out)
{
    struct work work;
    struct stet_span piece;
    int status = from->length > max ? STET_E_CODED_TOO_LARGE : STET_OK;
    if (!begin(&work, from, STET__WHOLE_KEEP))
        status = STET_E_CODED_MEMORY;
    while (status == STET_OK && work.at < from->length) {
        if (stop && atomic_load_explicit(stop, memory_order_relaxed))
            status = STET_E_CODED_STOPPED;
        else
            status = next_piece(&work, &piece) ? put(&work, piece) : STET_E_CODED_READ;
    }
    if (status == STET_OK)
        status = finish(&work, out);
    release(&work);
    return status;
}

struct stet__part stet__whole_part(const struct stet__whole *whole)
{
    if (whole->memory)
        return stet__part_memory(stet_span_of(whole->memory, (size_t)whole->length));
    return (struct stet__part){.fd = whole->fd, .length = whole->length};
}

void stet__whole_release(struct stet__whole *whole)
{
    free(whole->memory);
    if (whole->fd >= 0)
        close(whole->fd);
    stet__whole_init(whole);
}
