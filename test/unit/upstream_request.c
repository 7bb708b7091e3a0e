/* SPDX-License-Identifier: MIT */
/*
 * upstream: time-outs, the queue, cancelling, and requests with a body.
 */
#include "origin.h"

static void test_no_connection(void **state)
{
    struct stet__listen_address origins = address;
    assert_int_equal(stet__listen_address_parse(STET_SPAN("unix:/tmp/stet-no-such-folder/x"), &address), 0);
    expect_answer(GET("/"), "upstream-unreachable");
    /* A port that nobody listens at. */
    struct sockaddr_in free_port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof free_port;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&free_port, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&free_port, &len), 0);
    address = (struct stet__listen_address){.at.v4 = free_port, .len = len};
    expect_answer(GET("/"), "upstream-refused");
    close(fd);
    assert_int_equal(stet__upstreams_load(pool, &address), 0);
    address = origins;
}

/* A backlog that is full: the connection neither stands nor fails. */
static void test_connect_timeout(void **state)
{
    struct stet__listen_address origins = address;
    struct sockaddr_in full = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof full;
    int fd = socket(AF_INET, SOCK_STREAM, 0), fillers[4];
    assert_int_equal(bind(fd, (struct sockaddr *)&full, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&full, &len), 0);
    assert_int_equal(listen(fd, 0), 0);
    for (size_t i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&full, len);
    }
    address = (struct stet__listen_address){.at.v4 = full, .len = len};
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    settle();
    assert_non_null(asked->upstream);
    stet__loop_skip(loop, limits.connect_timeout_s);
    assert_non_null(asked->upstream);
    stet__loop_skip(loop, 2);
    expect_story(asked, "upstream-connect-timeout");
    for (size_t i = 0; i < 4; i++)
        close(fillers[i]);
    close(fd);
    address = origins;
}

static void test_answer_timeout(void **state)
{
    origin.stop = true;
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    run();
    stet__loop_skip(loop, limits.answer_timeout_s);
    assert_non_null(asked->upstream);
    stet__loop_skip(loop, 2);
    expect_story(asked, "upstream-read-timeout");
    settle();
    assert_int_equal(origin.open, 0);
}

static void test_read_timeout(void **state)
{
    SCRIPT({.text = H "200 OK\r\nContent-Length: 5\r\n\r\nhel"});
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    settle();
    stet__loop_skip(loop, limits.read_timeout_s + 2);
    expect_story(asked, "(200)helupstream-read-timeout");
}

static void test_keep_timeout(void **state)
{
    SCRIPT({.text = HELLO});
    expect_answer(GET("/"), "(200)hellook");
    assert_int_equal(origin.open, 1);
    stet__loop_skip(loop, limits.keep_timeout_s + 2);
    settle();
    assert_int_equal(origin.open, 0);
}

static void test_kept_limit(void **state)
{
    limits.kept = 2;
    restart();
    struct asked *asked[3];
    SCRIPT({.text = HELLO}, {.text = HELLO}, {.text = HELLO});
    for (size_t i = 0; i < 3; i++) {
        asked[i] = new_asked();
        ask(asked[i], GET("/"));
    }
    while (asked[0]->upstream || asked[1]->upstream || asked[2]->upstream)
        run();
    for (size_t i = 0; i < 3; i++)
        expect_story(asked[i], "(200)hellook");
    settle();
    assert_int_equal(origin.accepted, 3);
    assert_int_equal(origin.open, 2);
}

/* One connection at most: who comes second waits, and uses the same. */
static void test_queue(void **state)
{
    limits.connections = 1;
    restart();
    SCRIPT({.text = HELLO}, {.text = H "204 No Content\r\nConnection: close\r\n\r\n"}, {.text = HELLO});
    struct asked *first = new_asked(), *second = new_asked(), *third = new_asked();
    ask(first, GET("/1"));
    ask(second, GET("/2"));
    ask(third, GET("/3"));
    assert_int_equal(stet__upstreams_load(pool, &address), 3);
    while (first->upstream || second->upstream || third->upstream)
        run();
    expect_story(first, "(200)hellook");
    expect_story(second, "(204)ok");
    expect_story(third, "(200)hellook");
    assert_int_equal(origin.accepted, 2);
}

static void test_queue_timeout(void **state)
{
    limits.connections = 1;
    restart();
    origin.stop = true;
    struct asked *first = new_asked(), *second = new_asked(), *third = new_asked();
    ask(first, GET("/1"));
    ask(second, GET("/2"));
    ask(third, GET("/3"));
    run();
    stet__upstream_cancel(third->upstream);
    third->upstream = NULL;
    expect_story(third, "");
    stet__loop_skip(loop, limits.connect_timeout_s + 2);
    expect_story(second, "upstream-unavailable");
    stet__upstream_cancel(first->upstream);
    first->upstream = NULL;
    expect_story(first, "");
    assert_int_equal(stet__upstreams_load(pool, &address), 0);
}

static void test_cancel(void **state)
{
    static const char *const at[] = {"interim", "head", "data", "pause"};
    static const char *const stories[] = {"[103]", "[103](200)", "[103](200)", "[103](200)x"};
    for (size_t i = 0; i < 4; i++) {
        SCRIPT({.text = H "103 Early\r\n\r\n" H "200 OK\r\nContent-Length: 2\r\n\r\nx"});
        struct asked *asked = new_asked();
        asked->cancel_at = at[i];
        ask(asked, GET("/"));
        run();
        expect_story(asked, stories[i]);
        settle();
        assert_int_equal(origin.open, 0);
    }
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    stet__upstream_cancel(asked->upstream);
    asked->upstream = NULL;
    expect_story(asked, "");
    asked = new_asked();
    asked->cancel_at = "next";
    ask_with_body(asked, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", false, false);
    run();
    assert_int_equal(asked->sent, 0);
    expect_story(asked, "");
}

#define POST_LENGTH "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n"
#define POST_CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define THIRTY "abcdefghijklmnopqrstuvwabcdefg"

static void test_body(void **state)
{
    for (int waits = 0; waits < 2; waits++) {
        SCRIPT({.text = HELLO, .until = THIRTY}, {.text = HELLO, .until = "\r\n0\r\n\r\n"});
        struct asked *asked = new_post(30, 7);
        asked->waits = waits;
        ask_with_body(asked, POST_LENGTH, false, false);
        run();
        assert_int_equal(asked->sent, 1);
        expect_story(asked, "(200)hellook");
        asked = new_post(30, 16);
        asked->waits = waits;
        ask_with_body(asked, POST_CHUNKED, true, false);
        run();
        assert_int_equal(asked->sent, 1);
        expect_story(asked, "(200)hellook");
    }
    assert_true(origin_got(POST_LENGTH THIRTY));
    assert_true(origin_got(POST_CHUNKED "10\r\nabcdefghijklmnop\r\ne\r\nqrstuvwabcdefg\r\n0\r\n\r\n"));
    assert_int_equal(origin.accepted, 1);
}

static void test_body_trailers(void **state)
{
    struct stet_field field = {STET_SPAN("Digest"), STET_SPAN("x"), STET_FIELD_OTHER};
    struct stet_fields fields = {&field, 1, 0};
    SCRIPT({.text = HELLO, .until = "\r\n0\r\nDigest: x\r\n\r\n"});
    struct asked *asked = new_post(3, 3);
    asked->trailers = &fields;
    ask_with_body(asked, POST_CHUNKED, true, false);
    run();
    expect_story(asked, "(200)hellook");
}

/* More than a socket holds. */
static void test_large_body(void **state)
{
    SCRIPT({.text = HELLO, .until = "\r\n0\r\n\r\n"});
    struct asked *asked = new_post(3000000, 65536);
    ask_with_body(asked, POST_CHUNKED, true, false);
    run();
    assert_int_equal(asked->sent, 1);
    expect_story(asked, "(200)hellook");
    assert_true(origin.all.len > 3000000);
}

/* A source that breaks off: the origin does not see an end. */
static void test_body_cut(void **state)
{
    struct asked *asked = new_post(10, 10);
    asked->cut = true;
    ask_with_body(asked, POST_CHUNKED, true, false);
    run();
    assert_int_equal(asked->sent, 0);
    expect_story(asked, "upstream-internal");
    settle();
    assert_int_equal(origin.open, 0);
    assert_false(origin_got("\r\n0\r\n"));
}

static void test_expect(void **state)
{
    SCRIPT({.text = H "100 Continue\r\n\r\n"}, {.text = HELLO, .until = THIRTY},
           {.text = H "417 No\r\nContent-Length: 0\r\n\r\n"});
    struct asked *asked = new_post(30, 30);
    ask_with_body(asked, POST_LENGTH, false, true);
    run();
    assert_int_equal(asked->sent, 1);
    expect_story(asked, "[100](200)hellook");
    /* A final answer instead: the body is not sent, so the connection is of no more use. */
    asked = new_post(30, 30);
    ask_with_body(asked, POST_LENGTH, false, true);
    run();
    assert_int_equal(asked->given, 0);
    assert_int_equal(asked->sent, 0);
    expect_story(asked, "(417)ok");
    settle();
    assert_int_equal(origin.open, 0);
}

static void test_expect_in_vain(void **state)
{
    SCRIPT({.text = HELLO, .until = THIRTY});
    struct asked *asked = new_post(30, 30);
    ask_with_body(asked, POST_LENGTH, false, true);
    settle();
    assert_int_equal(asked->given, 0);
    stet__loop_skip(loop, 3);
    run();
    expect_story(asked, "(200)hellook");
}

/* The answer is there before the body is. */
static void test_early_answer(void **state)
{
    SCRIPT({.text = H "413 No\r\nContent-Length: 2\r\n\r\nno"}, {.text = HELLO});
    for (int i = 0; i < 2; i++) {
        struct asked *asked = new_post(3000000, 65536);
        ask_with_body(asked, POST_CHUNKED, true, false);
        run();
        assert_int_equal(asked->sent, 0);
        expect_story(asked, i == 0 ? "(413)nook" : "(200)hellook");
        settle();
        assert_int_equal(origin.open, 0);
    }
}

/* The same, and the origin closes. */
static void test_early_answer_and_close(void **state)
{
    SCRIPT({.text = H "413 No\r\nContent-Length: 2\r\n\r\nno", .close = true});
    struct asked *asked = new_post(3000000, 65536);
    ask_with_body(asked, POST_CHUNKED, true, false);
    run();
    assert_int_equal(asked->sent, 0);
    expect_story(asked, "(413)nook");
}

static void test_connect_only(void **state)
{
    struct asked *asked = new_asked();
    asked->upstream = stet__upstream_connect(pool, &address, &events, asked);
    run();
    assert_int_equal(stet__upstreams_load(pool, &address), 1);
    stet__loop_skip(loop, limits.answer_timeout_s + 2);
    expect_story(asked, "(0)upstream-read-timeout");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_no_connection),
        CASE(test_connect_timeout),
        CASE(test_answer_timeout),
        CASE(test_read_timeout),
        CASE(test_keep_timeout),
        CASE(test_kept_limit),
        CASE(test_queue),
        CASE(test_queue_timeout),
        CASE(test_cancel),
        CASE(test_body),
        CASE(test_body_trailers),
        CASE(test_large_body),
        CASE(test_body_cut),
        CASE(test_expect),
        CASE(test_expect_in_vain),
        CASE(test_early_answer),
        CASE(test_early_answer_and_close),
        CASE(test_connect_only),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
