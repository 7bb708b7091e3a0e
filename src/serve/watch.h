/* SPDX-License-Identifier: MIT */
/*
 * watch: knowing that a file changed without asking (inotify).
 *
 * A file is covered if its folder and every folder above it, up to the root, is watched: a change of its
 * octets, its name, or any name on the way to it is then an event. Cover first, then open and read: what
 * changes after that is told. The watch is an early one of the loop, so what changed before a request came is
 * known before it is answered.
 *
 * What inotify does not see, and who has to ask stat instead: other hosts (network file systems), other names
 * of the same file (hard links, targets of symbolic links), what lies below overlays and FUSE. A write
 * through mmap, or through a hard link made later, is not told: for those every file is looked at once in a
 * while (stet__files_sweep).
 */
#ifndef STET_SERVE_WATCH_H
#define STET_SERVE_WATCH_H

#include <stet/span.h>

#include "base/list.h"
#include "net/loop.h"

/* Sits in what depends on a file. */
struct stet__watched {
    struct stet__list node;
    void *owner;           /* what depends on it */
    struct stet_span name; /* of the file in its folder */
    bool new_names;        /* depends on which other names there are too: an index file */
};

struct stet__watch_events {
    void (*changed)(void *arg, struct stet__watched *watched, bool content); /* content: in place */
    void (*all)(
        void *arg); /* anything may have changed, and nothing is covered any more: forget everything */
    bool (*root)(void *arg); /* the root's name may stand for another folder now; true: and
                                stet__watcher_start was called */
    void *arg;
};

struct stet__watcher;
struct stet__folder;

/* NULL if there is no memory. Without inotify it works, but covers nothing. */
struct stet__watcher *stet__watcher_new(struct stet__loop *loop, const struct stet__watch_events *events);
void stet__watcher_free(struct stet__watcher *watcher);

/* From now on paths are below `root`, a descriptor that stays open. What was covered is not any more; nothing
 * may be in a folder. */
void stet__watcher_start(struct stet__watcher *watcher, int root, const char *root_path);

/* Covers the file of `path` ("/docs/a.html") and returns its folder; NULL if that cannot be had. */
struct stet__folder *stet__watcher_cover(struct stet__watcher *watcher, struct stet_span path);

/* Tells of changes until the node is taken out of its list. */
void stet__folder_add(struct stet__folder *folder, struct stet__watched *watched);

/* Whether inotify sees all changes on the file system of `fd`. */
bool stet__watch_sees(int fd);

#endif
