/* SPDX-License-Identifier: MIT */
/*
 * From a reply to octets: a ready-made head is copied, then what only the driver knows is added: Expires,
 * Connection, Date. RFC 9112 sections 4, 6.3 and 9.3; RFC 9110 section 6.6.1.
 */
#include "base/assert.h"
#include "net/head.h"
#include "net/http1.h"
#include "net/reply.h"

#define LINE_CLOSE "Connection: close\r\n"
#define LINE_CHUNKED "Transfer-Encoding: chunked\r\n"
#define LINE_KEEP_ALIVE "Connection: keep-alive\r\n"

/* Room for all that the driver adds to a head. */
#define ADDED_MAX 224

/* Room for the head of a refusal. */
#define REFUSAL_HEAD_MAX 512

static char *put(char *to, struct stet_span octets)
{
    memcpy(to, octets.ptr, octets.len);
    return to + octets.len;
}

static char *put_expires(struct stet__worker *worker, char *to, int64_t at)
{
    char *line = worker->expires_line;
    if (worker->expires != at) {
        worker->expires = at;
        memcpy(line, "Expires: ", 9);
        stet_date_format(at, line + 9);
        memcpy(line + 9 + STET_DATE_LEN, "\r\n", 2);
    }
    return put(to, stet_span_of(line, sizeof worker->expires_line));
}

#define HSTS_MAX (sizeof "Strict-Transport-Security: \r\n" + sizeof((struct stet__worker *)0)->hsts)

/* RFC 6797 section 7.2: over TLS only. */
static char *put_hsts(const struct stet__connection *connection, char *to)
{
    const char *value = connection->worker->hsts;
    if (!connection->tls || !*value)
        return to;
    to = put(to, STET_SPAN("Strict-Transport-Security: "));
    to = put(to, stet_span_of(value, strlen(value)));
    return put(to, STET_SPAN("\r\n"));
}

/* RFC 6797 section 7.1: one field of it; an origin's own stands. */
static bool has_hsts(struct stet_span head)
{
    static const struct stet_span name = {"Strict-Transport-Security:", 26};
    const char *end = head.ptr + head.len;
    for (const char *at = head.ptr;
         (at = memchr(at, '\n', (size_t)(end - at))) && (size_t)(end - ++at) > name.len;)
        if (stet_span_equal_nocase(stet_span_of(at, name.len), name))
            return true;
    return false;
}

/* Connection, Date and the end of the head. */
static char *put_end(const struct stet__connection *connection, const struct stet__turn *turn, bool has_date,
                     char *to)
{
    if (turn->streaming.chunked)
        to = put(to, STET_SPAN(LINE_CHUNKED));
    if (connection->closing)
        to = put(to, STET_SPAN(LINE_CLOSE));
    else if (turn->request.minor == 0)
        to = put(to, STET_SPAN(LINE_KEEP_ALIVE));
    if (has_date)
        return put(to, STET_SPAN("\r\n"));
    return put(to, stet_span_of(stet__loop_date_line(connection->worker->loop), STET__DATE_LINE_LEN + 2));
}

static struct stet_span field_value(const struct stet_fields *fields, enum stet_field_id id)
{
    const struct stet_field *field = stet_fields_find(fields, id, 0);
    return field ? field->value : STET_SPAN_NONE;
}

static struct stet__log_record make_record(const struct stet__connection *connection,
                                           const struct stet_http1_request *request)
{
    struct stet__log_record record = {
        .when = stet__loop_now_s(connection->worker->loop), .major = 1, .minor = 1};
    memcpy(record.peer, connection->peer, sizeof record.peer);
    if (!request)
        return record;
    record.method = request->head.method_name;
    record.target = request->head.target;
    record.minor = request->minor;
    record.referer = field_value(&request->head.fields, STET_FIELD_REFERER);
    record.user_agent = field_value(&request->head.fields, STET_FIELD_USER_AGENT);
    return record;
}

static uint32_t waited_us(const struct stet__connection *connection, const struct stet__turn *turn)
{
    return (uint32_t)(1000 * (stet__loop_monotonic_ms(connection->worker->loop) - turn->asked_ms));
}

struct stet__log_record stet__http1_record(const struct stet__connection *connection,
                                           const struct stet__turn *turn)
{
    struct stet__log_record record = make_record(connection, &turn->request);
    record.duration_us = waited_us(connection, turn);
    return record;
}

/* The octets of all parts; `*copied` tells whether they are few and in memory. */
static uint64_t measure(const struct stet__reply *reply, bool *copied)
{
    uint64_t octets = 0;
    bool memory = true;
    for (size_t i = 0; i < reply->part_count; i++) {
        octets += reply->parts[i].length;
        memory &= reply->parts[i].memory.ptr != NULL;
    }
    *copied = memory && octets <= STET__BODY_COPY_MAX;
    return octets;
}

static size_t extra_len(const struct stet__reply *reply)
{
    size_t len = 0;
    for (size_t i = 0; i < reply->extra_count; i++)
        len += reply->extra[i].name.len + reply->extra[i].value.len + 4;
    return len;
}

static char *put_extra(const struct stet__reply *reply, char *to)
{
    for (size_t i = 0; i < reply->extra_count; i++) {
        to = put(to, reply->extra[i].name);
        to = put(to, STET_SPAN(": "));
        to = put(to, reply->extra[i].value);
        to = put(to, STET_SPAN("\r\n"));
    }
    return to;
}

/* The head of the answer and `body_len` octets of its parts. False if there is no room. */
static inline bool gather(struct stet__connection *connection, struct stet__turn *turn,
                          const struct stet__reply *reply, size_t body_len)
{
    const struct stet__head *head = reply->head;
    struct stet__worker *worker = connection->worker;
    size_t room = head->h1.len + extra_len(reply) + ADDED_MAX + body_len;
    char *begin = stet__buffer_reserve(&turn->output.octets, room), *to = begin;
    if (!begin)
        return false;
    to = put(to, head->h1);
    to = put_extra(reply, to);
    if (head->expires_after_s >= 0)
        to = put_expires(worker, to, stet__loop_now_s(worker->loop) + head->expires_after_s);
    if (connection->tls && *worker->hsts && !has_hsts(head->h1))
        to = put_hsts(connection, to);
    to = put_end(connection, turn, head->has_date, to);
    for (size_t i = 0; i < reply->part_count && body_len > 0; i++)
        to = put(to, reply->parts[i].memory);
    turn->output.octets.len += (size_t)(to - begin);
    return true;
}

bool stet__http1_gather(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet__reply *reply)
{
    return gather(connection, turn, reply, 0);
}

/* Sends a body that is not copied, within the call: only so long its parts are there. */
static void send_parts(struct stet__connection *connection, struct stet__turn *turn,
                       const struct stet__reply *reply, struct stet__log_record *record)
{
    turn->output.body = (struct stet__body){.parts = reply->parts,
                                            .count = reply->part_count,
                                            .owner = reply->owner,
                                            .hold = reply->hold,
                                            .release = reply->release,
                                            .intact = reply->intact};
    turn->record = record;
    stet__connection_send(connection, turn);
}

/* What is known of the answer but for its octets. */
static struct stet__log_record reply_record(const struct stet__connection *connection,
                                            const struct stet__turn *turn, const struct stet__reply *reply)
{
    struct stet__log_record record = stet__http1_record(connection, turn);
    record.status = (uint16_t)reply->head->status;
    record.reason = stet_reason_row(reply->reason)->name;
    record.cache = reply->cache;
    return record;
}

void stet__http1_log_unsent(struct stet__connection *connection, const struct stet__turn *turn,
                            const struct stet__reply *reply)
{
    struct stet__worker *worker = connection->worker;
    if (!worker->log)
        return;
    struct stet__log_record record = reply_record(connection, turn, reply);
    record.aborted = true;
    stet__access_log_add(worker->log, worker->index, &record);
}

static void answer_at_once(struct stet__connection *connection, struct stet__turn *turn,
                           const struct stet__reply *reply)
{
    struct stet__worker *worker = connection->worker;
    bool copied = true;
    uint64_t octets =
        stet__reply_has_content(&turn->request, reply->head->status) ? measure(reply, &copied) : 0;
    struct stet__log_record record;
    if (worker->log)
        record = reply_record(connection, turn, reply);
    if (!gather(connection, turn, reply, copied ? (size_t)octets : 0)) {
        connection->broken = connection->closing = true;
        return;
    }
    if (!copied) {
        send_parts(connection, turn, reply, worker->log ? &record : NULL);
    } else if (worker->log) {
        record.body_bytes = octets;
        stet__access_log_add(worker->log, worker->index, &record);
    }
}

/* While an answer streams, its request's body goes on to a role that reads it. */
static bool reads_on(const struct stet__request_body *body)
{
    return body->asked && body->begun && !body->told;
}

void stet__http1_answer(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet__reply *reply)
{
    bool streams = reply->source.next && stet__reply_has_content(&turn->request, reply->head->status);
    if (connection->worker->role->reads_bodies && !(streams && reads_on(&turn->body)))
        stet__request_body_leave(connection, turn);
    /* RFC 9112 section 9.3: a proxy does not maintain a connection with a client of HTTP/1.0. */
    bool too_old = connection->worker->role->intermediary && turn->request.minor == 0;
    if (!turn->request.keep_alive || too_old || reply->close || connection->worker->stopping)
        connection->closing = true;
    /* RFC 9112 section 9.6: octets that nobody reads would reset the connection before the answer is read. */
    if (connection->closing && (connection->body_left > 0 || turn->begin < turn->end))
        connection->linger = true;
    if (streams) {
        stet__streaming_begin(connection, turn, reply);
        return;
    }
    answer_at_once(connection, turn, reply);
    if (reply->source.next)
        reply->source.done(reply->source.owner, true);
}

void stet__http1_continue(struct stet__connection *connection, struct stet__turn *turn)
{
    if (!stet__buffer_append_text(&turn->output.octets, "HTTP/1.1 100 Continue\r\n\r\n"))
        connection->broken = true;
}

void stet__http1_interim(struct stet__exchange *exchange, const struct stet__head *head)
{
    struct stet__connection *connection = exchange->connection;
    struct stet__turn *turn = stet__list_entry(exchange, struct stet__turn, exchange);
    stet__assert(turn->asked && head->status >= 100 && head->status < 200 && head->status != 101);
    if (connection->state == STET__CONNECTION_GONE || turn->request.minor == 0)
        return;
    stet__assert(connection->state != STET__CONNECTION_STREAMING);
    if (head->status == 100)
        turn->body.begun = true;
    if (!stet__buffer_append(&turn->output.octets, head->h1) ||
        !stet__buffer_append_text(&turn->output.octets, "\r\n"))
        connection->broken = true;
    /* The connection is not closed from here, lest `gone` be called within the role's call. */
    if (!turn->busy)
        stet__connection_send(connection, turn);
    if (!turn->busy)
        stet__connection_wake(connection);
}

static void gather_refusal(struct stet__connection *connection, struct stet__buffer *out,
                           const struct stet__refusal *refusal, struct stet_span page, bool body)
{
    stet__buffer_append_text(out, "HTTP/1.1 ");
    stet__append_title(out, refusal->status);
    stet__buffer_append_text(out, "\r\nContent-Type: ");
    stet__buffer_append(out, STET__ERROR_TEXT);
    stet__buffer_append_text(out, "\r\nContent-Length: ");
    stet__buffer_append_u64(out, page.len);
    stet__buffer_append_text(out, "\r\n" LINE_CLOSE);
    char hsts[HSTS_MAX];
    stet__buffer_append(out, stet_span_of(hsts, (size_t)(put_hsts(connection, hsts) - hsts)));
    const char *end = stet__loop_date_line(connection->worker->loop);
    stet__buffer_append(out, stet_span_of(end, STET__DATE_LINE_LEN + 2));
    if (body)
        stet__buffer_append(out, page);
}

void stet__http1_refuse(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet_http1_request *request, const struct stet__refusal *refusal)
{
    struct stet__worker *worker = connection->worker;
    struct stet__buffer *out = &turn->output.octets, page;
    bool body = !request || request->head.method != STET_METHOD_HEAD;
    stet__buffer_init(&page, STET__ERROR_PAGE_MAX);
    stet__error_page_text(&page, refusal);
    connection->closing = connection->linger = true;
    if (page.failed || !stet__buffer_reserve(out, REFUSAL_HEAD_MAX + page.len)) {
        connection->broken = true;
    } else {
        gather_refusal(connection, out, refusal, stet__buffer_span(&page), body);
        if (worker->log) {
            struct stet__log_record record = make_record(connection, request);
            record.status = (uint16_t)refusal->status;
            record.reason = refusal->name;
            record.body_bytes = body ? page.len : 0;
            stet__access_log_add(worker->log, worker->index, &record);
        }
    }
    stet__buffer_release(&page);
}
