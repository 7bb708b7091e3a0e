/* SPDX-License-Identifier: MIT */
/*
 * suggest: what somebody probably meant who typed a name that does not exist.
 */
#ifndef STET_CLI_SUGGEST_H
#define STET_CLI_SUGGEST_H

#include <stddef.h>

struct stet__suggestion {
    const char *typed;
    const char *best; /* NULL as long as nothing is near enough */
    size_t distance;
};

/* Begin with {typed, NULL, 0}; offer every name that exists. */
void stet__suggestion_offer(struct stet__suggestion *suggestion, const char *name);

#endif
