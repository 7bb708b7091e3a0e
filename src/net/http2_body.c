/* SPDX-License-Identifier: MIT */
/*
 * The body of a request, from DATA to a role's sink, and its trailers: RFC 9113 sections 6.1, 6.9 and 8.1.
 *
 * The client may send as much more as the sink has taken: what the sink did not take is kept, and that is
 * never more than the stream's window. Of a body that nobody reads the stream's window stays as it is, so no
 * more than that comes; the connection's is opened again, for it is for all streams.
 */
#include "net/http2_stream.h"

#include "base/assert.h"

#define TRAILER_MAX 16384 /* the same as in http1.c */

static void consume(struct stet__http2_stream *stream, size_t n)
{
    if (nghttp2_session_consume(stream->http2->session, stream->id, n) != 0)
        stream->http2->connection->broken = true;
}

static void consume_connection(struct stet__http2 *http2, size_t n)
{
    if (nghttp2_session_consume_connection(http2->session, n) != 0)
        http2->connection->broken = true;
}

void stet__http2_body_begin(struct stet__http2_stream *stream)
{
    struct stet__http2_body *body = &stream->body;
    body->over = stream->ended_in;
    body->begun = stream->ended_in || !stream->request.expect_continue;
    body->told = !stream->shared->worker->role->reads_bodies;
}

static void forget_pending(struct stet__http2_stream *stream)
{
    if (stream->http2 && stream->body.pending.len > 0)
        consume_connection(stream->http2, stream->body.pending.len);
    stet__buffer_release(&stream->body.pending);
}

void stet__http2_body_leave(struct stet__http2_stream *stream)
{
    stream->body.told = true;
    forget_pending(stream);
}

static void fail(struct stet__http2_stream *stream, int status)
{
    stream->body.status = status;
    stream->body.over = true;
    forget_pending(stream);
    stet__http2_stream_wake(stream);
}

void stet__http2_body_late(struct stet__http2_stream *stream)
{
    fail(stream, STET_E_BODY_TIMEOUT);
}

/* How much of `octets` the sink takes now. */
static size_t give(struct stet__http2_stream *stream, struct stet_span octets)
{
    struct stet__http2_body *body = &stream->body;
    body->again = false;
    size_t taken = body->sink.data(body->sink.owner, octets);
    stet__assert(taken <= octets.len);
    body->full = taken < octets.len && !body->again;
    return taken;
}

/* False if nobody wants it. */
static bool take(struct stet__http2_stream *stream, struct stet_span octets)
{
    struct stet__http2_body *body = &stream->body;
    const struct stet__worker *worker = stream->shared->worker;
    stream->since_s = stet__worker_seconds(worker);
    body->begun = true;
    body->bytes += octets.len;
    if (body->told || body->over)
        return false;
    if (body->bytes > worker->limits->body_bytes) {
        fail(stream, STET_E_BODY_TOO_LARGE);
        return false;
    }
    size_t taken = 0;
    if (body->asked && !body->full && body->pending.len == 0)
        taken = give(stream, octets);
    if (body->told)
        return false;
    if (taken > 0)
        consume(stream, taken);
    if (taken == octets.len)
        return true;
    if (!stet__buffer_append(&body->pending, stet_span_skip(octets, taken)))
        stream->http2->connection->broken = true;
    if (!body->full)
        stet__http2_stream_wake(stream);
    return true;
}

int stet__http2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                        void *user)
{
    struct stet__http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (!stream || !take(stream, stet_span_of((const char *)data, len)))
        consume_connection(user, len);
    return 0;
}

void stet__http2_body_end(struct stet__http2_stream *stream)
{
    stream->body.over = true;
    if (stream->body.asked && !stream->body.told)
        stet__http2_stream_wake(stream);
}

bool stet__http2_body_awaits(const struct stet__http2_stream *stream)
{
    const struct stet__http2_body *body = &stream->body;
    return body->asked && !body->told && !body->full && !body->over;
}

static void tell_end(struct stet__http2_stream *stream)
{
    struct stet__http2_body *body = &stream->body;
    bool trailers = body->status == STET_OK && stream->trailers.count > 0;
    body->told = true;
    body->sink.end(body->sink.owner, body->status, trailers ? &stream->trailers : NULL);
}

void stet__http2_body_deliver(struct stet__http2_stream *stream)
{
    static const struct stet__head go_on = {.status = 100, .expires_after_s = -1};
    struct stet__http2_body *body = &stream->body;
    while (body->asked && !body->told && !body->full) {
        if (!body->begun) {
            body->begun = true;
            stet__http2_interim(stream, &go_on);
        } else if (body->pending.len > 0) {
            size_t taken = give(stream, stet__buffer_span(&body->pending));
            if (body->told)
                return;
            stet__buffer_consume(&body->pending, taken);
            consume(stream, taken);
        } else if (body->over) {
            tell_end(stream);
        } else {
            return;
        }
    }
}

void stet__http2_body_trailer(struct stet__http2_stream *stream, struct stet_span name,
                              struct stet_span value)
{
    size_t limit = stream->shared->worker->limits->head.fields;
    struct stet_fields *fields = &stream->trailers;
    struct stet_field field = {.id = stet_field_id(name), .name = name, .value = value};
    stream->list_bytes += name.len + value.len + 32;
    if (stream->body.told || stream->status != STET_OK || !stet_trailer_keeps(&field))
        return;
    if (!stream->trailer_room)
        stream->trailer_room = stet__arena_alloc(&stream->arena, limit * sizeof *stream->trailer_room);
    field.name = stet__arena_copy(&stream->arena, name);
    field.value = stet__arena_copy(&stream->arena, value);
    if (!stream->trailer_room || !field.name.ptr || !field.value.ptr || fields->count == limit ||
        stream->list_bytes > TRAILER_MAX) {
        fail(stream, STET_E_TRAILER_TOO_LARGE);
        return;
    }
    fields->at = stream->trailer_room;
    stream->trailer_room[fields->count++] = field;
    fields->present |= UINT64_C(1) << field.id;
}
