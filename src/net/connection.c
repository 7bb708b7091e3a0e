/* SPDX-License-Identifier: MIT */
#include "net/connection.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/http1.h"
#include "net/http2.h"
#include "net/tls_config.h"

#define LINGER_S 5
#define LINGER_OCTETS (16u * 1024 * 1024)
#define NEVER_S (INT64_MAX / 2)

/* Octets have come of a request that is not answered. */
static bool in_request(const struct stet__connection *connection)
{
    return connection->kept.len > 0 || connection->chunked_head > 0;
}

void stet__connection_set_deadline(struct stet__connection *connection, int64_t seconds)
{
    struct stet__worker *worker = connection->worker;
    /* One more, as the current second has begun already: never too early. */
    stet__deadline_set(&worker->deadlines, &connection->deadline, stet__worker_seconds(worker) + seconds + 1);
}

void stet__connection_listen(struct stet__connection *connection, bool in, bool out)
{
    struct stet__transport transport = stet__connection_transport(connection);
    bool blocked = stet__transport_blocked(transport);
    if (in && !blocked)
        stet__transport_go_on(transport);
    if (in == connection->listening_in && out == connection->listening_out &&
        blocked == connection->listening_blocked)
        return;
    uint32_t events = (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
    if (stet__loop_change(connection->worker->loop, &connection->watch,
                          blocked ? (uint32_t)EPOLLOUT : events) < 0)
        connection->broken = true;
    connection->listening_blocked = blocked;
    connection->listening_in = in;
    connection->listening_out = out;
}

static void log_sent(struct stet__connection *connection, struct stet__log_record *record, bool aborted)
{
    record->aborted = aborted;
    stet__access_log_add(connection->worker->log, connection->worker->index, record);
}

void stet__connection_end_sending(struct stet__connection *connection, bool aborted)
{
    struct stet__sending *sending = connection->sending;
    if (!sending)
        return;
    if (sending->record) {
        int64_t ms = stet__loop_monotonic_ms(connection->worker->loop) - sending->asked_ms;
        sending->record->duration_us = (uint32_t)(ms * 1000);
        sending->record->body_bytes = sending->output.body_bytes;
        log_sent(connection, sending->record, aborted);
        free(sending->record);
    }
    stet__output_release(&sending->output);
    free(sending);
    connection->sending = NULL;
}

/* RFC 9112 section 8: with a reset no client takes the answer for complete. */
static void reset_at_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void close_socket(struct stet__connection *connection)
{
    bool whole = !connection->reset && !connection->broken && !connection->sending &&
                 connection->state != STET__CONNECTION_STREAMING;
    stet__connection_end_sending(connection, true);
    stet__loop_remove(connection->worker->loop, &connection->watch);
    if (connection->reset)
        reset_at_close(connection->watch.fd);
    if (whole)
        stet__transport_close(stet__connection_transport(connection));
    else
        stet__transport_cut(stet__connection_transport(connection));
    connection->tls = NULL;
    stet__deadline_clear(&connection->deadline);
    stet__buffer_release(&connection->kept);
}

static void count_closed(struct stet__worker *worker)
{
    atomic_fetch_sub_explicit(worker->connections, 1, memory_order_relaxed);
    worker->open--;
    stet__worker_closed(worker);
}

void stet__connection_close(struct stet__connection *connection)
{
    enum stet__connection_state state = connection->state;
    struct stet__turn *turn = connection->turn;
    struct stet__worker *worker = connection->worker;
    if (state != STET__CONNECTION_GONE) {
        close_socket(connection);
        count_closed(worker);
    }
    if (state == STET__CONNECTION_WAITING) {
        /* The role will name this connection in its answer: the memory has to wait for that. */
        connection->state = STET__CONNECTION_GONE;
        if (worker->role->reads_bodies)
            stet__request_body_leave(connection, turn);
        if (turn->exchange.gone)
            turn->exchange.gone(&turn->exchange);
        return;
    }
    if (state == STET__CONNECTION_STREAMING) {
        stet__streaming_abort(connection, turn);
        stet__turn_give(worker, turn);
    }
    if (connection->http2)
        stet__http2_end(connection);
    stet__connection_give_back(connection);
}

/* The handshake has begun with the head's time-out; from its end on the connection is one without a request.
 * True if a request may have waited for that end. */
static bool look_at_handshake(struct stet__connection *connection)
{
    if (!connection->shaking || !connection->tls->established)
        return false;
    connection->shaking = false;
    if (in_request(connection))
        return connection->chunked_head == 0;
    stet__connection_set_deadline(connection, connection->worker->limits->idle_timeout_s);
    return false;
}

/* A client that takes the port for one of plain HTTP is told so in plain HTTP. */
static void refuse_plain(struct stet__connection *connection, struct stet__turn *turn)
{
    stet__tls_free(connection->tls, connection->watch.fd, false);
    connection->tls = NULL;
    turn->begin = turn->end = 0;
    stet__http1_refuse_plain(connection, turn);
}

/* The octets kept, and what the socket has. False if there are none, or the connection has ended. */
static bool receive(struct stet__connection *connection, struct stet__turn *turn)
{
    size_t kept = connection->kept.len;
    if (kept > 0)
        memcpy(turn->input, connection->kept.ptr, kept);
    stet__assert(kept < turn->room);
    ssize_t n =
        stet__transport_recv(stet__connection_transport(connection), turn->input + kept, turn->room - kept);
    bool nothing = n < 0 && (errno == EAGAIN || errno == EINTR);
    bool waited = connection->tls && look_at_handshake(connection);
    if (n > 0 || (nothing && waited)) {
        turn->begin = 0;
        turn->end = kept + (n > 0 ? (size_t)n : 0);
        return true;
    }
    bool ending = connection->worker->stopping && !in_request(connection);
    if (nothing && !ending) {
        if (connection->tls)
            stet__connection_listen(connection, true, false);
        return false;
    }
    if (connection->tls && connection->tls->plain) {
        refuse_plain(connection, turn);
        return false;
    }
    /* A request that is cut off gets no answer: nobody would understand what to (RFC 9112 section 8). */
    stet__connection_close(connection);
    return false;
}

/* The version is agreed on with TLS (RFC 9113 section 3.2): a preface without that is no HTTP, and might be
 * early data. Else the first octets tell (section 3.3).
 */
static void take_octets(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet_span octets = stet_span_of(turn->input + turn->begin, turn->end - turn->begin);
    struct stet_span preface = STET__HTTP2_PREFACE;
    bool agreed = stet__transport_alpn_h2(stet__connection_transport(connection));
    bool open = !connection->versioned && !connection->tls;
    if (!connection->versioned && (agreed || (open && stet_span_starts(octets, preface)))) {
        stet__http2_begin(connection, turn);
    } else if (open && octets.len < preface.len && stet_span_starts(preface, octets)) {
        stet__connection_settle(connection, turn);
        stet__turn_give(connection->worker, turn);
    } else {
        connection->versioned = true;
        stet__http1_run(connection, turn);
    }
}

static void serve(struct stet__connection *connection)
{
    struct stet__worker *worker = connection->worker;
    struct stet__turn *turn = stet__turn_take(worker);
    if (!turn) {
        stet__connection_close(connection);
        return;
    }
    if (receive(connection, turn))
        take_octets(connection, turn);
    else
        stet__turn_give(worker, turn);
}

static void serve_kept(struct stet__connection *connection)
{
    struct stet__turn *turn = stet__turn_take(connection->worker);
    if (!turn) {
        stet__connection_close(connection);
        return;
    }
    turn->begin = 0;
    turn->end = connection->kept.len;
    if (turn->end > 0)
        memcpy(turn->input, connection->kept.ptr, turn->end);
    stet__http1_run(connection, turn);
}

/* A forward proxy gets the absolute form for other hosts than its own. */
bool stet__connection_misdirected(const struct stet__connection *connection,
                                  const struct stet_http1_request *request)
{
    struct stet_span host = request->authority;
    if (!connection->tls || host.len == 0 || host.ptr[0] == '[' || request->form == STET_TARGET_ABSOLUTE ||
        request->form == STET_TARGET_AUTHORITY)
        return false;
    const char *colon = memchr(host.ptr, ':', host.len);
    host.len = colon ? (size_t)(colon - host.ptr) : host.len;
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    return stet__tls_config_misdirected(connection->tls->ssl, host);
}

/* More of the body that a role reads. */
static void receive_body(struct stet__connection *connection, struct stet__turn *turn)
{
    stet__request_body_make_room(turn);
    ssize_t n = stet__transport_recv(stet__connection_transport(connection), turn->input + turn->end,
                                     turn->room - turn->end);
    if (n > 0) {
        turn->end += (size_t)n;
        turn->body.begun = true;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        /* A request that is cut off: whoever waits for its answer cannot be helped (RFC 9112 section 8). */
        connection->broken = true;
    }
}

static void drain(struct stet__connection *connection)
{
    struct stet__turn *turn = stet__turn_take(connection->worker);
    ssize_t n =
        turn ? stet__transport_recv(stet__connection_transport(connection), turn->input, turn->room) : 0;
    int cause = errno;
    if (turn)
        stet__turn_give(connection->worker, turn);
    if (n < 0 && (cause == EAGAIN || cause == EINTR))
        return;
    if (n <= 0 || (size_t)n >= connection->linger_left) {
        stet__connection_close(connection);
        return;
    }
    connection->linger_left -= (uint32_t)n;
    stet__transport_go_on(stet__connection_transport(connection));
}

/* Sends what was kept. True if all of it is sent. */
static bool go_on_sending(struct stet__connection *connection)
{
    switch (stet__output_push(&connection->sending->output, stet__connection_transport(connection))) {
    case STET__SENT_ALL:
        stet__connection_end_sending(connection, false);
        return true;
    case STET__SENT_SOME:
        stet__connection_set_deadline(connection, connection->worker->limits->send_timeout_s);
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

static void writable(struct stet__connection *connection)
{
    bool done = !connection->sending || go_on_sending(connection);
    if (connection->broken) {
        stet__connection_close(connection);
    } else if (done) {
        connection->state = STET__CONNECTION_READING;
        serve_kept(connection);
    }
}

/* Of a connection whose exchange a role has. */
static void go_on(struct stet__connection *connection, uint32_t events)
{
    struct stet__turn *turn = connection->turn;
    if (events & (EPOLLHUP | EPOLLERR)) {
        stet__connection_close(connection);
        return;
    }
    if (connection->sending && (events & EPOLLOUT))
        (void)go_on_sending(connection);
    if ((events & EPOLLIN) && stet__request_body_awaits(turn))
        receive_body(connection, turn);
    else if (events & EPOLLIN)
        stet__connection_listen(connection, false, connection->listening_out);
    if (connection->broken)
        stet__connection_close(connection);
    else
        stet__http1_run(connection, turn);
}

void stet__connection_ready(struct stet__watch *watch, uint32_t events)
{
    struct stet__connection *connection = stet__list_entry(watch, struct stet__connection, watch);
    if (connection->listening_blocked)
        stet__transport_flush(stet__connection_transport(connection));
    switch (connection->state) {
    case STET__CONNECTION_READING:
        serve(connection);
        break;
    case STET__CONNECTION_SENDING:
        writable(connection);
        break;
    case STET__CONNECTION_WAITING:
    case STET__CONNECTION_STREAMING:
        go_on(connection, events);
        break;
    case STET__CONNECTION_HTTP2:
        stet__http2_ready(connection, events);
        break;
    default:
        stet__assert(connection->state == STET__CONNECTION_LINGERING);
        drain(connection);
        break;
    }
}

/* A role has the exchange: it was the client's turn to read, or to send its request's body. */
static void passed_asked(struct stet__connection *connection)
{
    bool streams = connection->state == STET__CONNECTION_STREAMING;
    bool blocked = connection->sending || (streams && stet__streaming_blocked(connection->turn));
    if (blocked || !stet__request_body_awaits(connection->turn)) {
        connection->reset = true;
        stet__connection_close(connection);
        return;
    }
    stet__request_body_late(connection, connection->turn);
    stet__http1_run(connection, connection->turn);
}

void stet__connection_passed(struct stet__deadline *deadline)
{
    struct stet__connection *connection = stet__list_entry(deadline, struct stet__connection, deadline);
    if (connection->state == STET__CONNECTION_HTTP2) {
        stet__http2_passed(connection);
        return;
    }
    if (stet__connection_asked(connection)) {
        passed_asked(connection);
        return;
    }
    if (connection->state == STET__CONNECTION_SENDING)
        connection->reset = true;
    if (connection->state != STET__CONNECTION_READING || !in_request(connection)) {
        stet__connection_close(connection);
        return;
    }
    struct stet__worker *worker = connection->worker;
    struct stet__turn *turn = stet__turn_take(worker);
    if (!turn) {
        stet__connection_close(connection);
        return;
    }
    turn->begin = turn->end = 0;
    stet__http1_refuse_late(connection, turn);
    stet__turn_give(worker, turn);
}

/* Moves what `turn` could not send to the connection. */
static bool keep_output(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__sending *sending = connection->sending;
    if (!sending) {
        sending = calloc(1, sizeof *sending);
        if (!sending)
            return false;
        stet__output_init(&sending->output);
        connection->sending = sending;
    }
    if (!stet__output_keep(&sending->output, &turn->output))
        return false;
    sending->record = turn->record ? stet__log_record_copy(turn->record) : NULL;
    sending->asked_ms = turn->asked_ms;
    turn->record = NULL;
    return true;
}

static void forget_output(struct stet__turn *turn)
{
    /* Of what is sent at once nothing is kept (output.h), so this is all there is to clear. */
    stet__buffer_clear(&turn->output.octets);
    turn->output.sent = 0;
    turn->output.body = (struct stet__body){0};
    turn->output.body_bytes = 0;
    turn->record = NULL;
}

void stet__connection_send(struct stet__connection *connection, struct stet__turn *turn)
{
    enum stet__sent sent = STET__SENT_SOME;
    if (connection->broken)
        sent = STET__SENT_GONE;
    else if (!connection->sending)
        sent = stet__output_push(&turn->output, stet__connection_transport(connection));
    if (sent == STET__SENT_SOME && keep_output(connection, turn))
        return;
    if (sent != STET__SENT_ALL) {
        connection->broken = true;
        connection->reset |= sent != STET__SENT_GONE;
    }
    if (turn->record) {
        turn->record->body_bytes = turn->output.body_bytes;
        log_sent(connection, turn->record, connection->broken);
    }
    forget_output(turn);
}

/* Keeps the octets of `turn` that are not dealt with. */
static bool keep_input(struct stet__connection *connection, const struct stet__turn *turn)
{
    struct stet__buffer *kept = &connection->kept;
    size_t len = turn->end - turn->begin;
    if (len == 0) {
        stet__buffer_release(kept);
        return true;
    }
    /* A head that comes octet by octet: what is kept is its front already. */
    size_t same = turn->begin == 0 && kept->len <= len ? kept->len : 0;
    if (same == 0)
        stet__buffer_clear(kept);
    return stet__buffer_append(kept, stet_span_of(turn->input + turn->begin + same, len - same));
}

/* Waits for octets, with the time-out of what they will be. */
static void read_on(struct stet__connection *connection)
{
    const struct stet__limits *limits = connection->worker->limits;
    connection->state = STET__CONNECTION_READING;
    stet__connection_listen(connection, true, false);
    if (connection->chunked_head > 0 || connection->body_left > 0) {
        connection->head_begun = false;
        stet__connection_set_deadline(connection, limits->body_timeout_s);
    } else if (connection->kept.len == 0) {
        connection->head_begun = false;
        stet__connection_set_deadline(connection, limits->idle_timeout_s);
    } else if (!connection->head_begun) {
        connection->head_begun = true;
        stet__connection_set_deadline(connection, limits->head_timeout_s);
    }
}

void stet__connection_finish(struct stet__connection *connection)
{
    if (!connection->linger || stet__transport_end(stet__connection_transport(connection)) < 0) {
        stet__connection_close(connection);
        return;
    }
    connection->state = STET__CONNECTION_LINGERING;
    connection->linger_left = LINGER_OCTETS;
    stet__buffer_release(&connection->kept);
    stet__connection_listen(connection, true, false);
    stet__connection_set_deadline(connection, LINGER_S);
}

/* A role has the exchange. */
static void settle_asked(struct stet__connection *connection, const struct stet__turn *turn)
{
    const struct stet__limits *limits = connection->worker->limits;
    bool streams = connection->state == STET__CONNECTION_STREAMING;
    bool out = connection->sending || (streams && stet__streaming_blocked(turn));
    bool in = stet__request_body_awaits(turn);
    stet__buffer_release(&connection->kept);
    if (connection->broken) {
        stet__connection_close(connection);
        return;
    }
    /* Most clients send nothing before they have their answer: go_on stops listening if one does. */
    stet__connection_listen(connection, in || connection->listening_in, out);
    int64_t limit_s = in ? limits->body_timeout_s : NEVER_S;
    stet__connection_set_deadline(connection, out ? limits->send_timeout_s : limit_s);
}

void stet__connection_wake(struct stet__connection *connection)
{
    stet__connection_listen(connection, connection->listening_in, true);
}

void stet__connection_settle(struct stet__connection *connection, struct stet__turn *turn)
{
    if (connection->state == STET__CONNECTION_DETACHED || connection->state == STET__CONNECTION_FREE)
        return;
    if (stet__connection_asked(connection)) {
        settle_asked(connection, turn);
        return;
    }
    if (connection->closing)
        turn->begin = turn->end;
    if (!connection->broken && !keep_input(connection, turn))
        connection->broken = true;
    if (connection->broken) {
        stet__connection_close(connection);
    } else if (connection->sending) {
        connection->state = STET__CONNECTION_SENDING;
        stet__connection_listen(connection, false, true);
        stet__connection_set_deadline(connection, connection->worker->limits->send_timeout_s);
    } else if (connection->closing || (connection->worker->stopping && !in_request(connection))) {
        stet__connection_finish(connection);
    } else {
        read_on(connection);
    }
}

void stet__connection_stop(struct stet__connection *connection)
{
    /* A request may have come that was not read yet: look, then close (receive). */
    if (connection->state == STET__CONNECTION_HTTP2)
        stet__http2_stop(connection);
    else if (connection->state == STET__CONNECTION_READING && !in_request(connection))
        serve(connection);
}

void stet__connection_cut(struct stet__connection *connection)
{
    if (connection->state == STET__CONNECTION_DETACHED) {
        struct stet__tunnel_end end = connection->sending->tunnel;
        end.cut(end.owner);
        return;
    }
    connection->reset = connection->sending != NULL || connection->state == STET__CONNECTION_STREAMING ||
                        (connection->http2 && stet__http2_answering(connection));
    stet__connection_close(connection);
}
