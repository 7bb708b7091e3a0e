/* SPDX-License-Identifier: MIT */
/*
 * upstream: requests to an origin that says what the test has written for it, in pieces of any size. Origin
 * and requests share one loop and one thread, so nothing depends on who is faster; time passes when the test
 * says so.
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
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "net/loop.h"
#include "net/upstream.h"

#define PEERS 64
#define TEXT_MAX 4000000u
#define OK STET_REASON_OK
#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static char folder[] = "/tmp/stet-upstream-XXXXXX";
static struct stet__loop *loop;
static struct stet__upstreams *pool;
static struct stet__upstream_limits limits;
static struct stet__listen_address address;

/* What the origin does once `until` (the end of a head if NULL) has come. */
struct reply {
    const char *text;
    const char *until;
    size_t piece; /* octets at a time, one in each wake-up; 0: all at once */
    bool close;   /* afterwards */
};

struct peer {
    struct stet__watch watch;
    struct stet__soon soon;
    struct stet__buffer got; /* since the last reply */
    struct stet_span left;   /* to be said */
    bool close, open;
};

static struct {
    struct stet__watch listener;
    const struct reply *replies;
    size_t count, at;
    bool stop;     /* the loop, when there is no reply for what has come */
    unsigned open; /* connections now */
    unsigned accepted;
    struct stet__buffer all; /* that ever came */
    struct peer peers[PEERS];
} origin;

static void hang_up(struct peer *peer)
{
    stet__loop_not_soon(&peer->soon);
    stet__loop_remove(loop, &peer->watch);
    close(peer->watch.fd);
    stet__buffer_release(&peer->got);
    peer->open = false;
    origin.open--;
}

static void say(struct stet__soon *soon)
{
    struct peer *peer = stet__list_entry(soon, struct peer, soon);
    const struct reply *reply = &origin.replies[origin.at - 1];
    size_t piece = reply->piece && reply->piece < peer->left.len ? reply->piece : peer->left.len;
    if (piece > 0) {
        ssize_t n = send(peer->watch.fd, peer->left.ptr, piece, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            hang_up(peer);
            return;
        }
        peer->left = stet_span_skip(peer->left, n > 0 ? (size_t)n : 0);
    }
    if (peer->left.len > 0)
        stet__loop_soon(loop, soon);
    else if (peer->close)
        hang_up(peer);
}

static void hear(struct stet__watch *watch, uint32_t events)
{
    static char octets[65536];
    struct peer *peer = stet__list_entry(watch, struct peer, watch);
    ssize_t n = recv(watch->fd, octets, sizeof octets, 0);
    if (n <= 0) {
        hang_up(peer);
        return;
    }
    stet__buffer_append(&origin.all, stet_span_of(octets, (size_t)n));
    stet__buffer_append(&peer->got, stet_span_of(octets, (size_t)n));
    const struct reply *reply = origin.at < origin.count ? &origin.replies[origin.at] : NULL;
    const char *until = reply && reply->until ? reply->until : "\r\n\r\n";
    if (!memmem(peer->got.ptr, peer->got.len, until, strlen(until)))
        return;
    stet__buffer_clear(&peer->got);
    if (!reply) {
        if (origin.stop)
            stet__loop_stop(loop);
        return;
    }
    origin.at++;
    peer->left = stet_span_of(reply->text, strlen(reply->text));
    peer->close = reply->close;
    stet__loop_soon(loop, &peer->soon);
}

static void greet(struct stet__watch *watch, uint32_t events)
{
    int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    stet__assert(fd >= 0);
    struct peer *peer = origin.peers;
    while (peer->open)
        peer++;
    stet__assert(peer < origin.peers + PEERS);
    *peer = (struct peer){.watch = {.ready = hear, .fd = fd}, .open = true};
    stet__soon_init(&peer->soon, say);
    stet__buffer_init(&peer->got, TEXT_MAX);
    stet__loop_add(loop, &peer->watch, EPOLLIN);
    origin.accepted++;
    origin.open++;
}

static void script(const struct reply *replies, size_t count)
{
    origin.replies = replies;
    origin.count = count;
    origin.at = 0;
}

/* One request, and what becomes of it: "[103](200)body{Trailer: x}ok". */
struct asked {
    struct stet__upstream *upstream; /* NULL: over */
    struct stet__buffer story;
    size_t take; /* octets that `data` takes at a time; 0: all */
    size_t pauses;
    const char *cancel_at; /* in which event */
    unsigned stops;        /* the loop when it is over */
    size_t given, part;    /* of the body: octets given, and in one part */
    size_t length;         /* of the body */
    bool waits;            /* says WAIT between the parts */
    bool cut;              /* says CUT instead of END */
    bool waiting;
    int sent; /* -1: `done` did not come */
    const struct stet_fields *trailers;
};

static bool cancels(struct asked *asked, const char *where)
{
    if (!asked->cancel_at || strcmp(asked->cancel_at, where) != 0)
        return false;
    stet__upstream_cancel(asked->upstream);
    asked->upstream = NULL;
    stet__loop_stop(loop);
    return true;
}

static void note(struct asked *asked, const char *open, unsigned status, const char *close)
{
    stet__buffer_append_text(&asked->story, open);
    stet__buffer_append_u64(&asked->story, status);
    stet__buffer_append_text(&asked->story, close);
}

static void on_interim(void *owner, const struct stet_response *response)
{
    struct asked *asked = owner;
    note(asked, "[", response->status, "]");
    (void)cancels(asked, "interim");
}

static void on_head(void *owner, const struct stet_http1_response *response)
{
    struct asked *asked = owner;
    note(asked, "(", response ? response->head.status : 0, ")");
    if (!response)
        stet__loop_stop(loop);
    (void)cancels(asked, "head");
}

static size_t on_data(void *owner, struct stet_span octets)
{
    struct asked *asked = owner;
    assert_true(octets.len > 0);
    if (cancels(asked, "data"))
        return octets.len;
    size_t n = asked->take && asked->take < octets.len ? asked->take : octets.len;
    stet__buffer_append(&asked->story, stet_span_of(octets.ptr, n));
    if (n < octets.len)
        stet__upstream_read_on(asked->upstream);
    return n;
}

static void on_pause(void *owner)
{
    struct asked *asked = owner;
    asked->pauses++;
    (void)cancels(asked, "pause");
}

static void on_end(void *owner, enum stet_reason reason, const struct stet_fields *trailers)
{
    struct asked *asked = owner;
    for (size_t i = 0; trailers && i < trailers->count; i++) {
        stet__buffer_append_text(&asked->story, "{");
        stet__buffer_append(&asked->story, trailers->at[i].name);
        stet__buffer_append_text(&asked->story, "=");
        stet__buffer_append(&asked->story, trailers->at[i].value);
        stet__buffer_append_text(&asked->story, "}");
    }
    stet__buffer_append_text(&asked->story, stet_reason_row(reason)->name);
    asked->upstream = NULL;
    stet__loop_stop(loop);
}

static const struct stet__upstream_events events = {on_interim, on_head, on_data, on_pause, on_end};

static enum stet__supply next(void *owner, struct stet__part *part)
{
    static char octets[65536];
    struct asked *asked = owner;
    if (cancels(asked, "next"))
        return STET__SUPPLY_WAIT;
    if (asked->waits && !asked->waiting) {
        asked->waiting = true;
        stet__upstream_write_on(asked->upstream);
        return STET__SUPPLY_WAIT;
    }
    asked->waiting = false;
    if (asked->given == asked->length)
        return asked->cut ? STET__SUPPLY_CUT : STET__SUPPLY_END;
    size_t len = asked->length - asked->given < asked->part ? asked->length - asked->given : asked->part;
    for (size_t i = 0; i < len; i++)
        octets[i] = (char)('a' + (asked->given + i) % 23);
    asked->given += len;
    *part = stet__part_memory(stet_span_of(octets, len));
    return STET__SUPPLY_PART;
}

static const struct stet_fields *source_trailers(void *owner)
{
    struct asked *asked = owner;
    return asked->trailers;
}

static void source_done(void *owner, bool sent)
{
    struct asked *asked = owner;
    assert_int_equal(asked->sent, -1);
    asked->sent = sent;
}

static void run(void)
{
    stet__loop_run(loop);
}

static struct asked *new_asked(void)
{
    struct asked *asked = calloc(1, sizeof *asked);
    stet__assert(asked);
    stet__buffer_init(&asked->story, TEXT_MAX);
    asked->sent = -1;
    return asked;
}

static struct stet__upstream_request request_of(struct asked *asked, const char *head)
{
    struct stet_span text = stet_span_of(head, strlen(head));
    size_t method = (size_t)(strchr(head, ' ') - head);
    enum stet_method id = stet_method_id(stet_span_of(head, method));
    return (struct stet__upstream_request){.address = &address,
                                           .head = text,
                                           .method = id,
                                           .idempotent = stet_method_idempotent(id),
                                           .events = &events,
                                           .owner = asked};
}

static void ask(struct asked *asked, const char *head)
{
    struct stet__upstream_request request = request_of(asked, head);
    asked->upstream = stet__upstream_ask(pool, &request);
    assert_non_null(asked->upstream);
    /* No event comes from within. */
    assert_int_equal(asked->story.len, 0);
}

static void ask_with_body(struct asked *asked, const char *head, bool chunked, bool expect)
{
    struct stet__upstream_request request = request_of(asked, head);
    request.body = (struct stet__source){asked, next, source_trailers, source_done};
    request.body_chunked = chunked;
    request.expect_continue = expect;
    asked->upstream = stet__upstream_ask(pool, &request);
    assert_non_null(asked->upstream);
    assert_int_equal(asked->given, 0);
    assert_int_equal(asked->sent, -1);
}

static void expect_story(struct asked *asked, const char *story)
{
    assert_null(asked->upstream);
    stet__buffer_append(&asked->story, stet_span_of("", 1));
    assert_string_equal(asked->story.ptr, story);
    stet__buffer_release(&asked->story);
    free(asked);
}

/* Asks and waits for the end. */
static void expect_answer(const char *head, const char *story)
{
    struct asked *asked = new_asked();
    ask(asked, head);
    run();
    expect_story(asked, story);
}

static bool origin_got(const char *text)
{
    return origin.all.len > 0 && memmem(origin.all.ptr, origin.all.len, text, strlen(text));
}

/* Lets everything that is under way come to rest. */
static void stop_soon(struct stet__soon *soon)
{
    stet__loop_stop(loop);
}

static void settle(void)
{
    for (int i = 0; i < 4; i++) {
        struct stet__soon soon;
        stet__soon_init(&soon, stop_soon);
        stet__loop_soon(loop, &soon);
        run();
    }
}

static int open_listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &address.at.any, address.len) < 0 || listen(fd, 64) < 0)
        return -1;
    return fd;
}

static int begin(void **state)
{
    char text[128];
    memset(&origin, 0, sizeof origin);
    snprintf(text, sizeof text, "unix:%s/origin", folder);
    if (stet__listen_address_parse(stet_span_of(text, strlen(text)), &address) != STET_OK)
        return -1;
    stet__upstream_limits_default(&limits);
    loop = stet__loop_new();
    pool = loop ? stet__upstreams_new(loop, &limits) : NULL;
    stet__buffer_init(&origin.all, TEXT_MAX);
    origin.listener = (struct stet__watch){.ready = greet, .fd = open_listener()};
    return pool && stet__loop_add(loop, &origin.listener, EPOLLIN) == 0 ? 0 : -1;
}

static void restart(void)
{
    stet__upstreams_free(pool);
    pool = stet__upstreams_new(loop, &limits);
    assert_non_null(pool);
    settle();
}

static int end(void **state)
{
    stet__upstreams_free(pool);
    settle();
    for (size_t i = 0; i < PEERS; i++)
        if (origin.peers[i].open)
            hang_up(&origin.peers[i]);
    close(origin.listener.fd);
    stet__buffer_release(&origin.all);
    stet__loop_free(loop);
    return unlink(address.at.local.sun_path);
}

struct framing {
    const char *head, *text, *story;
    bool close; /* the origin closes afterwards */
    bool kept;  /* the connection is used again */
};

#define H "HTTP/1.1 "
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
    {GET("/"), H "200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxyz", "(200)xyzok", true, false},
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
            struct reply replies[] = {{framing->text, NULL, pieces[k], framing->close}, after};
            script(replies, 2);
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
    struct reply replies[] = {
        {.text = H "200 OK\r\nA: 0123456789012345678901234567890123456789012345678901234567890123456789"
                   "0123456789012345678901234567890123456789\r\n\r\n"},
        {.text = H "200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n"},
    };
    script(replies, 2);
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
    struct reply reply = {.text = text.ptr};
    script(&reply, 1);
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
                struct reply reply = {texts[i], NULL, piece, i == 2};
                script(&reply, 1);
                struct asked *asked = new_asked();
                asked->take = take;
                ask(asked, GET("/"));
                run();
                expect_story(asked, "(200)abcdefghijklmnopqrstuvwxyzok");
            }
}

static void test_pause(void **state)
{
    struct reply reply = {H "200 OK\r\nContent-Length: 10\r\n\r\n0123456789", NULL, 41, false};
    script(&reply, 1);
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    run();
    assert_int_equal(asked->pauses, 1);
    expect_story(asked, "(200)0123456789ok");
}

static const char hello[] = H "200 OK\r\nContent-Length: 5\r\n\r\nhello";

/* The origin closes a kept connection when the next request is there: idempotent ones are sent again. */
static void test_stale(void **state)
{
    struct reply replies[] = {{.text = hello}, {.text = "", .close = true},
                              {.text = hello}, {.text = "", .close = true},
                              {.text = hello}, {.text = "", .close = true}};
    script(replies, 6);
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
    struct reply replies[] = {{.text = hello}, {.text = hello}, {.text = hello}};
    script(replies, 3);
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
    struct reply replies[] = {{.text = hello}, {.text = hello}};
    script(replies, 2);
    expect_answer(GET("/"), "(200)hellook");
    assert_int_equal(send(origin.peers[0].watch.fd, "HTTP/1.1 200 OK\r\n\r\n", 19, 0), 19);
    settle();
    assert_int_equal(origin.open, 0);
    expect_answer(GET("/"), "(200)hellook");
    assert_int_equal(origin.accepted, 2);
}

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
    struct reply reply = {.text = H "200 OK\r\nContent-Length: 5\r\n\r\nhel"};
    script(&reply, 1);
    struct asked *asked = new_asked();
    ask(asked, GET("/"));
    settle();
    stet__loop_skip(loop, limits.read_timeout_s + 2);
    expect_story(asked, "(200)helupstream-read-timeout");
}

static void test_keep_timeout(void **state)
{
    struct reply reply = {.text = hello};
    script(&reply, 1);
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
    struct reply replies[] = {{.text = hello}, {.text = hello}, {.text = hello}};
    struct asked *asked[3];
    script(replies, 3);
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
    struct reply replies[] = {
        {.text = hello}, {.text = H "204 No Content\r\nConnection: close\r\n\r\n"}, {.text = hello}};
    script(replies, 3);
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
        struct reply reply = {.text = H "103 Early\r\n\r\n" H "200 OK\r\nContent-Length: 2\r\n\r\nx"};
        script(&reply, 1);
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
        struct reply replies[] = {{.text = hello, .until = THIRTY},
                                  {.text = hello, .until = "\r\n0\r\n\r\n"}};
        script(replies, 2);
        struct asked *asked = new_asked();
        asked->length = 30;
        asked->part = 7;
        asked->waits = waits;
        ask_with_body(asked, POST_LENGTH, false, false);
        run();
        assert_int_equal(asked->sent, 1);
        expect_story(asked, "(200)hellook");
        asked = new_asked();
        asked->length = 30;
        asked->part = 16;
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
    struct reply reply = {.text = hello, .until = "\r\n0\r\nDigest: x\r\n\r\n"};
    script(&reply, 1);
    struct asked *asked = new_asked();
    asked->length = asked->part = 3;
    asked->trailers = &fields;
    ask_with_body(asked, POST_CHUNKED, true, false);
    run();
    expect_story(asked, "(200)hellook");
}

/* More than a socket holds. */
static void test_large_body(void **state)
{
    struct reply reply = {.text = hello, .until = "\r\n0\r\n\r\n"};
    script(&reply, 1);
    struct asked *asked = new_asked();
    asked->length = 3000000;
    asked->part = 65536;
    ask_with_body(asked, POST_CHUNKED, true, false);
    run();
    assert_int_equal(asked->sent, 1);
    expect_story(asked, "(200)hellook");
    assert_true(origin.all.len > 3000000);
}

/* A source that breaks off: the origin does not see an end. */
static void test_body_cut(void **state)
{
    struct asked *asked = new_asked();
    asked->length = asked->part = 10;
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
    struct reply replies[] = {{.text = H "100 Continue\r\n\r\n"},
                              {.text = hello, .until = THIRTY},
                              {.text = H "417 No\r\nContent-Length: 0\r\n\r\n"}};
    script(replies, 3);
    struct asked *asked = new_asked();
    asked->length = asked->part = 30;
    ask_with_body(asked, POST_LENGTH, false, true);
    run();
    assert_int_equal(asked->sent, 1);
    expect_story(asked, "[100](200)hellook");
    /* A final answer instead: the body is not sent, so the connection is of no more use. */
    asked = new_asked();
    asked->length = asked->part = 30;
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
    struct reply reply = {.text = hello, .until = THIRTY};
    script(&reply, 1);
    struct asked *asked = new_asked();
    asked->length = asked->part = 30;
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
    struct reply replies[] = {{.text = H "413 No\r\nContent-Length: 2\r\n\r\nno"}, {.text = hello}};
    script(replies, 2);
    for (int i = 0; i < 2; i++) {
        struct asked *asked = new_asked();
        asked->length = 3000000;
        asked->part = 65536;
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
    struct reply reply = {.text = H "413 No\r\nContent-Length: 2\r\n\r\nno", .close = true};
    script(&reply, 1);
    struct asked *asked = new_asked();
    asked->length = 3000000;
    asked->part = 65536;
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

static int prepare(void **state)
{
    alarm(100); /* a request that hangs hangs the loop */
    return mkdtemp(folder) ? 0 : -1;
}

static int clean_up(void **state)
{
    return rmdir(folder);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

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
