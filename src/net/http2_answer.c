/* SPDX-License-Identifier: MIT */
/*
 * From a reply to a HEADERS frame: RFC 9113 sections 8.1, 8.2 and 8.3.2.
 *
 * HPACK: nghttp2 decides what goes into the client's table. That is right here: what is the same in many
 * answers (Server, Cache-Control, Content-Type, Date within a second) is indexed; ETag, Location,
 * Content-Length and Set-Cookie are not. A Set-Cookie is never indexed by anybody on the way either (RFC 7541
 * section 7.1.3).
 *
 * nghttp2 copies names and values: the frame is written when the call is over, and a role may own its body
 * but not its head beyond it (exchange.h).
 */
#include "net/http2_stream.h"

#include "base/assert.h"
#include "net/head.h"
#include "net/reply.h"

#define ADDED 4 /* :status, date, expires, strict-transport-security */

#define BIT(id) (UINT64_C(1) << (id))

/* RFC 9113 section 8.2.2: "MUST NOT generate". */
static bool is_of_connection(enum stet_field_id id)
{
    switch (id) {
    case STET_FIELD_CONNECTION:
    case STET_FIELD_KEEP_ALIVE:
    case STET_FIELD_PROXY_CONNECTION:
    case STET_FIELD_TRANSFER_ENCODING:
    case STET_FIELD_UPGRADE:
    case STET_FIELD_TE:
        return true;
    default:
        return false;
    }
}

static nghttp2_nv pair(struct stet_span name, struct stet_span value, uint8_t flags)
{
    nghttp2_nv nv = {.namelen = name.len, .valuelen = value.len, .flags = flags};
    /* Not const, because it serves what is received, too. */
    memcpy(&nv.name, &name.ptr, sizeof nv.name);
    memcpy(&nv.value, &value.ptr, sizeof nv.value);
    return nv;
}

nghttp2_nv stet__http2_line(const struct stet_field *field, uint8_t flags)
{
    if (field->id == STET_FIELD_SET_COOKIE)
        flags |= NGHTTP2_NV_FLAG_NO_INDEX;
    return pair(field->name, field->value, flags);
}

static size_t put_status(nghttp2_nv *to, unsigned status, char *digits)
{
    digits[0] = (char)('0' + status / 100);
    digits[1] = (char)('0' + status / 10 % 10);
    digits[2] = (char)('0' + status % 10);
    *to = pair(STET_SPAN(":status"), stet_span_of(digits, 3), NGHTTP2_NV_FLAG_NO_COPY_NAME);
    return 1;
}

static size_t put_fields(nghttp2_nv *to, const struct stet_field *at, size_t count, uint8_t flags)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_of_connection(at[i].id))
            to[n++] = stet__http2_line(&at[i], flags);
    return n;
}

/* How many lines `put_octets` needs room for. */
static size_t count_octets(struct stet_span h1)
{
    size_t lines = 0;
    for (const char *at = h1.ptr, *end = h1.ptr + h1.len; (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    return lines;
}

/* The field lines of a ready-made head, "Name: value CRLF", whose first line is the status line. None is of
 * the connection. */
static size_t put_octets(nghttp2_nv *to, struct stet_span h1)
{
    const char *end = h1.ptr + h1.len, *at = (const char *)memchr(h1.ptr, '\n', h1.len) + 1;
    size_t n = 0;
    while (at < end) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        const char *line_end = memchr(colon, '\n', (size_t)(end - colon));
        struct stet_span name = stet_span_of(at, (size_t)(colon - at));
        struct stet_span value = stet_span_of(colon + 2, (size_t)(line_end - colon) - 3);
        bool cookie = stet_span_equal_nocase(name, STET_SPAN("set-cookie"));
        to[n++] = pair(name, value, cookie ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE);
        at = line_end + 1;
    }
    return n;
}

/* Date and Expires: RFC 9110 section 6.6.1. `room` is for the latter's date. */
static size_t put_dates(const struct stet__http2_stream *stream, const struct stet__head *head,
                        nghttp2_nv *to, char *room)
{
    const struct stet__loop *loop = stream->shared->worker->loop;
    size_t n = 0;
    if (head->expires_after_s >= 0) {
        stet_date_format(stet__loop_now_s(loop) + head->expires_after_s, room);
        to[n++] = pair(STET_SPAN("expires"), stet_span_of(room, STET_DATE_LEN), NGHTTP2_NV_FLAG_NO_COPY_NAME);
    }
    if (!head->has_date) {
        struct stet_span date = stet_span_of(stet__loop_date_line(loop) + 6, STET_DATE_LEN);
        to[n++] = pair(STET_SPAN("date"), date, NGHTTP2_NV_FLAG_NO_COPY_NAME);
    }
    return n;
}

/* RFC 6797 section 7.2: over TLS only; section 7.1: one field of it, and an origin's own stands. */
static size_t put_hsts(const struct stet__http2_stream *stream, nghttp2_nv *lines, size_t n)
{
    const char *value = stream->shared->worker->hsts;
    struct stet_span name = STET_SPAN("strict-transport-security");
    if (!*value || !stream->http2->connection->tls)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (stet_span_equal_nocase(stet_span_of((const char *)lines[i].name, lines[i].namelen), name))
            return 0;
    lines[n] = pair(name, stet_span_of(value, strlen(value)),
                    NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE);
    return 1;
}

/* While an answer streams, its request's body goes on to a role that reads it. */
static bool reads_on(const struct stet__http2_body *body)
{
    return body->asked && body->begun && !body->told;
}

static void fail(struct stet__http2_stream *stream)
{
    stream->data.failed = true;
    if (nghttp2_submit_rst_stream(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id,
                                  NGHTTP2_INTERNAL_ERROR) != 0)
        stream->http2->connection->broken = true;
}

/* Submits the head, and the body if there is one. */
static bool submit(struct stet__http2_stream *stream, const struct stet__reply *reply, bool body)
{
    const struct stet__head *head = reply->head;
    size_t own = head->by_octets ? count_octets(head->h1) : head->fields.count;
    size_t room = own + reply->extra_count + ADDED, n = 0;
    nghttp2_nv *lines = stet__arena_alloc(&stream->arena, room * sizeof *lines);
    char digits[3], date[STET_DATE_LEN];
    if (!lines)
        return false;
    n += put_status(lines + n, head->status, digits);
    if (head->by_octets)
        n += put_octets(lines + n, head->h1);
    else
        n += put_fields(lines + n, head->fields.at, head->fields.count, NGHTTP2_NV_FLAG_NONE);
    n += put_fields(lines + n, reply->extra, reply->extra_count, NGHTTP2_NV_FLAG_NONE);
    n += put_dates(stream, head, lines + n, date);
    n += put_hsts(stream, lines, n);
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = stet__http2_data_supply};
    return nghttp2_submit_response(stream->http2->session, stream->id, lines, n, body ? &provider : NULL) ==
           0;
}

void stet__http2_answer(struct stet__http2_stream *stream, const struct stet__reply *reply)
{
    struct stet__http2_data *data = &stream->data;
    bool content = stet__reply_has_content(&stream->request, reply->head->status);
    bool streams = content && reply->source.next;
    stream->answered = true;
    stream->reply_status = (uint16_t)reply->head->status;
    stream->reason = stet_reason_row(reply->reason)->name;
    stream->cache = reply->cache.ptr ? stet__arena_copy(&stream->arena, reply->cache) : STET_SPAN_NONE;
    stream->since_s = stet__worker_seconds(stream->shared->worker);
    if (!(streams && reads_on(&stream->body)))
        stet__http2_body_leave(stream);
    bool body = false;
    if (stet__http2_data_begin(stream, reply, content, &body) && submit(stream, reply, body))
        data->complete = !body;
    else
        fail(stream);
    if (reply->source.next && !streams)
        reply->source.done(reply->source.owner, true);
    stet__http2_flush_soon(stream->http2);
}

void stet__http2_interim(struct stet__http2_stream *stream, const struct stet__head *head)
{
    char digits[3];
    nghttp2_nv *lines = stet__arena_alloc(&stream->arena, (head->fields.count + 1) * sizeof *lines);
    if (!lines)
        return;
    size_t n = put_status(lines, head->status, digits);
    n += put_fields(lines + n, head->fields.at, head->fields.count, NGHTTP2_NV_FLAG_NONE);
    if (nghttp2_submit_headers(stream->http2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, lines, n, NULL) <
        0)
        fail(stream);
    stet__http2_flush_soon(stream->http2);
}

void stet__http2_refuse(struct stet__http2_stream *stream, const struct stet__refusal *refusal)
{
    struct stet__buffer page;
    stet__buffer_init(&page, STET__ERROR_PAGE_MAX);
    stet__error_page_text(&page, refusal);
    char digits[20];
    struct stet_field fields[] = {{STET_SPAN("content-type"), STET__ERROR_TEXT, STET_FIELD_CONTENT_TYPE},
                                  {STET_SPAN("content-length"),
                                   stet_span_of(digits, stet_format_u64(page.len, digits)),
                                   STET_FIELD_CONTENT_LENGTH}};
    struct stet__head head = {.status = refusal->status,
                              .fields = {fields, 2, BIT(STET_FIELD_CONTENT_TYPE)},
                              .expires_after_s = -1};
    struct stet__part part = stet__part_memory(stet__buffer_span(&page));
    struct stet__reply reply = {.head = &head, .parts = &part, .part_count = 1};
    stet__http2_answer(stream, &reply);
    stream->reason = refusal->name;
    stet__buffer_release(&page);
}
