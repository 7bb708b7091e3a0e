/* SPDX-License-Identifier: MIT */
/*
 * files: the representations that a worker has at hand, found by the path of the request exactly as received.
 *
 * So a hit costs one keyed hash and one comparison: nothing is decoded, opened or formatted. Two spellings of
 * one path are two entries, which is right, if wasteful. An entry is immutable but for the marks below; when
 * its file changes it is dropped, and lives on only while answers that send it hold it.
 */
#ifndef STET_SERVE_FILES_H
#define STET_SERVE_FILES_H

#include <stet/precondition.h>

#include "base/arena.h"
#include "base/digest.h"
#include "net/exchange.h"
#include "serve/open.h"
#include "serve/watch.h"

struct stet__file_copies;
struct stet__octets;

struct stet__entry {
    struct stet__watched watched;
    struct stet__list recent; /* in the order of use, roughly: files.c */
    struct stet__entry *next; /* of the bucket */
    uint64_t hash;            /* of the key */
    size_t refs;
    bool cached;                 /* the cache holds one of the refs */
    bool used;                   /* since the cache last looked */
    bool by_stat;                /* inotify does not see its changes: look at the file before each use */
    bool racy;                   /* its identity could stay the same over a change: hash.h */
    bool changed;                /* in place, after it was made */
    int64_t review_at;           /* Unix seconds when its validators can be better; INT64_MAX: never */
    struct stet_span key;        /* as received: "/docs/" */
    struct stet_span path;       /* of the file, decoded: "/docs/index.html" */
    bool codable;                /* it may get coded copies */
    bool sealed;                 /* fd is a copy of the content that cannot change, not the file */
    int fd;                      /* -1 if the octets are in `content` */
    char *content;               /* or NULL */
    struct stet__octets *octets; /* of a coded copy: the content, shared with other workers; or NULL */
    struct stet__octets_table *octets_table; /* that they are from */
    struct stet__file_copies *copies;        /* NULL: it has none, and gets none */
    size_t cost;                             /* octets of memory */
    unsigned open;                           /* descriptors, with those of its copies */
    struct stet__identity identity;
    struct stet__digest digest; /* if there is a tag: what it is made of */
    struct stet_representation selected;
    struct stet_span tag; /* the value of ETag; absent without one */
    struct stet__part body;
    struct stet__reply whole;        /* 200; its head has all fields */
    struct stet__reply not_modified; /* 304 */
    struct stet__arena arena;        /* heads, key, path, tag */
};

/* An entry without anything but its key and path, with one ref; NULL if there is no memory. */
struct stet__entry *stet__entry_new(struct stet_span key, struct stet_span path);

void stet__entry_hold(struct stet__entry *entry);
void stet__entry_release(struct stet__entry *entry);

struct stet__files;

/* NULL with errno set. At most `open_files` entries with a descriptor, and `memory_bytes` of all. */
struct stet__files *stet__files_new(unsigned open_files, uint64_t memory_bytes);
void stet__files_free(struct stet__files *files);

/* The entry of `key`, or NULL. Borrows from the cache: hold it before anything else is done with the cache.
 */
struct stet__entry *stet__files_find(struct stet__files *files, struct stet_span key);

/* Holds `entry`, in place of one with the same key, and drops what has to go for it: the limits hold
 * afterwards. */
void stet__files_add(struct stet__files *files, struct stet__entry *entry);

/* `entry` got more to hold: the limits hold afterwards, even if it has to go itself. */
void stet__files_grow(struct stet__files *files, struct stet__entry *entry, size_t cost, unsigned open);

/* Does nothing to an entry that is not in the cache. */
void stet__files_drop(struct stet__files *files, struct stet__entry *entry);

void stet__files_drop_all(struct stet__files *files);

/* Asks `stays` about some entries, all of them in STET__SWEEP_ROUNDS calls, and drops those for which it says
 * no. */
#define STET__SWEEP_ROUNDS 16
void stet__files_sweep(struct stet__files *files, bool (*stays)(void *arg, const struct stet__entry *entry),
                       void *arg);

/* A secret of this cache, for other keyed hashes. */
const void *stet__files_secret(const struct stet__files *files, size_t *len);

#endif
