/* SPDX-License-Identifier: MIT */
/*
 * get_claim: which files the URLs of one run are written to, so that two of them do not overwrite each other
 * unseen, as -O for /a/index.html and /b/index.html would.
 */
#ifndef STET_CLI_GET_CLAIM_H
#define STET_CLI_GET_CLAIM_H

#include <stdbool.h>

struct stet__get_claims {
    void *tree;
};

/* Whether `path` may be written with what comes from `uri`: nobody else has claimed it, or the same URI has.
 * Both are copied. True, too, if there is no memory to know better. */
bool stet__get_claim(struct stet__get_claims *claims, const char *path, const char *uri);
void stet__get_claims_release(struct stet__get_claims *claims);

#endif
