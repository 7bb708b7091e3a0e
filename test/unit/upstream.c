/* SPDX-License-Identifier: MIT */
/*
 * upstream: answers in every framing and every cut, and connections that are kept, stale or closed.
 */
#include "origin.h"

struct framing {
    const char *head, *text, *story;
    bool close; /* the origin closes afterwards */
    bool kept;  /* the connection is used again */
};

static const struct framing framings[] = {
    {GET("/"), H "200 OK\r\nContent-Length: 5\r\n\r\nhello", "(200)hellook", false, true},
    {GET("/"), H "200 OK\r\nContent-Length: 0\r\n\r\n", "(200)ok", false, true},
    {GET("/"), H "200\r\nContent-Length: 5, 5\r\n\r\nhello", "(200)hellook", false, true},
    {GET("/"), H "200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", "(200)hellook", false,
     false},
    {GET("/"), H "200 OK\r\n\r\nuntil close", "(200)until closeok", true, false},
    {GET("/"), "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", "(200)abok", false, false},
    {GET("/"), "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab", "(200)abok", false,
     true},
    {GET("/"), H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
     "(200)abcdeok", false, true},
    {GET("/"), H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: 1\r\nB: 2\r\n\r\n",
     "(200)abc{A=1}{B=2}ok", false, true},
    {GET("/"), H "200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxyz", "upstream-malformed", true, false},
    {GET("/"), "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "upstream-malformed", true,
     false},
    {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", H "200 OK\r\nContent-Length: 5\r\n\r\n", "(200)ok", false, true},
    {GET("/"), H "304 Not Modified\r\nContent-Length: 5\r\n\r\n", "(304)ok", false, true},
    {GET("/"), H "204 No Content\r\n\r\n", "(204)ok", false, true},
    {GET("/"),
     H "100 Continue\r\n\r\n" H "103 Early\r\nLink: </a>\r\n\r\n" H "200 OK\r\nContent-Length: 1\r\n\r\nx",
     "[100][103](200)xok", false, true},
    {GET("/"), H "200 OK\r\nFolded: a\r\n b\r\nContent-Length: 1\r\n\r\nx", "(200)xok", false, true},
    /* Surplus is never an answer. */
    {GET("/"), H "304 Not Modified\r\n\r\nhello", "(304)ok", false, false},
    {GET("/"), H "204 No Content\r\n\r\nhello", "(204)ok", false, false},
    {GET("/"), H "200 OK\r\nContent-Length: 1\r\n\r\n1" H "200 OK\r\nContent-Length: 1\r\n\r\n2", "(200)1ok",
     false, false},
    {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", H "200 OK\r\nContent-Length: 5\r\n\r\nhello", "(200)ok", false,
     false},
    /* Not HTTP. */
    {GET("/"), "garbage\r\n\r\n", "upstream-malformed", false, false},
    {GET("/"), "\r\n" H "200 OK\r\n\r\n", "upstream-malformed", false, false},
    {GET("/"), "HTTP/2.0 200 OK\r\n\r\n", "upstream-malformed", false, false},
    {GET("/"), H "200 OK\r\nContent-Length: 5x\r\n\r\nhello", "upstream-malformed", false, false},
    {GET("/"), H "200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "upstream-malformed", false,
     false},
    {GET("/"), H "200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "upstream-malformed", false, false},
    {GET("/"), H "200 OK\r\nBad Name: 5\r\n\r\n", "upstream-malformed", false, false},
    {GET("/"), H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
     "(200)abcupstream-malformed", false, false},
    {GET("/"), H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "(200)upstream-malformed", false,
     false},
};

/* Whatever the cut, the story is the same; the connection is kept only if it may be. */
static void test_framings(void **state)
{
    static const size_t pieces[] = {0, 1, 2, 3, 7, 40};
    static const struct reply after = {.text = H "200 OK\r\nContent-Length: 5\r\n\r\nafter"};
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            const struct framing *framing = &framings[i];
            restart();
            SCRIPT({framing->text, NULL, pieces[k], framing->close}, after);
            unsigned before = origin.accepted;
            expect_answer(framing->head, framing->story);
            settle();
            if (framing->close)
                assert_int_equal(origin.open, 0);
            origin.at = 1;
            expect_answer(GET("/2"), "(200)afterok");
            assert_int_equal(origin.accepted - before, framing->kept ? 1 : 2);
        }
}

/* The origin closes after each octet of each answer. */
static void test_close_at_each_octet(void **state)
{
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
        const struct framing *framing = &framings[i];
        const char *end_of_head = strstr(framing->text, "\r\n\r\n");
        if (!framing->kept || strncmp(framing->text, H "100", 12) == 0)
            continue;
        size_t head_len = (size_t)(end_of_head - framing->text) + 4, len = strlen(framing->text);
        for (size_t n = 0; n < len; n++) {
            char *text = strndup(framing->text, n);
            struct reply reply = {text, NULL, 0, true};
            restart();
            script(&reply, 1);
            struct asked *asked = new_asked();
            ask(asked, framing->head);
            run();
            const char *reason = n < head_len ? "upstream-reset" : "upstream-truncated";
            assert_true(asked->story.len >= strlen(reason));
            assert_memory_equal(asked->story.ptr + asked->story.len - strlen(reason), reason, strlen(reason));
            if (n < head_len)
                assert_int_equal(asked->story.len, strlen(reason));
            stet__buffer_release(&asked->story);
            free(asked);
            free(text);
        }
    }
}

static void test_head_too_large(void **state)
{
    limits.head.head_bytes = 100;
    limits.head.fields = 3;
    restart();
    SCRIPT({.text = H "200 OK\r\nA: 0123456789012345678901234567890123456789012345678901234567890123456789"
                      "0123456789012345678901234567890123456789\r\n\r\n"},
           {.text = H "200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n"});
    expect_answer(GET("/"), "upstream-head-too-large");
    expect_answer(GET("/"), "upstream-head-too-large");
}

static void test_interims_are_bounded(void **state)
{
    struct stet__buffer text;
    stet__buffer_init(&text, TEXT_MAX);
    for (int i = 0; i < 101; i++)
        stet__buffer_append_text(&text, H "102 Processing\r\n\r\n");
    stet__buffer_append(&text, stet_span_of("", 1));
    SCRIPT({.text = text.ptr});
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    run();
    assert_int_equal(asked->story.len, 100 * strlen("[102]") + strlen("upstream-malformed"));
    stet__buffer_release(&asked->story);
    free(asked);
    stet__buffer_release(&text);
}

/* Each takes the connection of the one before. */
static void test_thousand_on_one_connection(void **state)
{
    static struct reply replies[1000];
    for (size_t i = 0; i < 1000; i++)
        replies[i].text = H "200 OK\r\nContent-Length: 5\r\n\r\nhello";
    script(replies, 1000);
    for (size_t i = 0; i < 1000; i++)
        expect_answer(GET("/"), "(200)hellook");
    assert_int_equal(origin.accepted, 1);
    assert_int_equal(stet__upstreams_load(pool, &address), 0);
}

/* The owner takes little at a time. */
static void test_back_pressure(void **state)
{
    static const char *const texts[] = {
        H "200 OK\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz",
        H
        "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabcdefghijklmnop\r\na\r\nqrstuvwxyz\r\n0\r\n\r\n",
        H "200 OK\r\n\r\nabcdefghijklmnopqrstuvwxyz",
    };
    for (size_t i = 0; i < 3; i++)
        for (size_t take = 1; take < 27; take += 4)
            for (size_t piece = 0; piece < 60; piece += 12) {
                SCRIPT({texts[i], NULL, piece, i == 2});
                struct asked *asked = new_asked();
                asked->take = take;
                ask(asked, GET("/"));
                run();
                expect_story(asked, "(200)abcdefghijklmnopqrstuvwxyzok");
            }
}

static void test_pause(void **state)
{
    SCRIPT({H "200 OK\r\nContent-Length: 10\r\n\r\n0123456789", NULL, 41, false});
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    run();
    assert_int_equal(asked->pauses, 1);
    expect_story(asked, "(200)0123456789ok");
}

/* The origin closes a kept connection when the next request is there: idempotent ones are sent again. */
static void test_stale(void **state)
{
    SCRIPT({.text = HELLO}, {.text = "", .close = true}, {.text = HELLO}, {.text = "", .close = true},
           {.text = HELLO}, {.text = "", .close = true});
    expect_answer(GET("/"), "(200)hellook");
    expect_answer(GET("/2"), "(200)hellook");
    assert_int_equal(origin.accepted, 2);
    expect_answer("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "upstream-reset");
    assert_int_equal(origin.accepted, 2);
    expect_answer(GET("/3"), "(200)hellook");
    /* A new connection is no stale one. */
    restart();
    expect_answer(GET("/4"), "upstream-reset");
    assert_int_equal(origin.accepted, 4);
}

/* A connection that was closed while nobody looked is not used for what cannot be sent twice. */
static void test_closed_meanwhile(void **state)
{
    SCRIPT({.text = HELLO}, {.text = HELLO}, {.text = HELLO});
    expect_answer(GET("/"), "(200)hellook");
    hang_up(&origin.peers[0]);
    expect_answer("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "(200)hellook");
    assert_int_equal(origin.accepted, 2);
    hang_up(&origin.peers[0]);
    expect_answer(GET("/"), "(200)hellook");
    assert_int_equal(origin.accepted, 3);
}

/* Octets that come unasked are no answer to the next request. */
static void test_unasked(void **state)
{
    SCRIPT({.text = HELLO}, {.text = HELLO});
    expect_answer(GET("/"), "(200)hellook");
    assert_int_equal(send(origin.peers[0].watch.fd, "HTTP/1.1 200 OK\r\n\r\n", 19, 0), 19);
    settle();
    assert_int_equal(origin.open, 0);
    expect_answer(GET("/"), "(200)hellook");
    assert_int_equal(origin.accepted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_framings),
        CASE(test_close_at_each_octet),
        CASE(test_head_too_large),
        CASE(test_interims_are_bounded),
        CASE(test_thousand_on_one_connection),
        CASE(test_back_pressure),
        CASE(test_pause),
        CASE(test_stale),
        CASE(test_closed_meanwhile),
        CASE(test_unasked),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
