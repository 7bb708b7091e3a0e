/* SPDX-License-Identifier: MIT */
/*
 * pipe: octets on their way through the proxy that nobody keeps: bounded, between an event that brings octets
 * and a source that is asked for them. A slow receiver slows the sender.
 *
 *   put --> [ filling ]      full: put takes less, and `drained` is called once there is room again
 *           [ out     ] --> next   a part is good until the next call of next
 *
 * When `next` had nothing, `ready` is called with the next put, or the end.
 */
#ifndef STET_PROXY_PIPE_H
#define STET_PROXY_PIPE_H

#include "base/buffer.h"
#include "net/exchange.h"

#define STET__PIPE_BYTES (128 * 1024) /* of each of the two buffers */

struct stet__pipe {
    void *owner;
    void (*ready)(void *owner);   /* the receiver waits, and there is something */
    void (*drained)(void *owner); /* the sender was held back, and may go on */
    struct stet__buffer filling, out;
    bool waiting; /* the receiver waits */
    bool held;    /* the sender is held back */
    bool ended, cut;
};

void stet__pipe_init(struct stet__pipe *pipe);
void stet__pipe_release(struct stet__pipe *pipe);

/* Takes octets from the front and returns how many. */
size_t stet__pipe_put(struct stet__pipe *pipe, struct stet_span octets);

/* No more octets come; `complete`: that was all. */
void stet__pipe_end(struct stet__pipe *pipe, bool complete);

enum stet__supply stet__pipe_next(struct stet__pipe *pipe, struct stet__part *part);

#endif
