/* SPDX-License-Identifier: MIT */
/*
 * sweep: what the tests of failing allocations share: a play is repeated with the i-th allocation failing,
 * for every i, and with all from the i-th on. Prints TAP: a line for each way of failing, with the numbers of
 * the allocations at which something went wrong.
 *
 * Nothing here allocates while a failure is armed, so that only stet's own calls are counted.
 */
#ifndef STET_TEST_OOM_SWEEP_H
#define STET_TEST_OOM_SWEEP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <stet/span.h>

#include "failing.h"

#define ANSWER_MAX (1u << 20)

/*
 * Does everything once with allocation `n` failing (0: none), and with `all_after` those after it, too. It
 * arms that itself, tells in `*calls` how many allocations there were, and returns a sentence about what is
 * wrong, or NULL.
 */
typedef const char *sweep_play(unsigned long n, bool all_after, unsigned long *calls);

/* The whole test: the exit code of main. */
int sweep(sweep_play *play);

/* Whether something is lost; only the address sanitizer knows. It takes its time, so of many plays it looks
 * at some, and at the end. */
bool leaks(void);

/*
 * Sends `request` to the Unix socket, reads until the server closes. The number of octets in `answer` (room
 * for ANSWER_MAX), or -1 if it hangs.
 */
ssize_t ask(const char *socket_path, struct stet_span request, char *answer);

/* Of an answer; 0 if there is none: the connection was closed before. */
unsigned status_of(const char *answer, ssize_t len);

#endif
