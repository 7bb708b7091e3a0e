/* SPDX-License-Identifier: MIT */
/*
 * store: where stored responses are kept: by key, within a budget of octets. No policy is here: what may be
 * stored, served or replaced is core's to say.
 *
 * The one store so far is in memory (memory.c; what its files share is in shard.h). It is made of shards by
 * hash of the key, each with a lock that is held for a look-up or a change of pointers, never for a copy, a
 * system call or an allocation of a body.
 *
 *   key = target URI in normal form (uri.h); the variants of a URI stand under one key
 *
 * Eviction: see eviction.h. Octets count with all overhead; a body that several objects share counts once. A
 * body that is still growing counts as it grows (stet__store_account).
 */
#ifndef STET_STORE_STORE_H
#define STET_STORE_STORE_H

#include <stet/update.h>

#include "store/object.h"

struct stet__store;

struct stet__store_limits {
    size_t bytes;        /* --memory */
    size_t object_bytes; /* no object is larger (--max-object) */
    unsigned
        variants; /* of one URI; the least recently used goes (--max-variants); at most STET_CANDIDATES_MAX */
};

struct stet__store_statistics {
    uint64_t objects, bytes, evicted, added, purged;
};

/* NULL if there is no memory. */
struct stet__store *stet__store_new(const struct stet__store_limits *limits);
void stet__store_free(struct stet__store *store);

/* Keyed with a secret of the process: nobody outside can choose keys that collide. */
uint64_t stet__store_hash(const struct stet__store *store, struct stet_span key);

/* A candidate: a reference to be released, and what is not in the object because it changes. */
struct stet__candidate {
    struct stet__object *object;
    bool invalidated; /* needs validation */
};

/*
 * The objects under `key`, that added last first, each with a reference. At most `room`. They count as used.
 * Also finds those whose No-Vary-Search makes their URI equivalent (only if none is found under the key
 * itself): key is the normal form of the URI. The object's own key then differs from `key`.
 */
size_t stet__store_find(struct stet__store *store, struct stet_span key, uint64_t hash,
                        struct stet__candidate *out, size_t room);

/*
 * A candidate was chosen: of the variants of a URI, those chosen longest ago go first (limits.variants). Of
 * those chosen since something was added last, none counts as the later one. Cheap: for each hit.
 */
void stet__store_use(struct stet__store *store, struct stet__object *object);

/*
 * Adds an object, whose body may still grow, in place of those in `replaced` (which may have gone already).
 * False if it does not fit the limits, or is out again already; then nothing changes but that those in
 * `replaced` are gone. An object is added to one store, once.
 *
 * A purge since it was asked for (asked_at) counts for it: after a soft one it comes in invalidated, after a
 * hard one not at all.
 */
bool stet__store_add(struct stet__store *store, struct stet__object *object,
                     struct stet__object *const *replaced, size_t count);

/*
 * The same object with another head, validated (but not if a soft purge came since `updated` was asked for):
 * false, and nothing changes, if `old` is not in the store any more, or there is no room.
 */
bool stet__store_update(struct stet__store *store, struct stet__object *old, struct stet__object *updated);

/* Likewise, without being validated: what needs validation still does. */
bool stet__store_amend(struct stet__store *store, struct stet__object *old, struct stet__object *updated);

/* A reference to the object or to the version of it that has taken its place; NULL if there is none. */
struct stet__object *stet__store_version(struct stet__store *store, struct stet__object *object);

/* Whether an object is in. */
bool stet__store_holds(struct stet__store *store, struct stet__object *object);

/* Takes an object out, if it is in. */
void stet__store_remove(struct stet__store *store, struct stet__object *object);

/*
 * The body of an object, or of the version that has taken its place, has grown. False: there is no room for
 * it, and it is out of the store.
 */
bool stet__store_account(struct stet__store *store, struct stet__object *object);

/*
 * The body of an object that is in, or of a version of it that is, was made into `coded`, which is complete.
 * Who began that (codings.h) publishes it so. False, and nothing changes: the object is out, or there is no
 * room; `*too_large`: there never will be.
 */
bool stet__store_code(struct stet__store *store, struct stet__object *object, enum stet_coding coding,
                      struct stet__body *coded, uint32_t fingerprint, bool *too_large);

/*
 * `copy` is the object's copy in a coding from now on. False, and nothing changes: there is one, there is no
 * room, or the object is out.
 */
bool stet__store_lend(struct stet__store *store, struct stet__object *object, enum stet_coding coding,
                      struct stet__object *copy);

/* The object needs validation from now on. */
void stet__store_invalidate(struct stet__store *store, struct stet__object *object);

enum stet__selector { STET__SELECT_URI, STET__SELECT_PREFIX, STET__SELECT_GROUP, STET__SELECT_ALL };

/*
 * Invalidates (soft) or removes (hard) all variants of what is selected, and returns their number: a URI in
 * normal form (if none is stored under it, that which its No-Vary-Search lets stand for it), a prefix of such
 * URIs, a group (with `origin`, the scheme://authority in normal form, only what is of it: RFC 9875
 * section 2.1; absent: of all). Costs in proportion to what it finds, not to what is stored. What was asked
 * for before it and comes later is selected, too: recent.h.
 */
size_t stet__store_purge(struct stet__store *store, enum stet__selector selector, struct stet_span what,
                         struct stet_span origin, bool hard);

/* To be taken when an origin is asked: what asked_at of the answer's object is. */
uint64_t stet__store_moment(const struct stet__store *store);

enum stet__purged { STET__PURGED_NOT, STET__PURGED_SOFT, STET__PURGED_HARD };

/* Whether an object, in or not, was purged since it was asked for. */
enum stet__purged stet__store_purged(struct stet__store *store, const struct stet__object *object);

void stet__store_statistics(const struct stet__store *store, struct stet__store_statistics *out);

#endif
