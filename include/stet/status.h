/* SPDX-License-Identifier: MIT */
/*
 * status: what a libstet function that can fail returns.
 *
 * Zero or positive is no failure. Negative is a row of status.def. Verdicts (precondition.h, range.h, ...)
 * are separate enums and cannot fail. Out-parameters are left untouched unless a function returns STET_OK.
 */
#ifndef STET_STATUS_H
#define STET_STATUS_H

enum stet_status {
    STET_OK = 0,
    STET_MORE = 1, /* not an error: the input ends before the element does, call again with more octets */
    STET_END = 2,  /* not an error: a pull parser has nothing left */
#define X(symbol, value, name, http_status, clause, sentence) symbol = (value),
#include <stet/status.def>
#undef X
};

struct stet_status_row {
    int status;
    const char *name;     /* stable, lower case with hyphens: fit for logs and tests */
    int http_status;      /* the answer to a request that fails so; 0 where no request is at fault */
    const char *clause;   /* for instance "RFC 9112 6.3" */
    const char *sentence; /* one English sentence with its full stop */
};

/* The row of `status`; never NULL (an unknown value gets a row named "unknown"). Static storage. */
const struct stet_status_row *stet_status_row(int status);

#endif
