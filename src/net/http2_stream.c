/* SPDX-License-Identifier: MIT */
/*
 * The life of a stream: RFC 9113 section 5.1. nghttp2 keeps its states; here is what an exchange has beyond
 * them.
 */
#include "net/http2_stream.h"

#include "base/assert.h"

#define ARENA_MAX (1024 * 1024)
#define STREAMS_KEPT 256 /* two connections' worth */

static int64_t now_s(const struct stet__http2_stream *stream)
{
    return stet__worker_seconds(stream->shared->worker);
}

static struct stet__http2_stream *make(struct stet__http2_worker *shared)
{
    struct stet__http2_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    stream->fields = calloc(shared->worker->limits->head.fields + 1, sizeof *stream->fields);
    if (!stream->fields) {
        free(stream);
        return NULL;
    }
    stet__arena_init(&stream->arena, ARENA_MAX);
    return stream;
}

void stet__http2_stream_free(struct stet__http2_stream *stream)
{
    stet__http2_data_release(stream);
    stet__buffer_release(&stream->body.pending);
    stet__arena_release(&stream->arena);
    free(stream->fields);
    free(stream);
}

static struct stet__http2_stream *take(struct stet__http2_worker *shared)
{
    if (stet__list_empty(&shared->streams))
        return make(shared);
    struct stet__list *node = shared->streams.next;
    stet__list_remove(node);
    shared->stream_count--;
    return stet__list_entry(node, struct stet__http2_stream, node);
}

void stet__http2_stream_give(struct stet__http2_stream *stream)
{
    struct stet__http2_worker *shared = stream->shared;
    if (shared->stream_count == STREAMS_KEPT) {
        stet__http2_stream_free(stream);
        return;
    }
    shared->stream_count++;
    /* In front: what was used last is in the processor's caches. */
    stet__list_append(shared->streams.next, &stream->node);
}

struct stet__http2_stream *stet__http2_stream_open(struct stet__http2 *http2, int32_t id)
{
    struct stet__http2_stream *stream = take(http2->shared);
    if (!stream)
        return NULL;
    struct stet_field *fields = stream->fields;
    struct stet__arena arena = stream->arena;
    *stream = (struct stet__http2_stream){
        .http2 = http2, .shared = http2->shared, .id = id, .fields = fields, .arena = arena};
    stet__arena_reset(&stream->arena);
    memcpy(stream->peer, http2->connection->peer, sizeof stream->peer);
    stet__buffer_init(&stream->body.pending, SIZE_MAX);
    stream->since_s = now_s(stream);
    stet__list_append(&http2->streams, &stream->node);
    stet__list_init(&stream->woken_node);
    return stream;
}

static struct stet_span value_of(const struct stet__http2_stream *stream, enum stet_field_id id)
{
    const struct stet_field *field = stet_fields_find(&stream->request.head.fields, id, 0);
    return field ? field->value : STET_SPAN_NONE;
}

/* Of an answer that was given, or of a request that was never asked. */
static void log_answer(struct stet__http2_stream *stream)
{
    struct stet__worker *worker = stream->shared->worker;
    if (!worker->log || !stream->reason)
        return;
    int64_t ms = stet__loop_monotonic_ms(worker->loop) - stream->asked_ms;
    struct stet__log_record record = {.when = stet__loop_now_s(worker->loop),
                                      .duration_us = (uint32_t)(1000 * ms),
                                      .status = stream->reply_status,
                                      .aborted = !stream->data.complete,
                                      .body_bytes = stream->data.bytes,
                                      .reason = stream->reason,
                                      .method = stream->request.head.method_name,
                                      .target = stream->request.head.target,
                                      .referer = value_of(stream, STET_FIELD_REFERER),
                                      .user_agent = value_of(stream, STET_FIELD_USER_AGENT),
                                      .cache = stream->cache,
                                      .major = 2};
    memcpy(record.peer, stream->peer, sizeof record.peer);
    stet__access_log_add(worker->log, worker->index, &record);
}

static void finish(struct stet__http2_stream *stream)
{
    log_answer(stream);
    stet__http2_data_release(stream);
    stet__buffer_release(&stream->body.pending);
    stet__http2_stream_give(stream);
}

void stet__http2_stream_close(struct stet__http2_stream *stream)
{
    stet__list_remove(&stream->node);
    stet__list_remove(&stream->woken_node);
    if (stream->http2->heading == stream)
        stream->http2->heading = NULL;
    stream->http2 = NULL;
    stream->exchange.connection = NULL;
    stream->body.told = true;
    if (stream->asked) {
        /* The role will name this exchange in its answer: the memory has to wait for that. */
        stet__list_append(&stream->shared->gone, &stream->node);
        if (stream->exchange.gone)
            stream->exchange.gone(&stream->exchange);
        return;
    }
    stet__http2_data_end_source(stream, stream->data.complete);
    finish(stream);
}

/* The client is gone. */
static void drop_answer(struct stet__http2_stream *stream, const struct stet__reply *reply)
{
    stet__list_remove(&stream->node);
    stream->reply_status = (uint16_t)reply->head->status;
    stream->reason = stet_reason_row(reply->reason)->name;
    stream->cache = reply->cache;
    finish(stream);
    if (reply->source.next)
        reply->source.done(reply->source.owner, false);
}

/* ---- what a role does ---- */

static struct stet__http2_stream *stream_of(struct stet__exchange *exchange)
{
    return stet__list_entry(exchange, struct stet__http2_stream, exchange);
}

static void answer(struct stet__exchange *exchange, const struct stet__reply *reply)
{
    struct stet__http2_stream *stream = stream_of(exchange);
    stet__assert(stream->asked);
    stream->asked = false;
    if (stream->http2)
        stet__http2_answer(stream, reply);
    else
        drop_answer(stream, reply);
}

static void write_on(struct stet__exchange *exchange)
{
    struct stet__http2_stream *stream = stream_of(exchange);
    stream->data.again = true;
    if (!stream->data.asking)
        stet__http2_stream_wake(stream);
}

static void reset(struct stet__http2_stream *stream, uint32_t error)
{
    struct stet__http2 *http2 = stream->http2;
    if (nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id, error) != 0)
        http2->connection->broken = true;
    stet__http2_flush_soon(http2);
}

static void cut(struct stet__exchange *exchange)
{
    struct stet__http2_stream *stream = stream_of(exchange);
    stet__assert(stream->answered && stream->data.source.next);
    stream->data.failed = true;
    reset(stream, NGHTTP2_INTERNAL_ERROR);
    stet__http2_body_leave(stream);
    stet__http2_data_end_source(stream, false);
}

static void interim(struct stet__exchange *exchange, const struct stet__head *head)
{
    struct stet__http2_stream *stream = stream_of(exchange);
    stet__assert(stream->asked && head->status >= 100 && head->status < 200 && head->status != 101);
    if (!stream->http2)
        return;
    if (head->status == 100)
        stream->body.begun = true;
    stet__http2_interim(stream, head);
}

static void read_body(struct stet__exchange *exchange, const struct stet__sink *sink)
{
    struct stet__http2_stream *stream = stream_of(exchange);
    if (!stream->http2)
        return;
    stet__assert(stream->shared->worker->role->reads_bodies && !stream->body.asked);
    stream->body.sink = *sink;
    stream->body.asked = true;
    stream->since_s = now_s(stream);
    stet__http2_stream_wake(stream);
}

static void read_on(struct stet__exchange *exchange)
{
    struct stet__http2_stream *stream = stream_of(exchange);
    stream->body.again = true;
    if (!stream->http2 || !stream->body.full)
        return;
    stream->body.full = false;
    stream->since_s = now_s(stream);
    stet__http2_stream_wake(stream);
}

/* RFC 9113 section 8.5 is for CONNECT, which this driver refuses; there is no Upgrade (section 8.6). */
static bool detach(struct stet__exchange *exchange, const struct stet__reply *reply,
                   const struct stet__tunnel_end *end, struct stet__detached *detached)
{
    return false;
}

const struct stet__exchange_driver stet__http2_driver = {.answer = answer,
                                                         .write_on = write_on,
                                                         .cut = cut,
                                                         .interim = interim,
                                                         .read = read_body,
                                                         .read_on = read_on,
                                                         .detach = detach};

/* ---- what is to be done ---- */

void stet__http2_stream_wake(struct stet__http2_stream *stream)
{
    if (!stream->http2)
        return;
    if (stet__list_empty(&stream->woken_node))
        stet__list_append(&stream->http2->woken, &stream->woken_node);
    stet__http2_flush_soon(stream->http2);
}

void stet__http2_stream_work(struct stet__http2_stream *stream)
{
    struct stet__http2_data *data = &stream->data;
    if (data->waiting && data->again) {
        data->waiting = data->again = false;
        stream->since_s = now_s(stream);
        /* Where nothing is deferred any more there is nothing to be resumed. */
        (void)nghttp2_session_resume_data(stream->http2->session, stream->id);
    }
    stet__http2_body_deliver(stream);
}

/* Of what a client has still to send when it has its answer, so much may come: it is on its way already. A
 * reset would throw away what the client has not read (RFC 9113 section 8.1). */
static bool comes_soon(const struct stet__http2_stream *stream)
{
    const struct stet_http1_request *request = &stream->request;
    if (stream->malformed || (request->expect_continue && !stream->body.begun))
        return false;
    int32_t window = nghttp2_session_get_stream_local_window_size(stream->http2->session, stream->id);
    if (request->body != STET_BODY_LENGTH)
        return window > 0;
    return request->content_length <= stream->body.bytes + (uint64_t)(window > 0 ? window : 0);
}

void stet__http2_stream_answered(struct stet__http2_stream *stream)
{
    stream->ended_out = true;
    stream->since_s = now_s(stream);
    if (!stream->ended_in && !comes_soon(stream))
        reset(stream, stream->malformed ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_NO_ERROR);
}

/* Nothing of the answer can go out, for the client's windows are shut. */
static bool is_shut(const struct stet__http2_stream *stream)
{
    nghttp2_session *session = stream->http2->session;
    return nghttp2_session_get_stream_remote_window_size(session, stream->id) <= 0 ||
           nghttp2_session_get_remote_window_size(session) <= 0;
}

static int64_t left(int64_t since_s, unsigned limit_s, int64_t now_s)
{
    return since_s + limit_s - now_s;
}

static int64_t due_of_answer(struct stet__http2_stream *stream, int64_t now, int64_t most)
{
    const struct stet__limits *limits = stream->shared->worker->limits;
    struct stet__http2 *http2 = stream->http2;
    if (!is_shut(stream)) {
        stream->since_s = now;
        return most;
    }
    /* One window is for all: who waits for others has not stood still. */
    bool all = nghttp2_session_get_remote_window_size(http2->session) <= 0;
    int64_t since_s = all && http2->data_s > stream->since_s ? http2->data_s : stream->since_s;
    int64_t due = left(since_s, limits->send_timeout_s, now);
    if (due > 0)
        return due;
    stream->data.failed = true;
    reset(stream, NGHTTP2_CANCEL);
    stet__http2_count_reset(http2);
    return most;
}

int64_t stet__http2_stream_due(struct stet__http2_stream *stream, int64_t now, int64_t most)
{
    const struct stet__limits *limits = stream->shared->worker->limits;
    int64_t due = most;
    if (!stream->asked && !stream->answered) {
        /* Nothing else can come before the end of a head: RFC 9113 section 4.3. */
        due = left(stream->since_s, limits->head_timeout_s, now);
        if (due <= 0 && nghttp2_session_terminate_session(stream->http2->session, NGHTTP2_NO_ERROR) != 0)
            stream->http2->connection->broken = true;
    } else if (stet__http2_body_awaits(stream)) {
        due = left(stream->since_s, limits->body_timeout_s, now);
        if (due <= 0)
            stet__http2_body_late(stream);
    } else if (stream->answered && !stream->data.complete && !stream->data.waiting) {
        due = due_of_answer(stream, now, most);
    } else if (stream->ended_out) {
        due = left(stream->since_s, limits->body_timeout_s, now);
        if (due <= 0)
            reset(stream, NGHTTP2_NO_ERROR);
    }
    return due > 0 && due < most ? due : most;
}
