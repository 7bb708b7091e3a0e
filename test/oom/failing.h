/* SPDX-License-Identifier: MIT */
/*
 * failing: an allocator of which a chosen call fails. The linker puts it between the program and malloc
 * (--wrap), so it sees what stet asks for, in every thread, and not what the C library asks for within
 * itself.
 */
#ifndef STET_TEST_OOM_FAILING_H
#define STET_TEST_OOM_FAILING_H

#include <stdbool.h>

/* Call number `n` from now on fails, counted from 1 over all threads; with `all_after` those after it too. 0:
 * none fails. */
void failing_arm(unsigned long n, bool all_after);

/* How many calls there were since failing_arm. */
unsigned long failing_calls(void);

#endif
