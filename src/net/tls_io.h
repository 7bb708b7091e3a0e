/* SPDX-License-Identifier: MIT */
/*
 * tls_io: the memory between the sockets of a thread and OpenSSL, seen by OpenSSL as one BIO that all
 * connections of the thread share: at any time it serves the one that is being dealt with.
 */
#ifndef STET_NET_TLS_IO_H
#define STET_NET_TLS_IO_H

#include <openssl/bio.h>

#include "base/buffer.h"

#define STET__TLS_INPUT 65536u  /* octets of one recv */
#define STET__TLS_RECORD 16384u /* plaintext of one record, RFC 8446 section 5.1 */
#define STET__TLS_ROUND 131072u /* plaintext that is encrypted before it is sent */

struct stet__tls;

struct stet__tls_io {
    BIO_METHOD *method;
    BIO *bio;
    struct stet__tls *serves;   /* whose octets OpenSSL is at; only compared and used while it is */
    bool no_ktls;               /* this kernel has none */
    struct stet_span came;      /* what OpenSSL may read: in `input`, or in the memory of a connection */
    struct stet__buffer output; /* what it wrote */
    char input[STET__TLS_INPUT];
    char piece[STET__TLS_RECORD]; /* where small octets become one record */
    char file[4 * STET__TLS_RECORD];
};

#endif
