/* SPDX-License-Identifier: MIT */
/*
 * server: worker threads, each with its own loop, listening sockets (SO_REUSEPORT), connections and role
 * state.
 */
#ifndef STET_NET_SERVER_H
#define STET_NET_SERVER_H

#include <stet/http1.h>

#include "net/exchange.h"

/* Each has a flag, a default (server.c) and an answer, told in docs/man/stet-serve.1.md. */
struct stet__limits {
    struct stet_http1_limits head; /* 431, 414 */
    /*
     * Of a request: else 413. One that nobody reads is drained. A role that passes bodies on keeps nothing of
     * them, so it may well set UINT64_MAX.
     */
    uint64_t body_bytes;
    unsigned idle_timeout_s; /* keep-alive without a request: closed */
    unsigned head_timeout_s; /* first octet to empty line: 408 */
    unsigned body_timeout_s; /* no progress of a request's body: 408 */
    unsigned send_timeout_s; /* no progress of an answer: closed */
    unsigned stop_timeout_s; /* SIGTERM until what is in flight is cut off */
    unsigned connections;    /* of all workers together: the next one waits in the backlog */
    unsigned streams;        /* of one connection of HTTP/2 at a time: REFUSED_STREAM */
    unsigned resets;         /* of streams of one connection in a minute: GOAWAY, ENHANCE_YOUR_CALM */
    unsigned controls;       /* frames in a minute that ask for nothing: the same */
    unsigned pipeline;       /* requests answered in one go, before the socket is written */
};

struct stet__listen_address;

struct stet__access_log;
struct stet__tls_config;

struct stet__server_configuration {
    const struct stet__listen_address *addresses;
    size_t address_count;
    const bool *secure;           /* for each address: whether it is for TLS; NULL: none is */
    struct stet__tls_config *tls; /* if any is; lives longer than the server */
    unsigned hsts_s;              /* Strict-Transport-Security in answers over TLS (RFC 6797); 0: none */
    unsigned workers;
    struct stet__limits limits;
    struct stet__access_log *log; /* NULL: none */
    const struct stet__role *role;
    const void *role_configuration;
};

void stet__limits_default(struct stet__limits *limits);

struct stet__server;

/*
 * Opens the listening sockets and starts the workers. NULL on failure: `error` then holds one line that names
 * the address or the cause, at most `error_len` octets with its terminator.
 */
struct stet__server *stet__server_start(const struct stet__server_configuration *configuration, char *error,
                                        size_t error_len);

/* The address of listener `i` as a user types it, "127.0.0.1:8304" with the real port if 0 was asked; lives
 * with the server. */
const char *stet__server_address(const struct stet__server *server, size_t i);

/* Stops accepting, finishes what is in flight (bounded by stop_timeout_s), joins the workers, frees. */
void stet__server_stop(struct stet__server *server);

#endif
