/* SPDX-License-Identifier: MIT */
/*
 * traced: a trace that remembers the reason of the last step that decided, which is that of the verdict.
 */
#ifndef STET_TEST_UNIT_TRACED_H
#define STET_TEST_UNIT_TRACED_H

#include <stet/trace.h>

struct traced_last {
    enum stet_reason reason;
    unsigned steps, deciding;
};

struct traced {
    struct stet_trace trace;
    struct traced_last *last;
};

static inline void traced_step(const struct stet_trace *trace, const struct stet_step *step)
{
    struct traced_last *last = ((const struct traced *)trace)->last;
    last->steps++;
    if (step->decides) {
        last->reason = step->reason;
        last->deciding++;
    }
}

static inline struct traced traced_begin(struct traced_last *last)
{
    *last = (struct traced_last){.steps = 0};
    return (struct traced){{traced_step}, last};
}

#endif
