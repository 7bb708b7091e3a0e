/* SPDX-License-Identifier: MIT */
/*
 * folder: a folder of its own for what a test writes, in memory where there is such a place: a play is
 * repeated some hundred times, and what the disk makes of each is not what is tested.
 */
#ifndef STET_TEST_OOM_FOLDER_H
#define STET_TEST_OOM_FOLDER_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER_ROOM 64

static inline bool folder_make(char out[FOLDER_ROOM])
{
    const char *base = getenv("TMPDIR");
    if (access("/dev/shm", W_OK) == 0)
        base = "/dev/shm";
    snprintf(out, FOLDER_ROOM, "%s/stet-oom-XXXXXX", base ? base : "/tmp");
    return mkdtemp(out) != NULL;
}

static inline int folder_remove_one(const char *path, const struct stat *state, int kind, struct FTW *at)
{
    return at->level > 0 ? remove(path) : 0;
}

static inline void folder_clear(const char *folder)
{
    nftw(folder, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void folder_remove(const char *folder)
{
    folder_clear(folder);
    rmdir(folder);
}

#endif
