/* SPDX-License-Identifier: MIT */
/*
 * explain_log: `stet explain --access-log`, and what the forms of `stet explain` share.
 */
#ifndef STET_CLI_EXPLAIN_LOG_H
#define STET_CLI_EXPLAIN_LOG_H

#include <stdbool.h>

#include "base/buffer.h"

struct json_t;

/* Counts the reasons of a log; "-" is standard input. An exit code. */
int stet__explain_log(const char *path, bool json);

/* All of a file, or of standard input for "-". False after a complaint. */
bool stet__explain_read(const char *path, struct stet__buffer *out);

/* Prints what was made, releases it, and gives the exit code. `json` NULL: there was no memory. */
int stet__explain_print(struct stet__buffer *text);
int stet__explain_print_json(struct json_t *json);

/* Whether standard output is for eyes that see colours: a terminal, and no NO_COLOR. */
bool stet__explain_colour(void);

#endif
