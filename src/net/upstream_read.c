/* SPDX-License-Identifier: MIT */
/*
 * Reading an answer: RFC 9112 sections 6.3 and 8. One read for each wake-up, into the buffer of the pool;
 * content is given from there without a copy. What follows an answer is never looked at: the connection is
 * closed.
 */
#include <errno.h>
#include <sys/socket.h>

#include <stet/field.h>

#include "base/assert.h"
#include "net/pool.h"

#define INTERIMS_MAX 100 /* interim responses before a final one */

enum step {
    STEP_ON,
    STEP_MORE,    /* octets are needed */
    STEP_BLOCKED, /* the owner takes no more now */
    STEP_DONE,
    STEP_GONE, /* the request has ended or is another's */
    STEP_MALFORMED,
    STEP_TOO_LARGE,
    STEP_NO_MEMORY,
};

/* The octets to deal with: of the pool's input, or what the connection kept. */
struct reading {
    struct stet__upstream *upstream;
    struct stet__pool_connection *connection;
    char *octets;
    struct stet_span left; /* at the end of them */
};

static int parse_head(struct reading *reading, struct stet_http1_response *response)
{
    const struct stet__upstream *upstream = reading->upstream;
    const struct stet__upstreams *pool = upstream->pool;
    const struct stet_http1_limits *limits = &pool->limits.head;
    int status = stet_http1_response_parse(reading->left, upstream->method, limits, pool->fields, response);
    if (status != STET_E_OBS_FOLD)
        return status;
    /* RFC 9112 section 5.2: a proxy may "replace each received obs-fold with one or more SP octets". */
    size_t at = (size_t)(reading->left.ptr - reading->octets);
    stet_http1_response_unfold(reading->octets + at, reading->left.len);
    return stet_http1_response_parse(reading->left, upstream->method, limits, pool->fields, response);
}

static enum step take_interim(struct reading *reading, const struct stet_http1_response *response)
{
    struct stet__upstream *upstream = reading->upstream;
    if (++upstream->interims > INTERIMS_MAX)
        return STEP_MALFORMED;
    if (response->head.status == 100 && upstream->held_back) {
        upstream->held_back = false;
        upstream->out_full = true;
        stet__upstream_listen(upstream);
    }
    /* It works on it (RFC 9110 section 15.2), so it has its time again. */
    if (upstream->sent)
        stet__pool_deadline(reading->connection, upstream->pool->limits.answer_timeout_s);
    reading->left = stet_span_skip(reading->left, response->head_len);
    upstream->events->interim(upstream->owner, &response->head);
    return reading->connection->dead ? STEP_GONE : STEP_ON;
}

/* From here on it is not HTTP. */
static enum step take_switch(struct reading *reading, const struct stet_http1_response *response)
{
    struct stet__upstream *upstream = reading->upstream;
    if (!upstream->sent || upstream->cut)
        return STEP_MALFORMED;
    struct stet_span octets = stet_span_skip(reading->left, response->head_len);
    /* The head stays where it is, in the pool's input or in front of what is kept. */
    struct stet__buffer behind;
    stet__buffer_init(&behind, upstream->pool->room);
    if (octets.len > 0 && !stet__buffer_append(&behind, octets))
        return STEP_NO_MEMORY;
    stet__buffer_release(&reading->connection->kept);
    reading->connection->kept = behind;
    upstream->phase = STET__UPSTREAM_HANDED;
    stet__pool_deadline(reading->connection, upstream->pool->limits.answer_timeout_s);
    stet__upstream_listen(upstream);
    upstream->events->head(upstream->owner, response);
    return STEP_GONE;
}

/*
 * RFC 9112 section 9.5: of a body that the server does not want no more is sent. After a 2xx sending goes on,
 * since there are servers that answer while they read; when that answer is complete, so is the exchange.
 */
static void judge_sending(struct stet__upstream *upstream, unsigned status)
{
    if (upstream->sent || (status < 300 && !upstream->held_back))
        return;
    upstream->held_back = false;
    upstream->cut = true;
    upstream->out_full = false;
    stet__upstream_listen(upstream);
    stet__upstream_stop_body(upstream);
}

/*
 * Many servers tell how long they keep a connection ("Keep-Alive: timeout=5", by RFC 2068 section 19.7.1.1).
 * Not to use it in its last second avoids most of the requests that meet its close on their way: those that
 * must not be sent again would end in 502.
 */
static unsigned keep_seconds(const struct stet_fields *fields, unsigned seconds)
{
    static const struct stet_span timeout = {"timeout=", 8};
    struct stet_list list;
    struct stet_span member;
    uint64_t told;
    stet_list_begin(&list, fields, STET_FIELD_KEEP_ALIVE);
    while (stet_list_next(&list, &member) == STET_OK)
        if (stet_span_starts(member, timeout) &&
            stet_span_to_u64(stet_span_skip(member, timeout.len), &told) == STET_OK && told <= seconds)
            seconds = told > 0 ? (unsigned)told - 1 : 0;
    return seconds;
}

static enum step take_head(struct reading *reading)
{
    struct stet__upstream *upstream = reading->upstream;
    struct stet_http1_response response;
    int status = parse_head(reading, &response);
    if (status == STET_MORE)
        return STEP_MORE;
    if (status == STET_E_HEAD_TOO_LARGE || status == STET_E_TOO_MANY_FIELDS)
        return STEP_TOO_LARGE;
    if (status != STET_OK)
        return STEP_MALFORMED;
    if (response.coded) /* the coded octets would be taken for the content: RFC 9112 section 6.1 */
        return STEP_MALFORMED;
    if (response.head.status == 101)
        return take_switch(reading, &response);
    if (response.head.status < 200)
        return take_interim(reading, &response);
    upstream->phase = STET__UPSTREAM_BODY;
    reading->connection->keep_s = keep_seconds(&response.head.fields, upstream->pool->limits.keep_timeout_s);
    upstream->keep_alive = response.keep_alive && reading->connection->keep_s > 0;
    upstream->kind = response.body;
    upstream->left = response.body == STET_BODY_LENGTH ? response.content_length : 0;
    if (response.body == STET_BODY_CHUNKED)
        stet_chunked_begin(&upstream->chunked, upstream->pool->limits.head.head_bytes);
    reading->left = stet_span_skip(reading->left, response.head_len);
    stet__pool_deadline(reading->connection, upstream->pool->limits.read_timeout_s);
    judge_sending(upstream, response.head.status);
    if (reading->connection->dead)
        return STEP_GONE;
    upstream->events->head(upstream->owner, &response);
    return reading->connection->dead ? STEP_GONE : STEP_ON;
}

/* Gives at most `max` octets; `*taken` of them are the owner's. */
static enum step give(struct reading *reading, uint64_t max, uint64_t *taken)
{
    struct stet__upstream *upstream = reading->upstream;
    size_t len = reading->left.len < max ? reading->left.len : (size_t)max;
    size_t took = upstream->events->data(upstream->owner, stet_span_of(reading->left.ptr, len));
    if (reading->connection->dead)
        return STEP_GONE;
    stet__assert(took <= len);
    reading->left = stet_span_skip(reading->left, took);
    *taken = took;
    return took < len ? STEP_BLOCKED : STEP_ON;
}

/* With `left` octets to give. */
static enum step take_left(struct reading *reading)
{
    struct stet__upstream *upstream = reading->upstream;
    uint64_t taken = 0;
    if (reading->left.len == 0)
        return STEP_MORE;
    enum step step = give(reading, upstream->left, &taken);
    if (step != STEP_GONE)
        upstream->left -= taken;
    return step;
}

static enum step take_chunked(struct reading *reading)
{
    struct stet__upstream *upstream = reading->upstream;
    struct stet_span data;
    if (upstream->left > 0)
        return take_left(reading);
    int status = stet_chunked_next(&upstream->chunked, &reading->left, &data);
    if (status == STET_OK) {
        /* Back to its first octet: what of it the owner does not take stays in front. */
        reading->left = stet_span_of(data.ptr, data.len + reading->left.len);
        upstream->left = data.len;
        return STEP_ON;
    }
    if (status < 0)
        return STEP_MALFORMED;
    if (upstream->chunked.trailers.len > 0 &&
        !stet__buffer_append(&upstream->trailers, upstream->chunked.trailers))
        return STEP_TOO_LARGE;
    return status == STET_END ? STEP_DONE : STEP_MORE;
}

static enum step take_body(struct reading *reading)
{
    struct stet__upstream *upstream = reading->upstream;
    uint64_t taken;
    switch (upstream->kind) {
    case STET_BODY_NONE:
        return STEP_DONE;
    case STET_BODY_LENGTH:
        return upstream->left == 0 ? STEP_DONE : take_left(reading);
    case STET_BODY_CHUNKED:
        return take_chunked(reading);
    case STET_BODY_CLOSE:
        break;
    }
    return reading->left.len == 0 ? STEP_MORE : give(reading, UINT64_MAX, &taken);
}

static void finish(struct reading *reading)
{
    struct stet__upstream *upstream = reading->upstream;
    struct stet_fields trailers;
    /* RFC 9110 section 6.5.1: what cannot be taken of a trailer section may be dropped. */
    bool has_trailers =
        upstream->trailers.len > 2 &&
        stet_trailers_parse(stet__buffer_span(&upstream->trailers), upstream->pool->limits.head.fields,
                            upstream->pool->fields, &trailers) == STET_OK;
    bool keep = upstream->keep_alive && upstream->sent && !upstream->cut && reading->left.len == 0;
    stet__upstream_finish(upstream, keep, has_trailers ? &trailers : NULL);
}

/* What is left for the next wake-up. */
static bool keep_rest(struct reading *reading)
{
    struct stet__buffer *kept = &reading->connection->kept;
    if (reading->octets == kept->ptr) {
        stet__buffer_consume(kept, kept->len - reading->left.len);
        return true;
    }
    stet__buffer_clear(kept);
    return reading->left.len == 0 || stet__buffer_append(kept, reading->left);
}

static void block(struct reading *reading)
{
    struct stet__upstream *upstream = reading->upstream;
    upstream->blocked = true;
    /* How long its client may take is the driver's to watch. */
    if (!upstream->out_full)
        stet__pool_deadline(reading->connection, STET__POOL_NEVER_S);
    stet__upstream_listen(upstream);
}

/* `drained`: the socket has no more now. */
static void take(struct reading *reading, bool drained)
{
    struct stet__upstream *upstream = reading->upstream;
    enum step step = STEP_ON;
    while (step == STEP_ON)
        step = upstream->phase == STET__UPSTREAM_HEAD ? take_head(reading) : take_body(reading);
    if ((step == STEP_MORE || step == STEP_BLOCKED) && !keep_rest(reading))
        step = STEP_NO_MEMORY;
    switch (step) {
    case STEP_MORE:
        if (drained && upstream->phase == STET__UPSTREAM_BODY && upstream->events->pause)
            upstream->events->pause(upstream->owner);
        break;
    case STEP_BLOCKED:
        block(reading);
        break;
    case STEP_DONE:
        finish(reading);
        break;
    case STEP_MALFORMED:
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_MALFORMED);
        break;
    case STEP_TOO_LARGE:
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_HEAD_TOO_LARGE);
        break;
    case STEP_NO_MEMORY:
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_INTERNAL);
        break;
    default: /* STEP_GONE */
        break;
    }
}

/* The server has closed, or the connection is broken. */
static void closed(struct stet__upstream *upstream, bool broken)
{
    if (upstream->phase == STET__UPSTREAM_BODY && upstream->kind == STET_BODY_CLOSE && !broken)
        stet__upstream_finish(upstream, false, NULL);
    else if (upstream->phase == STET__UPSTREAM_BODY)
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_TRUNCATED);
    else if (!stet__upstream_again(upstream))
        stet__upstream_fail(upstream, STET_REASON_UPSTREAM_RESET);
}

void stet__upstream_receive(struct stet__upstream *upstream)
{
    struct stet__upstreams *pool = upstream->pool;
    struct stet__pool_connection *connection = upstream->connection;
    size_t kept = connection->kept.len;
    stet__assert(kept < pool->room);
    if (kept > 0)
        memcpy(pool->input, connection->kept.ptr, kept);
    ssize_t n = stet__transport_recv(stet__pool_transport(connection), pool->input + kept, pool->room - kept);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        closed(upstream, n < 0);
        return;
    }
    upstream->answered = true;
    if (upstream->phase == STET__UPSTREAM_BODY)
        stet__pool_deadline(connection, pool->limits.read_timeout_s);
    struct reading reading = {upstream, connection, pool->input, stet_span_of(pool->input, kept + (size_t)n)};
    take(&reading, (size_t)n < pool->room - kept);
}

void stet__upstream_resume(struct stet__upstream *upstream)
{
    struct stet__pool_connection *connection = upstream->connection;
    struct stet__buffer *kept = &connection->kept;
    upstream->blocked = false;
    stet__pool_deadline(connection, upstream->pool->limits.read_timeout_s);
    stet__upstream_listen(upstream);
    struct reading reading = {upstream, connection, kept->ptr, stet__buffer_span(kept)};
    take(&reading, true);
}
