/* SPDX-License-Identifier: MIT */
/*
 * explain_reason: `stet explain REASON` and `stet explain --list`. Also the names of rules, of findings of
 * `stet check` and of failures to parse are known.
 */
#ifndef STET_CLI_EXPLAIN_REASON_H
#define STET_CLI_EXPLAIN_REASON_H

#include <stdbool.h>

/* Prints what is to be known of each row of this name. An exit code: 1 after a complaint if there is none. */
int stet__explain_reason(const char *name);

/* Prints all tables. An exit code. */
int stet__explain_list(bool json);

#endif
