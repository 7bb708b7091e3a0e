/* SPDX-License-Identifier: MIT */
/*
 * A request's body, from the octets behind its head to a role's sink: RFC 9112 sections 6 and 7, RFC 9110
 * section 10.1.1. Nothing is buffered but what one read has brought: while the sink is full nothing is read,
 * and TCP slows the client.
 */
#include "base/assert.h"
#include "net/http1.h"

#define TRAILER_MAX 16384

/* A body that nobody wants is read up to here to save the connection; a new one costs less than more. */
#define DROP_MAX (1024u * 1024)

void stet__request_body_begin(struct stet__connection *connection, struct stet__turn *turn)
{
    const struct stet_http1_request *request = &turn->request;
    struct stet__request_body *body = &turn->body;
    bool chunked = request->body == STET_BODY_CHUNKED;
    connection->body_left = request->body == STET_BODY_LENGTH ? request->content_length : 0;
    bool over = !chunked && connection->body_left == 0;
    *body =
        (struct stet__request_body){.base = turn->begin,
                                    .chunked = chunked,
                                    .over = over,
                                    .begun = over || !request->expect_continue || turn->begin < turn->end};
    stet__buffer_init(&body->trailers, TRAILER_MAX + 2);
    if (chunked)
        stet_chunked_begin(&connection->chunked, TRAILER_MAX);
}

bool stet__request_body_ready(const struct stet__turn *turn)
{
    const struct stet__request_body *body = &turn->body;
    bool some = body->over || body->pending.len > 0 || turn->begin < turn->end || !body->begun;
    return body->asked && !body->told && !body->full && some;
}

bool stet__request_body_awaits(const struct stet__turn *turn)
{
    const struct stet__request_body *body = &turn->body;
    return body->asked && !body->told && !body->full && !body->over;
}

void stet__request_body_make_room(struct stet__turn *turn)
{
    size_t len = turn->end - turn->begin;
    if (len > 0)
        memmove(turn->input + turn->body.base, turn->input + turn->begin, len);
    turn->begin = turn->body.base;
    turn->end = turn->begin + len;
}

/* What follows cannot be told from the next request. */
static void fail(struct stet__connection *connection, struct stet__request_body *body, int status)
{
    body->status = status;
    body->over = true;
    connection->body_left = 0;
    connection->closing = connection->linger = true;
}

void stet__request_body_late(struct stet__connection *connection, struct stet__turn *turn)
{
    fail(connection, &turn->body, STET_E_BODY_TIMEOUT);
}

static void take_length(struct stet__connection *connection, struct stet__turn *turn)
{
    size_t have = turn->end - turn->begin;
    size_t n = have < connection->body_left ? have : (size_t)connection->body_left;
    turn->body.pending = stet_span_of(turn->input + turn->begin, n);
    turn->begin += n;
    connection->body_left -= n;
    turn->body.over = connection->body_left == 0;
}

static void take_chunk(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__request_body *body = &turn->body;
    struct stet_span input = stet_span_of(turn->input + turn->begin, turn->end - turn->begin);
    int status = stet_chunked_next(&connection->chunked, &input, &body->pending);
    turn->begin = turn->end - input.len;
    if (status == STET_OK) {
        body->bytes += body->pending.len;
        if (body->bytes <= connection->worker->limits->body_bytes)
            return;
        body->pending = STET_SPAN_NONE;
        fail(connection, body, STET_E_BODY_TOO_LARGE);
    } else if (status != STET_MORE && status != STET_END) {
        fail(connection, body, status);
    } else if (!stet__buffer_append(&body->trailers, connection->chunked.trailers)) {
        fail(connection, body, STET_E_TRAILER_TOO_LARGE);
    } else if (status == STET_END) {
        body->over = true;
    }
}

/* The trailer fields that may go on, in the arena; NULL if there are none, or no memory: RFC 9110 section
 * 6.5.1 lets them be dropped. */
static const struct stet_fields *trailers(const struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet_span section = stet__buffer_span(&turn->body.trailers);
    if (section.len <= 2)
        return NULL;
    size_t limit = connection->worker->limits->head.fields, kept = 0;
    struct stet_field *room = stet__arena_alloc(&turn->arena, limit * sizeof *room);
    struct stet_fields *fields = stet__arena_alloc(&turn->arena, sizeof *fields);
    if (!room || !fields || stet_trailers_parse(section, limit, room, fields) != STET_OK)
        return NULL;
    fields->present = 0;
    for (size_t i = 0; i < fields->count; i++) {
        if (!stet_trailer_keeps(&room[i]))
            continue;
        fields->present |= UINT64_C(1) << room[i].id;
        room[kept++] = room[i];
    }
    fields->count = kept;
    return kept > 0 ? fields : NULL;
}

static void tell_end(const struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__request_body *body = &turn->body;
    body->told = true;
    body->sink.end(body->sink.owner, body->status,
                   body->status == STET_OK ? trailers(connection, turn) : NULL);
    stet__buffer_release(&body->trailers);
}

/* The role may answer within; then nothing is pending any more. */
static void give(struct stet__request_body *body)
{
    body->again = false;
    size_t offered = body->pending.len, taken = body->sink.data(body->sink.owner, body->pending);
    stet__assert(taken <= offered);
    if (body->told)
        return;
    body->pending = stet_span_skip(body->pending, taken);
    body->full = taken < offered && !body->again;
}

/* One step: the sink is given something, or something is made of the octets that have come. */
static void step(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__request_body *body = &turn->body;
    if (!body->begun) {
        body->begun = true;
        stet__http1_continue(connection, turn);
    } else if (body->pending.len > 0 && body->status == STET_OK) {
        give(body);
    } else if (body->over) {
        tell_end(connection, turn);
    } else if (body->chunked) {
        take_chunk(connection, turn);
    } else {
        take_length(connection, turn);
    }
}

void stet__request_body_deliver(struct stet__connection *connection, struct stet__turn *turn)
{
    turn->busy = true;
    while (stet__connection_asked(connection) && stet__request_body_ready(turn))
        step(connection, turn);
    turn->busy = false;
}

/* What is there already of a chunked body. True if that is all. */
static bool swallow_chunks(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet_span input = stet_span_of(turn->input + turn->begin, turn->end - turn->begin), data;
    int status;
    while ((status = stet_chunked_next(&connection->chunked, &input, &data)) == STET_OK)
        ;
    turn->begin = turn->end - input.len;
    return status == STET_END;
}

void stet__request_body_leave(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__request_body *body = &turn->body;
    body->told = true;
    body->pending = STET_SPAN_NONE;
    stet__buffer_release(&body->trailers);
    if (body->over)
        return;
    body->over = true;
    /* Whether a client that got no 100 sends the body after all is not known: RFC 9110 section 10.1.1. */
    bool kept = body->begun;
    if (kept && body->chunked)
        kept = swallow_chunks(connection, turn);
    else if (kept)
        kept = connection->body_left <= DROP_MAX;
    if (kept)
        return;
    connection->body_left = 0;
    connection->closing = connection->linger = true;
}

/* The octets that are there are given in the next wake-up. */
static void wake(struct stet__exchange *exchange)
{
    struct stet__turn *turn = stet__list_entry(exchange, struct stet__turn, exchange);
    if (!turn->busy)
        stet__connection_wake(exchange->connection);
}

void stet__request_body_read(struct stet__exchange *exchange, const struct stet__sink *sink)
{
    struct stet__turn *turn = stet__list_entry(exchange, struct stet__turn, exchange);
    if (exchange->connection->state == STET__CONNECTION_GONE)
        return;
    stet__assert(exchange->connection->worker->role->reads_bodies && !turn->body.asked);
    turn->body.sink = *sink;
    turn->body.asked = true;
    wake(exchange);
}

void stet__request_body_read_on(struct stet__exchange *exchange)
{
    struct stet__turn *turn = stet__list_entry(exchange, struct stet__turn, exchange);
    if (exchange->connection->state == STET__CONNECTION_GONE)
        return;
    turn->body.again = true;
    if (!turn->body.full)
        return;
    turn->body.full = false;
    wake(exchange);
}
