/* SPDX-License-Identifier: MIT */
/*
 * reason: why a decision is what it is. Every verdict of libstet comes with a row of reason.def: a stable
 * name, the clause it stands on, and one sentence. The access log, the tests, Cache-Status and `stet explain`
 * print the same row. reason_text.def says more of each: what it depends on, and what can be done about it.
 */
#ifndef STET_REASON_H
#define STET_REASON_H

#include <stddef.h>

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

/* Some sentences on one line: what happened, on what that depends, and what to do about it. Static storage.
 */
const char *stet_reason_text(enum stet_reason reason);

#define STET_REASON_RELATED_MAX 4

/* The reasons that are best read next, the nearest first; one at least, RELATED_MAX at most. Static storage.
 */
const enum stet_reason *stet_reason_related(enum stet_reason reason, size_t *count);

#endif
