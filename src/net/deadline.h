/* SPDX-License-Identifier: MIT */
/*
 * deadline: time-outs that cost a store when they are put off, which is what happens with each request.
 *
 * A wheel has one list per second. A deadline sits in the list of the second in which it will be looked at,
 * which is never after the deadline. Putting it off writes the new second and moves nothing; when the wheel
 * comes to it, it is moved on. Only bringing it forward moves it at once. So each deadline is looked at once
 * in the time it was set for, or in a turn of the wheel.
 */
#ifndef STET_NET_DEADLINE_H
#define STET_NET_DEADLINE_H

#include <stdint.h>

#include "base/list.h"

#define STET__DEADLINE_SLOTS 128u

struct stet__deadline {
    struct stet__list node;
    int64_t at_s;   /* seconds of any clock that does not go back */
    int64_t look_s; /* when the wheel comes to it; INT64_MAX: it is in no list */
};

struct stet__deadlines {
    int64_t now_s;
    struct stet__list slots[STET__DEADLINE_SLOTS];
};

void stet__deadlines_init(struct stet__deadlines *deadlines, int64_t now_s);

/* Calls `passed` for each deadline up to `now_s`, after taking it out. */
void stet__deadlines_advance(struct stet__deadlines *deadlines, int64_t now_s,
                             void (*passed)(struct stet__deadline *deadline));

/* A deadline in no list. */
void stet__deadline_init(struct stet__deadline *deadline);
void stet__deadline_clear(struct stet__deadline *deadline);

/* For stet__deadline_set. */
void stet__deadline_move(struct stet__deadlines *deadlines, struct stet__deadline *deadline);

static inline void stet__deadline_set(struct stet__deadlines *deadlines, struct stet__deadline *deadline,
                                      int64_t at_s)
{
    deadline->at_s = at_s;
    if (at_s < deadline->look_s)
        stet__deadline_move(deadlines, deadline);
}

#endif
