/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection of HTTP/2: octets go to nghttp2, which calls the other files back; frames come
 * from it; time-outs, GOAWAY. RFC 9113 sections 3, 5.4.1, 6.5, 6.8 and 9.1.
 */
#include "net/http2_stream.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/assert.h"

/* Of the requests' bodies that a role reads; RFC 9113 section 6.9.2 has 65535 for others. */
#define STREAM_WINDOW (256 * 1024)
#define CONNECTION_WINDOW (1024 * 1024)

#define BURST (1024u * 1024) /* octets in one go: then others have their turn */
#define STOP_S 1             /* a client answers the PING of a notice in this time, or is not waited for */
#define ACKS_MAX 64          /* answers to PING and SETTINGS that wait to be sent */

static int64_t now_s(const struct stet__http2 *http2)
{
    return stet__worker_seconds(http2->connection->worker);
}

/* ---- what nghttp2 tells of frames ---- */

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct stet__http2 *http2 = user;
    struct stet__http2_stream *stream = NULL;
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        stream = http2->heading;
        if (stream && end)
            stream->ended_in = true;
        if (stream && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            stet__http2_head_end(stream);
        if (stream && end)
            stet__http2_body_end(stream);
        break;
    case NGHTTP2_DATA:
        stream = end ? nghttp2_session_get_stream_user_data(session, frame->hd.stream_id) : NULL;
        if (stream) {
            stream->ended_in = true;
            stet__http2_body_end(stream);
        }
        break;
    case NGHTTP2_RST_STREAM:
        stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (stream)
            stream->given_up = true;
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && http2->stopping)
            stet__http2_go_away(http2);
        break;
    default:
        break;
    }
    stet__http2_count_frame(http2, frame);
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    bool content = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!content || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    struct stet__http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream)
        stet__http2_stream_answered(stream);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct stet__http2 *http2 = user;
    struct stet__http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    /* What the origin or this side has cut off is not the client's doing. */
    if (!stream || (error != NGHTTP2_NO_ERROR && !stream->data.failed) || !stream->answered)
        stet__http2_count_reset(http2);
    if (stream && !stream->ended_in && !stream->given_up)
        stet__http2_note_refused(http2, id);
    if (stream)
        stet__http2_stream_close(stream);
    return 0;
}

/* ---- what all connections of a worker share ---- */

static bool set_callbacks(struct stet__http2_worker *shared)
{
    if (nghttp2_session_callbacks_new(&shared->callbacks) != 0 || nghttp2_option_new(&shared->option) != 0)
        return false;
    nghttp2_session_callbacks *to = shared->callbacks;
    nghttp2_session_callbacks_set_on_begin_frame_callback(to, stet__http2_on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(to, stet__http2_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(to, stet__http2_on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(to, stet__http2_on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, stet__http2_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(to, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(to, stet__http2_on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(to, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(to, on_stream_close);
    nghttp2_session_callbacks_set_unpack_extension_callback(to, stet__http2_on_unknown_frame);
    nghttp2_session_callbacks_set_send_data_callback(to, stet__http2_data_send);
    nghttp2_option_set_no_auto_window_update(shared->option, 1);
    nghttp2_option_set_no_closed_streams(shared->option, 1);
    nghttp2_option_set_max_outbound_ack(shared->option, ACKS_MAX);
    /* Only of types that it was told of does nghttp2 tell when it passes over a frame. */
    for (unsigned type = NGHTTP2_CONTINUATION + 1; type <= UINT8_MAX; type++)
        if (type != NGHTTP2_PRIORITY_UPDATE)
            nghttp2_option_set_user_recv_extension_type(shared->option, (uint8_t)type);
    nghttp2_option_set_builtin_recv_extension_type(shared->option, NGHTTP2_PRIORITY_UPDATE);
    return true;
}

void stet__http2_worker_free(struct stet__http2_worker *shared)
{
    if (!shared)
        return;
    while (!stet__list_empty(&shared->gone)) {
        struct stet__list *node = shared->gone.next;
        stet__list_remove(node);
        stet__http2_stream_free(stet__list_entry(node, struct stet__http2_stream, node));
    }
    while (!stet__list_empty(&shared->streams)) {
        struct stet__list *node = shared->streams.next;
        stet__list_remove(node);
        stet__http2_stream_free(stet__list_entry(node, struct stet__http2_stream, node));
    }
    nghttp2_session_callbacks_del(shared->callbacks);
    nghttp2_option_del(shared->option);
    stet__http2_memory_end(&shared->memory);
    free(shared);
}

static struct stet__http2_worker *share(struct stet__worker *worker)
{
    if (worker->http2)
        return worker->http2;
    struct stet__http2_worker *shared = calloc(1, sizeof *shared);
    if (!shared)
        return NULL;
    shared->worker = worker;
    stet__list_init(&shared->streams);
    stet__list_init(&shared->gone);
    stet__http2_memory_begin(&shared->memory);
    if (!set_callbacks(shared)) {
        stet__http2_worker_free(shared);
        return NULL;
    }
    worker->http2 = shared;
    return shared;
}

/* ---- octets out ---- */

/* Frames, up to what is sent in one go; nghttp2 calls stet__http2_data_send for those with content. */
static void gather(struct stet__http2 *http2)
{
    struct stet__connection *connection = http2->connection;
    struct stet__buffer *out = &http2->turn->output.octets;
    while (out->len < STET__OUTPUT_FULL) {
        const uint8_t *octets;
        ssize_t n = nghttp2_session_mem_send(http2->session, &octets);
        if (n < 0 || (n > 0 && !stet__buffer_append(out, stet_span_of((const char *)octets, (size_t)n))))
            connection->broken = true;
        if (n <= 0)
            break;
    }
}

/* True if all is taken. */
static bool push(struct stet__http2 *http2, struct stet__output *output)
{
    struct stet__connection *connection = http2->connection;
    size_t before = output->sent;
    enum stet__sent sent = stet__output_push(output, stet__connection_transport(connection));
    if (sent == STET__SENT_ALL || output->sent > before)
        http2->sent_s = now_s(http2);
    if (sent == STET__SENT_GONE || sent == STET__SENT_SPOILT)
        connection->broken = true;
    return sent == STET__SENT_ALL;
}

static void work(struct stet__http2 *http2)
{
    while (!stet__list_empty(&http2->woken)) {
        struct stet__list *node = http2->woken.next;
        stet__list_remove(node);
        stet__http2_stream_work(stet__list_entry(node, struct stet__http2_stream, woken_node));
    }
}

/* Sends what there is. False if there is more, for the next wake-up. */
static bool pump(struct stet__http2 *http2)
{
    struct stet__connection *connection = http2->connection;
    struct stet__output *output = &http2->turn->output;
    size_t sent = 0;
    if (!stet__output_empty(&http2->unsent)) {
        if (!push(http2, &http2->unsent))
            return true;
        stet__output_release(&http2->unsent);
    }
    while (!connection->broken) {
        work(http2);
        gather(http2);
        if (connection->broken || stet__output_empty(output))
            break;
        sent += output->octets.len;
        if (!push(http2, output)) {
            connection->broken |= !stet__output_keep(&http2->unsent, output);
            break;
        }
        if (sent >= BURST)
            return false;
    }
    return true;
}

/* ---- what comes next ---- */

static void set_deadline(struct stet__http2 *http2)
{
    const struct stet__limits *limits = http2->connection->worker->limits;
    if (stet__list_empty(&http2->streams) && stet__output_empty(&http2->unsent) && !http2->stopping) {
        http2->looking = false;
        stet__connection_set_deadline(http2->connection, limits->idle_timeout_s);
    } else if (!http2->looking) {
        http2->looking = true;
        unsigned s =
            limits->send_timeout_s < limits->body_timeout_s ? limits->send_timeout_s : limits->body_timeout_s;
        s = limits->head_timeout_s < s ? limits->head_timeout_s : s;
        stet__connection_set_deadline(http2->connection, http2->stopping && !http2->stopped ? STOP_S : s);
    }
}

static void settle(struct stet__http2 *http2, bool more)
{
    struct stet__connection *connection = http2->connection;
    nghttp2_session *session = http2->session;
    bool blocked = !stet__output_empty(&http2->unsent);
    if (connection->broken) {
        stet__connection_close(connection);
    } else if (!blocked && !more && !nghttp2_session_want_read(session) &&
               !nghttp2_session_want_write(session)) {
        /* RFC 9113 section 6.8: the last GOAWAY is sent. */
        stet__http2_end(connection);
        connection->linger = true;
        stet__connection_finish(connection);
    } else {
        stet__connection_listen(connection, true, blocked || more);
        set_deadline(http2);
    }
}

/* Has `first` done, then what it has led to; gives `turn` back. May free the connection. */
static void run(struct stet__http2 *http2, struct stet__turn *turn, void (*first)(struct stet__http2 *http2))
{
    struct stet__worker *worker = http2->connection->worker;
    stet__loop_not_soon(&http2->soon);
    http2->turn = turn;
    if (first)
        first(http2);
    bool all = http2->connection->broken || pump(http2);
    http2->turn = NULL;
    stet__buffer_clear(&turn->output.octets);
    settle(http2, !all);
    stet__turn_give(worker, turn);
}

static void run_with_turn(struct stet__http2 *http2, void (*first)(struct stet__http2 *http2))
{
    struct stet__turn *turn = stet__turn_take(http2->connection->worker);
    if (turn)
        run(http2, turn, first);
    else
        stet__connection_close(http2->connection);
}

static void on_soon(struct stet__soon *soon)
{
    run_with_turn(stet__list_entry(soon, struct stet__http2, soon), NULL);
}

void stet__http2_flush_soon(struct stet__http2 *http2)
{
    if (!http2->turn)
        stet__loop_soon(http2->connection->worker->loop, &http2->soon);
}

/* ---- octets in ---- */

static void feed(struct stet__http2 *http2)
{
    struct stet__turn *turn = http2->turn;
    const uint8_t *octets = (const uint8_t *)turn->input + turn->begin;
    ssize_t n = nghttp2_session_mem_recv(http2->session, octets, turn->end - turn->begin);
    turn->begin = turn->end = 0;
    if (n >= 0)
        return;
    /* RFC 9113 section 5.4.1: whatever nghttp2 cannot go on with; most of it ends in its own GOAWAY. */
    bool calm = n == NGHTTP2_ERR_FLOODED || n == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    uint32_t error = calm ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR;
    if (nghttp2_session_terminate_session(http2->session, error) != 0)
        http2->connection->broken = true;
}

void stet__http2_ready(struct stet__connection *connection, uint32_t events)
{
    struct stet__http2 *http2 = connection->http2;
    struct stet__turn *turn = stet__turn_take(connection->worker);
    ssize_t n = 0;
    if (turn && (events & EPOLLIN))
        n = stet__transport_recv(stet__connection_transport(connection), turn->input, turn->room);
    bool wait = n < 0 && (errno == EAGAIN || errno == EINTR);
    bool ended = (events & EPOLLIN) ? n == 0 || (n < 0 && !wait) : (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (!turn || ended) {
        if (turn)
            stet__turn_give(connection->worker, turn);
        stet__connection_close(connection);
        return;
    }
    turn->begin = 0;
    turn->end = n > 0 ? (size_t)n : 0;
    run(http2, turn, n > 0 ? feed : NULL);
}

/* ---- the beginning and the end ---- */

/* RFC 9113 section 6.5.2. */
static bool greet(struct stet__http2 *http2)
{
    const struct stet__worker *worker = http2->connection->worker;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, worker->limits->streams},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)worker->limits->head.head_bytes},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
    };
    size_t count = sizeof settings / sizeof *settings;
    if (!worker->role->reads_bodies)
        count--;
    if (nghttp2_submit_settings(http2->session, NGHTTP2_FLAG_NONE, settings, count) != 0)
        return false;
    return !worker->role->reads_bodies || nghttp2_session_set_local_window_size(
                                              http2->session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW) == 0;
}

static struct stet__http2 *make(struct stet__connection *connection)
{
    struct stet__http2_worker *shared = share(connection->worker);
    struct stet__http2 *http2 = shared ? calloc(1, sizeof *http2) : NULL;
    if (!http2)
        return NULL;
    http2->connection = connection;
    http2->shared = shared;
    http2->sent_s = now_s(http2);
    stet__list_init(&http2->streams);
    stet__list_init(&http2->woken);
    stet__output_init(&http2->unsent);
    stet__soon_init(&http2->soon, on_soon);
    stet__http2_flood_begin(http2);
    /* Where it fails, `session` is something that nghttp2 has freed already. */
    if (nghttp2_session_server_new3(&http2->session, shared->callbacks, http2, shared->option,
                                    &shared->memory.functions) == 0) {
        if (greet(http2))
            return http2;
        nghttp2_session_del(http2->session);
    }
    free(http2);
    return NULL;
}

void stet__http2_begin(struct stet__connection *connection, struct stet__turn *turn)
{
    struct stet__http2 *http2 = make(connection);
    stet__buffer_release(&connection->kept);
    if (!http2) {
        stet__turn_give(connection->worker, turn);
        stet__connection_close(connection);
        return;
    }
    connection->http2 = http2;
    connection->state = STET__CONNECTION_HTTP2;
    connection->head_begun = false;
    bool stopping = connection->worker->stopping;
    run(http2, turn, feed);
    if (stopping && connection->state == STET__CONNECTION_HTTP2)
        stet__http2_stop(connection);
}

void stet__http2_go_away(struct stet__http2 *http2)
{
    if (http2->stopped)
        return;
    http2->stopped = true;
    int32_t last = nghttp2_session_get_last_proc_stream_id(http2->session);
    if (nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0) != 0)
        http2->connection->broken = true;
}

/* RFC 9113 section 6.8: first a notice, so that nothing is lost of what is on its way; the answer to PING
 * tells that nothing is any more. */
static void announce(struct stet__http2 *http2)
{
    if (nghttp2_submit_shutdown_notice(http2->session) != 0 ||
        nghttp2_submit_ping(http2->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        http2->connection->broken = true;
}

void stet__http2_stop(struct stet__connection *connection)
{
    struct stet__http2 *http2 = connection->http2;
    if (http2->stopping)
        return;
    http2->stopping = true;
    http2->looking = false;
    run_with_turn(http2, announce);
}

/* What is late. */
static void look(struct stet__http2 *http2)
{
    struct stet__connection *connection = http2->connection;
    int64_t now = now_s(http2), most = connection->worker->limits->send_timeout_s;
    if (http2->stopping) {
        stet__http2_go_away(http2);
    } else if (stet__list_empty(&http2->streams) && stet__output_empty(&http2->unsent)) {
        /* RFC 9113 section 9.1: an idle connection is told before it is closed. */
        connection->broken |= nghttp2_session_terminate_session(http2->session, NGHTTP2_NO_ERROR) != 0;
        return;
    }
    if (!stet__output_empty(&http2->unsent) && now - http2->sent_s >= most) {
        connection->broken = connection->reset = true;
        return;
    }
    struct stet__list *next;
    for (struct stet__list *node = http2->streams.next; node != &http2->streams; node = next) {
        next = node->next;
        struct stet__http2_stream *stream = stet__list_entry(node, struct stet__http2_stream, node);
        int64_t due = stet__http2_stream_due(stream, now, most);
        most = due < most ? due : most;
    }
    http2->looking = true;
    stet__connection_set_deadline(connection, most);
}

void stet__http2_passed(struct stet__connection *connection)
{
    connection->http2->looking = false;
    run_with_turn(connection->http2, look);
}

bool stet__http2_answering(const struct stet__connection *connection)
{
    const struct stet__http2 *http2 = connection->http2;
    return !stet__list_empty(&http2->streams) || !stet__output_empty(&http2->unsent);
}

void stet__http2_end(struct stet__connection *connection)
{
    struct stet__http2 *http2 = connection->http2;
    stet__assert(!http2->turn);
    connection->http2 = NULL;
    stet__loop_not_soon(&http2->soon);
    /* A role that is called from here may ask for what is not to be done any more. */
    http2->turn = &(struct stet__turn){.begin = 0};
    while (!stet__list_empty(&http2->streams))
        stet__http2_stream_close(stet__list_entry(http2->streams.next, struct stet__http2_stream, node));
    nghttp2_session_del(http2->session);
    stet__output_release(&http2->unsent);
    free(http2);
}
