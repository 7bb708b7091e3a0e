/* SPDX-License-Identifier: MIT */
/*
 * transport: octets to and from the other side of a connection. Whoever reads and writes them (the drivers,
 * output.c, upstream*.c, tunnel.c) does so here, so none of them knows what is in between.
 *
 * Results are those of recv, send and sendfile: a number, or -1 with errno. EAGAIN: go on when the socket is
 * ready for what stet__transport_waits_for says.
 */
#ifndef STET_NET_TRANSPORT_H
#define STET_NET_TRANSPORT_H

#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* By value: it belongs to its connection. */
struct stet__transport {
    int fd;
};

static inline ssize_t stet__transport_recv(struct stet__transport transport, void *to, size_t room)
{
    return recv(transport.fd, to, room, 0);
}

/* `more`: more follows at once, which may leave in the same packet. */
static inline ssize_t stet__transport_send(struct stet__transport transport, struct iovec *vectors,
                                           size_t count, bool more)
{
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
    return sendfile(transport.fd, file, &offset, len);
}

/* Nothing more will be sent. 0 or -1. */
static inline int stet__transport_end(struct stet__transport transport)
{
    return shutdown(transport.fd, SHUT_WR);
}

static inline void stet__transport_close(struct stet__transport transport)
{
    close(transport.fd);
}

#endif
