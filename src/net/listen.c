/* SPDX-License-Identifier: MIT */
#include "net/listen.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define BACKLOG 4096

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int fail(int fd)
{
    int status = -errno;
    close(fd);
    return status;
}

static bool is_any_v6(const struct stet__listen_address *address)
{
    return address->at.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->at.v6.sin6_addr);
}

static int open_socket(const struct stet__listen_address *address)
{
    int fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (address->at.any.sa_family != AF_UNIX && set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
        return fail(fd);
    /* "Any address" means those of IPv4 too. */
    if (address->at.any.sa_family == AF_INET6 &&
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_any_v6(address)) < 0)
        return fail(fd);
    return fd;
}

/* Nobody answers at a socket file that was left behind; anything but a socket is not ours to remove. */
static int probe_local(const struct stet__listen_address *address)
{
    struct stat status;
    if (lstat(address->at.local.sun_path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    int fd = open_socket(address);
    if (fd < 0)
        return fd;
    int connected = connect(fd, &address->at.any, address->len);
    int cause = errno;
    close(fd);
    if (connected == 0 || cause != ECONNREFUSED)
        return connected == 0 || cause == EAGAIN ? -EADDRINUSE : -cause;
    return unlink(address->at.local.sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

int stet__listen_probe(const struct stet__listen_address *address)
{
    if (address->at.any.sa_family == AF_UNIX)
        return probe_local(address);
    int fd = open_socket(address);
    if (fd == -EAFNOSUPPORT && is_any_v6(address))
        return 0;
    if (fd < 0)
        return fd;
    /* Without SO_REUSEPORT: fails where another socket listens, whatever options that one has. */
    if (bind(fd, &address->at.any, address->len) < 0 || listen(fd, 1) < 0)
        return fail(fd);
    close(fd);
    return 0;
}

static int open_any(struct stet__listen_address *address)
{
    int fd = open_socket(address);
    if (fd != -EAFNOSUPPORT || !is_any_v6(address))
        return fd;
    struct stet__listen_address v4 = {.at.v4 = {.sin_family = AF_INET, .sin_port = address->at.v6.sin6_port},
                                      .len = sizeof(struct sockaddr_in)};
    *address = v4;
    return open_socket(address);
}

int stet__listen_open(struct stet__listen_address *address)
{
    int fd = open_any(address);
    if (fd < 0)
        return fd;
    bool local = address->at.any.sa_family == AF_UNIX;
    /* Accepted sockets inherit TCP_NODELAY. */
    if (!local &&
        (set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0))
        return fail(fd);
    if (bind(fd, &address->at.any, address->len) < 0 || listen(fd, BACKLOG) < 0)
        return fail(fd);
    socklen_t len = sizeof address->at;
    if (!local && getsockname(fd, &address->at.any, &len) < 0)
        return fail(fd);
    return fd;
}

void stet__listen_remove(const struct stet__listen_address *address, const struct stat *made)
{
    struct stat status;
    const char *path = address->at.local.sun_path;
    if (lstat(path, &status) == 0 && status.st_dev == made->st_dev && status.st_ino == made->st_ino)
        (void)unlink(path);
}
