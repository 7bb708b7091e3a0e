/* SPDX-License-Identifier: MIT */
/*
 * listen: opening listening sockets so that nobody else's address is taken over.
 */
#ifndef STET_NET_LISTEN_H
#define STET_NET_LISTEN_H

#include <sys/stat.h>

#include "net/address.h"

/*
 * Makes sure that nobody listens at `address`: with SO_REUSEPORT two programs of a user could. For a Unix
 * socket: removes one that nobody answers at. 0 or a negative errno (-EADDRINUSE).
 */
int stet__listen_probe(const struct stet__listen_address *address);

/*
 * Opens a socket and listens, with SO_REUSEPORT for IP. If the port of `address` is 0 it is replaced by the
 * one that the system chose; where the machine has no IPv6, "any address" becomes that of IPv4. A descriptor
 * or a negative errno.
 */
int stet__listen_open(struct stet__listen_address *address);

/* Removes the name of a Unix socket, if it is still the one that `made` is of. */
void stet__listen_remove(const struct stet__listen_address *address, const struct stat *made);

#endif
