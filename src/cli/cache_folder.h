/* SPDX-License-Identifier: MIT */
/*
 * cache_folder: where the private cache of `stet get` stands, for all commands that use it.
 */
#ifndef STET_CLI_CACHE_FOLDER_H
#define STET_CLI_CACHE_FOLDER_H

/*
 * $XDG_CACHE_HOME/stet if that variable holds an absolute path (XDG Base Directory Specification), else
 * ~/.cache/stet, on the heap. The folders above it are made if they are not there. NULL: `*wrong` says why,
 * in static storage.
 */
char *stet__cache_folder(const char **wrong);

#endif
