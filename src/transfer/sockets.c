/* SPDX-License-Identifier: MIT */
#include "transfer/sockets.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256

void stet__sockets_look(struct stet__sockets *sockets)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sockets->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The entry of `fd`, or NULL if there is no memory. */
static struct stet__socket *entry(struct stet__sockets *sockets, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need > sockets->room) {
        size_t room = sockets->room ? sockets->room : 64;
        while (room < need)
            room *= 2;
        struct stet__socket *at = realloc(sockets->at, room * sizeof *at);
        if (!at)
            return NULL;
        memset(at + sockets->room, 0, (room - sockets->room) * sizeof *at);
        sockets->at = at;
        sockets->room = room;
    }
    return &sockets->at[fd];
}

/*
 * Makes the epoll set have `wanted` for `fd`. A socket that libcurl makes and closes by itself (its resolver
 * has some) may have left the set, or be in it under an old number, without our knowing: then the other
 * operation is right.
 */
static bool apply(struct stet__sockets *sockets, int fd, struct stet__socket *socket, unsigned char wanted)
{
    struct epoll_event event = {.events = wanted, .data.fd = fd};
    socket->wanted = wanted;
    if (socket->set == wanted)
        return true;
    int operation = wanted == 0 ? EPOLL_CTL_DEL : socket->set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    socket->set = wanted;
    if (epoll_ctl(sockets->epoll_fd, operation, fd, &event) == 0 || operation == EPOLL_CTL_DEL)
        return true;
    operation = operation == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    return epoll_ctl(sockets->epoll_fd, operation, fd, &event) == 0;
}

/* CURLMOPT_SOCKETFUNCTION. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *unused)
{
    struct stet__sockets *sockets = owner;
    struct stet__socket *socket = entry(sockets, fd);
    if (!socket)
        return -1;
    if (what == CURL_POLL_REMOVE && socket->own) {
        socket->wanted = 0;
        return 0;
    }
    unsigned char wanted = 0;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        wanted |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        wanted |= EPOLLOUT;
    return apply(sockets, fd, socket, wanted) ? 0 : -1;
}

/* CURLMOPT_TIMERFUNCTION. */
static int on_timer(CURLM *multi, long timeout_ms, void *owner)
{
    struct stet__sockets *sockets = owner;
    sockets->deadline_ms = timeout_ms < 0 ? INT64_MAX : sockets->now_ms + timeout_ms;
    return 0;
}

bool stet__sockets_init(struct stet__sockets *sockets, CURLM *multi)
{
    *sockets = (struct stet__sockets){.multi = multi, .deadline_ms = INT64_MAX};
    sockets->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (sockets->epoll_fd < 0)
        return false;
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, sockets) == CURLM_OK;
}

void stet__sockets_release(struct stet__sockets *sockets)
{
    if (sockets->epoll_fd >= 0)
        close(sockets->epoll_fd);
    free(sockets->at);
}

curl_socket_t stet__sockets_open(struct stet__sockets *sockets, const struct curl_sockaddr *address,
                                 bool talkative)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct stet__socket *socket = entry(sockets, fd);
    if (!socket) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    *socket = (struct stet__socket){.own = true, .talkative = talkative};
    return fd;
}

int stet__sockets_close(void *owner, curl_socket_t fd)
{
    struct stet__sockets *sockets = owner;
    if ((size_t)fd < sockets->room)
        sockets->at[fd] = (struct stet__socket){0};
    return close(fd);
}

void stet__sockets_tick(struct stet__sockets *sockets)
{
    int running;
    if (sockets->deadline_ms > sockets->now_ms)
        return;
    sockets->deadline_ms = INT64_MAX;
    curl_multi_socket_action(sockets->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static void dispatch(struct stet__sockets *sockets, const struct epoll_event *event)
{
    int fd = event->data.fd, running, mask = 0;
    struct stet__socket *socket = &sockets->at[fd];
    if (socket->set == 0)
        return; /* closed, or not wanted any more, since the wake-up */
    if (socket->wanted == 0) {
        if (!socket->talkative)
            shutdown(fd, SHUT_RDWR);
        apply(sockets, fd, socket, 0);
        return;
    }
    if (event->events & (EPOLLIN | EPOLLHUP))
        mask |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        mask |= CURL_CSELECT_OUT;
    if (event->events & EPOLLERR)
        mask |= CURL_CSELECT_ERR;
    curl_multi_socket_action(sockets->multi, fd, mask, &running);
}

void stet__sockets_look_at_idle(struct stet__sockets *sockets)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(sockets->epoll_fd, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++)
        dispatch(sockets, &events[i]);
}

void stet__sockets_round(struct stet__sockets *sockets, int64_t wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    if (sockets->deadline_ms != INT64_MAX) {
        int64_t left = sockets->deadline_ms - sockets->now_ms;
        left = left < 0 ? 0 : left;
        wait_ms = wait_ms < 0 || left < wait_ms ? left : wait_ms;
    }
    int ms = wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
    int count = epoll_wait(sockets->epoll_fd, events, EVENTS_MAX, ms);
    stet__sockets_look(sockets);
    for (int i = 0; i < count; i++)
        dispatch(sockets, &events[i]);
    stet__sockets_tick(sockets);
}
