/* SPDX-License-Identifier: MIT */
/*
 * tls: one connection under TLS (RFC 8446, RFC 5246): octets in and out of memory, and that in and out of a
 * socket. transport.h calls it; who makes one is tls_config.h (towards clients) or tls_client.h (towards
 * origins).
 *
 *   socket --recv--> io->input --> OpenSSL --> the reader's memory
 *   the writer's memory --> OpenSSL --> io->output --send--> socket
 *
 * 1. `io` is shared by all connections of a thread, so one without traffic holds no buffer of its own. One
 * recv and one send for each call, as without TLS.
 * 2. What was received and does not fit into the reader's memory waits in `in`, or in OpenSSL: epoll does not
 * tell of it, so stet__tls_go_on has the watch run again.
 * 3. What is encrypted and the socket does not take waits in `out`, and nothing more is encrypted or
 * decrypted before it is gone, so it is bounded. The writer is not told of the last octet of it (`held`)
 * until then: for it, all is sent only when it is.
 * 4. A connection that ends without close_notify is not at its end but broken (RFC 8446 section 6.1): no
 * receiver takes a message for complete that was cut off.
 *
 * Early data (0-RTT) is read if the other side is allowed to send it, never in one call with what comes
 * behind the handshake; answers go out before that is complete. OpenSSL takes each ticket once, so within
 * this process it is not replayed.
 *
 * From the first large file on the kernel may seal what is sent: ktls.h. Then 3 is its business, but for
 * `held`: the last octet of what it took is told when the socket has room again.
 *
 * What is left out: renegotiation (refused), compression.
 */
#ifndef STET_NET_TLS_H
#define STET_NET_TLS_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/buffer.h"
#include "net/ktls.h"
#include "net/loop.h"

struct ssl_st;
struct stet__tls_io;

struct stet__tls {
    struct ssl_st *ssl;
    struct stet__tls_io *io;
    struct stet__loop *loop;
    struct stet__watch *watch; /* what stet__tls_go_on runs */
    struct stet__soon soon;
    struct stet__buffer in, out;
    struct stet__ktls ktls;
    bool begun;       /* octets have come */
    bool reads_early; /* early data may come (RFC 8446 section 2.3) */
    bool early;       /* it has: what is read before `established` may be somebody's copy of it */
    bool established; /* the handshake is complete */
    bool ended;       /* close_notify has come */
    bool failed;      /* nothing more comes or goes */
    bool held;        /* an octet is encrypted, or the kernel's, that was not told as sent */
    bool plain;       /* the client speaks HTTP without TLS: failed, but not one octet was sent */
    bool h2;          /* "h2" was chosen (RFC 7301) */
};

/* For the connections of one thread. NULL if there is no memory. */
struct stet__tls_io *stet__tls_io_new(void);
void stet__tls_io_free(struct stet__tls_io *io);

/*
 * Takes `ssl` over, whose side (accept or connect) is set. `watch` is that of the socket. NULL, with `ssl`
 * freed, if there is no memory.
 */
struct stet__tls *stet__tls_new(struct ssl_st *ssl, struct stet__tls_io *io, struct stet__loop *loop,
                                struct stet__watch *watch);

/* `orderly`: tells the other side that nothing follows. Frees it; the socket is the caller's. */
void stet__tls_free(struct stet__tls *tls, int fd, bool orderly);

/*
 * As recv, send and sendfile, and EPROTO for what the protocol does not allow, ECONNRESET for an end without
 * close_notify. The handshake is done on the way: until then recv fails with EAGAIN. A writer that was told
 * of fewer octets than it gave, or of EAGAIN, comes again with the same octets at the front.
 */
ssize_t stet__tls_recv(struct stet__tls *tls, int fd, void *to, size_t room);
ssize_t stet__tls_send(struct stet__tls *tls, int fd, const struct iovec *vectors, size_t count, bool more);
ssize_t stet__tls_sendfile(struct stet__tls *tls, int fd, int file, off_t offset, size_t len);

/* Sends close_notify, as far as the socket takes it. */
void stet__tls_end(struct stet__tls *tls, int fd);

/* Begins or goes on with the handshake, without reading octets of the application. 1: it is complete, 0: go
 * on when the socket is ready, -1: it failed. */
int stet__tls_handshake(struct stet__tls *tls, int fd);

/* Sends what waits, as far as the socket takes it. What fails is told by the next recv or send. */
void stet__tls_flush(struct stet__tls *tls, int fd);

/* Something has to be written before anything is read or written, whatever the caller waits for. */
static inline bool stet__tls_blocked(const struct stet__tls *tls)
{
    return tls->out.len > 0;
}

/* Has `watch` run soon, with EPOLLIN, if recv has something that epoll does not tell of. */
void stet__tls_go_on(struct stet__tls *tls);

#endif
