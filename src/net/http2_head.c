/* SPDX-License-Identifier: MIT */
/*
 * From the field lines of a HEADERS frame to a request: RFC 9113 sections 8.1.1, 8.2 and 8.3.
 *
 * nghttp2 has decoded them, whatever becomes of the request, so that the tables of both sides agree; what is
 * beyond the limits is not kept. Field lines that nghttp2 would pass over because their octets are none of a
 * field make the request malformed (section 8.2.1).
 */
#include "net/http2_stream.h"

#include "base/assert.h"

#define LINE_OVERHEAD 32 /* RFC 9113 section 6.5.2 */

int stet__http2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct stet__http2 *http2 = user;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        http2->heading = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        return 0;
    }
    struct stet__http2_stream *stream = stet__http2_stream_open(http2, frame->hd.stream_id);
    http2->heading = stream;
    if (!stream)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
}

static void refuse(struct stet__http2_stream *stream, int status)
{
    if (stream->status == STET_OK)
        stream->status = status;
}

static void set_pseudo(struct stet__http2_stream *stream, struct stet_span name, struct stet_span value)
{
    struct stet__http2_pseudo *pseudo = &stream->pseudo;
    const struct stet_http1_limits *limits = &stream->shared->worker->limits->head;
    struct stet_span *to = NULL;
    if (stet_span_equal(name, STET_SPAN(":method")))
        to = &pseudo->method;
    else if (stet_span_equal(name, STET_SPAN(":scheme")))
        to = &pseudo->scheme;
    else if (stet_span_equal(name, STET_SPAN(":authority")))
        to = &pseudo->authority;
    else if (stet_span_equal(name, STET_SPAN(":path")))
        to = &pseudo->path;
    if (!to)
        return;
    if (to == &pseudo->path && value.len > limits->target_bytes) {
        refuse(stream, STET_E_TARGET_TOO_LONG);
        value.len = limits->target_bytes; /* for the log */
    }
    *to = stet__arena_copy(&stream->arena, value);
}

static void add_field(struct stet__http2_stream *stream, struct stet_span name, struct stet_span value)
{
    const struct stet_http1_limits *limits = &stream->shared->worker->limits->head;
    if (stream->field_count == limits->fields) {
        refuse(stream, STET_E_TOO_MANY_FIELDS);
        return;
    }
    enum stet_field_id id = stet_field_id(name);
    struct stet_field *field = &stream->fields[1 + stream->field_count];
    field->id = id;
    field->name = id == STET_FIELD_OTHER ? stet__arena_copy(&stream->arena, name) : stet_field_name(id);
    field->value = stet__arena_copy(&stream->arena, value);
    if (field->name.ptr && field->value.ptr)
        stream->field_count++;
    else
        refuse(stream, STET_E_HEAD_TOO_LARGE);
}

int stet__http2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                          size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    /* RFC 9113 section 4.3: nothing comes between the lines of a field block. */
    struct stet__http2_stream *stream = ((struct stet__http2 *)user)->heading;
    struct stet_span n = stet_span_of((const char *)name, name_len);
    struct stet_span v = stet_span_of((const char *)value, value_len);
    if (!stream)
        return 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        stet__http2_body_trailer(stream, n, v);
        return 0;
    }
    stream->list_bytes += name_len + value_len + LINE_OVERHEAD;
    bool pseudo = name_len > 0 && name[0] == ':';
    if (pseudo && stream->list_bytes <= 2 * stream->shared->worker->limits->head.head_bytes)
        set_pseudo(stream, n, v);
    if (stream->list_bytes > stream->shared->worker->limits->head.head_bytes)
        refuse(stream, STET_E_HEAD_TOO_LARGE);
    else if (!pseudo)
        add_field(stream, n, v);
    return 0;
}

int stet__http2_on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                                  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                                  void *user)
{
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* RFC 9113 section 8.2.3: the lines of Cookie become one before anybody reads them. False if there is no
 * room.
 */
static bool join_cookies(struct stet__http2_stream *stream)
{
    struct stet_field *at = stream->fields + 1, *first = NULL;
    size_t len = 0, lines = 0, kept = 0;
    for (size_t i = 0; i < stream->field_count; i++) {
        if (at[i].id != STET_FIELD_COOKIE)
            continue;
        len += at[i].value.len + 2;
        lines++;
    }
    if (lines < 2)
        return true;
    char *text = stet__arena_alloc(&stream->arena, len), *to = text;
    if (!text)
        return false;
    for (size_t i = 0; i < stream->field_count; i++) {
        if (at[i].id == STET_FIELD_COOKIE) {
            if (first)
                to = (char *)memcpy(to, "; ", 2) + 2;
            memcpy(to, at[i].value.ptr, at[i].value.len);
            to += at[i].value.len;
            if (first)
                continue;
            first = &at[kept];
        }
        at[kept++] = at[i];
    }
    first->value = stet_span_of(text, (size_t)(to - text));
    stream->field_count = kept;
    return true;
}

/* What the driver answers itself. */
static bool must_refuse(const struct stet__http2_stream *stream, struct stet__refusal *refusal)
{
    const struct stet_http1_request *request = &stream->request;
    uint64_t limit = stream->shared->worker->limits->body_bytes;
    if (stream->status != STET_OK)
        *refusal = stet__refusal_of_status(stream->status);
    else if (request->head.method == STET_METHOD_CONNECT)
        *refusal = stet__refusal_of_reason(501, STET_REASON_NO_TUNNEL_HERE);
    else if (stet__connection_misdirected(stream->http2->connection, request))
        *refusal = stet__refusal_of_reason(421, STET_REASON_MISDIRECTED);
    else if (request->expect_unknown)
        *refusal = stet__refusal_of_reason(417, STET_REASON_EXPECTATION);
    else if (request->body == STET_BODY_LENGTH && request->content_length > limit)
        *refusal = stet__refusal_of_reason(413, STET_REASON_BODY_TOO_LARGE);
    else
        return false;
    return true;
}

static void ask_role(struct stet__http2_stream *stream)
{
    struct stet__worker *worker = stream->shared->worker;
    struct stet__connection *connection = stream->http2->connection;
    stream->exchange =
        (struct stet__exchange){.driver = &stet__http2_driver,
                                .request = &stream->request,
                                .arena = &stream->arena,
                                .now = stet__loop_now_s(worker->loop),
                                .connection = connection,
                                .scheme = connection->tls ? STET_SPAN("https") : STET_SPAN("http"),
                                .peer = stream->peer};
    stream->asked = true;
    worker->role->request(worker->role_state, &stream->exchange);
}

void stet__http2_head_end(struct stet__http2_stream *stream)
{
    struct stet__refusal refusal;
    if (!join_cookies(stream))
        refuse(stream, STET_E_HEAD_TOO_LARGE);
    stream->asked_ms = stet__loop_monotonic_ms(stream->shared->worker->loop);
    int status = stet__http2_request_make(&stream->pseudo, stream->fields, stream->field_count,
                                          stream->ended_in, &stream->request);
    refuse(stream, status);
    stream->list_bytes = 0; /* the trailers have a limit of their own */
    stet__http2_body_begin(stream);
    if (must_refuse(stream, &refusal)) {
        stream->malformed = refusal.status == 400;
        stet__http2_refuse(stream, &refusal);
    } else {
        ask_role(stream);
    }
}
