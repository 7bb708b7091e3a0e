/* SPDX-License-Identifier: MIT */
/*
 * loop: waiting for many file descriptors (epoll), and the one owner of "now".
 *
 * One loop per worker thread; nothing here is shared between threads but stet__loop_post. In each wake-up the
 * loop reads the clock once, then runs the early watches (inotify: so that a change made before a request
 * came is known before it is answered), then the others. Clock and formatted date are good for the whole
 * wake-up.
 */
#ifndef STET_NET_LOOP_H
#define STET_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <stet/date.h>

#include "base/list.h"

/* Something to wait for. Sits inside its owner; `ready` gets EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. */
struct stet__watch {
    void (*ready)(struct stet__watch *watch, uint32_t events);
    int fd;
    bool early; /* run before all others of a wake-up */
};

/* A callback each second of the loop's clock, for time-outs and housekeeping. */
struct stet__tick {
    struct stet__list node;
    void (*run)(struct stet__tick *tick);
};

/*
 * A callback once what is being run has returned, before the loop waits again: for what must not be done from
 * within a callback of someone else. No allocation, no system call. Sits inside its owner.
 */
struct stet__soon {
    struct stet__list node;
    void (*run)(struct stet__soon *soon);
};

struct stet__loop;

/* NULL if the system refuses; errno says why. */
struct stet__loop *stet__loop_new(void);
void stet__loop_free(struct stet__loop *loop);

/* Level-triggered. 0 or a negative errno. A watch that is removed is not run any more, within the same
 * wake-up either. */
int stet__loop_add(struct stet__loop *loop, struct stet__watch *watch, uint32_t events);
int stet__loop_change(struct stet__loop *loop, struct stet__watch *watch, uint32_t events);
void stet__loop_remove(struct stet__loop *loop, struct stet__watch *watch);

void stet__loop_add_tick(struct stet__loop *loop, struct stet__tick *tick);
void stet__loop_remove_tick(struct stet__loop *loop, struct stet__tick *tick);

/* A `soon` that is in no list. */
static inline void stet__soon_init(struct stet__soon *soon, void (*run)(struct stet__soon *soon))
{
    stet__list_init(&soon->node);
    soon->run = run;
}

/* Has it run soon, once, unless it is taken back. What is added meanwhile runs after the
 * next look at the sockets, so nobody is starved. */
void stet__loop_soon(struct stet__loop *loop, struct stet__soon *soon);
void stet__loop_not_soon(struct stet__soon *soon);

/* Runs until stet__loop_stop is called from within. */
void stet__loop_run(struct stet__loop *loop);
void stet__loop_stop(struct stet__loop *loop);

/* From any thread: has `run(arg)` called on the loop's thread soon. 0, or -ENOMEM. */
int stet__loop_post(struct stet__loop *loop, void (*run)(void *arg), void *arg);

int64_t stet__loop_now_s(const struct stet__loop *loop);        /* Unix seconds (wall clock) */
int64_t stet__loop_monotonic_ms(const struct stet__loop *loop); /* for time-outs */

/* For tests: moves both clocks ahead and runs the ticks, as if so many seconds had passed. */
void stet__loop_skip(struct stet__loop *loop, int64_t seconds);

/* "Date: Sat, 21 Nov 2026 09:30:00 GMT\r\n\r\n": formatted once a second. The Date line is the first 37
 * octets. */
const char *stet__loop_date_line(const struct stet__loop *loop);
#define STET__DATE_LINE_LEN (6 + STET_DATE_LEN + 2)

#endif
