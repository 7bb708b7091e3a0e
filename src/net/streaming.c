/* SPDX-License-Identifier: MIT */
/*
 * An answer whose body comes in pieces: RFC 9112 sections 6.3, 7.1 and 8.
 *
 * The source is asked when all before is sent. Small parts in memory are copied behind one another, so that a
 * head, a chunk and the last chunk leave in one system call; a head without any of its body waits for the end
 * of the wake-up, because what came with it from elsewhere is given right after it; large ones and files are
 * sent from where they are, which the source keeps until it is asked again.
 *
 * A body that ends too soon, by CUT or by less or more than its Content-Length, ends in a reset: HTTP/1.0
 * clients have no other way to see it.
 */
#include <stet/field.h>

#include "base/assert.h"
#include "net/http1.h"
#include "net/reply.h"

#define BURST (1024u * 1024) /* octets in one go: then others have their turn */
#define CHUNK_LINE_MAX 18    /* 16 digits, CRLF */
#define LAST_CHUNK STET_SPAN("0\r\n")
#define CRLF STET_SPAN("\r\n")

/* The body ends here, and the receiver must not take it for complete. */
static void cut(struct stet__connection *connection)
{
    connection->broken = connection->reset = connection->closing = true;
}

/* The CRLF behind the chunk that was written last, if there is one. */
static bool end_chunk(struct stet__turn *turn)
{
    bool open = turn->streaming.crlf;
    turn->streaming.crlf = false;
    return !open || stet__buffer_append(&turn->output.octets, CRLF);
}

static bool put_chunk_line(struct stet__turn *turn, uint64_t length)
{
    static const char digits[] = "0123456789abcdef";
    char line[CHUNK_LINE_MAX], *to = line + sizeof line;
    *--to = '\n';
    *--to = '\r';
    for (; length > 0; length >>= 4)
        *--to = digits[length & 15];
    if (!end_chunk(turn))
        return false;
    turn->streaming.crlf = true;
    return stet__buffer_append(&turn->output.octets, stet_span_of(to, (size_t)(line + sizeof line - to)));
}

static uint64_t measure(const struct stet__part *parts, size_t count, bool *copied)
{
    uint64_t octets = 0;
    bool memory = true;
    for (size_t i = 0; i < count; i++) {
        octets += parts[i].length;
        memory &= parts[i].memory.ptr != NULL;
    }
    *copied = memory && octets <= STET__BODY_COPY_MAX;
    return octets;
}

/* Adds parts behind the octets gathered, as one chunk if need be. False if that cannot be. */
static bool add_parts(struct stet__turn *turn, const struct stet__part *parts, size_t count)
{
    struct stet__streaming *streaming = &turn->streaming;
    bool copied;
    uint64_t octets = measure(parts, count, &copied);
    if (octets == 0)
        return true;
    if (octets > streaming->left)
        return false;
    if (streaming->left != STET__LENGTH_UNKNOWN)
        streaming->left -= octets;
    if (streaming->chunked && !put_chunk_line(turn, octets))
        return false;
    if (!copied) {
        turn->output.body = (struct stet__body){.parts = parts, .count = count};
        return true;
    }
    bool added = true;
    for (size_t i = 0; i < count; i++)
        added &= stet__buffer_append(&turn->output.octets, parts[i].memory);
    streaming->bytes += octets;
    return added;
}

static void put_trailers(struct stet__turn *turn)
{
    const struct stet__source *source = &turn->streaming.source;
    const struct stet_fields *fields =
        turn->streaming.trailers && source->trailers ? source->trailers(source->owner) : NULL;
    struct stet__buffer *out = &turn->output.octets;
    for (size_t i = 0; fields && i < fields->count; i++) {
        if (!stet_trailer_keeps(&fields->at[i]))
            continue;
        stet__buffer_append(out, fields->at[i].name);
        stet__buffer_append_text(out, ": ");
        stet__buffer_append(out, fields->at[i].value);
        stet__buffer_append(out, CRLF);
    }
}

/* The source has said END. */
static void add_end(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__streaming *streaming = &turn->streaming;
    struct stet__buffer *out = &turn->output.octets;
    streaming->ended = true;
    if (streaming->left > 0 && streaming->left != STET__LENGTH_UNKNOWN) {
        cut(connection);
    } else if (streaming->chunked) {
        end_chunk(turn);
        stet__buffer_append(out, LAST_CHUNK);
        put_trailers(turn);
        stet__buffer_append(out, CRLF);
        if (out->failed)
            cut(connection);
    }
}

/* Asks the source until there is enough to be sent. */
static void gather(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__streaming *streaming = &turn->streaming;
    const struct stet__output *output = &turn->output;
    while (!streaming->ended && !connection->broken && output->body.count == 0 &&
           output->octets.len < STET__OUTPUT_FULL) {
        streaming->again = false;
        turn->busy = true;
        enum stet__supply supply = streaming->source.next(streaming->source.owner, &streaming->part);
        turn->busy = false;
        switch (supply) {
        case STET__SUPPLY_PART:
            if (!add_parts(turn, &streaming->part, 1))
                cut(connection);
            break;
        case STET__SUPPLY_WAIT:
            if (streaming->again)
                break;
            streaming->waiting = true;
            /* There are clients that do not see a chunk before its end. */
            if (!end_chunk(turn))
                cut(connection);
            return;
        case STET__SUPPLY_END:
            add_end(connection, turn);
            break;
        case STET__SUPPLY_CUT:
            cut(connection);
            break;
        }
    }
}

/* All of the output is taken by the system. */
static void forget_sent(struct stet__turn *turn)
{
    turn->streaming.bytes += turn->output.body_bytes;
    stet__output_clear(&turn->output);
}

static void log_answer(struct stet__connection *connection, struct stet__turn *turn, bool aborted)
{
    struct stet__streaming *streaming = &turn->streaming;
    if (!connection->worker->log)
        return;
    struct stet__log_record record = stet__http1_record(connection, turn);
    record.status = streaming->status;
    record.reason = streaming->reason;
    record.cache = streaming->cache;
    record.body_bytes = streaming->bytes;
    record.aborted = aborted;
    stet__access_log_add(connection->worker->log, connection->worker->index, &record);
}

/* The exchange is over. */
static void end(struct stet__connection *connection, struct stet__turn *turn, bool sent)
{
    struct stet__source source = turn->streaming.source;
    log_answer(connection, turn, !sent);
    stet__loop_not_soon(&turn->streaming.soon);
    turn->streaming = (struct stet__streaming){0};
    turn->asked = false;
    source.done(source.owner, sent);
}

static void finish(struct stet__connection *connection, struct stet__turn *turn)
{
    if (connection->worker->role->reads_bodies)
        stet__request_body_leave(connection, turn);
    /* RFC 9112 section 9.6, as in http1_answer.c: more may have come since. */
    if (connection->closing && (connection->body_left > 0 || turn->begin < turn->end))
        connection->linger = true;
    connection->state = STET__CONNECTION_READING;
    end(connection, turn, true);
}

void stet__streaming_abort(struct stet__connection *connection, struct stet__turn *turn)
{
    if (connection->worker->role->reads_bodies)
        stet__request_body_leave(connection, turn);
    forget_sent(turn);
    end(connection, turn, false);
}

/* True if all is sent. */
static bool push(struct stet__connection *connection, struct stet__turn *turn)
{
    switch (stet__output_push(&turn->output, stet__connection_transport(connection))) {
    case STET__SENT_ALL:
        turn->streaming.stuck = false;
        forget_sent(turn);
        return true;
    case STET__SENT_SOME:
        turn->streaming.stuck = true;
        return false;
    case STET__SENT_SPOILT:
        connection->reset = true;
        break;
    case STET__SENT_GONE:
        break;
    }
    connection->broken = true;
    return false;
}

/* The parts before those of the source. They stay until they are sent, which may be long after the call. */
static bool begin_body(struct stet__turn *turn, const struct stet__reply *reply)
{
    struct stet__output *output = &turn->output;
    if (!add_parts(turn, reply->parts, reply->part_count))
        return false;
    if (output->body.count == 0)
        return true;
    output->body.owner = reply->owner;
    output->body.hold = reply->hold;
    output->body.release = reply->release;
    output->body.intact = reply->intact;
    return stet__output_hold(output);
}

/* The wake-up is over, and the source has got nothing in it. */
static void send_head(struct stet__soon *soon)
{
    struct stet__streaming *streaming = stet__list_entry(soon, struct stet__streaming, soon);
    struct stet__turn *turn = stet__list_entry(streaming, struct stet__turn, streaming);
    streaming->fresh = false;
    stet__http1_run(turn->exchange.connection, turn);
}

void stet__streaming_begin(struct stet__connection *connection, struct stet__turn *turn,
                           const struct stet__reply *reply)
{
    struct stet__streaming *streaming = &turn->streaming;
    const struct stet_http1_request *request = &turn->request;
    *streaming = (struct stet__streaming){
        .source = reply->source,
        .left = stet__reply_length(reply),
        .reason = stet_reason_row(reply->reason)->name,
        .cache = reply->cache.ptr ? stet__arena_copy(&turn->arena, reply->cache) : STET_SPAN_NONE,
        .status = (uint16_t)reply->head->status,
        .fresh = true};
    stet__soon_init(&streaming->soon, send_head);
    stet__assert(!reply->chunked || streaming->left == STET__LENGTH_UNKNOWN);
    /* RFC 9112 section 6.3: what has no length and is not chunked ends with the connection. */
    bool framed = streaming->left != STET__LENGTH_UNKNOWN;
    streaming->chunked = !framed && request->minor > 0;
    streaming->trailers = streaming->chunked && reply->source.trailers && stet__takes_trailers(request);
    connection->closing |= !framed && !streaming->chunked;
    connection->state = STET__CONNECTION_STREAMING;
    turn->asked = true;
    if (!stet__http1_gather(connection, turn, reply) || !begin_body(turn, reply))
        cut(connection);
}

bool stet__streaming_blocked(const struct stet__turn *turn)
{
    return turn->streaming.stuck || !turn->streaming.waiting;
}

void stet__streaming_run(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__streaming *streaming = &turn->streaming;
    uint64_t begun = streaming->bytes;
    while (!connection->sending && !connection->broken && streaming->bytes - begun < BURST) {
        if (!streaming->stuck && !streaming->waiting)
            gather(connection, turn);
        if (connection->broken)
            return;
        if (streaming->waiting && streaming->fresh && streaming->bytes == 0) {
            stet__loop_soon(connection->worker->loop, &streaming->soon);
            return;
        }
        streaming->fresh = false;
        if (!stet__output_empty(&turn->output) && !push(connection, turn))
            return;
        if (streaming->ended) {
            finish(connection, turn);
            return;
        }
        if (streaming->waiting)
            return;
    }
}
