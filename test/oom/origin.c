/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PEERS 64
#define HEAD_MAX 8192

/* What is said, by the beginning of the request. Of those with a `condition` in the request, the first
 * counts. */
static const struct saying {
    const char *begins, *condition, *head;
    size_t length; /* of the content, all of it the letter x, unless `content` is there */
    bool chunked, close;
    const char *content;
} sayings[] = {
    {"GET /stale ", "\r\nIf-None-Match: ",
     "304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n", 0, false, false, NULL},
    {"GET /stale ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nAge: 100\r\nContent-Length: 10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /untagged ", NULL, "200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n", ORIGIN_SMALL,
     false, false, NULL},
    {"GET /pieces ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n", ORIGIN_PIECES,
     true, false, NULL},
    {"GET /large ", NULL, "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Length: 100000\r\n",
     ORIGIN_LARGE, false, false, NULL},
    {"GET /coded ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Type: text/css\r\nContent-Length: "
     "100000\r\n",
     ORIGIN_LARGE, false, false, NULL},
    {"GET /damaged ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Encoding: gzip\r\nContent-Length: "
     "10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /coded-private ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nCache-Control: private\r\nContent-Type: text/css\r\nContent-Length: "
     "100000\r\n",
     ORIGIN_LARGE, false, false, NULL},
    {"GET /language ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nVary: Accept-Language\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /private ", NULL, "200 OK\r\nETag: \"v1\"\r\nCache-Control: private\r\nContent-Length: 10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /group ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nCache-Groups: \"a\", \"b\"\r\nCache-Control: max-age=60\r\nContent-Length: "
     "10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /query?", NULL,
     "200 OK\r\nETag: \"v1\"\r\nNo-Vary-Search: params=(\"a\")\r\nCache-Control: max-age=60\r\n"
     "Content-Length: 10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /part ", "\r\nRange: bytes=0-9\r\n",
     "206 Partial Content\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Range: bytes 0-9/20\r\n"
     "Content-Length: 10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /part ", "\r\nRange: bytes=10-",
     "206 Partial Content\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Range: bytes 10-19/20\r\n"
     "Content-Length: 10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /part ", NULL, "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Length: 20\r\n", 20,
     false, false, NULL},
    {"POST /group ", NULL, "204 No Content\r\nCache-Group-Invalidation: \"a\"\r\n", 0, false, false, NULL},
    {"GET /close ", NULL, NULL, 0, false, true, NULL},
    {"GET /moved ", NULL,
     "301 Moved Permanently\r\nLocation: /pieces\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n",
     ORIGIN_SMALL, false, false, NULL},
    {"GET /cut ", "\r\nRange: bytes=70000-",
     "206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: bytes 70000-99999/100000\r\n"
     "Content-Length: 30000\r\n",
     ORIGIN_LARGE - 70000, false, false, NULL},
    {"GET /cut ", NULL, "200 OK\r\nETag: \"v1\"\r\nContent-Length: 100000\r\n", 70000, false, true, NULL},
    {"GET /gzip ", NULL,
     "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nContent-Encoding: gzip\r\nContent-Length: "
     "23\r\n",
     23, false, false,
     "\037\213\010\000\000\000\000\000\002\003\253\250\200\001\000\167\107\337\216\012\000\000\000"},
    {"GET /page", "\r\nIf-None-Match: ",
     "304 Not Modified\r\nETag: \"v1\"\r\nVary: Accept-Encoding\r\nConnection: close\r\n", 0, false, true,
     NULL},
    {"GET /page", NULL,
     "200 OK\r\nETag: \"v1\"\r\nVary: Accept-Encoding\r\nContent-Type: text/html\r\nConnection: close\r\n"
     "Content-Length: 17\r\n",
     17, false, true, "<img src=/page-b>"},
    {"HEAD /page", NULL,
     "200 OK\r\nETag: \"v1\"\r\nVary: Accept-Encoding\r\nContent-Type: text/html\r\nConnection: close\r\n"
     "Content-Length: 17\r\n",
     0, false, true, NULL},
    {"GET /until-close ", NULL, "200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n", ORIGIN_SMALL,
     false, true, NULL},
};

struct peer {
    size_t len;
    char head[HEAD_MAX + 1];
};

static const struct saying *saying_of(const char *head)
{
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++)
        if (strncmp(head, sayings[i].begins, strlen(sayings[i].begins)) == 0 &&
            (!sayings[i].condition || strstr(head, sayings[i].condition)))
            return &sayings[i];
    return NULL;
}

static bool say(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* False: the connection is to be closed. */
static bool answer(int fd, const struct saying *saying)
{
    static char content[ORIGIN_LARGE];
    char head[512];
    memset(content, 'x', sizeof content);
    if (!saying || !saying->head)
        return false;
    int len = snprintf(head, sizeof head, "HTTP/1.1 %s\r\n", saying->head);
    if (!say(fd, head, (size_t)len))
        return false;
    len = snprintf(head, sizeof head, "%zx\r\n", saying->length);
    if (saying->chunked && !say(fd, head, (size_t)len))
        return false;
    if (!say(fd, saying->content ? saying->content : content, saying->length) ||
        (saying->chunked && !say(fd, "\r\n0\r\n\r\n", 7)))
        return false;
    return !saying->close;
}

/* The body of the only method that has one is four octets. */
static size_t request_len(const char *head)
{
    const char *end = strstr(head, "\r\n\r\n");
    if (!end)
        return 0;
    size_t len = (size_t)(end + 4 - head);
    return strncmp(head, "POST ", 5) == 0 ? len + 4 : len;
}

/* False: the connection is to be closed. */
static bool hear(int fd, struct peer *peer)
{
    ssize_t n = recv(fd, peer->head + peer->len, HEAD_MAX - peer->len, 0);
    if (n <= 0)
        return false;
    peer->len += (size_t)n;
    peer->head[peer->len] = '\0';
    size_t len;
    while ((len = request_len(peer->head)) > 0 && len <= peer->len) {
        if (!answer(fd, saying_of(peer->head)))
            return false;
        peer->len -= len;
        memmove(peer->head, peer->head + len, peer->len + 1);
    }
    return peer->len < HEAD_MAX;
}

static _Noreturn void serve(int listener)
{
    static struct peer peers[PEERS];
    struct pollfd polled[PEERS + 1];
    for (size_t i = 0; i <= PEERS; i++)
        polled[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    polled[PEERS].fd = listener;
    while (poll(polled, PEERS + 1, -1) > 0) {
        for (size_t i = 0; i < PEERS; i++)
            if (polled[i].fd >= 0 && polled[i].revents != 0 && !hear(polled[i].fd, &peers[i])) {
                close(polled[i].fd);
                polled[i].fd = -1;
            }
        for (size_t i = 0; i < PEERS && (polled[PEERS].revents & POLLIN) != 0; i++)
            if (polled[i].fd < 0) {
                polled[i].fd = accept(listener, NULL, NULL);
                peers[i].len = 0;
                break;
            }
    }
    _exit(1);
}

pid_t origin_start(const char *socket_path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 64) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(listener);
    }
    close(listener);
    return pid;
}
