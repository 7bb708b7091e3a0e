/* SPDX-License-Identifier: MIT */
#include <stet/reason.h>

#include "base/assert.h"

static const struct stet_reason_row rows[] = {
#define X(symbol, name, clause, sentence) {name, clause, sentence},
#include <stet/reason.def>
#undef X
};

const struct stet_reason_row *stet_reason_row(enum stet_reason reason)
{
    stet__assert((unsigned)reason < STET_REASON_COUNT);
    return &rows[reason];
}
