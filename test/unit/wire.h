/* SPDX-License-Identifier: MIT */
/*
 * wire: a server with a role of the test's own, on a Unix socket, a TCP port and with a log, and a client of
 * plain octets.
 */
#ifndef STET_TEST_WIRE_H
#define STET_TEST_WIRE_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/access_log.h"
#include "net/address.h"
#include "net/head.h"
#include "net/loop.h"
#include "net/server.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"

struct wire {
    struct stet__server *server;
    struct stet__access_log *log;
    char folder[40], socket_path[64], log_path[64];
    char received[4000000];
    char logged[20000];
};

static struct wire wire = {.folder = "/tmp/stet-wire-XXXXXX"};

static int wire_prepare(void **state)
{
    if (!mkdtemp(wire.folder))
        return -1;
    snprintf(wire.socket_path, sizeof wire.socket_path, "%s/socket", wire.folder);
    snprintf(wire.log_path, sizeof wire.log_path, "%s/log", wire.folder);
    return 0;
}

static int wire_clean_up(void **state)
{
    return rmdir(wire.folder);
}

/* `change` may change the limits. */
static void wire_start(const struct stet__role *role, void (*change)(struct stet__limits *limits))
{
    struct stet__listen_address addresses[2];
    char text[80], error[256];
    int len = snprintf(text, sizeof text, "unix:%s", wire.socket_path);
    assert_int_equal(stet__listen_address_parse(stet_span_of(text, (size_t)len), &addresses[0]), STET_OK);
    assert_int_equal(stet__listen_address_parse(STET_SPAN("127.0.0.1:0"), &addresses[1]), STET_OK);
    wire.log = stet__access_log_open(wire.log_path, STET__LOG_JSON, 1);
    assert_non_null(wire.log);
    struct stet__server_configuration configuration = {
        .addresses = addresses, .address_count = 2, .workers = 1, .log = wire.log, .role = role};
    stet__limits_default(&configuration.limits);
    configuration.limits.stop_timeout_s = 1;
    if (change)
        change(&configuration.limits);
    wire.server = stet__server_start(&configuration, error, sizeof error);
    if (!wire.server)
        fail_msg("%s", error);
}

/* Reads the log into wire.logged. */
static void wire_stop(void)
{
    stet__server_stop(wire.server);
    stet__access_log_close(wire.log);
    FILE *file = fopen(wire.log_path, "r");
    assert_non_null(file);
    size_t len = fread(wire.logged, 1, sizeof wire.logged - 1, file);
    wire.logged[len] = '\0';
    fclose(file);
    (void)unlink(wire.log_path);
}

static int wire_connect(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, wire.socket_path, strlen(wire.socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

__attribute__((unused)) static int wire_connect_tcp(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *port = strrchr(stet__server_address(wire.server, 1), ':');
    at.sin_port = htons((uint16_t)strtoul(port + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

__attribute__((unused)) static void wire_say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Everything until the server closes, with a terminator. -1: it ended in a reset. */
__attribute__((unused)) static ssize_t wire_receive_all(int fd)
{
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fd, wire.received + len, sizeof wire.received - 1 - len, 0)) > 0)
        len += (size_t)n;
    wire.received[len] = '\0';
    close(fd);
    return n < 0 ? -1 : (ssize_t)len;
}

/* Until what has come ends in `end`. */
__attribute__((unused)) static void wire_receive_until(int fd, const char *end)
{
    size_t len = 0;
    do {
        ssize_t n = recv(fd, wire.received + len, sizeof wire.received - 1 - len, 0);
        assert_true(n > 0);
        len += (size_t)n;
        wire.received[len] = '\0';
    } while (len < strlen(end) || strcmp(wire.received + len - strlen(end), end) != 0);
}

/* Sends the requests, ends its side, receives all answers. */
__attribute__((unused)) static ssize_t wire_ask(const char *requests)
{
    int fd = wire_connect();
    wire_say(fd, requests);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    return wire_receive_all(fd);
}

__attribute__((unused)) static const char *wire_body(const char *answers)
{
    const char *end = strstr(answers, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

/* A head of `status` in the arena, with Content-Length unless it is unknown. */
static const struct stet__head *wire_head(struct stet__exchange *exchange, unsigned status, uint64_t length)
{
    char digits[20];
    struct stet_field field = {STET_SPAN("Content-Length"),
                               stet_span_of(digits, stet_format_u64(length, digits)),
                               STET_FIELD_CONTENT_LENGTH};
    struct stet_fields fields = {&field, 1, UINT64_C(1) << STET_FIELD_CONTENT_LENGTH};
    if (length == STET__LENGTH_UNKNOWN)
        fields = (struct stet_fields){0};
    struct stet__head *head = stet__head_make(exchange->arena, status, &fields);
    stet__assert(head);
    return head;
}

__attribute__((unused)) static void wire_answer(struct stet__exchange *exchange, unsigned status,
                                                struct stet_span text)
{
    struct stet__part part = stet__part_memory(text);
    struct stet__reply reply = {
        .head = wire_head(exchange, status, text.len), .parts = &part, .part_count = 1};
    stet__exchange_answer(exchange, &reply);
}

#endif
