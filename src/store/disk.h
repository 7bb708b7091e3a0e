/* SPDX-License-Identifier: MIT */
/*
 * disk: stored responses in a folder, for the private cache of `stet get`. Any number of processes use it at
 * once; a process may be killed at any instruction without harm to what others, or later ones, find.
 *
 *   index.mdb, index.mdb-lock   LMDB: a record for each stored response (its head, times, what it was got
 * with), each body's references and size, the order of use, output files, totals bodies/ab/ab12... content,
 * as it was received (coded as Content-Encoding says), named by its SHA-256, so the same octets under many
 * URIs are kept once; never written to again parts/...                   content that is not complete: of a
 * download under way, or of one that was interrupted and can be resumed
 *
 * Heads and bodies are apart: a 304 rewrites a record, never a body. A body becomes visible by a rename
 * within the write transaction that makes its record, and goes in one that has seen that nobody refers to it,
 * so record and body agree at every instant. disk_*.c have the rest.
 *
 * What is not promised: after a loss of power the last second of changes may be missing. A body that does not
 * have its recorded size, or that changed since it was written and no longer has its digest, is a miss and
 * goes.
 */
#ifndef STET_STORE_DISK_H
#define STET_STORE_DISK_H

#include <stet/cache.h>

#include "base/arena.h"

#define STET__DISK_DIGEST_BYTES 32

struct stet__disk;

struct stet__disk_settings {
    const char *folder;  /* made if it is not there, with mode 0700 */
    uint64_t octets_max; /* of bodies, records and what the file system adds to small ones; what was not used
                            for longest goes first */
    uint64_t object_max; /* larger bodies are not kept; 0: an eighth of octets_max */
};

/* STET_OK or an error of this table's group (status.def); `*cause` is what is wrong in words (static
 * storage). */
int stet__disk_open(const struct stet__disk_settings *settings, struct stet__disk **out, const char **cause);
void stet__disk_close(struct stet__disk *disk); /* commits what is pending; NULL does nothing */

/* A stored response, copied out of the index. All spans are in the arena that it was read into. */
struct stet__disk_entry {
    uint64_t id;               /* never given twice */
    struct stet_span uri;      /* the key: the normal form of the target URI */
    struct stet_stored stored; /* stet_stored_read has been done */
    bool invalidated;          /* it needs validation: see stet_cache_question */
    bool has_digest;           /* of a complete body: `digest` names it */
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    uint64_t octets; /* of the body as it is held */
    int64_t used_at; /* Unix seconds; of eviction */
};

/*
 * What is stored under `uri`, that stored last first, at most STET_CANDIDATES_MAX. Invalidations of groups or
 * prefixes are resolved here. A part that another process is writing right now is not among them.
 */
int stet__disk_find(struct stet__disk *disk, struct stet_span uri, const struct stet_cache_policy *policy,
                    struct stet__arena *arena, struct stet__disk_entry *out, size_t *count);

/* Its body, open for reading at its begin; it can be read to the end whatever becomes of the entry. -1: it is
 * gone or damaged, and so is the entry now. */
int stet__disk_body(struct stet__disk *disk, const struct stet__disk_entry *entry);

/* Used now. Cheap: written with the next commit. */
void stet__disk_touch(struct stet__disk *disk, const struct stet__disk_entry *entry, int64_t now);

/* --- writing --- */

/* A body under way. With a head that can be resumed (a strong validator) it is found by others as a part as
 * soon as its writer is gone; without one nothing is left of it. */
struct stet__disk_body;

struct stet__disk_put {
    struct stet_span uri;
    const struct stet_stored *stored; /* as stet_cache_receive had it: only what stet_stored_keeps, the
                                         selecting fields of Vary, times; held is filled in here */
    const uint64_t *replaced;         /* ids that this one stands in place of */
    size_t replaced_count;
};

/*
 * Begins a body of `put`. To go on with what is held of `part` (a 206 that follows it) give that, else NULL:
 * its octets become the begin of this body. NULL: no memory, no room, or `length` (UINT64_MAX: unknown)
 * beyond object_max.
 */
struct stet__disk_body *stet__disk_body_begin(struct stet__disk *disk, const struct stet__disk_put *put,
                                              const struct stet__disk_entry *part, uint64_t length);
bool stet__disk_body_append(struct stet__disk_body *body,
                            struct stet_span octets);       /* false: it is given up */
int stet__disk_body_fd(const struct stet__disk_body *body); /* to read what was appended */

/* Complete: the record and the body are there for all to see. `out`, in `arena`, is the new entry; both may
 * be NULL. The body is gone. False if it could not be kept. */
bool stet__disk_body_commit(struct stet__disk_body *body, struct stet__arena *arena,
                            struct stet__disk_entry *out);

/* Cut off. What came is kept as a part if it can be resumed, else dropped. */
void stet__disk_body_cut(struct stet__disk_body *body);

/* Another head for the same body: a 304 (stet_update_fields has been done), or a stored response adopted for
 * another request, if `put->replaced` has not its id. False if it is gone. */
bool stet__disk_put_head(struct stet__disk *disk, const struct stet__disk_entry *of,
                         const struct stet__disk_put *put);

/* All that is stored under the URI (RFC 9111 section 4.4): it needs validation from now on. How many. */
size_t stet__disk_invalidate(struct stet__disk *disk, struct stet_span uri);
bool stet__disk_invalidate_entry(struct stet__disk *disk, uint64_t id);
size_t stet__disk_remove(struct stet__disk *disk, struct stet_span uri);
bool stet__disk_remove_entry(struct stet__disk *disk, uint64_t id);

/* Changes are gathered and committed together at the latest after a second, or here. Bodies and records
 * commit in one. */
void stet__disk_flush(struct stet__disk *disk);

/* --- files that were written from it --- */

/*
 * An output file is known by its absolute path and its state when it was written (device, inode, size,
 * times); if that is still the same, what it holds is what `digest` and `coding` said. So a file need not be
 * written again.
 */
struct stet__disk_output {
    unsigned char digest[STET__DISK_DIGEST_BYTES]; /* of the body it was made from */
    bool decoded;                                  /* with its Content-Encoding taken off */
};
bool stet__disk_output_find(struct stet__disk *disk, const char *path, struct stet__disk_output *out);
void stet__disk_output_put(struct stet__disk *disk, const char *path, const struct stet__disk_output *output);

/* --- looking after it: stet cache --- */

struct stet__disk_stats {
    uint64_t entries, uris, bodies, parts, outputs;
    uint64_t body_octets, index_octets, octets, octets_max;
    uint64_t saved_octets; /* that bodies shared by several entries would take else */
    uint64_t hits, validated, misses, stored, evicted; /* since it was made; by stet__disk_count */
};
void stet__disk_stats(struct stet__disk *disk, struct stet__disk_stats *out);
enum stet__disk_event { STET__DISK_HIT, STET__DISK_VALIDATED, STET__DISK_MISS, STET__DISK_EVENTS };
void stet__disk_count(struct stet__disk *disk, enum stet__disk_event event, uint64_t octets_saved);

/* Calls for each entry in the order of URIs; false stops. */
typedef bool stet__disk_visitor(void *owner, const struct stet__disk_entry *entry);
int stet__disk_each(struct stet__disk *disk, const struct stet_cache_policy *policy,
                    stet__disk_visitor *visit, void *owner);

/* Looks at everything: each record can be read, each body is there, has its size and its digest, each
 * reference count and total is right, no file is left over. A fault goes to `tell` in words; with `mend` it
 * is put right. The number of faults, or a negative error. What other processes have under way is no fault.
 */
typedef void stet__disk_teller(void *owner, const char *fault);
int64_t stet__disk_verify(struct stet__disk *disk, bool mend, stet__disk_teller *tell, void *owner);

#endif
