/* SPDX-License-Identifier: MIT */
/*
 * origin: what the tests of upstream share: requests to an origin that says what the test has written for it,
 * in pieces of any size. Origin and requests share one loop and one thread, so nothing depends on who is
 * faster; time passes when the test says so.
 */
#ifndef STET_TEST_UNIT_ORIGIN_H
#define STET_TEST_UNIT_ORIGIN_H

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

static inline void hang_up(struct peer *peer)
{
    stet__loop_not_soon(&peer->soon);
    stet__loop_remove(loop, &peer->watch);
    close(peer->watch.fd);
    stet__buffer_release(&peer->got);
    peer->open = false;
    origin.open--;
}

static inline void say(struct stet__soon *soon)
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

static inline void hear(struct stet__watch *watch, uint32_t events)
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

static inline void greet(struct stet__watch *watch, uint32_t events)
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

static inline void script(const struct reply *replies, size_t count)
{
    origin.replies = replies;
    origin.count = count;
    origin.at = 0;
}

/* These replies, one after the other: SCRIPT({.text = HELLO}, {.text = H "204 No Content\r\n\r\n"}). */
#define SCRIPT(...)                             \
    script((const struct reply[]){__VA_ARGS__}, \
           sizeof(const struct reply[]){__VA_ARGS__} / sizeof(struct reply))

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

static inline bool cancels(struct asked *asked, const char *where)
{
    if (!asked->cancel_at || strcmp(asked->cancel_at, where) != 0)
        return false;
    stet__upstream_cancel(asked->upstream);
    asked->upstream = NULL;
    stet__loop_stop(loop);
    return true;
}

static inline void note(struct asked *asked, const char *open, unsigned status, const char *close)
{
    stet__buffer_append_text(&asked->story, open);
    stet__buffer_append_u64(&asked->story, status);
    stet__buffer_append_text(&asked->story, close);
}

static inline void on_interim(void *owner, const struct stet_response *response)
{
    struct asked *asked = owner;
    note(asked, "[", response->status, "]");
    (void)cancels(asked, "interim");
}

static inline void on_head(void *owner, const struct stet_http1_response *response)
{
    struct asked *asked = owner;
    note(asked, "(", response ? response->head.status : 0, ")");
    if (!response)
        stet__loop_stop(loop);
    (void)cancels(asked, "head");
}

static inline size_t on_data(void *owner, struct stet_span octets)
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

static inline void on_pause(void *owner)
{
    struct asked *asked = owner;
    asked->pauses++;
    (void)cancels(asked, "pause");
}

static inline void on_end(void *owner, enum stet_reason reason, const struct stet_fields *trailers)
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

static inline enum stet__supply next(void *owner, struct stet__part *part)
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

static inline const struct stet_fields *source_trailers(void *owner)
{
    struct asked *asked = owner;
    return asked->trailers;
}

static inline void source_done(void *owner, bool sent)
{
    struct asked *asked = owner;
    assert_int_equal(asked->sent, -1);
    asked->sent = sent;
}

static inline void run(void)
{
    stet__loop_run(loop);
}

static inline struct asked *new_asked(void)
{
    struct asked *asked = calloc(1, sizeof *asked);
    stet__assert(asked);
    stet__buffer_init(&asked->story, TEXT_MAX);
    asked->sent = -1;
    return asked;
}

/* With a body of `length` octets that comes in parts. */
static inline struct asked *new_post(size_t length, size_t part)
{
    struct asked *asked = new_asked();
    asked->length = length;
    asked->part = part;
    return asked;
}

static inline struct stet__upstream_request request_of(struct asked *asked, const char *head)
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

static inline void ask(struct asked *asked, const char *head)
{
    struct stet__upstream_request request = request_of(asked, head);
    asked->upstream = stet__upstream_ask(pool, &request);
    assert_non_null(asked->upstream);
    /* No event comes from within. */
    assert_int_equal(asked->story.len, 0);
}

static inline void ask_with_body(struct asked *asked, const char *head, bool chunked, bool expect)
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

static inline void expect_story(struct asked *asked, const char *story)
{
    assert_null(asked->upstream);
    stet__buffer_append(&asked->story, stet_span_of("", 1));
    assert_string_equal(asked->story.ptr, story);
    stet__buffer_release(&asked->story);
    free(asked);
}

/* Asks and waits for the end. */
static inline void expect_answer(const char *head, const char *story)
{
    struct asked *asked = new_asked();
    ask(asked, head);
    run();
    expect_story(asked, story);
}

static inline bool origin_got(const char *text)
{
    return origin.all.len > 0 && memmem(origin.all.ptr, origin.all.len, text, strlen(text));
}

/* Lets everything that is under way come to rest. */
static inline void stop_soon(struct stet__soon *soon)
{
    stet__loop_stop(loop);
}

static inline void settle(void)
{
    for (int i = 0; i < 4; i++) {
        struct stet__soon soon;
        stet__soon_init(&soon, stop_soon);
        stet__loop_soon(loop, &soon);
        run();
    }
}

static inline int open_listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &address.at.any, address.len) < 0 || listen(fd, 64) < 0)
        return -1;
    return fd;
}

static inline int begin(void **state)
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

static inline void restart(void)
{
    stet__upstreams_free(pool);
    pool = stet__upstreams_new(loop, &limits);
    assert_non_null(pool);
    settle();
}

static inline int end(void **state)
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

#define H "HTTP/1.1 "
#define HELLO H "200 OK\r\nContent-Length: 5\r\n\r\nhello"

static inline int prepare(void **state)
{
    alarm(100); /* a request that hangs hangs the loop */
    return mkdtemp(folder) ? 0 : -1;
}

static inline int clean_up(void **state)
{
    return rmdir(folder);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
