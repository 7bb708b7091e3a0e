/* SPDX-License-Identifier: MIT */
/*
 * confine: giving up, before the first octet comes from outside, what the process will not need.
 *
 * Landlock: from then on files can be read below the folders that are named and nowhere else, and nothing can
 * be written, made or removed but in the folders named for that; no program can be executed. seccomp: system
 * calls that a server has no use for (execve, ptrace, mount, kernel modules, ...) end with EPERM. Neither can
 * be undone, and both hold for every thread that is started later. Whatever the kernel does not offer is left
 * out, and the result says so.
 */
#ifndef STET_NET_CONFINE_H
#define STET_NET_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

enum stet__confined {
    STET__CONFINED_FILES = 1 << 0, /* landlock */
    STET__CONFINED_CALLS = 1 << 1, /* seccomp */
};

/* Folders or files by path; what does not exist is passed over. */
struct stet__confine_path {
    const char *path;
    bool write; /* files may be written, made and removed in it, not read; else they may be read only */
};

/* Confines the calling thread and what it starts. Returns a set of enum stet__confined. */
unsigned stet__confine(const struct stet__confine_path *paths, size_t count);

/*
 * Becomes user `name` with its group and no other, for all threads. 0, -ENOENT if there is no such user, or
 * the negative errno of the step that failed: then the process may be half-way and should end.
 */
int stet__become_user(const char *name);

#endif
