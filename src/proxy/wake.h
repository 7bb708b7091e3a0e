/* SPDX-License-Identifier: MIT */
/*
 * wake: from any thread, have something run on the thread of a worker. A wake sits inside its owner, is sent
 * at most once until it runs, and costs no memory.
 */
#ifndef STET_PROXY_WAKE_H
#define STET_PROXY_WAKE_H

#include <pthread.h>

#include "base/list.h"
#include "net/loop.h"

/* One per worker. */
struct stet__mailbox {
    pthread_mutex_t lock;
    struct stet__list wakes;
    struct stet__loop *loop;
    bool posted;
    bool closed; /* the worker has ended */
};

struct stet__wake {
    struct stet__list node; /* in the mailbox while it is sent and has not run; under its lock */
    struct stet__mailbox *mailbox;
    void (*run)(struct stet__wake *wake);
};

void stet__mailbox_init(struct stet__mailbox *mailbox, struct stet__loop *loop);

/* Runs what was sent: also without a post, if there was no memory for one. The worker's thread. */
void stet__mailbox_run(struct stet__mailbox *mailbox);

/* Nothing runs any more, and nothing is posted to the loop. */
void stet__mailbox_close(struct stet__mailbox *mailbox);

void stet__wake_init(struct stet__wake *wake, struct stet__mailbox *mailbox,
                     void (*run)(struct stet__wake *wake));

/* Any thread, while the owner cannot go: its lock is held, or it is the caller's own. */
void stet__wake_send(struct stet__wake *wake);

/* The worker's thread: it will not run. */
void stet__wake_cancel(struct stet__wake *wake);

#endif
