/* SPDX-License-Identifier: MIT */
/*
 * told: a trace that remembers the reason of the last step that decided, which is that of the verdict.
 */
#ifndef STET_TEST_UNIT_TOLD_H
#define STET_TEST_UNIT_TOLD_H

#include <stet/trace.h>

struct told_last {
    enum stet_reason reason;
    unsigned steps, deciding;
};

struct told {
    struct stet_trace trace;
    struct told_last *last;
};

static inline void told_step(const struct stet_trace *trace, const struct stet_step *step)
{
    struct told_last *last = ((const struct told *)trace)->last;
    last->steps++;
    if (step->decides) {
        last->reason = step->reason;
        last->deciding++;
    }
}

static inline struct told told_begin(struct told_last *last)
{
    *last = (struct told_last){.steps = 0};
    return (struct told){{told_step}, last};
}

#endif
