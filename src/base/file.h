/* SPDX-License-Identifier: MIT */
/*
 * file: reading a part of a file whole.
 */
#ifndef STET_BASE_FILE_H
#define STET_BASE_FILE_H

#include <sys/types.h>

/* Reads `len` octets from `offset` on, or those up to the end of the file. How many, or -1 with errno. */
ssize_t stet__read_at(int fd, char *to, size_t len, off_t offset);

#endif
