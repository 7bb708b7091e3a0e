/* SPDX-License-Identifier: MIT */
/*
 * streaming: answers whose body comes in pieces from a role's source: framing, ends that are none,
 * back-pressure, clients that go away, and a server that stops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>

#include "wire.h"

#define LARGE 3000000u
#define PIECE 50000u

/* One answer: pieces, then its end. */
struct flow {
    struct stet__exchange *exchange; /* NULL: it is over */
    const char *const *pieces;       /* until NULL */
    enum stet__supply end;
    uint64_t octets; /* of the large text that are still to come, after the pieces */
    size_t piece;    /* how many of them at a time */
    int file;        /* has the large text too; -1: it comes from memory */
    bool waits;      /* WAIT instead of the end, until /go */
};

static struct {
    char *large;
    int file;
    struct flow flows[16];
    size_t flow_count;
    unsigned sent, not_sent, gone;
    uint64_t given;
    struct stet__exchange *held;
} role;

static enum stet__supply next(void *owner, struct stet__part *part)
{
    struct flow *flow = owner;
    stet__assert(flow->exchange);
    if (*flow->pieces) {
        *part = stet__part_memory(stet_span_of(*flow->pieces, strlen(*flow->pieces)));
        flow->pieces++;
        return STET__SUPPLY_PART;
    }
    if (flow->octets > 0) {
        uint64_t n = flow->octets < flow->piece ? flow->octets : flow->piece, at = LARGE - flow->octets;
        *part = stet__part_memory(stet_span_of(role.large + at, (size_t)n));
        if (flow->file >= 0)
            *part = (struct stet__part){.fd = flow->file, .offset = at, .length = n};
        flow->octets -= n;
        role.given += n;
        return STET__SUPPLY_PART;
    }
    return flow->waits ? STET__SUPPLY_WAIT : flow->end;
}

static const struct stet_fields *trailers(void *owner)
{
    static struct stet_field lines[2];
    static const struct stet_fields fields = {lines, 2, 0};
    lines[0] = (struct stet_field){STET_SPAN("ETag"), STET_SPAN("\"t\""), STET_FIELD_ETAG};
    lines[1] = (struct stet_field){STET_SPAN("Set-Cookie"), STET_SPAN("a=b"), STET_FIELD_SET_COOKIE};
    return &fields;
}

static void done(void *owner, bool sent)
{
    struct flow *flow = owner;
    stet__assert(flow->exchange);
    flow->exchange = NULL;
    *(sent ? &role.sent : &role.not_sent) += 1;
}

static struct stet_span tail(struct stet_span target, struct stet_span prefix)
{
    return stet_span_starts(target, prefix) ? stet_span_skip(target, prefix.len) : STET_SPAN_NONE;
}

/* /stream/HOW[/length] */
static void stream(struct stet__exchange *exchange, struct stet_span how)
{
    static const char *const pieces[] = {"one", "", "two", NULL};
    static const char *const *const nothing = pieces + 3;
    stet__assert(role.flow_count < 16);
    struct flow *flow = &role.flows[role.flow_count++];
    uint64_t length =
        stet_span_equal(stet_span_skip(how, 4), STET_SPAN("/length")) ? 6 : STET__LENGTH_UNKNOWN;
    *flow = (struct flow){.exchange = exchange, .pieces = pieces, .end = STET__SUPPLY_END, .file = -1};
    struct stet__part part = stet__part_memory(stet_span_of(role.large, 20000));
    struct stet__reply reply = {.source = {flow, next, trailers, done}, .cache = STET_SPAN("stet; \"hit\"")};
    if (stet_span_starts(how, STET_SPAN("cut_"))) {
        flow->end = STET__SUPPLY_CUT;
    } else if (stet_span_starts(how, STET_SPAN("wait"))) {
        flow->waits = true;
    } else if (stet_span_starts(how, STET_SPAN("part"))) {
        reply.parts = &part;
        reply.part_count = 1;
    } else if (stet_span_starts(how, STET_SPAN("more"))) {
        length = 5;
    } else if (stet_span_starts(how, STET_SPAN("less"))) {
        length = 7;
    } else if (!stet_span_starts(how, STET_SPAN("some"))) {
        flow->pieces = nothing;
        flow->octets = LARGE;
        flow->piece = stet_span_starts(how, STET_SPAN("tiny")) ? 777 : PIECE;
        flow->file = stet_span_starts(how, STET_SPAN("file")) ? role.file : -1;
    }
    reply.chunked = length == STET__LENGTH_UNKNOWN;
    reply.head = wire_head(exchange, stet_span_starts(how, STET_SPAN("some304")) ? 304 : 200, length);
    stet__exchange_answer(exchange, &reply);
}

/* What waits has its end now. */
static void go(bool well)
{
    for (size_t i = 0; i < role.flow_count; i++) {
        struct flow *flow = &role.flows[i];
        if (!flow->exchange || !flow->waits)
            continue;
        static const char *const last[] = {"last", NULL};
        flow->waits = false;
        flow->pieces = last;
        flow->end = well ? STET__SUPPLY_END : STET__SUPPLY_CUT;
        stet__exchange_write_on(flow->exchange);
    }
}

static void gone(struct stet__exchange *exchange)
{
    role.gone++;
    role.held = NULL;
    struct flow *flow = &role.flows[role.flow_count++];
    *flow = (struct flow){.exchange = exchange};
    struct stet__reply reply = {.head = wire_head(exchange, 200, STET__LENGTH_UNKNOWN),
                                .source = {flow, next, NULL, done}};
    stet__exchange_answer(exchange, &reply);
}

static void *role_start(const void *configuration, struct stet__loop *loop, const char **error)
{
    return &role;
}

static void role_stop(void *state)
{
}

static void role_request(void *state, struct stet__exchange *exchange)
{
    struct stet_span target = exchange->request->path_query;
    struct stet_span how = tail(target, STET_SPAN("/stream/"));
    if (how.ptr) {
        stream(exchange, how);
    } else if (stet_span_equal(target, STET_SPAN("/hold"))) {
        stet__assert(!role.held);
        exchange->gone = gone;
        role.held = exchange;
    } else if (stet_span_equal(target, STET_SPAN("/later"))) {
        struct stet__exchange *held = role.held;
        role.held = NULL;
        stream(held, STET_SPAN("some"));
        wire_answer(exchange, 200, STET_SPAN("later"));
    } else if (stet_span_equal(target, STET_SPAN("/lost"))) {
        char digit = (char)('0' + role.not_sent);
        wire_answer(exchange, 200, stet_span_of(&digit, 1));
    } else {
        if (stet_span_starts(target, STET_SPAN("/go")))
            go(stet_span_equal(target, STET_SPAN("/go")));
        char text[40];
        int len = snprintf(text, sizeof text, "given %llu", (unsigned long long)role.given);
        wire_answer(exchange, 200, stet_span_of(text, (size_t)len));
    }
}

static const struct stet__role streams = {.start = role_start, .request = role_request, .stop = role_stop};

static void start_with(void (*change)(struct stet__limits *limits))
{
    role.flow_count = 0;
    role.sent = role.not_sent = role.gone = 0;
    role.given = 0;
    role.held = NULL;
    wire_start(&streams, change);
}

/* Each answer's source has heard of its end, and of one. */
static void stop(unsigned sent, unsigned not_sent)
{
    wire_stop();
    assert_int_equal(role.sent, sent);
    assert_int_equal(role.not_sent, not_sent);
    for (size_t i = 0; i < role.flow_count; i++)
        assert_null(role.flows[i].exchange);
}

#define CHUNKS "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"

static void test_framing(void **state)
{
    start_with(NULL);
    wire_ask(GET("/stream/some") GET("/stream/some/length") GET("/x"));
    assert_non_null(strstr(wire.received, "\r\nTransfer-Encoding: chunked\r\n"));
    const char *second = wire_body(wire.received);
    assert_memory_equal(second,
                        CHUNKS "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nDate: ", sizeof CHUNKS - 1 + 42);
    const char *third = wire_body(second + sizeof CHUNKS - 1);
    assert_memory_equal(third, "onetwoHTTP/1.1 200 OK", 21);
    assert_string_equal(wire_body(third), "given 0");
    wire_ask("GET /stream/some HTTP/1.0\r\n\r\n");
    assert_null(strstr(wire.received, "chunked"));
    assert_non_null(strstr(wire.received, "\r\nConnection: close\r\n"));
    assert_string_equal(wire_body(wire.received), "onetwo");
    wire_ask("GET /stream/some/length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/x"));
    assert_non_null(strstr(wire.received, "\r\nConnection: keep-alive\r\n"));
    assert_string_equal(wire_body(wire_body(wire.received)), "given 0");
    stop(4, 0);
    assert_non_null(strstr(wire.logged, "\"bytes\":6,"));
    assert_non_null(strstr(wire.logged, ",\"cache\":\"stet; \\u0022hit\\u0022\""));
    assert_null(strstr(wire.logged, "aborted"));
}

/* RFC 9112 section 6.3: these end with their heads. */
static void test_no_content(void **state)
{
    start_with(NULL);
    wire_ask("HEAD /stream/some HTTP/1.1\r\nHost: h\r\n\r\n"
             "HEAD /stream/some/length HTTP/1.1\r\nHost: h\r\n\r\n" GET("/stream/some304") GET("/x"));
    const char *at = wire_body(wire.received);
    assert_memory_equal(at, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n", 36);
    at = wire_body(at);
    assert_memory_equal(at, "HTTP/1.1 304 Not Modified\r\n", 27);
    assert_string_equal(wire_body(wire_body(at)), "given 0");
    assert_null(strstr(wire.received, "one"));
    stop(3, 0);
}

/* RFC 9110 sections 6.5.1 and 10.1.4. */
static void test_trailers(void **state)
{
    start_with(NULL);
    wire_ask("GET /stream/some HTTP/1.1\r\nHost: h\r\nTE: gzip;q=0.5, Trailers\r\n\r\n" GET("/x"));
    static const char expected[] = "3\r\none\r\n3\r\ntwo\r\n0\r\nETag: \"t\"\r\n\r\nHTTP/1.1 200";
    assert_memory_equal(wire_body(wire.received), expected, sizeof expected - 1);
    stop(1, 0);
}

static void assert_cut(const char *request)
{
    int fd = wire_connect_tcp();
    wire_say(fd, request);
    assert_int_equal(wire_receive_all(fd), -1);
}

/* RFC 9112 section 8: no client takes these for complete. */
static void test_cut(void **state)
{
    start_with(NULL);
    assert_cut(GET("/stream/cut_") GET("/x"));
    assert_cut(GET("/stream/cut_/length") GET("/x"));
    assert_cut("GET /stream/cut_ HTTP/1.0\r\n\r\n");
    assert_cut(GET("/stream/less") GET("/x"));
    assert_cut(GET("/stream/more") GET("/x"));
    int fd = wire_connect_tcp();
    wire_say(fd, "GET /stream/wait HTTP/1.0\r\n\r\n");
    wire_receive_until(fd, "onetwo");
    wire_ask(GET("/go/cut"));
    assert_int_equal(wire_receive_all(fd), -1);
    stop(0, 6);
    assert_non_null(strstr(wire.logged, "aborted"));
}

static void assert_large(const char *at)
{
    assert_memory_equal(at, role.large, LARGE);
}

/* Takes the chunks away. */
static size_t unchunk(char *at)
{
    char *to = at, *from = at;
    for (;;) {
        size_t n = strtoul(from, &from, 16);
        assert_memory_equal(from, "\r\n", 2);
        if (n == 0)
            break;
        memmove(to, from + 2, n);
        to += n;
        from += 2 + n;
        assert_memory_equal(from, "\r\n", 2);
        from += 2;
    }
    assert_memory_equal(from, "\r\n\r\n", 4);
    return (size_t)(to - at);
}

static void test_large(void **state)
{
    static const char *const requests[] = {GET("/stream/tiny"), GET("/stream/file"), GET("/stream/memo")};
    start_with(NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_true(wire_ask(requests[i]) > 0);
        char *body = wire.received + (wire_body(wire.received) - wire.received);
        assert_int_equal(unchunk(body), LARGE);
        assert_large(body);
    }
    stop(3, 0);
    assert_non_null(strstr(wire.logged, "\"bytes\":3000000,"));
}

/* Parts first, which are gone when the call returns, then what the source has. */
static void test_parts_first(void **state)
{
    start_with(NULL);
    wire_ask(GET("/stream/part"));
    char *body = wire.received + (wire_body(wire.received) - wire.received);
    assert_int_equal(unchunk(body), 20006);
    assert_memory_equal(body, role.large, 20000);
    assert_memory_equal(body + 20000, "onetwo", 6);
    stop(1, 0);
}

/* A client that does not read is not given more than its socket takes and one part. */
static void test_back_pressure(void **state)
{
    start_with(NULL);
    int fd = wire_connect();
    wire_say(fd, GET("/stream/memo"));
    assert_true(recv(fd, wire.received, 1, 0) == 1);
    wire_ask(GET("/x"));
    unsigned long given = strtoul(wire_body(wire.received) + 6, NULL, 10);
    assert_true(given > 0 && given < 1000000);
    wire_ask(GET("/x"));
    assert_int_equal(strtoul(wire_body(wire.received) + 6, NULL, 10), given);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(wire_receive_all(fd) > (ssize_t)LARGE);
    stop(1, 0);
}

/* A client that ended its side gets its answer; one that went away is noticed, and its source hears of it. */
static void test_half_closed_and_gone(void **state)
{
    start_with(NULL);
    int half = wire_connect_tcp(), whole = wire_connect(), reset = wire_connect_tcp();
    wire_say(half, GET("/stream/wait"));
    wire_say(whole, GET("/stream/wait"));
    wire_say(reset, GET("/stream/wait"));
    wire_receive_until(reset, "two\r\n");
    wire_receive_until(whole, "two\r\n");
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    struct linger now = {1, 0};
    assert_int_equal(setsockopt(reset, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(reset);
    close(whole);
    /* What has happened before a request is seen before it is answered, or in the same wake-up. */
    wire_ask(GET("/x"));
    wire_ask(GET("/lost"));
    assert_string_equal(wire_body(wire.received), "2");
    wire_ask(GET("/go"));
    wire_receive_all(half);
    assert_string_equal(wire_body(wire.received), "3\r\none\r\n3\r\ntwo\r\n4\r\nlast\r\n0\r\n\r\n");
    stop(1, 2);
}

/* `gone`, and the source of an answer that comes too late. */
static void test_gone_before_the_answer(void **state)
{
    start_with(NULL);
    int fd = wire_connect();
    wire_say(fd, GET("/hold"));
    wire_ask(GET("/x"));
    close(fd);
    wire_ask(GET("/x"));
    wire_ask(GET("/lost"));
    assert_string_equal(wire_body(wire.received), "1");
    stop(0, 1);
    assert_int_equal(role.gone, 1);
}

/* An answer that comes later with a source, before requests that were kept. */
static void test_later(void **state)
{
    start_with(NULL);
    int fd = wire_connect();
    wire_say(fd, GET("/x") GET("/hold") GET("/stream/some/length"));
    wire_receive_until(fd, "given 0");
    wire_ask(GET("/later"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    wire_receive_all(fd);
    const char *body = wire_body(wire.received);
    assert_memory_equal(body, CHUNKS, sizeof CHUNKS - 1);
    assert_string_equal(wire_body(body + sizeof CHUNKS - 1), "onetwo");
    stop(2, 0);
}

static void stop_soon(struct stet__limits *limits)
{
    limits->stop_timeout_s = 1;
}

/* What is under way when the server stops is cut off after stop_timeout. */
static void test_stop(void **state)
{
    start_with(stop_soon);
    int waits = wire_connect_tcp(), full = wire_connect();
    wire_say(waits, GET("/stream/wait"));
    wire_receive_until(waits, "two\r\n");
    wire_say(full, GET("/stream/memo"));
    assert_true(recv(full, wire.received, 1, 0) == 1);
    stop(0, 2);
    assert_int_equal(wire_receive_all(waits), -1);
    wire_receive_all(full);
    const char *first = strstr(wire.logged, "\"aborted\":true}\n");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "\"aborted\":true}\n"));
}

static void send_soon(struct stet__limits *limits)
{
    limits->send_timeout_s = 1;
}

/* No progress for send_timeout. */
static void test_send_timeout(void **state)
{
    start_with(send_soon);
    int fd = wire_connect(), waits = wire_connect();
    wire_say(waits, GET("/stream/wait"));
    wire_say(fd, GET("/stream/memo"));
    struct pollfd hung_up = {.fd = fd};
    assert_int_equal(poll(&hung_up, 1, 10000), 1);
    assert_true(wire_receive_all(fd) < (ssize_t)LARGE);
    /* That a source has nothing is not the client's fault. */
    wire_ask(GET("/go"));
    assert_int_equal(shutdown(waits, SHUT_WR), 0);
    wire_receive_all(waits);
    assert_non_null(strstr(wire.received, "last"));
    stop(1, 1);
}

static int prepare(void **state)
{
    role.large = malloc(LARGE);
    FILE *file = tmpfile();
    if (!role.large || !file)
        return -1;
    for (size_t i = 0; i < LARGE; i++)
        role.large[i] = (char)('a' + i % 23);
    if (fwrite(role.large, 1, LARGE, file) != LARGE || fflush(file) != 0)
        return -1;
    role.file = dup(fileno(file));
    fclose(file);
    return wire_prepare(state);
}

static int clean_up(void **state)
{
    free(role.large);
    close(role.file);
    return wire_clean_up(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_no_content),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_parts_first),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_half_closed_and_gone),
        cmocka_unit_test(test_gone_before_the_answer),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_send_timeout),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
