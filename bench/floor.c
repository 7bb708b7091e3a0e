/* SPDX-License-Identifier: MIT */
/*
 * floor PORT FILE: the least that a server can do, to compare servers with.
 *
 * One thread waits with level-triggered epoll, reads what has come, counts the empty lines in it (\r\n\r\n
 * ends a request that has no body) and sends as many copies of FILE, head and body as they are, in one write.
 * It parses no field, decides nothing, opens no file and asks no clock. What it costs is what the kernel's
 * TCP costs; what another server costs more is that server's own work.
 *
 * Not an HTTP server: it takes any octets for a request, and its Date stands still. It is not part of the
 * tests or of stet.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    DESCRIPTORS = 20000,
    EVENTS = 256,
    READ_BYTES = 65536,
    ANSWER_MAX = 1 << 20,
    COPIES_BYTES = 1 << 16, /* room for the copies of a small answer that one write sends */
};

/* By descriptor. Static pages that no connection touches cost nothing. */
static struct connection {
    uint64_t unsent; /* octets of answers still to send */
    uint8_t matched; /* how much of \r\n\r\n the octets so far end with */
    bool waiting;    /* for EPOLLOUT */
} connections[DESCRIPTORS];

static int epoll_fd;
static char *copies; /* of the answer, one after another */
static size_t copies_len, answer_len;

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void load_answer(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *answer = malloc(ANSWER_MAX);
    if (file == NULL || answer == NULL)
        fail(path);
    answer_len = fread(answer, 1, ANSWER_MAX, file);
    fclose(file);
    if (answer_len == 0 || answer_len == ANSWER_MAX) {
        fprintf(stderr, "floor: %s is empty or too large\n", path);
        exit(1);
    }
    size_t count = answer_len < COPIES_BYTES ? COPIES_BYTES / answer_len : 1;
    copies_len = count * answer_len;
    copies = malloc(copies_len);
    if (copies == NULL)
        fail("memory");
    for (size_t i = 0; i < count; i++)
        memcpy(copies + i * answer_len, answer, answer_len);
    free(answer);
}

/* How many requests end in these octets; `*matched` carries what the last read ended with. */
static unsigned count_requests(const char *octets, size_t len, uint8_t *matched)
{
    static const char end[4] = "\r\n\r\n";
    unsigned count = 0;
    size_t i = 0;
    while (i < len) {
        if (*matched == 0) {
            const char *found = memchr(octets + i, '\r', len - i);
            if (found == NULL)
                return count;
            i = (size_t)(found - octets);
        }
        if (octets[i] == end[*matched])
            ++*matched;
        else
            *matched = octets[i] == '\r';
        i++;
        if (*matched == sizeof end) {
            count++;
            *matched = 0;
        }
    }
    return count;
}

static void drop(int fd)
{
    connections[fd] = (struct connection){0};
    close(fd);
}

static void wait_for(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
        fail("epoll_ctl");
}

/* Sends what is unsent. Every answer is the same, so where to go on follows from how much is left. */
static void send_unsent(int fd)
{
    struct connection *connection = &connections[fd];
    while (connection->unsent > 0) {
        size_t offset = (answer_len - connection->unsent % answer_len) % answer_len;
        size_t room = copies_len - offset;
        size_t len = connection->unsent < room ? (size_t)connection->unsent : room;
        ssize_t sent = send(fd, copies + offset, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0) {
            drop(fd);
            return;
        }
        connection->unsent -= (uint64_t)sent;
    }
    if (connection->waiting != (connection->unsent > 0)) {
        connection->waiting = connection->unsent > 0;
        wait_for(fd, connection->waiting ? EPOLLOUT : EPOLLIN);
    }
}

static void receive(int fd)
{
    static char buffer[READ_BYTES];
    ssize_t len = recv(fd, buffer, sizeof buffer, 0);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0) {
        drop(fd);
        return;
    }
    unsigned count = count_requests(buffer, (size_t)len, &connections[fd].matched);
    connections[fd].unsent += (uint64_t)count * answer_len;
    if (count > 0)
        send_unsent(fd);
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (fd >= DESCRIPTORS) {
        close(fd);
        return;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl");
}

static int listen_at(const char *port_text)
{
    char *end;
    unsigned long port = strtoul(port_text, &end, 10);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || *end != 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 4096) < 0)
        fail(port_text);
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: floor PORT FILE\n");
        return 2;
    }
    load_answer(argv[2]);
    int listener = listen_at(argv[1]);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
        fail("epoll");
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_one(fd);
            else if (events[i].events & (EPOLLHUP | EPOLLERR))
                drop(fd);
            else if (events[i].events & EPOLLOUT)
                send_unsent(fd);
            else
                receive(fd);
        }
    }
}
