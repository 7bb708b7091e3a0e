/* SPDX-License-Identifier: MIT */
#include "net/ktls.h"

#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

#define SEQUENCE 8 /* octets: the number of a record, the last in all of the structures */
#define ALERT 21   /* the type of a record, RFC 8446 section 5.1 */

/* What the kernel knows: each structure begins with struct tls_crypto_info. */
static const struct kind {
    unsigned short type;
    int cipher; /* as OpenSSL calls it */
    size_t len;
    size_t nonce; /* where the octets are that TLS 1.2 counts; 0: it does not */
} kinds[] = {
    {TLS_CIPHER_AES_GCM_128, NID_aes_128_gcm, sizeof(struct tls12_crypto_info_aes_gcm_128),
     offsetof(struct tls12_crypto_info_aes_gcm_128, iv)},
    {TLS_CIPHER_AES_GCM_256, NID_aes_256_gcm, sizeof(struct tls12_crypto_info_aes_gcm_256),
     offsetof(struct tls12_crypto_info_aes_gcm_256, iv)},
#ifdef TLS_CIPHER_CHACHA20_POLY1305
    {TLS_CIPHER_CHACHA20_POLY1305, NID_chacha20_poly1305, sizeof(struct tls12_crypto_info_chacha20_poly1305),
     0},
#endif
};

static struct tls_crypto_info begin_of(const unsigned char *info)
{
    struct tls_crypto_info begin;
    memcpy(&begin, info, sizeof begin);
    return begin;
}

static const struct kind *find(const unsigned char *info)
{
    struct tls_crypto_info begin = begin_of(info);
    if (begin.version != TLS_1_2_VERSION && begin.version != TLS_1_3_VERSION)
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].type == begin.cipher_type)
            return &kinds[i];
    return NULL;
}

void stet__ktls_release(struct stet__ktls *ktls)
{
    OPENSSL_cleanse(ktls->info, sizeof ktls->info);
    ktls->info_len = 0;
    if (ktls->state == STET__KTLS_KNOWN)
        ktls->state = STET__KTLS_NONE;
}

void stet__ktls_learn(struct stet__ktls *ktls, const void *info)
{
    if (ktls->state == STET__KTLS_ON)
        return;
    stet__ktls_release(ktls);
    const struct kind *kind = find(info);
    if (!kind || kind->len > sizeof ktls->info)
        return;
    memcpy(ktls->info, info, kind->len);
    ktls->info_len = (unsigned char)kind->len;
    ktls->records = 0;
    ktls->state = STET__KTLS_KNOWN;
}

void stet__ktls_count(struct stet__ktls *ktls, int type, const void *octets, size_t len)
{
    const unsigned char *first = octets;
    if (type == SSL3_RT_HEADER)
        ktls->records++;
    else if (type == SSL3_RT_HANDSHAKE && len > 0 && first[0] == SSL3_MT_KEY_UPDATE)
        stet__ktls_release(ktls);
    else if (type == SSL3_RT_ALERT && len == sizeof ktls->alert && ktls->state == STET__KTLS_ON) {
        memcpy(ktls->alert, octets, sizeof ktls->alert);
        ktls->has_alert = true;
    }
}

/* A number of 8 octets, the first the highest; behind the highest comes 0, as in OpenSSL and in the kernel.
 */
static void advance(unsigned char *at, uint64_t by)
{
    uint64_t number = 0;
    for (size_t i = 0; i < SEQUENCE; i++)
        number = number << 8 | at[i];
    number += by;
    for (size_t i = SEQUENCE; i > 0; i--, number >>= 8)
        at[i - 1] = (unsigned char)number;
}

size_t stet__ktls_next(const struct stet__ktls *ktls, unsigned char *info)
{
    const struct kind *kind = find(ktls->info);
    memcpy(info, ktls->info, ktls->info_len);
    advance(info + ktls->info_len - SEQUENCE, ktls->records);
    if (kind->nonce > 0 && begin_of(info).version == TLS_1_2_VERSION)
        advance(info + kind->nonce, ktls->records);
    return ktls->info_len;
}

/* The keys are those that OpenSSL uses, and nothing is left that only OpenSSL could say. */
static bool fits(const struct stet__ktls *ktls, const SSL *ssl)
{
    const struct kind *kind = find(ktls->info);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    return kind && cipher && SSL_CIPHER_get_cipher_nid(cipher) == kind->cipher &&
           SSL_version(ssl) == begin_of(ktls->info).version && SSL_is_init_finished(ssl) &&
           SSL_get_key_update_type(ssl) == SSL_KEY_UPDATE_NONE;
}

static enum stet__ktls_begun hand_over(const struct stet__ktls *ktls, int fd)
{
    unsigned char info[STET__KTLS_INFO_ROOM];
    if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls") != 0)
        return errno == ENOENT || errno == EPERM ? STET__KTLS_NOT_AT_ALL : STET__KTLS_NOT_HERE;
    size_t len = stet__ktls_next(ktls, info);
    int failed = setsockopt(fd, SOL_TLS, TLS_TX, info, (socklen_t)len);
    OPENSSL_cleanse(info, sizeof info);
    return failed ? STET__KTLS_NOT_HERE : STET__KTLS_BEGUN;
}

enum stet__ktls_begun stet__ktls_begin(struct stet__ktls *ktls, const SSL *ssl, int fd)
{
    enum stet__ktls_begun begun = fits(ktls, ssl) ? hand_over(ktls, fd) : STET__KTLS_NOT_HERE;
    stet__ktls_release(ktls);
    if (begun == STET__KTLS_BEGUN)
        ktls->state = STET__KTLS_ON;
    return begun;
}

bool stet__ktls_send_alert(int fd, const unsigned char alert[2])
{
    union {
        char octets[CMSG_SPACE(1)];
        struct cmsghdr aligned;
    } control = {.octets = {0}};
    unsigned char copy[2] = {alert[0], alert[1]};
    struct iovec vector = {copy, sizeof copy};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.octets};
    struct cmsghdr *type = CMSG_FIRSTHDR(&message);
    type->cmsg_level = SOL_TLS;
    type->cmsg_type = TLS_SET_RECORD_TYPE;
    type->cmsg_len = CMSG_LEN(1);
    *CMSG_DATA(type) = ALERT;
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof copy;
}

bool stet__ktls_has_room(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLOUT};
    return poll(&look, 1, 0) != 0;
}
