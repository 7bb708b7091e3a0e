/* SPDX-License-Identifier: MIT */
/*
 * open: opening what lies below a folder, and nothing else.
 *
 * The kernel resolves the name and refuses to leave the folder (openat2, RESOLVE_BENEATH), so no check of
 * names can be raced. Symbolic links within the folder are followed, and told: a watch on a folder does not
 * see what happens to the target of a link. Where the kernel lacks openat2 the name is walked segment by
 * segment and no link is followed.
 */
#ifndef STET_SERVE_OPEN_H
#define STET_SERVE_OPEN_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdint.h>

/* What tells one state of a file from another, as far as stat can. */
struct stet__identity {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
};

struct stet__opened {
    int fd;
    struct stat stat;
    bool via_symlink;
};

void stet__identity_of(const struct stat *stat, struct stet__identity *out);
bool stet__identity_equal(const struct stet__identity *a, const struct stet__identity *b);

/*
 * Opens `name` below the folder `root` for reading and stats it. 0, or a negative errno: -EXDEV if the name
 * leads out of the folder; -ENXIO for what is neither a regular file nor a folder.
 */
int stet__open_beneath(int root, const char *name, struct stet__opened *out);

/* The walk that serves where openat2 is missing; for tests too. A link gives -ELOOP. */
int stet__open_walk(int root, const char *name);

#endif
