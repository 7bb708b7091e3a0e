/* SPDX-License-Identifier: MIT */
/*
 * tunnel: octets both ways between two connections, after 101 (RFC 9110 section 7.8) or 2xx to CONNECT
 * (section 9.3.6). stet__exchange_join of upstream.h makes one; nothing else needs to know of it.
 */
#ifndef STET_NET_TUNNEL_H
#define STET_NET_TUNNEL_H

#include "base/buffer.h"
#include "net/loop.h"
#include "net/transport.h"

/* What a tunnel is made of: two connections that do not block, in no loop. It owns them and the buffers. */
struct stet__tunnel_ends {
    struct stet__transport to[2];
    struct stet__buffer first[2]; /* what goes to each before anything else */
    unsigned idle_timeout_s;
    /* Called once, last, with the octets that went to to[0] and whether the tunnel broke; closes to[0]. */
    void (*done)(void *owner, uint64_t octets, bool aborted);
    void *owner;
};

struct stet__tunnel;

/* NULL if there is no memory; then nothing is taken over. `done` never comes from within. */
struct stet__tunnel *stet__tunnel_new(struct stet__loop *loop, const struct stet__tunnel_ends *ends);

/* Ends it now; `done` is called within. */
void stet__tunnel_cut(struct stet__tunnel *tunnel);

#endif
