/* SPDX-License-Identifier: MIT */
/*
 * worker: what the files of this folder share, for one worker thread.
 */
#ifndef STET_SERVE_WORKER_H
#define STET_SERVE_WORKER_H

#include <stet/answer.h>

#include "base/buffer.h"
#include "coding/background.h"
#include "net/loop.h"
#include "serve/file_copies.h"
#include "serve/files.h"
#include "serve/hash.h"
#include "serve/mime.h"
#include "serve/octets.h"
#include "serve/path.h"
#include "serve/serve.h"
#include "serve/watch.h"

/* Made by stet__serve_prepare, used by all workers; safe for threads. */
struct stet__serve_shared {
    struct stet__mime *mime;
    struct stet__hashes *hashes;
    struct stet__background *background; /* NULL with --codings none, like the next */
    struct stet__octets_table *octets;
};

/*
 * What core said to one value of Accept-Encoding. Clients send but a few, so the last ones are remembered;
 * file_copies.c has what makes that right.
 */
#define STET__ACCEPTED_KEPT 8 /* subsets of gzip, br and zstd */
#define STET__ACCEPTED_LEN 64
struct stet__accepted {
    size_t len; /* of the value; 0: free */
    char value[STET__ACCEPTED_LEN];
    struct stet_accept_encoding accept;
    bool known[STET__ACCEPTED_KEPT]; /* by the set that is there */
    struct stet_coded_choice choice[STET__ACCEPTED_KEPT];
};
#define STET__ACCEPTED_COUNT 4

struct stet__serve_worker {
    const struct stet__serve_configuration *configuration;
    const struct stet__serve_shared *shared;
    struct stet__loop *loop;
    struct stet__files *files;
    struct stet__watcher *watcher;
    struct stet__tick tick;
    struct stet__accepted accepted[STET__ACCEPTED_COUNT];
    unsigned accepted_next;        /* to be overwritten */
    struct stet__accepted unasked; /* of requests without Accept-Encoding */
    bool unasked_read;
    int root; /* the folder, open */
    struct stat root_stat;
    struct stet__buffer pages[STET_REASON_COUNT]; /* bodies of error pages, made when first needed: error.c */
};

/* root.c: opens the folder; false with errno set. */
bool stet__root_open(struct stet__serve_worker *worker);

/* Looks whether the root's name stands for another folder now, and if so begins anew with that; true then. */
bool stet__root_check(struct stet__serve_worker *worker);

/* Forgets all representations and watches; the root stays. */
void stet__root_restart(struct stet__serve_worker *worker);

/* What was found for a path: an entry (one ref is the caller's), or why not. */
struct stet__found {
    struct stet__entry *entry; /* NULL: `status` is an error, or 301 */
    unsigned status;
    enum stet_reason reason;
};

/* lookup.c: the representation that the path `key` of a request, as received, stands for. */
struct stet__found stet__look_up(struct stet__serve_worker *worker, struct stet_span key, int64_t now);

/* A page that the command line names: "/404.html". */
struct stet__found stet__look_up_page(struct stet__serve_worker *worker, const char *path, int64_t now);

/* Whether an entry of the cache may be used now. Drops it if not. */
bool stet__entry_current(struct stet__serve_worker *worker, struct stet__entry *entry, int64_t now);

/* Looks at some of the files that inotify watches, once a second. */
void stet__look_again(struct stet__serve_worker *worker);

/* representation.c: an entry for an open file, whose descriptor is taken over. NULL if there is no memory. */
struct stet__entry *stet__representation_of_file(struct stet__serve_worker *worker, struct stet_span key,
                                                 struct stet_span path, struct stet__opened *file,
                                                 int64_t now);

/* The same for a page that was made, whose octets are taken over; without a date. */
struct stet__entry *stet__representation_of_page(struct stet__serve_worker *worker, struct stet_span path,
                                                 struct stet_span type, struct stet__buffer *page);

/* A coded copy of a file's entry, whose octets it takes over, if there is memory; else NULL. */
struct stet__entry *stet__representation_of_copy(const struct stet__entry *file, struct stet__octets *octets);

/* fields.c: the field lines of a 200, made in its arena; false if there is no memory. `*expires_after_s` as
 * in a head. Of what may get coded copies Vary is among them, and `entry->codable` is set. */
bool stet__fields_of_whole(const struct stet__serve_worker *worker, struct stet__entry *entry,
                           struct stet_span type, struct stet_fields *out, int64_t *expires_after_s);

/* Adds what the rules say for an error answer about `path`, to `room` from `count` on; returns the new count.
 */
size_t stet__fields_of_error(const struct stet__serve_configuration *configuration, struct stet_span path,
                             struct stet_field *room, size_t count);

/* Whether a file name carries a hash of its content: "app.3f9a1c2b.js", "index-Bx92kQ3z.css". */
bool stet__name_has_hash(struct stet_span name);

/* partial.c: answers 206 with the ranges of `answer`. */
void stet__partial_answer(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                          struct stet__entry *entry, const struct stet_answer *answer);

/* error.c: what an answer without a representation says. */
struct stet__error {
    unsigned status;
    enum stet_reason reason;
    struct stet_span path;     /* decoded, for the rules; absent if there is none */
    struct stet_span location; /* of a 301; else absent */
    uint64_t complete_length;  /* of a 416 */
    bool vary;                 /* on Accept-Encoding */
};

void stet__error_answer(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                        const struct stet__error *error);

/* Frees the bodies. */
void stet__error_release(struct stet__serve_worker *worker);

/* listing.c: an HTML page of what is in the open folder; false if it cannot be had. */
bool stet__listing_make(int folder, struct stet_span path, bool dotfiles, struct stet__buffer *page);

#endif
