/* SPDX-License-Identifier: MIT */
/*
 * ktls: the sending direction of a TLS connection is handed to the kernel, so that sendfile works
 * (Documentation/networking/tls.rst of Linux).
 *
 *   NONE --stet__ktls_learn--> KNOWN --stet__ktls_begin--> ON
 *     ^                          |
 *     +--- what stands against --+
 *
 * OpenSSL offers its keys to the socket when it changes to those for the application. They are kept here
 * instead, and OpenSSL goes on sealing: small answers are cheaper so. When a large file is to be sent, the
 * kernel gets the keys and the number of the next record, and from then on OpenSSL seals nothing that is
 * sent.
 *
 * A nonce must never be used twice with one key (RFC 5116 section 5.1.1). It is made of the number of the
 * record (RFC 8446 section 5.3, RFC 7905 section 2), or is the octets that OpenSSL gave with the keys,
 * counted on by one for each record (TLS 1.2 with AES-GCM: RFC 5288 section 3 and 9). So:
 * 1. OpenSSL tells of each record that it seals (stet__ktls_count), from the first one under these keys on.
 *    The kernel begins behind the last of them. If one was sealed that never left, a number is skipped and
 *    the other side refuses what follows: a failure, but no repetition.
 * 2. The kernel gets the keys once. ON is never left, and the keys are forgotten.
 * 3. What OpenSSL still seals when it is ON has the numbers that the kernel uses, too: none of these octets
 *    may be sent. Alerts are all that it has to say then; tls.c has the kernel seal them.
 * 4. KeyUpdate (RFC 8446 section 4.6.3) changes the keys, and the kernel cannot. One before ON leads to NONE;
 *    one that is asked for later ends the connection.
 *
 * Receiving stays with OpenSSL. What is left out: connections to origins, HTTP/2 (its frames are not files).
 */
#ifndef STET_NET_KTLS_H
#define STET_NET_KTLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ssl_st;

#define STET__KTLS_MIN 65536u    /* octets of a file for which it is begun */
#define STET__KTLS_INFO_ROOM 64u /* struct tls12_crypto_info_* of linux/tls.h */

enum stet__ktls_state { STET__KTLS_NONE, STET__KTLS_KNOWN, STET__KTLS_ON };

struct stet__ktls {
    enum stet__ktls_state state;
    uint64_t records; /* that OpenSSL has sealed with these keys */
    unsigned char info[STET__KTLS_INFO_ROOM];
    unsigned char info_len;
    unsigned char alert[2]; /* what OpenSSL has to say when it is ON */
    bool has_alert;
};

/* `info` is what OpenSSL has for the kernel: a struct tls12_crypto_info_*. One of an unknown kind leads to
 * NONE. */
void stet__ktls_learn(struct stet__ktls *ktls, const void *info);

/* OpenSSL has written something with the keys that it uses now: `type` as its message callback has it. */
void stet__ktls_count(struct stet__ktls *ktls, int type, const void *octets, size_t len);

/* What the kernel would be told now. Its length; `info` has STET__KTLS_INFO_ROOM octets. */
size_t stet__ktls_next(const struct stet__ktls *ktls, unsigned char *info);

enum stet__ktls_begun { STET__KTLS_BEGUN, STET__KTLS_NOT_HERE, STET__KTLS_NOT_AT_ALL };

/*
 * From KNOWN, when all that OpenSSL has sealed was given to the socket. NOT_HERE: OpenSSL goes on for this
 * connection; NOT_AT_ALL: for all others, too, because this kernel cannot do it.
 */
enum stet__ktls_begun stet__ktls_begin(struct stet__ktls *ktls, const struct ssl_st *ssl, int fd);

/* An alert, sealed by the kernel (RFC 8446 section 6). False if the socket does not take it. */
bool stet__ktls_send_alert(int fd, const unsigned char alert[2]);

/*
 * Whether the socket has room. If so, the next octets that it takes leave behind all before them; without
 * room the kernel may hold a record that it would lose with the connection's end.
 */
bool stet__ktls_has_room(int fd);

/* Forgets the keys. */
void stet__ktls_release(struct stet__ktls *ktls);

#endif
