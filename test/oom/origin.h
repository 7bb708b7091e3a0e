/* SPDX-License-Identifier: MIT */
/*
 * origin: the origin of the proxy under failing allocations: a process of its own, so that what it does is
 * not counted. It answers by path, knows no state, and closes a connection after whatever it does not
 * understand.
 */
#ifndef STET_TEST_OOM_ORIGIN_H
#define STET_TEST_OOM_ORIGIN_H

#include <stdbool.h>
#include <sys/types.h>

/* Octets that its answers have. */
#define ORIGIN_SMALL 10
#define ORIGIN_PIECES 20000
#define ORIGIN_LARGE 100000

/* Starts it on a Unix socket; it ends with its parent. -1 on failure. */
pid_t origin_start(const char *socket_path);

#endif
