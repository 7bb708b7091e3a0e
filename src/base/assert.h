/* SPDX-License-Identifier: MIT */
/*
 * assert: a bug stops the program, in release builds too. It traps where it stands and needs no library
 * function, so core can use it; the core dump or the debugger shows the line.
 */
#ifndef STET_BASE_ASSERT_H
#define STET_BASE_ASSERT_H

#define stet__assert(expression) ((expression) ? (void)0 : __builtin_trap())

#endif
