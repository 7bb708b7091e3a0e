/* SPDX-License-Identifier: MIT */
/*
 * answering: a server on a port of the loopback, in a thread of its own, that says what the test has written
 * for each target. It knows nothing of HTTP but where a request ends (its empty line and Content-Length), so
 * it can say what no server should.
 */
#ifndef STET_TEST_UNIT_ANSWERING_H
#define STET_TEST_UNIT_ANSWERING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buffer.h"

#define ANSWERING_PEERS 256
#define REQUEST_MAX 1000000u

/* Said to a request whose target begins with `target`; the first that fits. */
struct answering_row {
    const char *target;
    const char *text;  /* NULL: nothing */
    uint64_t filler;   /* so many octets behind the text */
    unsigned after_ms; /* the octets of `later` come so much later, on the same connection */
    const char *later;
    bool close; /* at the end */
};

struct answering_peer {
    int fd;
    struct stet__buffer got;
};

static struct {
    const struct answering_row *rows;
    size_t count;
    int listener, wake[2];
    unsigned port;
    pthread_t thread;
    atomic_uint accepted, open, open_most;
    pthread_mutex_t lock;
    struct stet__buffer last; /* the last request; under the lock */
    struct answering_peer peers[ANSWERING_PEERS];
} answering = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline void answering_send(int fd, const char *octets, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, octets, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the client has left; recv will say so */
        octets += n;
        len -= (size_t)n;
    }
}

static inline void answering_fill(int fd, uint64_t len)
{
    static const char filler[65536];
    for (; len > 0; len -= len < sizeof filler ? len : sizeof filler) {
        size_t piece = len < sizeof filler ? (size_t)len : sizeof filler;
        if (send(fd, filler, piece, MSG_NOSIGNAL | MSG_WAITALL) <= 0)
            return;
    }
}

/* The octets of the request at the front, 0 if it is not complete. */
static inline size_t answering_request(const struct stet__buffer *got)
{
    const char *end = got->len ? memmem(got->ptr, got->len, "\r\n\r\n", 4) : NULL;
    if (!end)
        return 0;
    size_t len = (size_t)(end - got->ptr) + 4;
    const char *field = memmem(got->ptr, len, "\r\nContent-Length: ", 18);
    if (field)
        len += strtoul(field + 18, NULL, 10);
    return got->len < len ? 0 : len;
}

static inline const struct answering_row *answering_find(struct stet_span request)
{
    const char *space = memchr(request.ptr, ' ', request.len);
    stet__assert(space);
    struct stet_span target = stet_span_skip(request, (size_t)(space - request.ptr) + 1);
    for (size_t i = 0; i < answering.count; i++) {
        const char *row = answering.rows[i].target;
        if (stet_span_starts(target, stet_span_of(row, strlen(row))))
            return &answering.rows[i];
    }
    return NULL;
}

static inline void answering_leave(struct answering_peer *peer)
{
    close(peer->fd);
    peer->fd = -1;
    stet__buffer_release(&peer->got);
    answering.open--;
}

/* False if the connection is closed. */
static inline bool answering_answer(struct answering_peer *peer, size_t len)
{
    const struct answering_row *row = answering_find(stet__buffer_span(&peer->got));
    pthread_mutex_lock(&answering.lock);
    stet__buffer_clear(&answering.last);
    stet__buffer_append(&answering.last, stet_span_of(peer->got.ptr, len));
    pthread_mutex_unlock(&answering.lock);
    stet__buffer_consume(&peer->got, len);
    stet__assert(row);
    if (row->text)
        answering_send(peer->fd, row->text, strlen(row->text));
    answering_fill(peer->fd, row->filler);
    if (row->later) {
        (void)poll(NULL, 0, (int)row->after_ms);
        answering_send(peer->fd, row->later, strlen(row->later));
    }
    if (row->close)
        answering_leave(peer);
    return !row->close;
}

static inline void answering_hear(struct answering_peer *peer)
{
    char octets[65536];
    ssize_t n = recv(peer->fd, octets, sizeof octets, 0);
    if (n <= 0) {
        answering_leave(peer);
        return;
    }
    stet__buffer_append(&peer->got, stet_span_of(octets, (size_t)n));
    size_t len;
    while ((len = answering_request(&peer->got)) > 0 && answering_answer(peer, len))
        continue;
}

static inline void answering_greet(void)
{
    struct answering_peer *peer = answering.peers;
    while (peer->fd >= 0)
        peer++;
    stet__assert(peer < answering.peers + ANSWERING_PEERS);
    peer->fd = accept(answering.listener, NULL, NULL);
    stet__assert(peer->fd >= 0);
    stet__buffer_init(&peer->got, REQUEST_MAX);
    answering.accepted++;
    if (++answering.open > answering.open_most)
        answering.open_most = answering.open;
}

static inline void *answering_run(void *unused)
{
    for (;;) {
        struct pollfd polled[ANSWERING_PEERS + 2] = {{.fd = answering.listener, .events = POLLIN},
                                                     {.fd = answering.wake[0], .events = POLLIN}};
        for (size_t i = 0; i < ANSWERING_PEERS; i++)
            polled[i + 2] = (struct pollfd){.fd = answering.peers[i].fd, .events = POLLIN};
        stet__assert(poll(polled, ANSWERING_PEERS + 2, -1) > 0);
        if (polled[1].revents)
            return NULL;
        for (size_t i = 0; i < ANSWERING_PEERS; i++)
            if (polled[i + 2].revents)
                answering_hear(&answering.peers[i]);
        if (polled[0].revents)
            answering_greet();
    }
}

static inline void answering_start(const struct answering_row *rows, size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    answering.rows = rows;
    answering.count = count;
    answering.accepted = answering.open = answering.open_most = 0;
    for (size_t i = 0; i < ANSWERING_PEERS; i++)
        answering.peers[i].fd = -1;
    stet__buffer_init(&answering.last, REQUEST_MAX);
    answering.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(answering.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(answering.listener, 256), 0);
    assert_int_equal(getsockname(answering.listener, (struct sockaddr *)&at, &len), 0);
    answering.port = ntohs(at.sin_port);
    assert_int_equal(pipe(answering.wake), 0);
    assert_int_equal(pthread_create(&answering.thread, NULL, answering_run, NULL), 0);
}

static inline void answering_stop(void)
{
    assert_int_equal(write(answering.wake[1], "", 1), 1);
    pthread_join(answering.thread, NULL);
    for (size_t i = 0; i < ANSWERING_PEERS; i++)
        if (answering.peers[i].fd >= 0)
            answering_leave(&answering.peers[i]);
    stet__buffer_release(&answering.last);
    close(answering.listener);
    close(answering.wake[0]);
    close(answering.wake[1]);
}

/* A copy of the last request, with a terminator, in static storage. */
static inline const char *answering_last(void)
{
    static char text[REQUEST_MAX + 1];
    pthread_mutex_lock(&answering.lock);
    size_t len = answering.last.len;
    if (len > 0)
        memcpy(text, answering.last.ptr, len);
    pthread_mutex_unlock(&answering.lock);
    text[len] = '\0';
    return text;
}

#endif
