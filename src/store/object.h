/* SPDX-License-Identifier: MIT */
/*
 * object: one stored response: its key, head, what core reads of it, and its body. Immutable and counted;
 * whoever has a reference may read it without a lock, however the store changes meanwhile.
 *
 *   +--------+-----+-------+-------------------+-------------+------+
 *   | object | key | heads | fields, selecting | their texts | body -> (shared by the versions of the head)
 *   +--------+-----+-------+-------------------+-------------+------+     one allocation but for the body
 *
 * Fields whose texts are given as parts of the head STET__HEAD_WHOLE stay parts of it: the texts of a
 * response are kept once.
 */
#ifndef STET_STORE_OBJECT_H
#define STET_STORE_OBJECT_H

#include <stdatomic.h>

#include <stet/stored.h>

#include "store/codings.h"
#include "store/eviction.h"
#include "store/index.h"

/* Ready-made heads of an object: start line and field lines in HTTP/1.1 form without Date... see
 * net/exchange.h. */
enum stet__object_head {
    STET__HEAD_WHOLE,        /* of the stored status, with Content-Length if the length is known */
    STET__HEAD_NOT_MODIFIED, /* of its 304; absent if the stored status is not 200 */
    STET__HEAD_COUNT
};

/*
 * Where an object hangs in a store: the store's own, zeros while in none. Under the lock of its shard, but
 * for `index`, which has its own. An object is in one store, once: after it was taken out it does not come
 * back.
 */
struct stet__place {
    struct stet__object *next; /* the variant of the same key that was added before it */
    struct stet__eviction_node queue;
    size_t body_bytes;   /* what of its body counts here; 0 if another version of the head has it counted */
    size_t copies_bytes; /* the heads of its coded copies */
    atomic_uint used_at; /* when it was used: stet__store_use */
    bool in, once;
    bool invalidated;
    struct stet__index_node index;
};

struct stet__object {
    atomic_uint references;
    uint64_t hash; /* of the key: stet__store_hash */
    struct stet_span key;
    size_t bytes; /* all that it takes, without the body, which counts by itself */
    uint64_t asked_at;
    struct stet__place place;
    struct stet_stored stored; /* read (stet_stored_read) */
    struct stet_span heads[STET__HEAD_COUNT];
    const struct stet_span *groups; /* RFC 9875 groups, surrogate keys and tags */
    size_t group_count;
    struct stet_span no_vary_search; /* the field value, if it is valid and not the default; else absent */
    bool query_prefixes;             /* it is an operator's, whose names may be prefixes: no_vary_search.h */
    bool http10;                     /* it came in HTTP/1.0, or its last update did */
    struct stet__body *body;         /* NULL if there is none: a stored HEAD */

    /* Content codings. A copy is an object of its own, in no store, with its own fields and heads around one
     * of the bodies that codings.h has of `body`. Published once (stet__store_lend), released with the
     * object. */
    enum stet_coding coding; /* its own */
    unsigned codings;        /* the set of those that copies may be made in; 0: it never has any */
    struct stet_fields sent; /* stored.response.fields, and what answers have beyond them: Vary, if `codings`,
                                or if those of a stored HEAD would be a GET's */
    struct stet__object *_Atomic copies[STET__CODINGS_MADE];
};

/* What an object is made of; everything is copied but the body, of which it takes a reference. */
struct stet__object_parts {
    struct stet_span key;
    uint64_t hash;
    const struct stet_stored *stored;
    struct stet_span heads[STET__HEAD_COUNT];
    const struct stet_span *groups;
    size_t group_count;
    struct stet_span no_vary_search;
    bool query_prefixes;
    bool http10;
    struct stet__body *body;
    enum stet_coding coding;
    unsigned codings;
    struct stet_fields sent; /* begins with the fields of `stored`; `at` NULL: it is those */
    uint64_t asked_at; /* stet__store_moment when the origin was asked; 0: no purge before it enters counts */
};

/* One reference. NULL if there is no memory. The views in `stored` (control, etag, ...) point into the
 * object. */
struct stet__object *stet__object_new(const struct stet__object_parts *parts,
                                      const struct stet_cache_policy *policy);

/* Its copy in a coding, NULL if there is none; borrows from the object. */
struct stet__object *stet__object_copy(const struct stet__object *object, enum stet_coding coding);

struct stet__object *stet__object_acquire(struct stet__object *object);
void stet__object_release(struct stet__object *object);

#endif
