/* SPDX-License-Identifier: MIT */
/*
 * load PORT FILE CONNECTIONS DEPTH MILLISECONDS STATUS [tls]: keeps a server on 127.0.0.1 busy and counts
 * its answers.
 *
 * FILE holds one request. Each of the connections has DEPTH of them under way: they are sent in one write,
 * and again when all are answered. Every answer is checked for its STATUS, and its end is found by
 * Content-Length, so that nothing is counted that was not answered in full.
 *
 *   1. opens the connections, one after another, each with one request that is answered; prints "ready"
 *   2. waits for a line on standard input: the caller reads the server's clocks
 *   3. works for MILLISECONDS, then waits until all that is under way is answered
 *   4. prints {"answers": N, "octets": N, "seconds": S, "p50_us": N, "p99_us": N}; the caller reads the
 *      server's clocks again. The percentiles are of the time from a write to the last answer to it
 *   5. waits for another line, or the end of input, and closes (SECONDS 0: the connections were held, idle,
 * meanwhile)
 *
 * So what a server has used between 2 and 4 was used for these answers, all of them. Anything unexpected ends
 * the program with a message and exit code 1: a wrong answer must not count as a fast one.
 *
 * Eight "#" in a row in FILE become a number in hexadecimal that is another one in each request: what is
 * asked for is in no cache.
 *
 * With "tls" each connection is TLS 1.3, established in step 1, with one cipher suite for all servers. No
 * certificate is verified: what is measured is the other side.
 *
 * Bodies are thrown away in the kernel (MSG_TRUNC), uncopied; those in TLS have to be decrypted first.
 * Chunked answers are refused: peers send files with a length.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 256,
    HEAD_MAX = 4096,
    READ_BYTES = 65536,
    REQUEST_MAX = 4096,
    DEPTH_MAX = 64,
    PATIENCE_MS = 5000,
    SERIAL_DIGITS = 8,
    SLOWEST_US = 1000000,
};

struct connection {
    int fd;
    unsigned under_way; /* requests that are not answered yet */
    uint64_t body_left; /* octets of the current answer's body */
    size_t head_len;    /* octets of the current answer's head so far */
    char *head;         /* made when a head comes in pieces */
    uint64_t sent_us;   /* when the requests under way were written */
    SSL *tls;           /* NULL: none */
};

static struct {
    uint16_t port;
    size_t connections;
    unsigned depth;
    unsigned long duration_ms;
    char status[3];
    SSL_CTX *tls; /* NULL: in the clear */
} asked;

static char *requests; /* DEPTH copies of one request */
static size_t request_len;
static char *serial; /* where the number stands in the first copy; NULL: nowhere */
static uint32_t serial_number;
static uint32_t took_us[SLOWEST_US + 1]; /* how often */
static struct connection *connections;
static uint64_t answers, octets;
static size_t idle; /* connections with nothing under way */
static bool ending;

static void fail(const char *what)
{
    fprintf(stderr, "load: port %u: %s\n", asked.port, what);
    exit(1);
}

static double now_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void number_requests(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char digits[SERIAL_DIGITS + 1];
        snprintf(digits, sizeof digits, "%08x", serial_number++);
        memcpy(serial + i * request_len, digits, SERIAL_DIGITS);
    }
}

/* The number of octets, or -1 with errno, as send() has it. */
static ssize_t send_octets(struct connection *connection, const char *at, size_t len)
{
    if (connection->tls == NULL)
        return send(connection->fd, at, len, MSG_NOSIGNAL);
    int sent = SSL_write(connection->tls, at, (int)len);
    if (sent > 0)
        return sent;
    errno = SSL_get_error(connection->tls, sent) == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
}

/* The number of octets, 0 at the end, or -1 with errno, as recv() has it. */
static ssize_t receive_octets(struct connection *connection, char *at, size_t size)
{
    if (connection->tls == NULL)
        return recv(connection->fd, at, size, 0);
    int len = SSL_read(connection->tls, at, (int)size);
    if (len > 0)
        return len;
    int error = SSL_get_error(connection->tls, len);
    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = error == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
    return -1;
}

static void send_requests(struct connection *connection, unsigned count)
{
    if (serial)
        number_requests(count);
    connection->sent_us = (uint64_t)(now_s() * 1e6);
    size_t len = count * request_len, done = 0;
    while (done < len) {
        ssize_t sent = send_octets(connection, requests + done, len - done);
        if (sent < 0)
            fail(errno == EAGAIN ? "DEPTH requests are more than a socket takes at once" : strerror(errno));
        done += (size_t)sent;
    }
    connection->under_way = count;
}

/* The value of Content-Length in a head, which ends with an empty line; it fails without one. */
static uint64_t content_length(const char *head, size_t len)
{
    static const char name[] = "\ncontent-length:";
    const char *end = head + len;
    for (const char *at = head; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++) {
        size_t i = 1;
        while (i < sizeof name - 1 && at + i < end && (at[i] | 0x20) == (name[i] | 0x20))
            i++;
        if (i < sizeof name - 1)
            continue;
        char *stop;
        uint64_t value = strtoull(at + i, &stop, 10);
        if (*stop == '\r')
            return value;
    }
    fail("an answer without a usable Content-Length");
    return 0;
}

static void take_head(struct connection *connection, const char *head, size_t len)
{
    if (len < 13 || memcmp(head, "HTTP/1.1 ", 9) != 0 || memcmp(head + 9, asked.status, 3) != 0) {
        fprintf(stderr, "load: port %u: not the expected answer: %.*s\n", asked.port, (int)len, head);
        exit(1);
    }
    bool has_body = memcmp(asked.status, "304", 3) != 0; /* RFC 9112 section 6.3 */
    connection->body_left = has_body ? content_length(head, len) : 0;
}

static void answered(struct connection *connection)
{
    answers++;
    if (connection->under_way == 0)
        fail("more answers than requests");
    if (--connection->under_way > 0)
        return;
    uint64_t us = (uint64_t)(now_s() * 1e6) - connection->sent_us;
    took_us[us < SLOWEST_US ? us : SLOWEST_US]++;
    if (ending)
        idle++;
    else
        send_requests(connection, asked.depth);
}

/* Keeps the beginning of a head until its end comes. */
static void keep(struct connection *connection, const char *rest, size_t len)
{
    if (len == 0)
        return;
    if (len > HEAD_MAX)
        fail("an answer's head is too long");
    if (connection->head == NULL)
        connection->head = malloc(HEAD_MAX);
    if (connection->head == NULL)
        fail("no memory");
    memcpy(connection->head, rest, len);
    connection->head_len = len;
}

static void take(struct connection *connection, const char *at, size_t len)
{
    octets += len;
    const char *end = at + len;
    while (at < end) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        if (stop == NULL) {
            keep(connection, at, (size_t)(end - at));
            return;
        }
        take_head(connection, at, (size_t)(stop + 4 - at));
        at = stop + 4;
        uint64_t here = (uint64_t)(end - at);
        uint64_t used = connection->body_left < here ? connection->body_left : here;
        connection->body_left -= used;
        at += used;
        if (connection->body_left > 0)
            return;
        answered(connection);
    }
}

/* Throws away what has come of a body. */
static void skip_body(struct connection *connection)
{
    static char thrown_away[READ_BYTES];
    uint64_t left = connection->body_left;
    ssize_t len = connection->tls == NULL
                      ? recv(connection->fd, NULL, left, MSG_TRUNC)
                      : receive_octets(connection, thrown_away, left < READ_BYTES ? left : READ_BYTES);
    if (len < 0 && errno == EAGAIN)
        return;
    if (len <= 0)
        fail("the server closed the connection within a body");
    octets += (uint64_t)len;
    connection->body_left -= (uint64_t)len;
    if (connection->body_left == 0)
        answered(connection);
}

static void receive_some(struct connection *connection)
{
    static char buffer[HEAD_MAX + READ_BYTES];
    if (connection->body_left > 0) {
        skip_body(connection);
        return;
    }
    size_t kept = connection->head_len;
    if (kept > 0)
        memcpy(buffer, connection->head, kept);
    connection->head_len = 0;
    ssize_t len = receive_octets(connection, buffer + kept, asked.depth == 1 ? HEAD_MAX : READ_BYTES);
    if (len < 0 && errno == EAGAIN)
        len = 0;
    else if (len <= 0)
        fail("the server closed the connection");
    octets -= kept; /* take() counts them again */
    take(connection, buffer, kept + (size_t)len);
    if (connection->body_left > 0)
        skip_body(connection);
}

/* A record is read as a whole, and epoll knows nothing of what is left of it. */
static void receive(struct connection *connection)
{
    do
        receive_some(connection);
    while (connection->tls && SSL_pending(connection->tls) > 0);
}

static void shake_hands(struct connection *connection)
{
    connection->tls = SSL_new(asked.tls);
    if (connection->tls == NULL || !SSL_set_fd(connection->tls, connection->fd) ||
        SSL_connect(connection->tls) != 1)
        fail("no TLS");
}

static void open_one(struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(asked.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    /* A reset instead of a normal close leaves no port in TIME_WAIT for the next run to trip over. */
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail(strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (asked.tls)
        shake_hands(connection);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    send_requests(connection, 1);
    while (connection->under_way > 0) {
        struct pollfd readable = {.fd = connection->fd, .events = POLLIN};
        if (poll(&readable, 1, PATIENCE_MS) == 0)
            fail("no answer within 5 seconds");
        receive(connection);
    }
    idle--;
}

static void work(void)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < asked.connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connections[i].fd, &event) < 0)
            fail(strerror(errno));
    }
    ending = false;
    idle = 0;
    for (size_t i = 0; i < asked.connections; i++)
        send_requests(&connections[i], asked.depth);
    double until = now_s() + (double)asked.duration_ms / 1e3;
    while (idle < asked.connections) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll_fd, events, EVENTS, PATIENCE_MS);
        if (count == 0)
            fail("no answer within 5 seconds");
        for (int i = 0; i < count; i++)
            receive(events[i].data.ptr);
        if (!ending && now_s() >= until)
            ending = true;
    }
    close(epoll_fd);
}

static void read_request(const char *path)
{
    requests = malloc((size_t)REQUEST_MAX * DEPTH_MAX);
    FILE *file = fopen(path, "rb");
    if (file == NULL || requests == NULL)
        fail(path);
    request_len = fread(requests, 1, REQUEST_MAX, file);
    fclose(file);
    if (request_len < 4 || memcmp(requests + request_len - 4, "\r\n\r\n", 4) != 0)
        fail("the request does not end with an empty line, or is too long");
    for (unsigned i = 1; i < asked.depth; i++)
        memcpy(requests + i * request_len, requests, request_len);
    serial = memmem(requests, request_len, "########", SERIAL_DIGITS);
    serial_number = (uint32_t)getpid() << 16; /* another run asks for other things */
}

/* The microseconds that `share` of the answers did not exceed. */
static unsigned percentile(double share)
{
    uint64_t all = 0, seen = 0;
    for (unsigned us = 0; us <= SLOWEST_US; us++)
        all += took_us[us];
    for (unsigned us = 0; us <= SLOWEST_US; us++) {
        seen += took_us[us];
        if ((double)seen >= share * (double)all)
            return us;
    }
    return SLOWEST_US;
}

static void wait_for_line(void)
{
    int c;
    do
        c = getchar();
    while (c != '\n' && c != EOF);
}

static SSL_CTX *tls_context(void)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") ||
        SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1) != 0)
        fail("no TLS");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* thousands of them are held */
    return context;
}

static void read_arguments(int argc, char **argv)
{
    if (argc < 7 || argc > 8 || strlen(argv[6]) != 3 || (argc == 8 && strcmp(argv[7], "tls") != 0)) {
        fprintf(stderr, "usage: load PORT FILE CONNECTIONS DEPTH MILLISECONDS STATUS [tls]\n");
        exit(2);
    }
    asked.port = (uint16_t)strtoul(argv[1], NULL, 10);
    asked.connections = strtoul(argv[3], NULL, 10);
    asked.depth = (unsigned)strtoul(argv[4], NULL, 10);
    asked.duration_ms = strtoul(argv[5], NULL, 10);
    memcpy(asked.status, argv[6], 3);
    if (asked.connections == 0 || asked.depth == 0 || asked.depth > DEPTH_MAX)
        fail("connections and depth must be at least 1, depth at most 64");
    if (argc == 8)
        asked.tls = tls_context();
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    read_request(argv[2]);
    connections = calloc(asked.connections, sizeof *connections);
    if (connections == NULL)
        fail("no memory");
    ending = true; /* one request each, for now */
    for (size_t i = 0; i < asked.connections; i++)
        open_one(&connections[i]);
    puts("ready");
    fflush(stdout);
    wait_for_line();
    answers = octets = 0;
    memset(took_us, 0, sizeof took_us);
    double began = now_s();
    if (asked.duration_ms > 0)
        work();
    printf("{\"answers\": %llu, \"octets\": %llu, \"seconds\": %.6f, \"p50_us\": %u, \"p99_us\": %u}\n",
           (unsigned long long)answers, (unsigned long long)octets, now_s() - began, percentile(0.5),
           percentile(0.99));
    fflush(stdout);
    wait_for_line();
    return 0;
}
