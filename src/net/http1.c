/* SPDX-License-Identifier: MIT */
#include "net/http1.h"

#include "base/assert.h"

#define TRAILER_MAX 16384

static void refuse_status(struct stet__connection *connection, struct stet__turn *turn,
                          const struct stet_http1_request *request, int status)
{
    struct stet__refusal refusal = stet__refusal_of_status(status);
    stet__http1_refuse(connection, turn, request, &refusal);
}

static void refuse_reason(struct stet__connection *connection, struct stet__turn *turn,
                          const struct stet_http1_request *request, unsigned status, enum stet_reason reason)
{
    struct stet__refusal refusal = stet__refusal_of_reason(status, reason);
    stet__http1_refuse(connection, turn, request, &refusal);
}

/* Drops what has come of a body whose request is answered. True if that is all of it. */
static bool drop_body(struct stet__connection *connection, struct stet__turn *turn)
{
    size_t have = turn->end - turn->begin;
    size_t n = have < connection->body_left ? have : (size_t)connection->body_left;
    turn->begin += n;
    connection->body_left -= n;
    return connection->body_left == 0;
}

static int parse(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet_span input = stet_span_of(turn->input + turn->begin, turn->end - turn->begin);
    const struct stet_http1_limits *limits = &connection->worker->limits->head;
    int status = stet_http1_request_parse(input, connection->seen, limits, turn->fields, &turn->request);
    connection->seen = status == STET_MORE ? input.len : 0;
    return status;
}

/* The body of the request at the front is at fault; the head once more, for the log. */
static void refuse_body(struct stet__connection *connection, struct stet__turn *turn, int status)
{
    const struct stet_http1_request *request = parse(connection, turn) == STET_OK ? &turn->request : NULL;
    if (status == STET_OK)
        refuse_reason(connection, turn, request, 413, STET_REASON_BODY_TOO_LARGE);
    else
        refuse_status(connection, turn, request, status);
}

/* Reads what has come of a chunked body, which begins after the head. True once it is complete. */
static bool take_chunks(struct stet__connection *connection, struct stet__turn *turn)
{
    size_t begin = turn->begin + connection->chunked_head;
    struct stet_span input = stet_span_of(turn->input + begin, turn->end - begin), data;
    int status;
    while ((status = stet_chunked_next(&connection->chunked, &input, &data)) == STET_OK) {
        connection->body_bytes += data.len;
        if (connection->body_bytes > connection->worker->limits->body_bytes) {
            refuse_body(connection, turn, STET_OK);
            return false;
        }
    }
    if (status == STET_MORE) {
        turn->end = begin;
        turn->wants_more = true;
        return false;
    }
    if (status != STET_END) {
        refuse_body(connection, turn, status);
        return false;
    }
    /* The head once more: its octets may have moved since. */
    status = parse(connection, turn);
    stet__assert(status == STET_OK && turn->request.head_len == connection->chunked_head);
    connection->chunked_head = 0;
    turn->begin = turn->end - input.len;
    return true;
}

static void begin_chunks(struct stet__connection *connection, const struct stet__turn *turn)
{
    connection->chunked_head = turn->request.head_len;
    connection->body_bytes = 0;
    stet_chunked_begin(&connection->chunked, TRAILER_MAX);
}

static const struct stet__exchange_driver exchange_driver;

static void ask_role(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__worker *worker = connection->worker;
    stet__arena_reset(&turn->arena);
    turn->exchange =
        (struct stet__exchange){.driver = &exchange_driver,
                                .request = &turn->request,
                                .arena = &turn->arena,
                                .now = stet__loop_now_s(worker->loop),
                                .connection = connection,
                                .scheme = connection->tls ? STET_SPAN("https") : STET_SPAN("http"),
                                .early = stet__transport_early(stet__connection_transport(connection)),
                                .peer = connection->peer};
    turn->asked = turn->busy = true;
    turn->asked_ms = stet__loop_monotonic_ms(worker->loop);
    connection->state = STET__CONNECTION_WAITING;
    worker->role->request(worker->role_state, &turn->exchange);
    turn->busy = false;
    if (turn->asked)
        connection->turn = turn;
}

/* For a role that reads bodies. */
static void take_for_reader(struct stet__connection *connection, struct stet__turn *turn)
{
    const struct stet_http1_request *request = &turn->request;
    size_t have = turn->end - turn->begin - request->head_len;
    /* The head stays where it is while the body is read behind it: that takes room. */
    bool whole = request->body == STET_BODY_NONE ||
                 (request->body == STET_BODY_LENGTH && request->content_length <= have);
    if (turn->begin > 0 && !whole) {
        memmove(turn->input, turn->input + turn->begin, turn->end - turn->begin);
        turn->end -= turn->begin;
        turn->begin = 0;
        int status = parse(connection, turn);
        stet__assert(status == STET_OK);
    }
    turn->begin += request->head_len;
    stet__request_body_begin(connection, turn);
}

/* A head is parsed. False if its body has to come first. */
static bool take_request(struct stet__connection *connection, struct stet__turn *turn)
{
    const struct stet_http1_request *request = &turn->request;
    bool chunked = request->body == STET_BODY_CHUNKED;
    connection->head_begun = false;
    bool has_body = chunked || (request->body == STET_BODY_LENGTH && request->content_length > 0);
    if (request->expect_unknown) {
        refuse_reason(connection, turn, request, 417, STET_REASON_EXPECTATION);
        return false;
    }
    if (stet__connection_misdirected(connection, request)) {
        refuse_reason(connection, turn, request, 421, STET_REASON_MISDIRECTED);
        return false;
    }
    if (!chunked && has_body && request->content_length > connection->worker->limits->body_bytes) {
        refuse_reason(connection, turn, request, 413, STET_REASON_BODY_TOO_LARGE);
        return false;
    }
    if (connection->worker->role->reads_bodies) {
        take_for_reader(connection, turn);
        return true;
    }
    if (has_body && request->expect_continue) {
        connection->closing = connection->linger = true;
    } else if (chunked) {
        begin_chunks(connection, turn);
        return take_chunks(connection, turn);
    }
    turn->begin += request->head_len;
    if (has_body)
        connection->body_left = request->content_length;
    return true;
}

/* RFC 8470 section 3: who might have copied early data cannot complete the handshake. */
static bool must_wait(const struct stet__connection *connection, const struct stet__turn *turn)
{
    return stet__transport_early(stet__connection_transport(connection)) &&
           !stet_method_safe(turn->request.head.method);
}

/* Takes one request, or what there is of one. */
static void take(struct stet__connection *connection, struct stet__turn *turn)
{
    if (connection->body_left > 0 && !drop_body(connection, turn)) {
        turn->wants_more = true;
        return;
    }
    if (turn->begin == turn->end) {
        turn->wants_more = true;
        return;
    }
    if (connection->chunked_head > 0) {
        if (take_chunks(connection, turn))
            ask_role(connection, turn);
        return;
    }
    int status = parse(connection, turn);
    if (status == STET_MORE)
        turn->wants_more = true;
    else if (status != STET_OK)
        refuse_status(connection, turn, NULL, status);
    else if (must_wait(connection, turn))
        turn->wants_more = true;
    else if (take_request(connection, turn))
        ask_role(connection, turn);
}

static bool may_take(const struct stet__connection *connection, const struct stet__turn *turn)
{
    return connection->state == STET__CONNECTION_READING && !turn->wants_more && !connection->sending &&
           !connection->closing && !connection->broken;
}

/* Sends what is gathered, if anything, and takes what may be taken. */
static void take_all(struct stet__connection *connection, struct stet__turn *turn)
{
    do {
        unsigned answers = connection->worker->limits->pipeline;
        while (may_take(connection, turn) && answers-- > 0 && turn->output.octets.len < STET__OUTPUT_FULL)
            take(connection, turn);
        /* A source adds to what is gathered, then both are sent. */
        if (connection->state != STET__CONNECTION_STREAMING && !stet__output_empty(&turn->output))
            stet__connection_send(connection, turn);
    } while (may_take(connection, turn));
}

/* What the role that has the exchange of `turn` is to get, and gives. */
static void go_on(struct stet__connection *connection, struct stet__turn *turn)
{
    do {
        if (stet__request_body_ready(turn))
            stet__request_body_deliver(connection, turn);
        if (connection->state == STET__CONNECTION_STREAMING)
            stet__streaming_run(connection, turn);
        else if (connection->state == STET__CONNECTION_WAITING && !stet__output_empty(&turn->output))
            stet__connection_send(connection, turn);
    } while (stet__connection_asked(connection) && !connection->broken && stet__request_body_ready(turn));
}

void stet__http1_run(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__worker *worker = connection->worker;
    turn->wants_more = false;
    if (connection->state == STET__CONNECTION_READING)
        take_all(connection, turn);
    while (stet__connection_asked(connection)) {
        go_on(connection, turn);
        if (connection->state != STET__CONNECTION_READING)
            break;
        take_all(connection, turn);
    }
    bool held = stet__connection_asked(connection);
    stet__connection_settle(connection, turn);
    if (!held)
        stet__turn_give(worker, turn);
}

void stet__http1_refuse_late(struct stet__connection *connection, struct stet__turn *turn)
{
    bool body = connection->chunked_head > 0;
    refuse_reason(connection, turn, NULL, 408, body ? STET_REASON_BODY_TIMEOUT : STET_REASON_HEAD_TIMEOUT);
    stet__connection_send(connection, turn);
    stet__connection_settle(connection, turn);
}

void stet__http1_refuse_plain(struct stet__connection *connection, struct stet__turn *turn)
{
    connection->linger = true;
    refuse_reason(connection, turn, NULL, 400, STET_REASON_NOT_TLS);
    stet__connection_send(connection, turn);
    stet__connection_settle(connection, turn);
}

/* The client is gone. */
static void drop_answer(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet__reply *reply)
{
    stet__assert(connection->state == STET__CONNECTION_GONE);
    stet__http1_log_unsent(connection, turn, reply);
    stet__connection_close(connection);
    if (reply->source.next)
        reply->source.done(reply->source.owner, false);
}

static void answer(struct stet__exchange *exchange, const struct stet__reply *reply)
{
    struct stet__connection *connection = exchange->connection;
    struct stet__turn *turn = stet__list_entry(exchange, struct stet__turn, exchange);
    struct stet__worker *worker = connection->worker;
    stet__assert(turn->asked && connection->state != STET__CONNECTION_STREAMING);
    turn->asked = false;
    if (connection->state != STET__CONNECTION_WAITING) {
        drop_answer(connection, turn, reply);
        stet__turn_give(worker, turn);
        return;
    }
    connection->state = STET__CONNECTION_READING;
    stet__http1_answer(connection, turn, reply);
    if (!turn->busy)
        stet__http1_run(connection, turn);
}

static void cut(struct stet__exchange *exchange)
{
    stet__assert(exchange->connection->state == STET__CONNECTION_STREAMING);
    stet__connection_cut(exchange->connection);
}

static void write_on(struct stet__exchange *exchange)
{
    struct stet__connection *connection = exchange->connection;
    struct stet__turn *turn = stet__list_entry(exchange, struct stet__turn, exchange);
    stet__assert(connection->state == STET__CONNECTION_STREAMING);
    bool waited = turn->streaming.waiting;
    turn->streaming.again = true;
    turn->streaming.waiting = false;
    if (waited && !turn->busy)
        stet__http1_run(connection, turn);
}

static const struct stet__exchange_driver exchange_driver = {.answer = answer,
                                                             .write_on = write_on,
                                                             .cut = cut,
                                                             .interim = stet__http1_interim,
                                                             .read = stet__request_body_read,
                                                             .read_on = stet__request_body_read_on,
                                                             .detach = stet__http1_detach};
