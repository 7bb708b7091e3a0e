/* SPDX-License-Identifier: MIT */
/*
 * cache: what the parts of the command `stet cache` share: cache.c (options, rm, verify, stats) and
 * cache_show.c (ls, show).
 */
#ifndef STET_CLI_CACHE_H
#define STET_CLI_CACHE_H

#include "base/json.h"
#include "store/disk.h"

struct stet__cache_options {
    const char *folder, *prefix;
    bool detailed, json, body, all, mend, help;
};

struct stet__cache_run {
    const struct stet__cache_options *options;
    struct stet__disk *disk;
    struct stet_cache_policy policy; /* a private cache's */
    const char *folder;
    int64_t now;
    char **operands; /* after the verb */
    int count;
};

/* Each is a verb: an exit code. */
int stet__cache_ls(struct stet__cache_run *run);
int stet__cache_show(struct stet__cache_run *run);

/* The key of a URL as the user writes it, on the heap; NULL after a complaint. */
char *stet__cache_key(const char *url);

/* Prints JSON and a line end, and releases it. An exit code. */
int stet__cache_print_json(json_t *json);

#endif
