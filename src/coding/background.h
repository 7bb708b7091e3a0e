/* SPDX-License-Identifier: MIT */
/*
 * background: threads that code and decode, so that no loop ever does. One such pool serves a process.
 *
 * A job is a struct inside something of the caller's. It goes through these states, all under one lock but
 * for the work:
 *
 *            ask                      first in the queue        work has returned
 *     yours ------> QUEUED ------------------> RUNNING ---------------------> POSTED ------> done() : yours
 * again |                           |                              |
 *                     +-- cancel: drop() at once  +-- cancel: drop() when work   +-- cancel: drop() in place
 * of done() returns, on that thread
 *
 * If `post` has no memory, it is tried again a moment later, until it succeeds or the job is cancelled.
 *
 * So a job that was taken ends with exactly one call of `done` (on the asker's loop) or of `drop` (on any
 * thread). Before that it belongs to the pool: only `work` may touch what it uses, and the asker may cancel.
 */
#ifndef STET_CODING_BACKGROUND_H
#define STET_CODING_BACKGROUND_H

#include <stdatomic.h>

#include "base/list.h"

struct stet__background;

/* How to reach who asked. This layer does not know loops: `post` is stet__loop_post, `to` a loop. */
struct stet__background_asker {
    int (*post)(void *to, void (*run)(void *arg), void *arg); /* from any thread; 0, or negative: no memory */
    void *to;
};

enum stet__job_state {
    STET__JOB_YOURS,
    STET__JOB_QUEUED,
    STET__JOB_RUNNING,
    STET__JOB_UNPOSTED, /* `post` had no memory; it is tried again */
    STET__JOB_POSTED,
};

struct stet__job {
    void (*work)(struct stet__job *job); /* on a thread of the pool; looks at `stop` now and then */
    void (*done)(struct stet__job *job); /* by way of `asker`; the job is its owner's again */
    void (*drop)(struct stet__job *job); /* nobody wants it any more: frees it; on any thread */
    struct stet__background_asker asker;
    atomic_bool stop; /* the work is wanted no more */
    /* The pool's: */
    struct stet__list node;
    struct stet__background *background;
    enum stet__job_state state;
};

/* NULL with errno set. At most `queue_max` jobs wait. The threads are nice: answers come first. */
struct stet__background *stet__background_new(unsigned threads, unsigned queue_max);

/* After every asker has called stet__background_forget. Waits for what is running to notice. */
void stet__background_free(struct stet__background *background);

/*
 * Queues `job`, whose first four members are set. `urgent`: before those that are not: somebody waits for it.
 * False: not now, too many wait; the job is still its owner's.
 */
bool stet__background_ask(struct stet__background *background, struct stet__job *job, bool urgent);

/* On the asker's thread, between ask and done. */
void stet__background_cancel(struct stet__job *job);

/* Drops all that was asked for `to`. On its thread, once it runs nothing any more that was posted to it. */
void stet__background_forget(struct stet__background *background, const void *to);

#endif
