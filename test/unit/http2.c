/* SPDX-License-Identifier: MIT */
/*
 * http2: what a role may do with an exchange that is a stream of HTTP/2: answer at once and later, from
 * memory and files, with an owner and a source, and not to the end; and what it is told when the client is
 * gone. The client is nghttp2's, over a Unix socket. Frames as such are the subject of test/http2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <nghttp2/nghttp2.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "net/head.h"
#include "wire.h"

#define FILE_BYTES 300000u
#define STREAMS 16

/* All of the one worker's thread, but for what is atomic. */
static struct {
    char memory[100000];
    int file;
    atomic_uint holds, releases, done_sent, done_cut, gone;
    atomic_bool intact;
    struct stet__exchange *held;
    struct stet__exchange *streaming;
    unsigned given;
} role;

static void *role_start(const void *configuration, struct stet__loop *loop, const char **error)
{
    return &role;
}

static void role_stop(void *state)
{
}

static void hold(void *owner)
{
    role.holds++;
}

static void release(void *owner)
{
    role.releases++;
}

static bool intact(void *owner)
{
    return role.intact;
}

static void answer(struct stet__exchange *exchange, struct stet__reply *reply)
{
    struct stet_fields none = {NULL, 0, 0};
    reply->head = stet__head_make(exchange->arena, 200, &none);
    stet__assert(reply->head);
    stet__exchange_answer(exchange, reply);
}

static void answer_text(struct stet__exchange *exchange, struct stet_span text)
{
    struct stet__part part = stet__part_memory(text);
    struct stet__reply reply = {.parts = &part, .part_count = 1};
    answer(exchange, &reply);
}

/* Memory, a file, nothing, memory. */
static void answer_parts(struct stet__exchange *exchange, bool owned)
{
    struct stet__part parts[] = {stet__part_memory(stet_span_of(role.memory, sizeof role.memory)),
                                 {.fd = role.file, .length = FILE_BYTES},
                                 stet__part_memory(STET_SPAN("")),
                                 stet__part_memory(STET_SPAN("the end"))};
    struct stet__reply reply = {.parts = parts, .part_count = 4, .owner = &role};
    if (owned) {
        reply.hold = hold;
        reply.release = release;
        reply.intact = intact;
    }
    answer(exchange, &reply);
    if (!owned)
        memset(parts, 0, sizeof parts);
}

static enum stet__supply next(void *owner, struct stet__part *part)
{
    bool cut = owner != &role;
    if (role.given == 3)
        return cut ? STET__SUPPLY_CUT : STET__SUPPLY_END;
    role.given++;
    if (role.given == 2 && !cut)
        return STET__SUPPLY_WAIT; /* until somebody asks for /on */
    *part = stet__part_memory(STET_SPAN("part "));
    return STET__SUPPLY_PART;
}

static void done(void *owner, bool sent)
{
    if (sent)
        role.done_sent++;
    else
        role.done_cut++;
    role.streaming = NULL;
}

static void stream(struct stet__exchange *exchange, bool cut)
{
    struct stet__reply reply = {
        .source = {.owner = cut ? (void *)&role.given : &role, .next = next, .done = done}, .chunked = true};
    role.given = 0;
    role.streaming = exchange;
    answer(exchange, &reply);
}

static void on_gone(struct stet__exchange *exchange)
{
    role.gone++;
    role.held = NULL;
    answer_text(exchange, STET_SPAN("nobody reads this"));
}

static void go_on(void)
{
    if (role.held)
        answer_text(role.held, STET_SPAN("later"));
    role.held = NULL;
    if (role.streaming)
        stet__exchange_write_on(role.streaming);
}

static void role_request(void *state, struct stet__exchange *exchange)
{
    switch (exchange->request->path_query.ptr[1]) {
    case 'p':
        answer_parts(exchange, false);
        return;
    case 'w':
        answer_parts(exchange, true);
        return;
    case 'h':
        role.held = exchange;
        exchange->gone = on_gone;
        return;
    case 's':
        stream(exchange, false);
        return;
    case 'c':
        stream(exchange, true);
        return;
    case 'k':
        stet__exchange_cut(role.streaming);
        break;
    case 'o':
        go_on();
        break;
    default:
        break;
    }
    answer_text(exchange, exchange->request->path_query);
}

static const struct stet__role the_role = {.start = role_start, .request = role_request, .stop = role_stop};

/* ---- the client ---- */

struct client {
    int fd;
    nghttp2_session *session;
    struct {
        struct stet__buffer body;
        bool closed;
        uint32_t error;
    } streams[STREAMS]; /* by half their number */
};

static ssize_t on_send(nghttp2_session *session, const uint8_t *octets, size_t len, int flags, void *user)
{
    const struct client *client = user;
    return send(client->fd, octets, len, MSG_NOSIGNAL);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *octets, size_t len,
                   void *user)
{
    struct client *client = user;
    assert_true(stet__buffer_append(&client->streams[id / 2].body, stet_span_of((const char *)octets, len)));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct client *client = user;
    client->streams[id / 2].closed = true;
    client->streams[id / 2].error = error;
    return 0;
}

static struct client connect_client(void)
{
    struct client client = {.fd = wire_connect()};
    for (size_t i = 0; i < STREAMS; i++)
        stet__buffer_init(&client.streams[i].body, 1u << 20);
    return client;
}

static void begin(struct client *client)
{
    nghttp2_session_callbacks *callbacks;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    assert_int_equal(nghttp2_session_client_new(&client->session, callbacks, client), 0);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
}

static int32_t get(struct client *client, const char *path)
{
    const char *lines[][2] = {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", path}};
    nghttp2_nv nvs[4];
    for (size_t i = 0; i < 4; i++) {
        nvs[i] = (nghttp2_nv){.namelen = strlen(lines[i][0]), .valuelen = strlen(lines[i][1])};
        memcpy(&nvs[i].name, &lines[i][0], sizeof nvs[i].name);
        memcpy(&nvs[i].value, &lines[i][1], sizeof nvs[i].value);
    }
    int32_t id = nghttp2_submit_request(client->session, NULL, nvs, 4, NULL, NULL);
    assert_true(id > 0);
    assert_int_equal(nghttp2_session_send(client->session), 0);
    return id;
}

static void receive(struct client *client)
{
    static uint8_t octets[65536];
    ssize_t n = recv(client->fd, octets, sizeof octets, 0);
    assert_true(n > 0);
    assert_int_equal(nghttp2_session_mem_recv(client->session, octets, (size_t)n), n);
    assert_int_equal(nghttp2_session_send(client->session), 0);
}

/* Reads until the stream is over. */
static void finish(struct client *client, int32_t id)
{
    while (!client->streams[id / 2].closed)
        receive(client);
}

/* ... until something of it has come: then its source waits. */
static void begun(struct client *client, int32_t id)
{
    while (client->streams[id / 2].body.len == 0)
        receive(client);
}

static void assert_text(struct client *client, int32_t id, const char *text)
{
    finish(client, id);
    struct stet_span got = stet__buffer_span(&client->streams[id / 2].body);
    assert_int_equal(client->streams[id / 2].error, NGHTTP2_NO_ERROR);
    assert_true(stet_span_equal(got, stet_span_of(text, strlen(text))));
}

static void leave(struct client *client)
{
    nghttp2_session_del(client->session);
    for (size_t i = 0; i < STREAMS; i++)
        stet__buffer_release(&client->streams[i].body);
    close(client->fd);
}

static void start(struct client *client)
{
    static char template[] = "/tmp/stet-http2-XXXXXX";
    static char octets[FILE_BYTES];
    role.file = mkstemp(template);
    assert_true(role.file >= 0);
    (void)unlink(template);
    memcpy(template + sizeof template - 7, "XXXXXX", 6);
    memset(octets, 'f', sizeof octets);
    memset(role.memory, 'm', sizeof role.memory);
    assert_int_equal(write(role.file, octets, sizeof octets), sizeof octets);
    role.holds = role.releases = role.done_sent = role.done_cut = role.gone = 0;
    role.intact = true;
    wire_start(&the_role, NULL);
    *client = connect_client();
    begin(client);
}

static void stop(struct client *client)
{
    leave(client);
    wire_stop();
    close(role.file);
    assert_int_equal(role.holds, role.releases);
}

static void test_parts(void **state)
{
    struct client client;
    start(&client);
    int32_t mine = get(&client, "/parts"), owned = get(&client, "/whole");
    for (int32_t id = mine; id <= owned; id += 2) {
        finish(&client, id);
        struct stet_span got = stet__buffer_span(&client.streams[id / 2].body);
        assert_int_equal(got.len, sizeof role.memory + FILE_BYTES + 7);
        assert_int_equal(got.ptr[sizeof role.memory - 1], 'm');
        assert_int_equal(got.ptr[sizeof role.memory], 'f');
        assert_memory_equal(got.ptr + got.len - 8, "fthe end", 8);
    }
    assert_text(&client, get(&client, "/x"), "/x");
    stop(&client);
    assert_int_equal(role.holds, 1);
}

static void test_file_that_changes(void **state)
{
    struct client client;
    start(&client);
    role.intact = false;
    int32_t id = get(&client, "/whole");
    finish(&client, id);
    assert_int_equal(client.streams[id / 2].error, NGHTTP2_INTERNAL_ERROR);
    role.intact = true;
    assert_int_equal(ftruncate(role.file, 1000), 0);
    id = get(&client, "/whole");
    finish(&client, id);
    assert_int_equal(client.streams[id / 2].error, NGHTTP2_INTERNAL_ERROR);
    assert_text(&client, get(&client, "/x"), "/x");
    stop(&client);
    assert_int_equal(role.holds, 2);
    assert_non_null(strstr(wire.logged, "\"version\":\"2.0\""));
    assert_non_null(strstr(wire.logged, "\"aborted\":true"));
}

static void test_later(void **state)
{
    struct client client;
    start(&client);
    int32_t held = get(&client, "/held");
    assert_text(&client, get(&client, "/x"), "/x");
    assert_text(&client, get(&client, "/on"), "/on");
    assert_text(&client, held, "later");
    stop(&client);
}

static void test_sources(void **state)
{
    struct client client;
    start(&client);
    int32_t id = get(&client, "/stream");
    begun(&client, id);
    assert_text(&client, get(&client, "/on"), "/on");
    assert_text(&client, id, "part part ");
    assert_int_equal(role.done_sent, 1);
    id = get(&client, "/cut");
    finish(&client, id);
    assert_int_equal(client.streams[id / 2].error, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(role.done_cut, 1);
    id = get(&client, "/stream");
    assert_text(&client, get(&client, "/kill"), "/kill");
    finish(&client, id);
    assert_int_equal(client.streams[id / 2].error, NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(role.done_cut, 2);
    stop(&client);
}

/* A reset tells the role at once, the end of a connection tells those of all streams. */
static void test_gone(void **state)
{
    struct client client;
    start(&client);
    int32_t id = get(&client, "/held");
    assert_int_equal(nghttp2_submit_rst_stream(client.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL), 0);
    assert_text(&client, get(&client, "/x"), "/x");
    assert_int_equal(role.gone, 1);
    (void)get(&client, "/held");
    (void)get(&client, "/stream");
    assert_text(&client, get(&client, "/x"), "/x");
    stop(&client);
    assert_int_equal(role.gone, 2);
    assert_int_equal(role.done_cut, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts), cmocka_unit_test(test_file_that_changes),
        cmocka_unit_test(test_later), cmocka_unit_test(test_sources),
        cmocka_unit_test(test_gone),
    };
    return cmocka_run_group_tests(tests, wire_prepare, wire_clean_up);
}
