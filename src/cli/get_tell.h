/* SPDX-License-Identifier: MIT */
/*
 * get_tell: what is said of one URL that has ended: an error, -w, --json.
 */
#ifndef STET_CLI_GET_TELL_H
#define STET_CLI_GET_TELL_H

#include "cli/get_download.h"

/* Whether errors are told: not with -s, unless -S wants them. */
bool stet__get_tells(const struct stet__get_options *options);

/* `code` is the exit code of this URL alone. */
void stet__get_tell(struct stet__get_download *download, const struct stet__get_result *result, int code);

#endif
