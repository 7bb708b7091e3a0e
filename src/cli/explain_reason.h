/* SPDX-License-Identifier: MIT */
/*
 * explain_reason: `stet explain REASON` and `stet explain --list`.
 */
#ifndef STET_CLI_EXPLAIN_REASON_H
#define STET_CLI_EXPLAIN_REASON_H

#include <stdbool.h>

/* Prints what is to be known of one reason. An exit code: 1 after a complaint if there is none of this name.
 */
int stet__explain_reason(const char *name);

/* Prints all reasons. An exit code. */
int stet__explain_list(bool json);

#endif
