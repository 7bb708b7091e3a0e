/* SPDX-License-Identifier: MIT */
/*
 * address: what --listen takes: "8304", ":8304", "127.0.0.1:8304", "[::1]:8304", "unix:PATH". Also where
 * connections to other servers go (upstream.h, resolve.h); those are compared octet by octet, so what a
 * family does not use is zero.
 */
#ifndef STET_NET_ADDRESS_H
#define STET_NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <stet/span.h>
#include <stet/status.h>

struct stet__listen_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } at;
    socklen_t len;
};

/*
 * A bare port listens on 127.0.0.1 (secure by default), ":PORT" on every address of the machine (IPv6 and
 * IPv4). Port 0 asks the system for one. STET_E_SYNTAX for anything else; names are not resolved.
 */
int stet__listen_address_parse(struct stet_span text, struct stet__listen_address *out);

/* As a user types it; returns the octets written, with a terminator after them. `room` is at least 128. */
size_t stet__listen_address_format(const struct stet__listen_address *address, char *out, size_t room);

#endif
