/* SPDX-License-Identifier: MIT */
/*
 * tls_config: what a server is under TLS: its certificates and keys, the profile, the keys of session
 * tickets.
 *
 * The files are looked at each second (stet__tls_config_look). What changed is loaded as a whole and takes
 * the place of what was there, for connections that are accepted from then on; the others go on with what
 * they began with. What cannot be loaded is told once and changes nothing.
 *
 * The profile is Mozilla's "intermediate" of version 5.7, without the DHE suites, or "modern":
 * docs/decisions.md.
 */
#ifndef STET_NET_TLS_CONFIG_H
#define STET_NET_TLS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <stet/span.h>

struct ssl_st;
struct stet__tls_config;

/* PEM files: the certificate with its chain behind it; its key; a DER file, the answer of an OCSP responder,
 * or NULL. */
struct stet__tls_pair {
    const char *certificate, *key, *ocsp;
};

enum stet__tls_profile { STET__TLS_INTERMEDIATE, STET__TLS_MODERN };

#define STET__TLS_TICKET_INTERVAL_S 43200

struct stet__tls_settings {
    const struct stet__tls_pair
        *pairs; /* the first is for clients that name no host, or one that no other is for */
    size_t pair_count;
    bool self_signed;         /* one that is made now, if there are no pairs */
    const char *const *names; /* of that one: hosts and addresses, beside those of this machine */
    size_t name_count;
    enum stet__tls_profile profile;
    unsigned ticket_interval_s; /* a new key for session tickets; each is good for one more */
    bool early_data;            /* take it (RFC 8446 section 2.3), but not for HTTP/2 */
    bool h2;                    /* offer HTTP/2 by ALPN */
    bool ktls;                  /* let the kernel seal large files, where it can: ktls.h */
    /* Takes one line: what should be known, but stops nothing. May be called by stet__tls_config_look, too.
     */
    void (*tell)(const char *sentence);
};

/* NULL with one line in `error` that names the file or option. The texts of `settings` are borrowed. `now`:
 * Unix seconds. */
struct stet__tls_config *stet__tls_config_new(const struct stet__tls_settings *settings, int64_t now,
                                              char *error, size_t error_len);
void stet__tls_config_free(struct stet__tls_config *config);

/*
 * To be called each second, from one thread: loads what has changed and settled, or with `force` what has
 * changed; has new ticket keys made.
 */
void stet__tls_config_look(struct stet__tls_config *config, int64_t now, bool force);

/* For a connection that was accepted; from any thread. NULL if there is no memory. */
struct ssl_st *stet__tls_config_accept(struct stet__tls_config *config);

/*
 * RFC 9110 section 7.4: there is a certificate for `host`, and it is not the one that the handshake of `ssl`,
 * a connection that was accepted, has chosen. Of hosts that no certificate is for nothing is known: false.
 */
bool stet__tls_config_misdirected(const struct ssl_st *ssl, struct stet_span host);

#endif
