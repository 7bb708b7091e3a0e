/* SPDX-License-Identifier: MIT */
/*
 * tls_client: TLS towards origins: whom to believe, and the sessions to be resumed.
 *
 * The certificate of an origin is checked against the authorities that the system trusts, or those of a file,
 * and against the name of the origin (RFC 9525), unless `insecure`. All of it is loaded once: changes take a
 * new start.
 */
#ifndef STET_NET_TLS_CLIENT_H
#define STET_NET_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <stet/reason.h>
#include <stet/span.h>

struct ssl_st;
struct stet__tls;
struct stet__tls_client;
struct stet__tls_origin;

struct stet__tls_client_settings {
    const char *ca; /* authorities, PEM; NULL: those of the system */
    const char *certificate,
        *key;      /* of our own, PEM; NULL: none. The key may be in the file of the certificate */
    bool insecure; /* any certificate is believed */
};

/* NULL with one line in `error` that names the file. */
struct stet__tls_client *stet__tls_client_new(const struct stet__tls_client_settings *settings, char *error,
                                              size_t error_len);
void stet__tls_client_free(struct stet__tls_client *client);

/*
 * An origin: `name` is a host or an address in digits, which its certificate has to be for; a host is also
 * sent (SNI). Used from any thread. Lives as long as connections to it, and not longer than `client`. NULL if
 * there is no memory.
 */
struct stet__tls_origin *stet__tls_origin_new(struct stet__tls_client *client, struct stet_span name);
void stet__tls_origin_free(struct stet__tls_origin *origin);

/* For one connection to it: stet__tls_new takes it. NULL if there is no memory. */
struct ssl_st *stet__tls_origin_connect(struct stet__tls_origin *origin);

/* Why the handshake failed, of the group "the upstream". */
enum stet_reason stet__tls_failure(const struct stet__tls *tls);

#endif
