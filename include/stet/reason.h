/* SPDX-License-Identifier: MIT */
/*
 * reason: why a decision is what it is. Every verdict of libstet comes with a row of reason.def: a stable
 * name, the clause it stands on, and one sentence. The access log, the tests and, later, Cache-Status print
 * the same row.
 */
#ifndef STET_REASON_H
#define STET_REASON_H

enum stet_reason {
#define X(symbol, name, clause, sentence) symbol,
#include <stet/reason.def>
#undef X
    STET_REASON_COUNT
};

struct stet_reason_row {
    const char *name;     /* stable, lower case with hyphens */
    const char *clause;   /* for instance "RFC 9110 13.1.2" */
    const char *sentence; /* one English sentence with its full stop */
};

/* The row of `reason`; never NULL. Static storage. */
const struct stet_reason_row *stet_reason_row(enum stet_reason reason);

#endif
