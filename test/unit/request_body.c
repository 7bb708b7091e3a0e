/* SPDX-License-Identifier: MIT */
/*
 * request_body: bodies of requests that a role reads, leaves or reads in part; interim answers; and
 * connections that it takes over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/connection.h"
#include "wire.h"

#define BODY_MAX 100000u
#define SMALL_ROOM 1000u

/* One request's body. */
struct intake {
    struct stet__exchange *exchange; /* NULL: it is over */
    char octets[BODY_MAX];           /* the first ones */
    size_t len, all;
    size_t step;  /* how many the sink takes at a time; then it is full for a moment; 0: until /release */
    bool midway;  /* answers as soon as there is some */
    bool duplex;  /* answers with what comes, from the start; `octets` is a buffer of SMALL_ROOM */
    bool waiting; /* the source of that */
    bool ended;
    size_t asked; /* how often the sink was */
};

static struct {
    struct stet__loop *loop;
    struct intake intake; /* one at a time is enough */
    unsigned gone;
    struct stet__connection *tunnel;
} role;

static void read_on(void *arg)
{
    struct intake *intake = arg;
    if (intake->exchange)
        stet__exchange_read_on(intake->exchange);
}

static void finish(struct intake *intake, unsigned status, struct stet_span text)
{
    struct stet__exchange *exchange = intake->exchange;
    intake->exchange = NULL;
    wire_answer(exchange, status, text);
}

static size_t data(void *owner, struct stet_span octets)
{
    struct intake *intake = owner;
    stet__assert(intake->exchange && octets.len > 0);
    intake->asked++;
    size_t n = octets.len;
    if (intake->step != SIZE_MAX && n > intake->step)
        n = intake->step;
    if (intake->duplex && n > SMALL_ROOM - intake->len)
        n = SMALL_ROOM - intake->len;
    size_t kept = n < BODY_MAX - intake->len ? n : BODY_MAX - intake->len;
    memcpy(intake->octets + intake->len, octets.ptr, kept);
    intake->len += kept;
    intake->all += n;
    if (intake->midway) {
        finish(intake, 403, STET_SPAN("enough"));
    } else if (intake->duplex) {
        if (intake->waiting)
            stet__exchange_write_on(intake->exchange);
        intake->waiting = false;
    } else if (n < octets.len && intake->step == 8) {
        stet__exchange_read_on(intake->exchange);
    } else if (n < octets.len && intake->step > 0) {
        int status = stet__loop_post(role.loop, read_on, intake);
        stet__assert(status == 0);
    }
    return n;
}

/* "ok 11: hello world Name=value": how it ended, the octets, the trailer fields. */
static void end(void *owner, int status, const struct stet_fields *trailers)
{
    struct intake *intake = owner;
    stet__assert(intake->exchange && !intake->ended);
    intake->ended = true;
    if (intake->duplex) {
        if (intake->waiting)
            stet__exchange_write_on(intake->exchange);
        return;
    }
    char text[400];
    int len =
        snprintf(text, sizeof text, "%s %zu: %.*s", status == STET_OK ? "ok" : stet_status_row(status)->name,
                 intake->all, intake->len < 100 ? (int)intake->len : 100, intake->octets);
    for (size_t i = 0; trailers && i < trailers->count; i++) {
        const struct stet_field *field = &trailers->at[i];
        len += snprintf(text + len, sizeof text - (size_t)len, " %.*s=%.*s", (int)field->name.len,
                        field->name.ptr, (int)field->value.len, field->value.ptr);
    }
    /* The request's head is still there. */
    struct stet_span target = intake->exchange->request->path_query;
    len += snprintf(text + len, sizeof text - (size_t)len, " %.*s\n", (int)target.len, target.ptr);
    finish(intake, status == STET_OK ? 200 : stet_status_row(status)->http_status,
           stet_span_of(text, (size_t)len));
}

static enum stet__supply next(void *owner, struct stet__part *part)
{
    struct intake *intake = owner;
    static char given[SMALL_ROOM];
    if (intake->len > 0) {
        memcpy(given, intake->octets, intake->len);
        *part = stet__part_memory(stet_span_of(given, intake->len));
        intake->len = 0;
        stet__exchange_read_on(intake->exchange);
        return STET__SUPPLY_PART;
    }
    intake->waiting = !intake->ended;
    return intake->ended ? STET__SUPPLY_END : STET__SUPPLY_WAIT;
}

static void done(void *owner, bool sent)
{
    struct intake *intake = owner;
    stet__assert(intake->exchange);
    intake->exchange = NULL;
}

static void gone(struct stet__exchange *exchange)
{
    role.gone++;
    role.intake.exchange = NULL;
    wire_answer(exchange, 500, STET_SPAN("nobody gets this"));
}

static const struct stet__head *interim_head(struct stet__exchange *exchange, unsigned status)
{
    return wire_head(exchange, status, STET__LENGTH_UNKNOWN);
}

static void read_later(void *arg)
{
    struct intake *intake = arg;
    const struct stet__sink sink = {intake, data, end};
    stet__exchange_interim(intake->exchange, interim_head(intake->exchange, 103));
    stet__exchange_read(intake->exchange, &sink);
}

static void begin(struct stet__exchange *exchange, struct stet_span how)
{
    struct intake *intake = &role.intake;
    *intake = (struct intake){.exchange = exchange, .step = SIZE_MAX};
    const struct stet__sink sink = {intake, data, end};
    exchange->gone = gone;
    if (stet_span_starts(how, STET_SPAN("/slow")))
        intake->step = 7;
    else if (stet_span_starts(how, STET_SPAN("/again")))
        intake->step = 8; /* and wants more before it returns */
    else if (stet_span_starts(how, STET_SPAN("/full")))
        intake->step = 0;
    intake->midway = stet_span_starts(how, STET_SPAN("/midway"));
    intake->duplex = stet_span_starts(how, STET_SPAN("/duplex"));
    if (stet_span_starts(how, STET_SPAN("/later"))) {
        int status = stet__loop_post(role.loop, read_later, intake);
        stet__assert(status == 0);
        return;
    }
    if (stet_span_starts(how, STET_SPAN("/interim"))) {
        stet__exchange_interim(exchange, interim_head(exchange, 103));
        stet__exchange_interim(exchange, interim_head(exchange, 100));
    }
    stet__exchange_read(exchange, &sink);
    if (intake->duplex) {
        struct stet__reply reply = {.head = wire_head(exchange, 200, STET__LENGTH_UNKNOWN),
                                    .source = {intake, next, NULL, done},
                                    .chunked = true};
        stet__exchange_answer(exchange, &reply);
    }
}

static void cut(void *owner)
{
    stet__connection_detached_end(role.tunnel, 0, true);
}

/* The answer, then what came behind the request, twice; then the end, or not. */
static void take_over(struct stet__exchange *exchange, unsigned status)
{
    bool stays = stet_span_equal(exchange->request->head.target, STET_SPAN("stay:1"));
    struct stet__reply reply = {.head = wire_head(exchange, status, STET__LENGTH_UNKNOWN)};
    const struct stet__tunnel_end tunnel_end = {NULL, cut};
    struct stet__detached detached;
    bool good = stet__connection_detach(exchange, &reply, &tunnel_end, &detached);
    stet__assert(good);
    role.tunnel = detached.connection;
    for (int i = 0; i < 3; i++) {
        const struct stet__buffer *out = i == 0 ? &detached.answer : &detached.early;
        stet__assert(send(detached.transport.fd, out->ptr, out->len, MSG_NOSIGNAL) == (ssize_t)out->len);
    }
    size_t octets = 2 * detached.early.len;
    stet__buffer_release(&detached.answer);
    stet__buffer_release(&detached.early);
    if (!stays)
        stet__connection_detached_end(detached.connection, octets, false);
}

static void who(struct stet__exchange *exchange)
{
    char text[80];
    const uint8_t *peer = exchange->peer;
    int len = snprintf(text, sizeof text, "%.*s %u.%u %u.%u.%u.%u", (int)exchange->scheme.len,
                       exchange->scheme.ptr, peer[10], peer[11], peer[12], peer[13], peer[14], peer[15]);
    wire_answer(exchange, 200, stet_span_of(text, (size_t)len));
}

static void *role_start(const void *configuration, struct stet__loop *loop, const char **error)
{
    role.loop = loop;
    return &role;
}

static void role_stop(void *state)
{
}

static void role_request(void *state, struct stet__exchange *exchange)
{
    struct stet_span target = exchange->request->path_query;
    if (exchange->request->head.method == STET_METHOD_CONNECT) {
        take_over(exchange, 200);
    } else if (stet_span_equal(target, STET_SPAN("/upgrade"))) {
        take_over(exchange, 101);
    } else if (stet_span_equal(target, STET_SPAN("/who"))) {
        who(exchange);
    } else if (stet_span_equal(target, STET_SPAN("/leave"))) {
        wire_answer(exchange, 200, STET_SPAN("left\n"));
    } else if (stet_span_equal(target, STET_SPAN("/release"))) {
        char text[60];
        int len = snprintf(text, sizeof text, "asked %zu", role.intake.asked);
        role.intake.step = SIZE_MAX;
        stet__exchange_read_on(role.intake.exchange);
        wire_answer(exchange, 200, stet_span_of(text, (size_t)len));
    } else {
        begin(exchange, target);
    }
}

static const struct stet__role reads = {
    .start = role_start, .request = role_request, .stop = role_stop, .reads_bodies = true};

static void start_with(void (*change)(struct stet__limits *limits))
{
    role.gone = 0;
    wire_start(&reads, change);
}

#define POST(target, fields) "POST " target " HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define HELLO "6\r\nhello \r\n5\r\nworld\r\n0\r\n"

/* Both framings, each with the next request behind it, in pieces of any size. */
static void test_read(void **state)
{
    static const char *const targets[] = {"/read", "/slow", "/again", "/later"};
    start_with(NULL);
    for (size_t i = 0; i < 4; i++) {
        char requests[1000], expected[3][60];
        int len = snprintf(requests, sizeof requests,
                           POST("%s?1", LENGTH(11)) "hello world" POST("%s?2", CHUNKED) HELLO
                           "Name: value\r\nContent-Length: 3\r\n\r\n" POST("%s?3", "") GET("/leave"),
                           targets[i], targets[i], targets[i]);
        snprintf(expected[0], sizeof expected[0], "ok 11: hello world %s?1\n", targets[i]);
        snprintf(expected[1], sizeof expected[1], "ok 11: hello world Name=value %s?2\n", targets[i]);
        snprintf(expected[2], sizeof expected[2], "ok 0:  %s?3\n", targets[i]);
        for (int step = 1; step <= len; step += step < 20 ? 1 : 97) {
            int fd = wire_connect();
            for (int at = 0; at < len; at += step) {
                size_t n = (size_t)(len - at < step ? len - at : step);
                assert_int_equal(send(fd, requests + at, n, MSG_NOSIGNAL), n);
            }
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
            wire_receive_all(fd);
            const char *at = wire.received;
            for (size_t j = 0; j < 3; j++)
                assert_non_null(at = strstr(at, expected[j]));
            assert_string_equal(wire_body(at), "left\n");
            assert_null(strstr(wire.received, "Connection: close"));
        }
    }
    wire_stop();
}

/* A head that comes late in the input is moved, and its body has room. */
static void test_large_behind_others(void **state)
{
    static char text[300000];
    size_t len = 0;
    start_with(NULL);
    for (int i = 0; i < 500; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, GET("/leave"));
    len += (size_t)snprintf(text + len, sizeof text - len, POST("/read", LENGTH(200000)));
    memset(text + len, 'x', 200000);
    int fd = wire_connect();
    struct timeval wait = {5, 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait), 0);
    assert_int_equal(send(fd, text, len + 200000, MSG_NOSIGNAL), len + 200000);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    wire_receive_all(fd);
    assert_non_null(strstr(wire.received, "ok 200000: xxx"));
    wire_stop();
}

/* The status of the only answer, after which the connection ends. */
static void assert_refused(const char *requests, const char *status, const char *text)
{
    wire_ask(requests);
    assert_memory_equal(wire.received, status, strlen(status));
    assert_non_null(strstr(wire.received, "\r\nConnection: close\r\n"));
    const char *body = wire_body(wire.received);
    assert_non_null(strstr(body, text));
    assert_null(strstr(body, "HTTP/1.1"));
}

static void small_bodies(struct stet__limits *limits)
{
    limits->body_bytes = 10;
}

static void test_malformed_and_too_large(void **state)
{
    start_with(small_bodies);
    assert_refused(POST("/read", CHUNKED) "3\r\nabcd\r\n" GET("/leave"), "HTTP/1.1 400", "chunk-end 3: abc");
    assert_refused(POST("/read", CHUNKED) "x\r\n" GET("/leave"), "HTTP/1.1 400", "chunk-size 0:");
    assert_refused(POST("/read", CHUNKED) "0\r\nA B: c\r\n\r\n" GET("/leave"), "HTTP/1.1 400",
                   "space-before-colon 0:");
    assert_refused(POST("/read", CHUNKED) HELLO "\r\n" GET("/leave"), "HTTP/1.1 413",
                   "body-too-large 6: hello");
    assert_refused(POST("/read", LENGTH(11)) "hello world" GET("/leave"), "HTTP/1.1 413", "body-too-large");
    wire_stop();
    assert_int_equal(role.gone, 0);
}

static void impatient(struct stet__limits *limits)
{
    limits->body_timeout_s = 1;
}

static void test_timeout(void **state)
{
    start_with(impatient);
    int length = wire_connect();
    wire_say(length, POST("/read", LENGTH(11)) "hello");
    wire_receive_all(length);
    assert_memory_equal(wire.received, "HTTP/1.1 408 ", 13);
    assert_non_null(strstr(wire.received, "body-timeout 5: hello"));
    wire_stop();
}

/* RFC 9112 section 8: a request that is cut off gets no answer, and the role is told. */
static void test_cut_off(void **state)
{
    start_with(NULL);
    assert_int_equal(wire_ask(POST("/read", LENGTH(11)) "hello"), 0);
    assert_int_equal(wire_ask(POST("/read", CHUNKED) "5\r\nhello\r\n"), 0);
    wire_stop();
    assert_int_equal(role.gone, 2);
    assert_non_null(strstr(wire.logged, "\"status\":500,\"bytes\":0,"));
    assert_non_null(strstr(wire.logged, "\"aborted\":true"));
}

/* A body that is not read, or not to its end: the next request is found, or the connection ends. */
static void test_left(void **state)
{
    static const char *const kept[] = {
        POST("/leave", LENGTH(5)) "hello", POST("/leave", CHUNKED) HELLO "\r\n",
        POST("/midway", LENGTH(5)) "hello", POST("/midway", CHUNKED) HELLO "\r\n"};
    static const char *const closed[] = {POST("/leave", CHUNKED) "5\r\nhel",
                                         POST("/leave", CHUNKED) "5\r\nhello",
                                         POST("/leave", CHUNKED) "x\r\n",
                                         POST("/leave", LENGTH(900000000)) "x",
                                         POST("/leave", LENGTH(5) "Expect: 100-continue\r\n"),
                                         POST("/midway", CHUNKED) "5\r\nhel"};
    start_with(NULL);
    for (size_t i = 0; i < 4; i++) {
        char requests[400];
        snprintf(requests, sizeof requests, "%s%s", kept[i], GET("/leave"));
        wire_ask(requests);
        const char *second = strstr(wire_body(wire.received), "HTTP/1.1 200 OK");
        assert_non_null(second);
        assert_string_equal(wire_body(second), "left\n");
    }
    for (size_t i = 0; i < 6; i++) {
        int fd = wire_connect();
        wire_say(fd, closed[i]);
        wire_receive_all(fd);
        assert_non_null(strstr(wire.received, i == 3 ? "413" : "\r\nConnection: close\r\n"));
    }
    wire_stop();
    assert_int_equal(role.gone, 0);
}

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define HINTS "HTTP/1.1 103 Early Hints\r\n\r\n"
#define EXPECT "Expect: 100-continue\r\n"

/* RFC 9110 sections 10.1.1 and 15.2. */
static void test_continue_and_hints(void **state)
{
    start_with(NULL);
    int fd = wire_connect();
    wire_say(fd, POST("/read", LENGTH(5) EXPECT));
    wire_receive_until(fd, CONTINUE);
    wire_say(fd, "hello" POST("/later", LENGTH(5) EXPECT));
    wire_receive_until(fd, HINTS CONTINUE);
    assert_non_null(strstr(wire.received, "ok 5: hello /read\n"));
    wire_say(fd, "hello" POST("/interim", CHUNKED EXPECT));
    wire_receive_until(fd, HINTS CONTINUE);
    wire_say(fd, HELLO "\r\n");
    wire_receive_until(fd, "ok 11: hello world /interim\n");
    /* Nothing to wait for, and nobody that waits. */
    wire_say(fd, POST("/read", EXPECT));
    wire_receive_until(fd, "ok 0:  /read\n");
    assert_memory_equal(wire.received, "HTTP/1.1 200", 12);
    wire_say(fd, POST("/read", LENGTH(5) EXPECT) "hello");
    wire_receive_until(fd, "ok 5: hello /read\n");
    assert_memory_equal(wire.received, "HTTP/1.1 200", 12);
    close(fd);
    wire_ask("POST /interim HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    assert_memory_equal(wire.received, "HTTP/1.1 200", 12);
    wire_stop();
}

/* Nothing is read while the sink is full, so TCP slows the client. */
static void test_back_pressure(void **state)
{
    static char text[65536];
    start_with(NULL);
    int fd = wire_connect();
    size_t sent = 0;
    ssize_t n;
    wire_say(fd, POST("/full", LENGTH(1000000)));
    memset(text, 'x', sizeof text);
    while ((n = send(fd, text, sizeof text, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0)
        sent += (size_t)n;
    assert_true(sent < 1000000);
    wire_ask(GET("/release"));
    assert_string_equal(wire_body(wire.received), "asked 1");
    for (; sent < 1000000; sent += (size_t)n) {
        n = send(fd, text, 1000000 - sent < sizeof text ? 1000000 - sent : sizeof text, MSG_NOSIGNAL);
        assert_true(n > 0);
    }
    wire_receive_until(fd, " /full\n");
    assert_non_null(strstr(wire.received, "ok 1000000: xxx"));
    close(fd);
    wire_stop();
}

/* What comes goes back, both at once, through a small buffer. */
static void test_duplex(void **state)
{
    start_with(NULL);
    int fd = wire_connect();
    wire_say(fd, POST("/duplex", CHUNKED) "5\r\nhello\r\n");
    wire_receive_until(fd, "5\r\nhello\r\n");
    wire_say(fd, "6\r\n world\r\n0\r\n\r\n" GET("/leave"));
    wire_receive_until(fd, "left\n");
    assert_memory_equal(wire.received, "6\r\n world\r\n0\r\n\r\nHTTP/1.1 200 OK", 31);
    static char text[60000];
    size_t len = (size_t)snprintf(text, sizeof text, POST("/duplex", LENGTH(50000)));
    memset(text + len, 'x', 50000);
    assert_int_equal(send(fd, text, len + 50000, MSG_NOSIGNAL), len + 50000);
    wire_receive_until(fd, "\r\n0\r\n\r\n");
    size_t count = 0;
    for (const char *at = wire_body(wire.received); *at; at++)
        count += *at == 'x';
    assert_int_equal(count, 50000);
    /* The body is cut off, or malformed, while the answer is under way. */
    wire_say(fd, POST("/duplex", CHUNKED) "5\r\nhello\r\nx\r\n");
    wire_receive_all(fd);
    assert_non_null(strstr(wire.received, "hello\r\n0\r\n\r\n"));
    fd = wire_connect();
    wire_say(fd, POST("/duplex", LENGTH(10)) "hello");
    wire_receive_until(fd, "hello\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    wire_receive_all(fd);
    assert_string_equal(wire.received, "");
    wire_stop();
    assert_null(role.intake.exchange);
    assert_non_null(strstr(wire.logged, "\"aborted\":true"));
}

static void test_who(void **state)
{
    start_with(NULL);
    wire_ask(GET("/who"));
    assert_string_equal(wire_body(wire.received), "http 0.0 0.0.0.0");
    int fd = wire_connect_tcp();
    wire_say(fd, GET("/who"));
    wire_receive_until(fd, "http 255.255 127.0.0.1");
    close(fd);
    wire_stop();
}

static void test_take_over(void **state)
{
    start_with(NULL);
    wire_ask(GET("/leave") "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\nearly");
    const char *second = strstr(wire_body(wire.received), "left\nHTTP/1.1 200 OK\r\nDate: ");
    assert_non_null(second);
    assert_string_equal(wire_body(second), "earlyearly");
    wire_ask("GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nx");
    assert_memory_equal(wire.received, "HTTP/1.1 101 Switching Protocols\r\n", 34);
    assert_string_equal(wire_body(wire.received), "xx");
    int fd = wire_connect();
    wire_say(fd, "CONNECT stay:1 HTTP/1.1\r\nHost: stay:1\r\n\r\nstays");
    wire_receive_until(fd, "staysstays");
    wire_stop();
    wire_receive_all(fd);
    assert_string_equal(wire.received, "");
    const char *first =
        strstr(wire.logged, "\"target\":\"h:1\",\"version\":\"1.1\",\"status\":200,\"bytes\":10,");
    assert_non_null(first);
    assert_non_null(strstr(first, "\"status\":101,\"bytes\":2,"));
    assert_non_null(strstr(first, "\"aborted\":true}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_large_behind_others),
        cmocka_unit_test(test_malformed_and_too_large),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_continue_and_hints),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_duplex),
        cmocka_unit_test(test_who),
        cmocka_unit_test(test_take_over),
    };
    return cmocka_run_group_tests(tests, wire_prepare, wire_clean_up);
}
