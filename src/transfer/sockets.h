/* SPDX-License-Identifier: MIT */
/*
 * sockets: what libcurl wants to know about its sockets and its clock, by epoll. A wake-up costs what is
 * ready, not what is open, as curl_multi_poll would.
 *
 * A connection that is kept is not taken out of the epoll set between two transfers: libcurl says "remove"
 * after each one and "add" before the next, which would be two system calls per request. It leaves the set
 * when it is ready while nobody wants it (the server closes it), or when it is closed. That is safe for
 * sockets made here alone (`own`), because no other socket is closed without our knowing.
 *
 * Octets on a connection of HTTP/1.1 that nobody waits for answer no request, and the next one must not get
 * them for its answer (RFC 9112 section 6.3): such a connection is shut down, and libcurl finds it dead. What
 * comes in one read with a message that has no content libcurl drops by itself.
 */
#ifndef STET_TRANSFER_SOCKETS_H
#define STET_TRANSFER_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stet__socket {
    unsigned char wanted; /* EPOLLIN and EPOLLOUT, as libcurl has it */
    unsigned char set;    /* as the epoll set has it; 0: not in it */
    bool own;             /* made by stet__sockets_open, not closed yet */
    bool talkative;       /* may be sent something at any time, as in HTTP/2 */
};

struct stet__sockets {
    CURLM *multi;
    int epoll_fd;
    int64_t now_ms;          /* of the monotonic clock, at the last look at it: once in a round */
    int64_t deadline_ms;     /* when libcurl wants to be called; INT64_MAX: not */
    struct stet__socket *at; /* by descriptor */
    size_t room;
};

/* Looks at the clock. */
void stet__sockets_look(struct stet__sockets *sockets);

/* False if there is no descriptor to be had. `multi` is told to report here. */
bool stet__sockets_init(struct stet__sockets *sockets, CURLM *multi);
/* After curl_multi_cleanup, which closes what is open. */
void stet__sockets_release(struct stet__sockets *sockets);

/* For CURLOPT_OPENSOCKETFUNCTION. */
curl_socket_t stet__sockets_open(struct stet__sockets *sockets, const struct curl_sockaddr *address,
                                 bool talkative);
/* CURLOPT_CLOSESOCKETFUNCTION; `owner` is the struct stet__sockets. */
int stet__sockets_close(void *owner, curl_socket_t fd);

/* Looks at the connections that nobody uses, after a time in which there were no rounds. */
void stet__sockets_look_at_idle(struct stet__sockets *sockets);

/* What libcurl's clock asks for now: transfers that were begun, too, are due at once. */
void stet__sockets_tick(struct stet__sockets *sockets);

/*
 * Waits at most `wait_ms` (negative: without end) for sockets and libcurl's clock, and does
 * what they ask for. libcurl does not mind to be called a little early, as it may be by a clock that stands
 * still within a round.
 */
void stet__sockets_round(struct stet__sockets *sockets, int64_t wait_ms);

#endif
