/* SPDX-License-Identifier: MIT */
/*
 * disk_inside: what the files of the store on disk share. Nothing else includes it.
 *
 *   disk.c          opening, closing, figures
 *   disk_folder.c   folders, files and their identity; hashing
 *   disk_index.c    LMDB: opening, beginning anew, transactions that grow the map
 *   disk_record.c   entries to octets and back
 *   disk_change.c   what a write transaction does to records, references and totals; eviction
 *   disk_content.c  names of bodies, and the doomed
 *   disk_pending.c  changes that wait in memory, and their commit
 *   disk_find.c     look-up, bodies for reading
 *   disk_write.c    bodies under way
 *   disk_remove.c   invalidation and removal
 *   disk_dictionary.c   entries that may serve as dictionaries, by their origin
 *   disk_output.c   files that were written from the store
 *   disk_sweep.c    what killed processes left
 *   disk_verify.c   verification and mending
 *
 * Databases, with their keys and values. Integers in keys are big-endian so that they sort.
 *
 *   entries   URI (up to 440 octets), NUL, its hash, id   -> struct stet__disk_record and its texts
 *   ids       id                                          -> time of last use, key in entries
 *   order     time of last use, id                        -> nothing
 *   bodies    digest                                      -> struct stet__disk_content, octets if small
 *   doomed    digest                                      -> nothing
 *   parts     name                                        -> id
 *   outputs   hash of the path                            -> struct stet__disk_written and the path
 *   dictionaries   hash of the origin, id              -> when it was stored, its pattern
 *   meta      "format", "totals"                          -> struct stet__disk_format, stet__disk_totals
 *
 * Invariants, at the end of each write transaction:
 *   1. each entry has one row in ids and one in order, and they agree
 *   2. `refs` of a body is the number of entries with its digest, and not 0
 *   3. each body that is not small has its file; a file without a row in bodies is doomed, or has a
 *      second name in parts/
 *   4. a row in parts has its file and its entry
 *   5. the totals are the sums
 *   6. a row in dictionaries has its entry, with that pattern in Use-As-Dictionary
 */
#ifndef STET_STORE_DISK_INSIDE_H
#define STET_STORE_DISK_INSIDE_H

#include <lmdb.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "store/disk.h"

enum stet__disk_table {
    STET__DISK_META,
    STET__DISK_ENTRIES,
    STET__DISK_IDS,
    STET__DISK_ORDER,
    STET__DISK_BODIES,
    STET__DISK_DOOMED,
    STET__DISK_PARTS,
    STET__DISK_OUTPUTS,
    STET__DISK_DICTIONARIES,
    STET__DISK_TABLES
};

#define STET__DISK_URI_KEPT 440
#define STET__DISK_KEY_MAX (STET__DISK_URI_KEPT + 1 + 16 + 8)
#define STET__DISK_NAME_BYTES 80

/* --- records; native integers, because an index is of one machine (struct stet__disk_format tells) --- */

struct stet__disk_totals {
    uint64_t entries, bodies, parts, outputs;
    uint64_t body_octets, part_octets; /* what they take */
    uint64_t sequence;                 /* of the entry stored last */
    uint64_t events[STET__DISK_EVENTS];
    uint64_t stored, evicted, not_sent;
};

enum {
    STET__DISK_RECORD_COMPLETE = 1, /* it has a digest; else it is a part */
    STET__DISK_RECORD_LENGTH_KNOWN = 2,
    STET__DISK_RECORD_AUTHORIZED = 4,
    STET__DISK_RECORD_SYNTHESISED = 8,
    STET__DISK_RECORD_INVALIDATED = 16,
};

/*
 * An entry. Behind it: the lengths of name and value of each field, two uint32_t each, those of the response
 * first; then the octets of URI, reason phrase, names and values in this order.
 */
struct stet__disk_record {
    uint64_t check; /* XXH3 of all that follows */
    uint32_t version;
    uint32_t flags;
    uint64_t id, sequence;
    int64_t request, response, age;
    uint64_t first, complete_length; /* of stet_held */
    uint64_t octets;                 /* of the body; of a part when it was last looked at */
    uint64_t charge;                 /* of a part: what it was counted with */
    uint64_t part;                   /* name of its file */
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    uint32_t uri_len, reason_len, fields, selecting;
    uint16_t status, method;
    uint32_t reserved;
    uint64_t asker;
};

/* A file as it was when its octets were last known. Its ctime changes with its names. */
struct stet__disk_identity {
    uint64_t ino;
    int64_t mtime_ns;
    uint64_t boot; /* 0: not known, so no other time is the same boot */
};

struct stet__disk_content {
    uint64_t check; /* XXH3 of all that follows, with the octets of a small one */
    uint32_t refs;
    uint32_t small; /* 1: `octets` octets follow */
    uint64_t octets, charge;
    struct stet__disk_identity identity;
};

struct stet__disk_written {
    uint64_t dev, ino, octets;
    int64_t mtime_ns, ctime_ns;
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    uint64_t decoded;
};

struct stet__disk_key {
    size_t len;
    unsigned char octets[STET__DISK_KEY_MAX];
};

/* --- the store --- */

struct stet__disk_pending;

struct stet__disk {
    struct stet__disk_settings settings;
    int folder, bodies, parts; /* directories */
    int lock, writer;          /* files that are locked */
    MDB_env *env;
    MDB_txn *reader; /* reset between uses; its slot is kept */
    MDB_dbi tables[STET__DISK_TABLES];
    uint64_t boot;
    uint64_t next; /* id */
    struct stet__disk_pending *pending;
    bool broken; /* LMDB says that the index is damaged: nothing is read or written any more */
    bool doomed; /* there are bodies to unlink */
};

/* disk_folder.c */
int stet__disk_folder_open(struct stet__disk *disk, const char **cause); /* descriptors but the locks */
void stet__disk_folder_close(struct stet__disk *disk);
uint64_t stet__disk_boot(void);
uint64_t stet__disk_random(void);
void stet__disk_digest_name(const unsigned char digest[STET__DISK_DIGEST_BYTES],
                            char out[STET__DISK_NAME_BYTES]); /* below bodies/ */
bool stet__disk_digest_read(const char *hex, unsigned char digest[STET__DISK_DIGEST_BYTES]);
void stet__disk_part_name(uint64_t part, char out[STET__DISK_NAME_BYTES]);
void stet__disk_identify(const struct stet__disk *disk, const struct stat *state,
                         struct stet__disk_identity *out);
uint64_t stet__disk_charge(const struct stat *state); /* octets that a file takes */
/* The digest of a file from its begin; false if it cannot be read. */
bool stet__disk_file_hash(int fd, unsigned char digest[STET__DISK_DIGEST_BYTES]);
bool stet__disk_write_all(int fd, struct stet_span octets, uint64_t offset);

/* disk_index.c */
int stet__disk_index_open(struct stet__disk *disk, const char **cause);
void stet__disk_index_close(struct stet__disk *disk);
/* A read transaction; NULL if there is none to be had. One at a time. */
MDB_txn *stet__disk_read_begin(struct stet__disk *disk);
void stet__disk_read_end(struct stet__disk *disk);
/* What LMDB said: damage is remembered. Returns `code`. */
int stet__disk_noted(struct stet__disk *disk, int code);

/* A write transaction. */
struct stet__disk_change {
    struct stet__disk *disk;
    MDB_txn *txn;
    struct stet__disk_totals totals;
    uint64_t *unlinked; /* names of parts whose files go once it has committed */
    size_t unlinked_count, unlinked_room;
    bool discard; /* it only looked */
};
typedef int stet__disk_step(struct stet__disk_change *change, void *owner);
/*
 * Runs `step` in a write transaction and commits it with the totals: 0 or a code of LMDB's or errno. If the
 * map is full the transaction is undone, the map grows and `step` runs again, so it has to be able to. No
 * read transaction is open.
 */
int stet__disk_write(struct stet__disk *disk, stet__disk_step *step, void *owner);

static inline MDB_val stet__disk_val(const void *ptr, size_t len)
{
    return (MDB_val){len, (void *)(uintptr_t)ptr};
}

/* disk_record.c */
void stet__disk_key_make(struct stet_span uri, uint64_t id, struct stet__disk_key *out);
#define STET__DISK_KEY_URI(key) ((key)->len - 8) /* octets of it that all entries of one URI share */
uint64_t stet__disk_key_id(MDB_val key);
void stet__disk_big_endian(uint64_t n, unsigned char out[8]);
uint64_t stet__disk_from_big_endian(const unsigned char in[8]);
/* Appends the record of `entry` (stored, uri, id, flags, digest, octets, part) to `out`. */
bool stet__disk_record_write(const struct stet__disk_entry *entry, struct stet__buffer *out);
/* The fixed part; false if the octets are no record. */
bool stet__disk_record_check(MDB_val value, struct stet__disk_record *out);
/* For who changed the fixed part of a record in `octets`. */
void stet__disk_record_seal(char *octets, size_t len, const struct stet__disk_record *record);
struct stet_span stet__disk_record_uri(MDB_val value, const struct stet__disk_record *record);
/* Copies to the arena; stet_stored_read is still to be done. STET_E_STORE_MEMORY, or STET_E_STORE_INDEX if it
 * is no record. */
int stet__disk_record_read(MDB_val value, struct stet__arena *arena, struct stet__disk_entry *out);
bool stet__disk_content_check(MDB_val value, struct stet__disk_content *out);

/* disk_change.c: 0, MDB_NOTFOUND, or another code that ends the transaction */
int stet__disk_ids_get(MDB_txn *txn, const struct stet__disk *disk, uint64_t id, int64_t *used_at,
                       MDB_val *key);
struct stet__disk_order_key {
    unsigned char octets[16];
};
MDB_val stet__disk_order_key(struct stet__disk_order_key *key, int64_t used_at, uint64_t id);
/* Rows of ids and order. */
int stet__disk_use_put(struct stet__disk_change *change, uint64_t id, int64_t used_at, MDB_val key,
                       unsigned flags);
/* Puts a new entry; `octets` is its record, sealed here with its sequence. */
int stet__disk_entry_put(struct stet__disk_change *change, char *octets, size_t len, int64_t used_at);
/* Another record in the place of that with the same id. */
int stet__disk_entry_replace(struct stet__disk_change *change, char *octets, size_t len, int64_t used_at);
int stet__disk_entry_drop(struct stet__disk_change *change, uint64_t id);
int stet__disk_entry_touch(struct stet__disk_change *change, uint64_t id, int64_t now);
/* What is held of a part now. */
int stet__disk_entry_grown(struct stet__disk_change *change, uint64_t id, uint64_t octets, uint64_t charge);
/* Calls for each entry of `uri` with its key and record; another value than 0 ends it and is returned.
 * Nothing may be changed meanwhile. */
typedef int stet__disk_each_of(void *owner, MDB_val key, MDB_val value);
int stet__disk_entries_of(MDB_txn *txn, const struct stet__disk *disk, struct stet_span uri,
                          stet__disk_each_of *call, void *owner);
int stet__disk_evict(struct stet__disk_change *change);
uint64_t stet__disk_index_octets(MDB_txn *txn, const struct stet__disk *disk);
int stet__disk_unlink_later(struct stet__disk_change *change, uint64_t part);

/* disk_content.c */
/* Octets of a body that is complete: in memory if it is small, else a file in parts/. */
struct stet__disk_source {
    struct stet_span small; /* ptr NULL: a file */
    int fd;
    uint64_t part;
    bool recorded; /* as a part, and so the file goes with that record, not with the change */
    uint64_t octets;
};
int stet__disk_content_add(struct stet__disk_change *change, const unsigned char *digest,
                           const struct stet__disk_source *source);
/* One more reference to a body that is there. */
int stet__disk_content_share(struct stet__disk_change *change, const unsigned char *digest);
int stet__disk_content_release(struct stet__disk_change *change, const unsigned char *digest);
int stet__disk_content_get(MDB_txn *txn, const struct stet__disk *disk, const unsigned char *digest,
                           struct stet__disk_content *out, MDB_val *value);
int stet__disk_content_put(struct stet__disk_change *change, const unsigned char *digest,
                           struct stet__disk_content *content, struct stet_span small);
/* Unlinks what is doomed and nobody refers to, at most `max`. */
int stet__disk_reap(struct stet__disk_change *change, size_t max);

/* disk_dictionary.c: `key` is that in entries */
#define STET__DISK_DICTIONARY_KEY 24
/* The row of an entry whose record was put in `value`, if it may serve as dictionary; else it has none. */
int stet__disk_dictionary_put(struct stet__disk_change *change, MDB_val key, MDB_val value);
int stet__disk_dictionary_drop(struct stet__disk_change *change, MDB_val key);
/* Whether a row is right. */
bool stet__disk_dictionary_agrees(MDB_txn *txn, const struct stet__disk *disk, MDB_val key, MDB_val value);

/* disk_pending.c */
enum stet__disk_kind {
    STET__DISK_PUT,    /* a new entry, with its body or as a part */
    STET__DISK_HEAD,   /* another record for the body of the entry `id` */
    STET__DISK_TOUCH,  /* entry `id` at `now` */
    STET__DISK_KNOWN,  /* the octets of body `digest` were looked at in state `identity` */
    STET__DISK_GROWN,  /* the part of entry `id` has `octets` now, and takes `charge` */
    STET__DISK_OUTPUT, /* `record` is a stet__disk_written and its path */
};

struct stet__disk_op {
    enum stet__disk_kind kind;
    bool has_source;
    char *record; /* owned */
    size_t record_len;
    uint64_t id;
    int64_t now;
    uint64_t octets, charge;
    uint64_t *replaced; /* owned */
    size_t replaced_count;
    struct stet__disk_source source; /* owned: small.ptr, fd */
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    struct stet__disk_identity identity;
};

struct stet__disk_pending *stet__disk_pending_new(void);
void stet__disk_pending_free(struct stet__disk *disk);
/* Takes over what `op` owns. May commit. `uri` may be absent. False if there is no memory. */
bool stet__disk_pending_add(struct stet__disk *disk, const struct stet__disk_op *op, struct stet_span uri);
void stet__disk_op_release(struct stet__disk *disk, struct stet__disk_op *op);
/* Commits if something about `uri` is pending, so that what is found is what was put. */
void stet__disk_pending_settle(struct stet__disk *disk, struct stet_span uri);
/* Some clock that only goes forward; coarse. */
int64_t stet__disk_clock_ms(void);
/* Commits if the first change has waited for a second. */
void stet__disk_pending_tick(struct stet__disk *disk);

/* disk_output.c */
int stet__disk_output_apply(struct stet__disk_change *change, const struct stet__disk_op *op);

/* disk_sweep.c */
/* Removes what killed processes left in parts/ or, if `all`, anywhere; how many. */
uint64_t stet__disk_sweep(struct stet__disk *disk, bool all);
/* Octets of a part that nobody is writing, 0 if there is none. `fd`, unless NULL, is left open and locked. */
uint64_t stet__disk_part_idle(struct stet__disk *disk, uint64_t part, int *fd);

#endif
