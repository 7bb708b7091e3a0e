/* SPDX-License-Identifier: MIT */
/*
 * disk: stored responses in a folder, for the private cache of `stet get`. Any number of processes use it at
 * once; a process may be killed at any instruction without harm to what others, or later ones, find.
 *
 *   index.mdb, index.mdb-lock   LMDB: a record for each stored response (its head, times, what it was got
 *                               with), each body's references and size, the order of use, output files,
 *                               totals. Bodies of up to STET__DISK_SMALL octets stand in it, too
 *   bodies/ab/ab12...           larger content, as it was received (coded as Content-Encoding says), named
 *                               by its SHA-256, so the same octets under many URIs are kept once; never
 *                               written to again
 *   parts/...                   content that is not complete: of a download under way, whose writer holds a
 *                               lock on it, or of one that was interrupted and can be resumed
 *   writer                      locked by who changes the index or bodies/
 *   lock                        held shared by who uses the folder, alone by who begins the index anew
 *
 * Heads and bodies are apart: a 304 rewrites a record, never a body. Names of bodies come and go within write
 * transactions of the index only, of which there is one at a time. A body is named before the transaction
 * that makes its record ends, and keeps its name in parts/ until after that, so what a killed process leaves
 * is found from there. One to which nobody refers any more is first put down as doomed, and unlinked in a
 * later transaction. So at no instant is there a record without its body.
 *
 * The index is opened with MDB_NOMETASYNC: its data reach the disk before what points to them, so a loss of
 * power cannot damage it, but the last commits may be missing (MDB_NOSYNC would be faster and could damage
 * it). Bodies are not synchronised at all: each record of one has the boot in which its octets were last
 * known to be right, and under another boot they are hashed once before they are used. LMDB needs a local
 * file system.
 *
 * What is not promised: after a loss of power the last seconds of changes may be missing. A body that does
 * not have its recorded size, or that changed since it was written and no longer has its digest, is a miss
 * and goes. Whoever can write to the folder can put what he likes into it.
 *
 * One process opens a folder once, and does not use it on the other side of a fork: LMDB's rules.
 * disk_inside.h has how the code is divided.
 */
#ifndef STET_STORE_DISK_H
#define STET_STORE_DISK_H

#include <stet/cache.h>

#include "base/arena.h"

#define STET__DISK_DIGEST_BYTES 32
#define STET__DISK_PATH_ROOM 80   /* octets of a path below the folder, with its terminator */
#define STET__DISK_SMALL 4000     /* octets: with LMDB's own, one page, which costs less than a file */
#define STET__DISK_PART_MIN 65536 /* octets that are worth resuming */

struct stet__disk;

struct stet__disk_settings {
    const char *folder;  /* made if it is not there, with mode 0700 */
    uint64_t octets_max; /* of bodies, records and what the file system adds to small ones; what was not used
                            for longest goes first. 0: what the last one said who said something */
    uint64_t object_max; /* larger bodies are not kept; 0: an eighth of octets_max */
    uint64_t map_octets; /* address space for the index at first; 0: 1 GiB. It grows when it is full */
};

/*
 * STET_OK or STET_E_STORE_...; `*cause` is what is wrong in words (static storage), else NULL. With STET_OK a
 * cause is news for the user: the index could not be used (damaged, or of another version), so it was moved
 * aside to index.mdb.old, and the cache begins anew.
 */
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
    uint64_t octets; /* of the body as it is held: of a part those from stored.held.range.first on */
    uint64_t part;   /* of a part its name, else 0; private */
    uint64_t asker;  /* as it was put */
    int64_t used_at; /* Unix seconds; of eviction */
};

/*
 * What is stored under `uri`, that stored last first, at most STET_CANDIDATES_MAX; `out` has room for as
 * many. What this process has not committed yet is among them. A part that somebody is writing right now is
 * not. STET_OK, also if there is nothing, or an error, after which it is best to go on without.
 */
int stet__disk_find(struct stet__disk *disk, struct stet_span uri, const struct stet_cache_policy *policy,
                    struct stet__arena *arena, struct stet__disk_entry *out, size_t *count);

/* Its body if it is small (STET__DISK_SMALL) and complete, copied to the arena: no file is opened. Else, and
 * if it is gone, absent. */
struct stet_span stet__disk_body_small(struct stet__disk *disk, const struct stet__disk_entry *entry,
                                       struct stet__arena *arena);

/* Its body, open for reading at its begin; it can be read to the end whatever becomes of the entry. Of a
 * small one a file in memory. -1: it is gone or damaged, and so is the entry now. */
int stet__disk_body(struct stet__disk *disk, const struct stet__disk_entry *entry);

/* The path of its body below the folder, "bodies/ab/ab12..."; false if it has no file. */
bool stet__disk_body_path(struct stet__disk *disk, const struct stet__disk_entry *entry, char *out,
                          size_t room);

/*
 * What is stored of the origin of `uri` and says that it may be a dictionary for it (RFC 9842): complete
 * answers to GET of https whose pattern matches, that which takes precedence first (section 2.2.3), and at
 * most so many. Whether they are fresh is for the caller to see. How many there are; what this process has
 * not committed yet is not among them.
 */
#define STET__DISK_DICTIONARIES_MAX 8
size_t stet__disk_dictionaries(struct stet__disk *disk, struct stet_span uri,
                               const struct stet_cache_policy *policy, struct stet__arena *arena,
                               struct stet__disk_entry out[STET__DISK_DICTIONARIES_MAX]);

/* Used now. Cheap: written with the next commit, and to the minute. */
void stet__disk_touch(struct stet__disk *disk, const struct stet__disk_entry *entry, int64_t now);

/* --- writing --- */

/* A body under way. With a head that can be resumed (a strong validator, GET) and STET__DISK_PART_MIN octets
 * it is found by others as a part as soon as its writer is gone; else nothing is left of it. */
struct stet__disk_body;

struct stet__disk_put {
    struct stet_span uri;
    const struct stet_stored *stored; /* as stet_cache_receive had it: only what stet_stored_keeps, the
                                         selecting fields of Vary, times; copied. held is what the whole
                                         will be: of a 206 that goes on, that of stet_partial_combine */
    const uint64_t *replaced;         /* ids that this one stands in place of; copied */
    size_t replaced_count;
    uint64_t asker; /* who asked, as a number of the caller's that comes back in the entry; 0: nobody in
                       particular. An entry that gets another head keeps its own */
    bool whole;     /* nothing of it is kept if it is cut off */
};

/*
 * Begins a body of `put`. To go on with what is held of `part` (a 206 that follows it) give that, else NULL:
 * its octets become the begin of this body, and it is replaced. NULL: no memory, no room, `length` (of the
 * whole; UINT64_MAX: unknown) beyond object_max, or somebody else goes on with the part.
 */
struct stet__disk_body *stet__disk_body_begin(struct stet__disk *disk, const struct stet__disk_put *put,
                                              const struct stet__disk_entry *part, uint64_t length);
bool stet__disk_body_append(struct stet__disk_body *body,
                            struct stet_span octets);                /* false: it is given up */
uint64_t stet__disk_body_octets(const struct stet__disk_body *body); /* so far, with those of the part */
int stet__disk_body_fd(struct stet__disk_body *body); /* to read what was appended, with pread; or -1 */

/*
 * Complete: the record and the body are there for all to see with the next commit, for this process at once.
 * `out`, in `arena`, is the new entry; both may be NULL. `body` is freed. False if it could not be kept. If
 * put->stored->held says that even this is not the whole (a 206 that leaves something out), it is kept as
 * with stet__disk_body_cut, and false.
 */
bool stet__disk_body_commit(struct stet__disk_body *body, struct stet__arena *arena,
                            struct stet__disk_entry *out);

/* Cut off. What came is kept as a part if it can be resumed, else dropped. `body` is freed. */
void stet__disk_body_cut(struct stet__disk_body *body);

/* Another head for the same body: a 304 (stet_update_fields has been done), or a stored response adopted for
 * another request, if `put->replaced` has not its id (which then stays the id). False if it is gone. */
bool stet__disk_put_head(struct stet__disk *disk, const struct stet__disk_entry *of,
                         const struct stet__disk_put *put);

/* All that is stored under the URI (RFC 9111 section 4.4): it needs validation from now on. How many. */
size_t stet__disk_invalidate(struct stet__disk *disk, struct stet_span uri);
bool stet__disk_invalidate_entry(struct stet__disk *disk, uint64_t id);
size_t stet__disk_remove(struct stet__disk *disk, struct stet_span uri);           /* how many */
size_t stet__disk_remove_prefix(struct stet__disk *disk, struct stet_span prefix); /* "": everything */
bool stet__disk_remove_entry(struct stet__disk *disk, uint64_t id);

/* Changes are gathered and committed together: by the first call after a second (longer, if commits take
 * long), or here. Bodies and records commit in one. */
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
    uint64_t hits, validated, misses, stored, evicted; /* since it was made */
    uint64_t not_sent;                                 /* octets, by stet__disk_count */
};
void stet__disk_stats(struct stet__disk *disk, struct stet__disk_stats *out);
enum stet__disk_event { STET__DISK_HIT, STET__DISK_VALIDATED, STET__DISK_MISS, STET__DISK_EVENTS };
void stet__disk_count(struct stet__disk *disk, enum stet__disk_event event, uint64_t octets_saved);

/* Calls for each entry in the order of URIs, parts too (those under way have no octets); false stops. The
 * visitor may change what it is shown, but nothing else. */
typedef bool stet__disk_visitor(void *owner, const struct stet__disk_entry *entry);
int stet__disk_each(struct stet__disk *disk, const struct stet_cache_policy *policy,
                    stet__disk_visitor *visit, void *owner);

/*
 * Looks at everything: each record can be read, each body is there, has its size and its digest, each
 * reference count and total is right. A fault goes to `tell` in words; with `mend` it is put right. What
 * killed processes left is removed with and without `mend`: those are no faults, nor is what other processes
 * have under way.
 */
struct stet__disk_findings {
    uint64_t entries, bodies, octets; /* that were looked at */
    uint64_t faults;
    uint64_t leftovers; /* removed */
};
typedef void stet__disk_teller(void *owner, const char *fault);
int stet__disk_verify(struct stet__disk *disk, bool mend, stet__disk_teller *tell, void *owner,
                      struct stet__disk_findings *out);

#endif
