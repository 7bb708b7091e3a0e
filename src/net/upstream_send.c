/* SPDX-License-Identifier: MIT */
/*
 * Sending a request: the head in one system call; the body part by part as its source gives them, each with
 * its chunk's frame (RFC 9112 section 7.1). A part is sent before the next is asked for, so a slow server
 * slows the source.
 *
 * A server that does not take the body has often said why before it closed: what cannot be sent ends the
 * sending, not the request (RFC 9112 section 9.5).
 */
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/assert.h"
#include "net/pool.h"

#define PARTS_AT_ONCE 64 /* in one wake-up, so that others have their turn */
#define EXPECT_S 1

enum sent { SENT_ALL, SENT_SOME, SENT_NOT };

static void add(struct stet__upstream_out *out, struct stet__part part)
{
    stet__assert(out->count < sizeof out->parts / sizeof out->parts[0]);
    if (part.length > 0)
        out->parts[out->count++] = part;
}

static void empty(struct stet__upstream_out *out)
{
    out->at = out->count = 0;
    out->done = 0;
}

void stet__upstream_rewind(struct stet__upstream *upstream)
{
    upstream->sent = upstream->out.any = upstream->out_full = false;
    empty(&upstream->out);
    add(&upstream->out, stet__part_memory(stet_span_of(upstream->head, upstream->head_len)));
}

void stet__upstream_stop_body(struct stet__upstream *upstream)
{
    struct stet__source source = upstream->body;
    if (!source.next)
        return;
    upstream->body.next = NULL;
    upstream->cut = upstream->cut || !upstream->sent;
    upstream->sent = true;
    if (source.done)
        source.done(source.owner, !upstream->cut);
}

static ssize_t send_memory(const struct stet__upstream_out *out, struct stet__transport to)
{
    struct iovec vectors[sizeof out->parts / sizeof out->parts[0]];
    size_t count = 0, done = (size_t)out->done;
    unsigned at = out->at;
    for (; at < out->count && out->parts[at].memory.ptr; at++, done = 0) {
        const char *ptr = out->parts[at].memory.ptr + done;
        memcpy(&vectors[count].iov_base, &ptr, sizeof ptr); /* not const, because it serves reading too */
        vectors[count++].iov_len = out->parts[at].memory.len - done;
    }
    return stet__transport_send(to, vectors, count, at < out->count);
}

static ssize_t send_file(const struct stet__upstream_out *out, struct stet__transport to)
{
    const struct stet__part *part = &out->parts[out->at];
    off_t offset = (off_t)(part->offset + out->done);
    ssize_t n = stet__transport_sendfile(to, part->fd, offset, (size_t)(part->length - out->done));
    if (n == 0) /* the file has become shorter */
        errno = EIO;
    return n > 0 ? n : -1;
}

static void advance(struct stet__upstream_out *out, uint64_t n)
{
    while (n > 0) {
        uint64_t left = out->parts[out->at].length - out->done;
        if (n < left) {
            out->done += n;
            return;
        }
        n -= left;
        out->at++;
        out->done = 0;
    }
}

static enum sent send_parts(struct stet__upstream_out *out, struct stet__transport to)
{
    while (out->at < out->count) {
        bool memory = out->parts[out->at].memory.ptr != NULL;
        ssize_t n = memory ? send_memory(out, to) : send_file(out, to);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? SENT_SOME : SENT_NOT;
        out->any = true;
        advance(out, (uint64_t)n);
    }
    empty(out);
    return SENT_ALL;
}

/* "SIZE CRLF part CRLF": the CRLF of the chunk before comes with the next size or the end. */
static void add_part(struct stet__upstream *upstream, struct stet__part part)
{
    static const char hex[] = "0123456789abcdef";
    struct stet__upstream_out *out = &upstream->out;
    if (part.length == 0)
        return;
    if (!upstream->body_chunked) {
        add(out, part);
        return;
    }
    size_t at = sizeof out->size_line;
    out->size_line[--at] = '\n';
    out->size_line[--at] = '\r';
    for (uint64_t left = part.length; left > 0; left >>= 4)
        out->size_line[--at] = hex[left & 15];
    add(out, stet__part_memory(stet_span_of(out->size_line + at, sizeof out->size_line - at)));
    add(out, part);
    add(out, stet__part_memory(STET_SPAN("\r\n")));
}

static bool add_end(struct stet__upstream *upstream)
{
    if (!upstream->body_chunked)
        return true;
    struct stet__buffer *end = &upstream->out.end;
    const struct stet__source *source = &upstream->body;
    const struct stet_fields *trailers = source->trailers ? source->trailers(source->owner) : NULL;
    stet__buffer_append(end, STET_SPAN("0\r\n"));
    for (size_t i = 0; trailers && i < trailers->count; i++) {
        stet__buffer_append(end, trailers->at[i].name);
        stet__buffer_append(end, STET_SPAN(": "));
        stet__buffer_append(end, trailers->at[i].value);
        stet__buffer_append(end, STET_SPAN("\r\n"));
    }
    if (!stet__buffer_append(end, STET_SPAN("\r\n")))
        return false;
    add(&upstream->out, stet__part_memory(stet__buffer_span(end)));
    return true;
}

/* Asks the source. False if nothing is to be sent now: it waits, the request has failed or is cancelled. */
static bool refill(struct stet__upstream *upstream)
{
    struct stet__pool_connection *connection = upstream->connection;
    struct stet__part part;
    upstream->body_begun = true;
    enum stet__supply supply = upstream->body.next(upstream->body.owner, &part);
    if (connection->dead)
        return false;
    switch (supply) {
    case STET__SUPPLY_PART:
        add_part(upstream, part);
        return true;
    case STET__SUPPLY_END:
        upstream->body_ended = true;
        if (add_end(upstream))
            return true;
        break;
    case STET__SUPPLY_WAIT:
        /* How long its client may take is the driver's to watch. */
        stet__pool_deadline(connection, STET__POOL_NEVER_S);
        upstream->out_full = false;
        stet__upstream_listen(upstream);
        return false;
    case STET__SUPPLY_CUT:
        break;
    }
    stet__upstream_fail(upstream, STET_REASON_UPSTREAM_INTERNAL);
    return false;
}

static void wait_for_answer(struct stet__upstream *upstream, int64_t seconds)
{
    upstream->out_full = false;
    if (upstream->phase == STET__UPSTREAM_HEAD)
        stet__pool_deadline(upstream->connection, seconds);
    stet__upstream_listen(upstream);
}

static void all_sent(struct stet__upstream *upstream)
{
    upstream->sent = true;
    wait_for_answer(upstream, upstream->pool->limits.answer_timeout_s);
    stet__upstream_stop_body(upstream);
}

/* The server takes no more. If it is not a connection gone stale, it may have said why. The source is told at
 * the end: this may be within stet__upstream_ask. */
static void not_sent(struct stet__upstream *upstream)
{
    if (stet__upstream_again(upstream))
        return;
    upstream->sent = upstream->cut = true;
    upstream->held_back = false;
    empty(&upstream->out);
    wait_for_answer(upstream, upstream->pool->limits.answer_timeout_s);
}

void stet__upstream_push(struct stet__upstream *upstream)
{
    struct stet__pool_connection *connection = upstream->connection;
    for (unsigned parts = 0;; parts++) {
        enum sent sent = send_parts(&upstream->out, stet__pool_transport(connection));
        if (sent == SENT_NOT) {
            not_sent(upstream);
            return;
        }
        if (sent == SENT_SOME || parts == PARTS_AT_ONCE) {
            upstream->out_full = true;
            stet__pool_deadline(connection, upstream->pool->limits.read_timeout_s);
            stet__upstream_listen(upstream);
            return;
        }
        if (upstream->held_back) {
            wait_for_answer(upstream, EXPECT_S);
            return;
        }
        if (!upstream->body.next || upstream->body_ended) {
            all_sent(upstream);
            return;
        }
        if (!refill(upstream))
            return;
    }
}
