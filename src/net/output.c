/* SPDX-License-Identifier: MIT */
#include "net/output.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/file.h"

#define HOLD_BACK 4096      /* the last octets of a file part, sent from memory */
#define BURST (1024 * 1024) /* octets of files in one go */
#define VECTORS 16

void stet__output_init(struct stet__output *output)
{
    *output = (struct stet__output){0};
    stet__buffer_init(&output->octets, STET__OUTPUT_MAX);
}

static const struct stet__part *current(const struct stet__output *output)
{
    const struct stet__body *body = &output->body;
    return body->at < body->count ? &body->parts[body->at] : NULL;
}

/* A file that may change is looked at once more before its last octets go out. */
static uint64_t held_back(const struct stet__output *output)
{
    return output->body.intact ? HOLD_BACK : 0;
}

static bool is_file(const struct stet__part *part)
{
    return part && !part->memory.ptr;
}

/* `n` more octets of the current part are dealt with. */
static void advance(struct stet__output *output, uint64_t n)
{
    struct stet__body *body = &output->body;
    body->done += n;
    output->body_bytes += n;
    if (body->done == body->parts[body->at].length) {
        body->at++;
        body->done = 0;
    }
}

/* Reads the end of the current file part behind the octets. */
static enum stet__sent load_end(struct stet__output *output, const struct stet__part *part)
{
    struct stet__body *body = &output->body;
    size_t left = (size_t)(part->length - body->done);
    if (output->sent == output->octets.len) {
        stet__buffer_clear(&output->octets);
        output->sent = 0;
    }
    char *to = stet__buffer_reserve(&output->octets, left);
    if ((left > 0 && !to) ||
        stet__read_at(part->fd, to, left, (off_t)(part->offset + body->done)) != (ssize_t)left)
        return STET__SENT_SPOILT;
    if (body->intact && !body->intact(body->owner))
        return STET__SENT_SPOILT;
    output->octets.len += left;
    advance(output, left);
    return STET__SENT_ALL;
}

struct vectors {
    struct iovec at[VECTORS];
    size_t count;
    size_t octets;
};

static void add_vector(struct vectors *vectors, const char *ptr, size_t len)
{
    if (len == 0)
        return;
    struct iovec *vector = &vectors->at[vectors->count++];
    /* Not const, because it serves reading too. */
    memcpy(&vector->iov_base, &ptr, sizeof ptr);
    vector->iov_len = len;
    vectors->octets += len;
}

/* The octets and the memory parts that follow; `*more` if something else follows these. */
static struct vectors collect(const struct stet__output *output, bool *more)
{
    const struct stet__body *body = &output->body;
    struct vectors vectors = {.count = 0};
    add_vector(&vectors, output->octets.ptr + output->sent, output->octets.len - output->sent);
    size_t at = body->at, done = (size_t)body->done;
    for (; at < body->count && vectors.count < VECTORS && body->parts[at].memory.ptr; at++, done = 0)
        add_vector(&vectors, body->parts[at].memory.ptr + done, body->parts[at].memory.len - done);
    *more = at < body->count;
    return vectors;
}

static void consume(struct stet__output *output, size_t n)
{
    size_t octets = output->octets.len - output->sent;
    if (n < octets) {
        output->sent += n;
        return;
    }
    n -= octets;
    stet__buffer_clear(&output->octets);
    output->sent = 0;
    const struct stet__part *part;
    while ((part = current(output)) && !is_file(part) && (n > 0 || part->length == 0)) {
        uint64_t left = part->length - output->body.done;
        uint64_t used = n < left ? n : left;
        advance(output, used);
        n -= (size_t)used;
    }
}

static enum stet__sent failure(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? STET__SENT_SOME : STET__SENT_GONE;
}

static enum stet__sent send_memory(struct stet__output *output, struct stet__transport to)
{
    bool more;
    struct vectors vectors = collect(output, &more);
    ssize_t n = vectors.count > 0 ? stet__transport_send(to, vectors.at, vectors.count, more) : 0;
    if (n < 0)
        return failure();
    consume(output, (size_t)n);
    return (size_t)n < vectors.octets ? STET__SENT_SOME : STET__SENT_ALL;
}

/* Sends some of the current file part, which is longer than what is held back. */
static enum stet__sent send_file(struct stet__output *output, struct stet__transport to, uint64_t *budget)
{
    const struct stet__part *part = current(output);
    uint64_t wanted = part->length - output->body.done - held_back(output);
    if (wanted > *budget)
        wanted = *budget;
    off_t offset = (off_t)(part->offset + output->body.done);
    ssize_t n = stet__transport_sendfile(to, part->fd, offset, (size_t)wanted);
    if (n < 0)
        return failure();
    if (n == 0) /* the file has become shorter */
        return STET__SENT_SPOILT;
    advance(output, (uint64_t)n);
    *budget -= (uint64_t)n;
    return (uint64_t)n < wanted || *budget == 0 ? STET__SENT_SOME : STET__SENT_ALL;
}

enum stet__sent stet__output_push(struct stet__output *output, struct stet__transport to)
{
    uint64_t budget = BURST;
    for (;;) {
        const struct stet__part *part = current(output);
        enum stet__sent sent;
        bool roomy = output->octets.len - output->sent <= STET__OUTPUT_FULL;
        if (is_file(part) && part->length - output->body.done <= held_back(output) && roomy)
            sent = load_end(output, part);
        else if (output->sent < output->octets.len || (part && !is_file(part)))
            sent = send_memory(output, to);
        else if (part)
            sent = send_file(output, to, &budget);
        else
            break;
        if (sent != STET__SENT_ALL)
            return sent;
    }
    return STET__SENT_ALL;
}

/* A copy of the parts that are left, with their memory if nobody can be asked to hold it. */
static struct stet__part *copy_parts(const struct stet__body *body)
{
    size_t count = body->count - body->at, octets = 0;
    if (!body->hold)
        for (size_t i = body->at; i < body->count; i++)
            octets += body->parts[i].memory.len;
    struct stet__part *parts = malloc(count * sizeof *parts + octets);
    if (!parts)
        return NULL;
    memcpy(parts, body->parts + body->at, count * sizeof *parts);
    char *to = (char *)(parts + count);
    for (size_t i = 0; i < count && !body->hold; i++) {
        if (!parts[i].memory.ptr)
            continue;
        memcpy(to, parts[i].memory.ptr, parts[i].memory.len);
        parts[i].memory.ptr = to;
        to += parts[i].memory.len;
    }
    return parts;
}

/* Gives `to` the body of `from`, to be kept. */
static bool keep_body(struct stet__output *to, const struct stet__body *from)
{
    struct stet__part *parts = copy_parts(from);
    if (!parts)
        return false;
    to->kept = parts;
    to->body = *from;
    to->body.parts = parts;
    to->body.count -= to->body.at;
    to->body.at = 0;
    if (to->body.hold)
        to->body.hold(to->body.owner);
    return true;
}

bool stet__output_keep(struct stet__output *to, struct stet__output *from)
{
    stet__assert(to->body.count == 0 && !to->kept);
    struct stet_span octets = stet_span_of(from->octets.ptr + from->sent, from->octets.len - from->sent);
    if (!stet__buffer_append(&to->octets, octets))
        return false;
    if (from->body.at < from->body.count && !keep_body(to, &from->body))
        return false;
    to->body_bytes = from->body_bytes;
    stet__buffer_clear(&from->octets);
    from->sent = 0;
    from->body = (struct stet__body){0};
    from->body_bytes = 0;
    return true;
}

bool stet__output_hold(struct stet__output *output)
{
    struct stet__body body = output->body;
    output->body = (struct stet__body){0};
    return keep_body(output, &body);
}

void stet__output_clear(struct stet__output *output)
{
    if (output->kept && output->body.hold && output->body.release)
        output->body.release(output->body.owner);
    free(output->kept);
    output->kept = NULL;
    stet__buffer_clear(&output->octets);
    output->sent = 0;
    output->body = (struct stet__body){0};
    output->body_bytes = 0;
}

void stet__output_release(struct stet__output *output)
{
    stet__output_clear(output);
    stet__buffer_release(&output->octets);
    stet__output_init(output);
}
