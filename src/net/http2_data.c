/* SPDX-License-Identifier: MIT */
/*
 * The body of an answer, from parts and a source to DATA: RFC 9113 sections 6.1, 6.9 and 8.1.
 *
 * nghttp2 asks for content when windows and priorities let it go (stet__http2_data_supply says how much there
 * is), then has it written behind the frame's head (stet__http2_data_send), which is the only time it is
 * copied. A source is asked only when there is room for what it has.
 *
 * A body that ends too soon ends in RST_STREAM, INTERNAL_ERROR: the client does not take it for complete.
 */
#include "net/http2_stream.h"

#include <stet/field.h>

#include "base/assert.h"
#include "base/file.h"
#include "net/reply.h"

static uint64_t measure(const struct stet__reply *reply, uint64_t *memory)
{
    uint64_t octets = 0;
    *memory = 0;
    for (size_t i = 0; i < reply->part_count; i++) {
        octets += reply->parts[i].length;
        *memory += reply->parts[i].memory.len;
    }
    return octets;
}

/* A copy of what is nobody's: it may be gone when the call is over. */
static bool copy_memory(struct stet__http2_stream *stream, struct stet__part *parts, size_t count, size_t len)
{
    char *to = len > 0 ? malloc(len) : NULL;
    if (len > 0 && !to)
        return false;
    stream->data.copied = to;
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].memory.ptr || parts[i].memory.len == 0)
            continue;
        memcpy(to, parts[i].memory.ptr, parts[i].memory.len);
        parts[i].memory.ptr = to;
        to += parts[i].memory.len;
    }
    return true;
}

static bool keep_parts(struct stet__http2_stream *stream, const struct stet__reply *reply, uint64_t memory)
{
    struct stet__body *body = &stream->data.parts;
    size_t bytes = reply->part_count * sizeof *body->parts;
    struct stet__part *parts = stet__arena_alloc(&stream->arena, bytes);
    if (!parts)
        return false;
    memcpy(parts, reply->parts, bytes);
    if (!reply->hold && !copy_memory(stream, parts, reply->part_count, (size_t)memory))
        return false;
    body->parts = parts;
    body->count = reply->part_count;
    body->intact = reply->intact;
    return true;
}

bool stet__http2_data_begin(struct stet__http2_stream *stream, const struct stet__reply *reply, bool content,
                            bool *body)
{
    struct stet__http2_data *data = &stream->data;
    uint64_t memory, octets = content ? measure(reply, &memory) : 0;
    data->left = STET__LENGTH_UNKNOWN;
    if (content && reply->source.next) {
        data->source = reply->source;
        data->left = stet__reply_length(reply);
        data->trailers = reply->source.trailers && stet__takes_trailers(&stream->request);
    }
    *body = octets > 0 || data->source.next;
    if (octets > 0 && reply->hold) {
        reply->hold(reply->owner);
        data->parts.owner = reply->owner;
        data->parts.hold = reply->hold;
        data->parts.release = reply->release;
    }
    if (octets > 0 && !keep_parts(stream, reply, memory))
        return false;
    if (octets > data->left)
        return false;
    if (data->left != STET__LENGTH_UNKNOWN)
        data->left -= octets;
    return true;
}

void stet__http2_data_end_source(struct stet__http2_stream *stream, bool sent)
{
    struct stet__source source = stream->data.source;
    stream->data.source = (struct stet__source){.next = NULL};
    stream->data.part = (struct stet__part){.length = 0};
    if (source.next)
        source.done(source.owner, sent);
}

void stet__http2_data_release(struct stet__http2_stream *stream)
{
    struct stet__body *body = &stream->data.parts;
    if (body->hold && body->release)
        body->release(body->owner);
    *body = (struct stet__body){.count = 0};
    free(stream->data.copied);
    stream->data.copied = NULL;
}

/* The part to go on with, and what of it is sent; NULL: there is none now. */
static const struct stet__part *current(struct stet__http2_data *data, uint64_t **done)
{
    struct stet__body *body = &data->parts;
    while (body->at < body->count && body->done == body->parts[body->at].length) {
        body->at++;
        body->done = 0;
    }
    if (body->at < body->count) {
        *done = &body->done;
        return &body->parts[body->at];
    }
    *done = &data->done;
    return data->done < data->part.length ? &data->part : NULL;
}

/* No part after this one. */
static bool is_last(const struct stet__http2_data *data)
{
    size_t at = data->parts.at + 1;
    while (at < data->parts.count && data->parts.parts[at].length == 0)
        at++;
    return at >= data->parts.count && !data->source.next;
}

static ssize_t fail(struct stet__http2_stream *stream)
{
    stream->data.failed = true;
    stet__http2_data_end_source(stream, false);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static bool submit_trailers(struct stet__http2_stream *stream, const struct stet_fields *fields)
{
    nghttp2_nv *lines = stet__arena_alloc(&stream->arena, fields->count * sizeof *lines);
    size_t n = 0;
    for (size_t i = 0; lines && i < fields->count; i++)
        if (stet_trailer_keeps(&fields->at[i]))
            lines[n++] = stet__http2_line(&fields->at[i], NGHTTP2_NV_FLAG_NONE);
    return n > 0 && nghttp2_submit_trailer(stream->http2->session, stream->id, lines, n) == 0;
}

/* The source has said END. */
static ssize_t end(struct stet__http2_stream *stream, uint32_t *flags)
{
    struct stet__http2_data *data = &stream->data;
    const struct stet__source *source = &data->source;
    if (data->left > 0 && data->left != STET__LENGTH_UNKNOWN)
        return fail(stream);
    const struct stet_fields *trailers = data->trailers ? source->trailers(source->owner) : NULL;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (trailers && submit_trailers(stream, trailers))
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    data->complete = true;
    stet__http2_body_leave(stream);
    stet__http2_data_end_source(stream, true);
    return 0;
}

/* Has the source give its next part. True if there is something to be said of it. */
static enum stet__supply ask(struct stet__http2_data *data)
{
    enum stet__supply supply;
    do {
        data->again = false;
        data->done = 0;
        data->part = (struct stet__part){.length = 0};
        data->asking = true;
        supply = data->source.next(data->source.owner, &data->part);
        data->asking = false;
    } while ((supply == STET__SUPPLY_WAIT && data->again) ||
             (supply == STET__SUPPLY_PART && data->part.length == 0));
    return supply;
}

/* Another part, in data->part. 1, or what nghttp2 is to be told. */
static ssize_t next(struct stet__http2_stream *stream, uint32_t *flags)
{
    struct stet__http2_data *data = &stream->data;
    enum stet__supply supply = ask(data);
    if (supply != STET__SUPPLY_PART)
        data->part = (struct stet__part){.length = 0};
    switch (supply) {
    case STET__SUPPLY_WAIT:
        data->waiting = true;
        return NGHTTP2_ERR_DEFERRED;
    case STET__SUPPLY_END:
        return end(stream, flags);
    case STET__SUPPLY_CUT:
        return fail(stream);
    case STET__SUPPLY_PART:
        break;
    }
    if (data->part.length > data->left)
        return fail(stream);
    if (data->left != STET__LENGTH_UNKNOWN)
        data->left -= data->part.length;
    return 1;
}

ssize_t stet__http2_data_supply(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
                                uint32_t *flags, nghttp2_data_source *from, void *user)
{
    struct stet__http2_stream *stream = from->ptr;
    struct stet__http2_data *data = &stream->data;
    uint64_t *done;
    if (data->failed)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    const struct stet__part *part = current(data, &done);
    if (!part) {
        ssize_t status = next(stream, flags);
        if (status != 1)
            return status;
        part = current(data, &done);
    }
    uint64_t left = part->length - *done;
    if (left <= length && is_last(data)) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        data->complete = true;
    }
    return left < length ? (ssize_t)left : (ssize_t)length;
}

/* False if a file is not what the head says any more. */
static bool copy(struct stet__http2_data *data, char *to, size_t length)
{
    uint64_t *done;
    if (length == 0)
        return true;
    const struct stet__part *part = current(data, &done);
    stet__assert(part && length <= part->length - *done);
    bool file = !part->memory.ptr;
    if (!file)
        memcpy(to, part->memory.ptr + *done, length);
    else if (stet__read_at(part->fd, to, length, (off_t)(part->offset + *done)) != (ssize_t)length)
        return false;
    *done += length;
    bool last = *done == part->length && part != &data->part;
    return !file || !last || !data->parts.intact || data->parts.intact(data->parts.owner);
}

int stet__http2_data_send(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                          size_t length, nghttp2_data_source *from, void *user)
{
    enum { FRAME_HEAD = 9 };
    struct stet__http2 *http2 = user;
    struct stet__http2_stream *stream = from->ptr;
    struct stet__buffer *out = &http2->turn->output.octets;
    if (out->len >= STET__OUTPUT_FULL)
        return NGHTTP2_ERR_WOULDBLOCK;
    char *to = stet__buffer_reserve(out, FRAME_HEAD + length);
    if (!to)
        return NGHTTP2_ERR_WOULDBLOCK;
    memcpy(to, frame_head, FRAME_HEAD);
    if (stream->data.failed || !copy(&stream->data, to + FRAME_HEAD, length)) {
        stream->data.complete = false;
        return (int)fail(stream);
    }
    out->len += FRAME_HEAD + length;
    stream->data.bytes += length;
    http2->data_s = stream->since_s = stet__worker_seconds(stream->shared->worker);
    return 0;
}
