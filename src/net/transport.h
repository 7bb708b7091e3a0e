/* SPDX-License-Identifier: MIT */
/*
 * transport: octets to and from the other side of a connection. Whoever reads and writes them (the drivers,
 * output.c, upstream*.c, tunnel.c) does so here, so none of them knows what is in between: nothing, or TLS.
 *
 * Results are those of recv, send and sendfile: a number, or -1 with errno. EAGAIN: go on when the socket is
 * ready for that, or for writing if stet__transport_blocked says so. A writer that was told of fewer octets
 * than it gave, or of EAGAIN, comes again with the same octets at the front, wherever they lie then.
 */
#ifndef STET_NET_TRANSPORT_H
#define STET_NET_TRANSPORT_H

#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/tls.h"

/* By value: it belongs to its connection. */
struct stet__transport {
    int fd;
    struct stet__tls *tls; /* NULL: plain */
};

static inline ssize_t stet__transport_recv(struct stet__transport transport, void *to, size_t room)
{
    if (transport.tls)
        return stet__tls_recv(transport.tls, transport.fd, to, room);
    return recv(transport.fd, to, room, 0);
}

/* `more`: more follows at once, which may leave in the same packet. */
static inline ssize_t stet__transport_send(struct stet__transport transport, struct iovec *vectors,
                                           size_t count, bool more)
{
    if (transport.tls)
        return stet__tls_send(transport.tls, transport.fd, vectors, count, more);
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    if (count == 1)
        return send(transport.fd, vectors[0].iov_base, vectors[0].iov_len, flags);
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
    return sendmsg(transport.fd, &message, flags);
}

/* From a file; 0 at its end. */
static inline ssize_t stet__transport_sendfile(struct stet__transport transport, int file, off_t offset,
                                               size_t len)
{
    if (transport.tls)
        return stet__tls_sendfile(transport.tls, transport.fd, file, offset, len);
    return sendfile(transport.fd, file, &offset, len);
}

/* Nothing more will be sent. 0 or -1. */
static inline int stet__transport_end(struct stet__transport transport)
{
    if (transport.tls)
        stet__tls_end(transport.tls, transport.fd);
    return shutdown(transport.fd, SHUT_WR);
}

/* All is sent: the other side is told that this is the end. */
static inline void stet__transport_close(struct stet__transport transport)
{
    if (transport.tls)
        stet__tls_free(transport.tls, transport.fd, true);
    close(transport.fd);
}

/* Not all is sent, or nothing can be: it must not look like the end. */
static inline void stet__transport_cut(struct stet__transport transport)
{
    if (transport.tls)
        stet__tls_free(transport.tls, transport.fd, false);
    close(transport.fd);
}

/*
 * Nothing can be read or written before something of the transport's own is written: whoever waits for
 * anything waits for EPOLLOUT alone, and then calls stet__transport_flush.
 */
static inline bool stet__transport_blocked(struct stet__transport transport)
{
    return transport.tls && stet__tls_blocked(transport.tls);
}

static inline void stet__transport_flush(struct stet__transport transport)
{
    if (transport.tls)
        stet__tls_flush(transport.tls, transport.fd);
}

/* For whoever waits for EPOLLIN, unless blocked: the watch is run soon if there is something that epoll does
 * not tell of. */
static inline void stet__transport_go_on(struct stet__transport transport)
{
    if (transport.tls)
        stet__tls_go_on(transport.tls);
}

/* Somebody else's watch is the one of the socket now. */
static inline void stet__transport_hand(struct stet__transport transport, struct stet__watch *watch)
{
    if (transport.tls)
        transport.tls->watch = watch;
}

/* What is read now came before the handshake was complete: RFC 8470. */
static inline bool stet__transport_early(struct stet__transport transport)
{
    return transport.tls && transport.tls->early && !transport.tls->established;
}

/* The version of HTTP that the handshake agreed on: h2 (RFC 9113 section 3.2). Else it is HTTP/1.1. */
static inline bool stet__transport_alpn_h2(struct stet__transport transport)
{
    return transport.tls && transport.tls->h2;
}

#endif
