/* SPDX-License-Identifier: MIT */
/*
 * file_copies: the coded copies of one file, as one worker has them, and which representation answers a
 * request.
 *
 * A copy is an entry like any other (files.h): with validators and ready-made heads of its own, so that a
 * 200, 206, 304, 412 or 416 of it goes the same way as that of the file. It hangs at the entry of the file,
 * not in the table, and goes with it. Its octets are shared by the workers (octets.h).
 *
 * A copy is asked for when a request would get it if it were there, once, and comes from the background.
 * Until then that request gets what there is. Core chooses (stet/coded.h); nothing here knows what a client
 * prefers.
 *
 * A precompressed sibling, FILE.br beside FILE, is watched like the file: if one appears, changes or goes,
 * the entry is dropped with all its copies.
 */
#ifndef STET_SERVE_FILE_COPIES_H
#define STET_SERVE_FILE_COPIES_H

#include <stet/coded.h>

#include "serve/files.h"
#include "serve/path.h"

struct stet__serve_worker;
struct stet__file_copy_order;

struct stet__file_copies {
    struct stet__entry *entry;         /* the file */
    struct stet__octets_table *octets; /* for its copies */
    unsigned kept;                     /* the set of codings that are there */
    unsigned failed;                   /* that cannot be had */
    unsigned ordered;                  /* that are on their way */
    int64_t not_before;                /* the queue was full: ask again then */
    struct stet__entry *at[STET_CODING_COUNT];
    struct stet__file_copy_order *orders[STET_CODING_COUNT];
    struct stet__watched siblings[STET_CODING_COUNT];
};

/* What answers. */
struct stet__shown {
    struct stet__entry *entry; /* the file or a copy; borrows from the file's entry */
    struct stet_representation selected;
    struct stet_etag held; /* of stet_coded_choice */
};

/* Gives an entry that may get copies the place for them. Without a tag it gets none yet. False if there is no
 * memory. */
bool stet__file_copies_init(struct stet__serve_worker *worker, struct stet__entry *entry);

/* For files.c: before the entry goes. NULL does nothing. */
void stet__file_copies_free(struct stet__file_copies *copies);

/* The siblings are watched from now on, in the folder of the file. */
void stet__file_copies_watch(struct stet__file_copies *copies, struct stet__folder *folder);
void stet__file_copies_unwatch(struct stet__file_copies *copies);

/* What is being made is not wanted: the file has changed. */
void stet__file_copies_cancel(struct stet__file_copies *copies);

/* Which representation of `entry` answers; asks for the copy that would be liked best. */
void stet__file_copies_select(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                              struct stet__entry *entry, struct stet__shown *out);

/* What of `offer` a request gets: as stet_coded_select says, but quicker for what is asked most. */
void stet__file_copies_choose(struct stet__serve_worker *worker, const struct stet_request *request,
                              struct stet__entry *entry, const struct stet_coded_offer *offer,
                              struct stet_coded_choice *choice);

/*
 * What a GET or HEAD of `entry`, the file, is told to be current: the file or a copy whose tag is all that
 * If-None-Match has. Then stet__file_copies_select and stet_answer_decide come to that 304, and need not be
 * asked. NULL: they have to be.
 */
struct stet__entry *stet__file_copies_current(struct stet__serve_worker *worker,
                                              const struct stet_request *request, struct stet__entry *entry);

/* 304 to a client that holds the chosen coding under another tag: with its tag, because that names what it
 * has stored (RFC 9111 section 4.3.4). */
void stet__file_copies_answer_held(struct stet__exchange *exchange, const struct stet__shown *shown,
                                   enum stet_reason reason);

#endif
