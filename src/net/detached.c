/* SPDX-License-Identifier: MIT */
/*
 * Connections that a tunnel takes over: RFC 9110 sections 7.8 (Upgrade) and 9.3.6 (CONNECT). What remains
 * here is the count, the log record and who to call when the worker ends.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/http1.h"

/* What the client was not sent yet, then the head. */
static bool gather_answer(struct stet__connection *connection, struct stet__turn *turn,
                          const struct stet__reply *reply, struct stet__buffer *out)
{
    if (connection->sending) {
        const struct stet__output *before = &connection->sending->output;
        stet__assert(before->body.at == before->body.count);
        stet__buffer_append(out, stet_span_skip(stet__buffer_span(&before->octets), before->sent));
    }
    stet__buffer_append(out, stet__buffer_span(&turn->output.octets));
    stet__buffer_append(out, reply->head->h1);
    for (size_t i = 0; i < reply->extra_count; i++) {
        stet__buffer_append(out, reply->extra[i].name);
        stet__buffer_append_text(out, ": ");
        stet__buffer_append(out, reply->extra[i].value);
        stet__buffer_append_text(out, "\r\n");
    }
    const char *date = stet__loop_date_line(connection->worker->loop);
    if (reply->head->has_date)
        stet__buffer_append_text(out, "\r\n");
    else
        stet__buffer_append(out, stet_span_of(date, STET__DATE_LINE_LEN + 2));
    return !out->failed;
}

/* The connection keeps the record of the answer until the tunnel ends. */
static bool keep_record(struct stet__connection *connection, const struct stet__turn *turn,
                        const struct stet__reply *reply)
{
    struct stet__sending *sending = connection->sending;
    if (!sending) {
        sending = calloc(1, sizeof *sending);
        if (!sending)
            return false;
        stet__output_init(&sending->output);
        connection->sending = sending;
    }
    if (connection->worker->log) {
        struct stet__log_record record = stet__http1_record(connection, turn);
        record.status = (uint16_t)reply->head->status;
        record.reason = stet_reason_row(reply->reason)->name;
        record.cache = reply->cache;
        sending->record = stet__log_record_copy(&record);
    }
    sending->asked_ms = turn->asked_ms;
    stet__output_release(&sending->output);
    return true;
}

/* The exchange is over, and the turn too, but if the role was called with it: then http1.c gives it back. */
static void end_exchange(struct stet__worker *worker, struct stet__turn *turn)
{
    turn->asked = false;
    stet__output_clear(&turn->output);
    if (!turn->busy)
        stet__turn_give(worker, turn);
}

bool stet__http1_detach(struct stet__exchange *exchange, const struct stet__reply *reply,
                        const struct stet__tunnel_end *end, struct stet__detached *detached)
{
    struct stet__connection *connection = exchange->connection;
    struct stet__turn *turn = stet__list_entry(exchange, struct stet__turn, exchange);
    stet__assert(turn->asked && connection->worker->role->reads_bodies);
    struct stet__buffer early, answer;
    stet__buffer_init(&early, SIZE_MAX);
    stet__buffer_init(&answer, SIZE_MAX);
    bool gone = connection->state != STET__CONNECTION_WAITING;
    struct stet_span came = stet_span_of(turn->input + turn->begin, turn->end - turn->begin);
    if (gone || connection->broken || !gather_answer(connection, turn, reply, &answer) ||
        !stet__buffer_append(&early, came) || !keep_record(connection, turn, reply)) {
        stet__buffer_release(&answer);
        stet__buffer_release(&early);
        /* No answer will do any more. */
        connection->broken |= !gone;
        stet__exchange_answer(exchange, &(struct stet__reply){.head = reply->head, .close = true});
        return false;
    }
    stet__request_body_leave(connection, turn);
    stet__loop_remove(connection->worker->loop, &connection->watch);
    stet__deadline_clear(&connection->deadline);
    stet__buffer_release(&connection->kept);
    connection->sending->tunnel = *end;
    connection->state = STET__CONNECTION_DETACHED;
    *detached = (struct stet__detached){.connection = connection,
                                        .loop = connection->worker->loop,
                                        .transport = stet__connection_transport(connection),
                                        .early = early,
                                        .answer = answer};
    end_exchange(connection->worker, turn);
    return true;
}

void stet__connection_detached_end(struct stet__connection *connection, uint64_t octets, bool aborted)
{
    stet__assert(connection->state == STET__CONNECTION_DETACHED);
    connection->sending->output.body_bytes = octets;
    connection->reset = aborted;
    stet__connection_end_sending(connection, aborted);
    stet__connection_close(connection);
}
