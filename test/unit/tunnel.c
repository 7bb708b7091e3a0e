/* SPDX-License-Identifier: MIT */
/*
 * tunnel: octets both ways, with the test at both ends of two socket pairs; and a whole one: a client that
 * asks a server for another protocol, whose role joins it to an origin.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/head.h"
#include "net/server.h"
#include "net/tunnel.h"
#include "net/upstream.h"

#define LARGE 3000000u

static struct stet__loop *loop;
static struct stet__tunnel *tunnel;
static int near_end, far_end, tunnel_near; /* the test's ends; the tunnel's first socket */
static struct {
    unsigned dones;
    uint64_t octets;
    bool aborted;
} over;

static void done(void *owner, uint64_t octets, bool aborted)
{
    over.dones++;
    over.octets = octets;
    over.aborted = aborted;
    close(tunnel_near);
}

static void stop_soon(struct stet__soon *soon)
{
    stet__loop_stop(loop);
}

static void turn(void)
{
    for (int i = 0; i < 3; i++) {
        struct stet__soon soon;
        stet__soon_init(&soon, stop_soon);
        stet__loop_soon(loop, &soon);
        stet__loop_run(loop);
    }
}

static void open_tunnel(const char *first_near, const char *first_far)
{
    int near_pair[2], far_pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, near_pair), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, far_pair), 0);
    near_end = near_pair[0];
    far_end = far_pair[0];
    tunnel_near = near_pair[1];
    struct stet__tunnel_ends ends = {
        .to = {{near_pair[1]}, {far_pair[1]}}, .idle_timeout_s = 10, .done = done};
    for (int i = 0; i < 2; i++)
        stet__buffer_init(&ends.first[i], 1000);
    stet__buffer_append_text(&ends.first[0], first_near);
    stet__buffer_append_text(&ends.first[1], first_far);
    tunnel = stet__tunnel_new(loop, &ends);
    assert_non_null(tunnel);
    assert_int_equal(over.dones, 0);
}

static int begin(void **state)
{
    alarm(60);
    memset(&over, 0, sizeof over);
    loop = stet__loop_new();
    return loop ? 0 : -1;
}

static int end(void **state)
{
    close(near_end);
    close(far_end);
    stet__loop_free(loop);
    return 0;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void expect(int fd, const char *text)
{
    char octets[100];
    turn();
    assert_int_equal(recv(fd, octets, sizeof octets, 0), strlen(text));
    assert_memory_equal(octets, text, strlen(text));
}

static void expect_end(int fd)
{
    char octet;
    turn();
    assert_int_equal(recv(fd, &octet, 1, 0), 0);
}

static void test_both_ways(void **state)
{
    open_tunnel("head", "early");
    expect(near_end, "head");
    expect(far_end, "early");
    say(near_end, "ping");
    expect(far_end, "ping");
    say(far_end, "pong");
    expect(near_end, "pong");
    /* One side ends; the other goes on. */
    shutdown(near_end, SHUT_WR);
    expect_end(far_end);
    say(far_end, "more");
    expect(near_end, "more");
    assert_int_equal(over.dones, 0);
    say(far_end, "last");
    shutdown(far_end, SHUT_WR);
    expect(near_end, "last");
    expect_end(near_end);
    assert_int_equal(over.dones, 1);
    assert_false(over.aborted);
    assert_int_equal(over.octets, strlen("headpongmorelast"));
}

static size_t send_some(int fd, size_t begin, size_t all)
{
    static char octets[8192];
    size_t len = all - begin < sizeof octets ? all - begin : sizeof octets;
    for (size_t i = 0; i < len; i++)
        octets[i] = (char)((begin + i) % 251);
    ssize_t n = len > 0 ? send(fd, octets, len, MSG_NOSIGNAL) : 0;
    assert_true(n >= 0 || errno == EAGAIN);
    return n > 0 ? (size_t)n : 0;
}

static size_t receive_some(int fd, size_t begin)
{
    static char octets[5000];
    ssize_t n = recv(fd, octets, sizeof octets, 0);
    assert_true(n >= 0 || errno == EAGAIN);
    for (ssize_t i = 0; i < n; i++)
        assert_int_equal(octets[i], (char)((begin + (size_t)i) % 251));
    return n > 0 ? (size_t)n : 0;
}

/* The far end does not take: the near one can send so much and no more. Then all of it comes. */
static void test_back_pressure(void **state)
{
    size_t sent = 0, received = 0, before = SIZE_MAX;
    open_tunnel("", "");
    while (before != sent) {
        before = sent;
        sent += send_some(near_end, sent, LARGE);
        turn();
    }
    assert_true(sent < LARGE);
    while (received < LARGE) {
        sent += send_some(near_end, sent, LARGE);
        received += receive_some(far_end, received);
        turn();
    }
    assert_int_equal(over.dones, 0);
    stet__tunnel_cut(tunnel);
    assert_int_equal(over.dones, 1);
}

static void test_idle(void **state)
{
    open_tunnel("", "");
    stet__loop_skip(loop, 9);
    say(near_end, "x");
    expect(far_end, "x");
    stet__loop_skip(loop, 9);
    assert_int_equal(over.dones, 0);
    stet__loop_skip(loop, 3);
    assert_int_equal(over.dones, 1);
    assert_true(over.aborted);
}

/* A side that is gone altogether while the other still sends. */
static void test_broken(void **state)
{
    open_tunnel("", "");
    close(far_end);
    say(near_end, "x");
    turn();
    assert_int_equal(over.dones, 1);
    assert_true(over.aborted);
    far_end = -1;
}

/* The whole: role, server and origin. */
static char folder[] = "/tmp/stet-tunnel-XXXXXX";
static struct stet__listen_address origin_address;

struct joiner {
    struct stet__upstreams *pool;
};

static void on_head(void *owner, const struct stet_http1_response *response);

static void on_end(void *owner, enum stet_reason reason, const struct stet_fields *trailers)
{
    fail();
}

static const struct stet__upstream_events events = {.head = on_head, .end = on_end};

struct upgrade {
    struct stet__exchange *exchange;
    struct stet__upstream *upstream;
};

static void on_head(void *owner, const struct stet_http1_response *response)
{
    struct upgrade *upgrade = owner;
    struct stet_field fields_at[] = {{STET_SPAN("Connection"), STET_SPAN("Upgrade"), STET_FIELD_OTHER},
                                     {STET_SPAN("Upgrade"), STET_SPAN("x"), STET_FIELD_OTHER}};
    struct stet_fields fields = {fields_at, response ? 2 : 0, 0};
    unsigned status = response ? response->head.status : 200;
    struct stet__head *head = stet__head_make(upgrade->exchange->arena, status, &fields);
    struct stet__reply reply = {.head = head, .reason = STET_REASON_TUNNEL};
    stet__assert(head);
    stet__exchange_join(upgrade->exchange, &reply, upgrade->upstream, 60);
    free(upgrade);
}

static void *role_start(const void *configuration, struct stet__loop *on, const char **error)
{
    static struct joiner joiner;
    struct stet__upstream_limits limits;
    stet__upstream_limits_default(&limits);
    joiner.pool = stet__upstreams_new(on, &limits);
    return joiner.pool ? &joiner : NULL;
}

static void role_stop(void *state)
{
    struct joiner *joiner = state;
    stet__upstreams_free(joiner->pool);
}

static void role_request(void *state, struct stet__exchange *exchange)
{
    struct joiner *joiner = state;
    struct upgrade *upgrade = calloc(1, sizeof *upgrade);
    stet__assert(upgrade);
    upgrade->exchange = exchange;
    if (exchange->request->head.method == STET_METHOD_CONNECT) {
        upgrade->upstream = stet__upstream_connect(joiner->pool, &origin_address, &events, upgrade);
    } else {
        struct stet__upstream_request request = {
            .address = &origin_address,
            .head = STET_SPAN("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
            .method = STET_METHOD_GET,
            .idempotent = true,
            .events = &events,
            .owner = upgrade};
        upgrade->upstream = stet__upstream_ask(joiner->pool, &request);
    }
    stet__assert(upgrade->upstream);
}

static const struct stet__role joining = {role_start, role_request, role_stop, .reads_bodies = true};

static int local_socket(struct stet__listen_address *address, const char *name)
{
    char text[128];
    snprintf(text, sizeof text, "unix:%s/%s", folder, name);
    assert_int_equal(stet__listen_address_parse(stet_span_of(text, strlen(text)), address), 0);
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

/* Up to and with `last`. */
static void expect_until(int fd, const char *last, char *octets, size_t room)
{
    size_t len = 0;
    do {
        ssize_t n = recv(fd, octets + len, room - len - 1, 0);
        assert_true(n > 0);
        len += (size_t)n;
        octets[len] = '\0';
    } while (!strstr(octets, last));
}

/* Asks with `head`; the origin answers with `answer`, if it is asked at all. */
static void join_once(const struct stet__listen_address *server, int listener, const char *head,
                      const char *answer)
{
    char octets[2000];
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, &server->at.any, server->len), 0);
    say(client, head);
    int origin = accept(listener, NULL, NULL);
    assert_true(origin >= 0);
    if (*answer) {
        expect_until(origin, "\r\n\r\n", octets, sizeof octets);
        say(origin, answer);
        expect_until(client, "behind", octets, sizeof octets);
    } else {
        expect_until(client, "\r\n\r\n", octets, sizeof octets);
    }
    assert_memory_equal(octets, *answer ? "HTTP/1.1 101" : "HTTP/1.1 200", 12);
    say(client, "ping");
    expect_until(origin, "ping", octets, sizeof octets);
    say(origin, "pong");
    expect_until(client, "pong", octets, sizeof octets);
    close(origin);
    assert_int_equal(recv(client, octets, 1, 0), 0);
    close(client);
}

static void test_joined(void **state)
{
    struct stet__listen_address server_address;
    assert_non_null(mkdtemp(folder));
    int unused = local_socket(&server_address, "server");
    int listener = local_socket(&origin_address, "origin");
    assert_int_equal(bind(listener, &origin_address.at.any, origin_address.len), 0);
    assert_int_equal(listen(listener, 8), 0);
    struct stet__server_configuration configuration = {
        .addresses = &server_address, .address_count = 1, .workers = 1, .role = &joining};
    stet__limits_default(&configuration.limits);
    configuration.limits.stop_timeout_s = 1;
    char error[256];
    struct stet__server *server = stet__server_start(&configuration, error, sizeof error);
    assert_non_null(server);
    join_once(&server_address, listener,
              "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
              "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbehind");
    join_once(&server_address, listener, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "");
    stet__server_stop(server);
    close(unused);
    close(listener);
    assert_int_equal(unlink(origin_address.at.local.sun_path), 0);
    assert_int_equal(rmdir(folder), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_both_ways), CASE(test_back_pressure),      CASE(test_idle),
        CASE(test_broken),    cmocka_unit_test(test_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
