/* SPDX-License-Identifier: MIT */
/*
 * tls_pair: a certificate with its chain, its key and what a responder says of it (OCSP, RFC 6960), read from
 * files.
 */
#ifndef STET_NET_TLS_PAIR_H
#define STET_NET_TLS_PAIR_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <stet/span.h>

#include "net/tls_config.h"

/* What is loaded. Released with stet__tls_loaded_release, whatever of it is there. */
struct stet__tls_loaded {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    unsigned char *ocsp;
    size_t ocsp_len;    /* 0: there is none to be sent */
    int64_t ocsp_until; /* Unix seconds */
};

/* Where sentences go: the first error into `text`, all else to `tell`. */
struct stet__tls_report {
    char *text;
    size_t room;
    void (*tell)(const char *sentence);
    int64_t now;
};

__attribute__((format(printf, 2, 3))) bool stet__tls_fail(const struct stet__tls_report *report,
                                                          const char *format, ...);
__attribute__((format(printf, 2, 3))) void stet__tls_warn(const struct stet__tls_report *report,
                                                          const char *format, ...);

/* False after stet__tls_fail. */
bool stet__tls_load(const struct stet__tls_pair *pair, struct stet__tls_loaded *loaded,
                    const struct stet__tls_report *report);

/* tls_self_signed.c: one for the names, which are hosts or addresses. */
bool stet__tls_self_sign(const char *const *names, size_t name_count, struct stet__tls_loaded *loaded,
                         const struct stet__tls_report *report);

void stet__tls_loaded_release(struct stet__tls_loaded *loaded);

enum stet__tls_match { STET__TLS_MATCH_NONE, STET__TLS_MATCH_WILDCARD, STET__TLS_MATCH_EXACT };

/* RFC 9525: whether the certificate is for `host`. */
enum stet__tls_match stet__tls_match(const struct stet__tls_loaded *loaded, struct stet_span host);

/* What tells that a file is another. */
struct stet__tls_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

/* All zero if it is not there. */
struct stet__tls_stamp stet__tls_stamp(const char *path);

#endif
