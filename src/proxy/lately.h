/* SPDX-License-Identifier: MIT */
/*
 * lately: keys whose last answer could not be used for others, for a short while: requests for them do not
 * queue up behind each other. A bounded table that forgets by overwriting; a wrong "no" costs a wait, a wrong
 * "yes" costs a request.
 */
#ifndef STET_PROXY_LATELY_H
#define STET_PROXY_LATELY_H

#include <stdbool.h>
#include <stdint.h>

struct stet__lately;

#define STET__LATELY_S 10

/* NULL if there is no memory. */
struct stet__lately *stet__lately_new(void);
void stet__lately_free(struct stet__lately *lately);

/* By hash of the key; any thread. */
void stet__lately_put(struct stet__lately *lately, uint64_t hash, int64_t now);
void stet__lately_drop(struct stet__lately *lately, uint64_t hash);
bool stet__lately_has(const struct stet__lately *lately, uint64_t hash, int64_t now);

#endif
