/* SPDX-License-Identifier: MIT */
/*
 * delta: answers that are coded with a dictionary that is stored (RFC 9842).
 *
 * This happens between the cache and the origin, and neither core nor the store knows of it: the request that
 * core sees has no Available-Dictionary and no dcz in its Accept-Encoding, and the answer that it sees has
 * been decoded. So what is stored does not depend on the dictionary: it can go, and Vary names fields that
 * are absent in each request that core compares. An answer that cannot be decoded, for whatever reason, is
 * asked for again without a dictionary.
 *
 *   request.c: offer --> receive.c: take (the head) --> feed (content) --> finish
 *                                                          |                 |
 *                                                          +-- failed -------+--> asked again, plain
 */
#ifndef STET_GET_DELTA_H
#define STET_GET_DELTA_H

#include "coding/coder.h"
#include "get/get.h"

struct stet__task;

/* A stored response that may serve. In the hop's arena. */
struct stet__delta_source {
    struct stet__disk_entry entry;
    enum stet_coding coding;
    unsigned char digest[STET__DISK_DIGEST_BYTES]; /* of its content, decoded */
    uint64_t octets;                               /* of that */
};

struct stet__delta {
    bool offered; /* with the request under way */
    bool coded;   /* the answer makes use of it */
    bool failed;  /* it could not be decoded */
    struct stet__delta_source source;
    uint64_t reserved; /* memory */
    char *octets;      /* the dictionary, once it is needed */
    struct stet__coder_dictionary dictionary;
    struct stet__coder *decoder;
    uint64_t in, out; /* octets so far */
};

/* What is known of the content of bodies that are coded, so that they are not decoded for each request. */
#define STET__DELTA_KNOWN 32
struct stet__delta_known {
    bool set;
    enum stet_coding coding;
    unsigned char body[STET__DISK_DIGEST_BYTES], content[STET__DISK_DIGEST_BYTES];
    uint64_t octets; /* 0: it cannot serve */
};

#define STET__DELTA_OCTETS_MAX (UINT64_C(64) << 20)  /* a larger dictionary is not offered */
#define STET__DELTA_MEMORY_MAX (UINT64_C(256) << 20) /* for all that is under way */
#define STET__DELTA_FIELDS_MAX 2

/* ---- dictionary.c ---- */

/* The best dictionary for this hop that is fresh, or may be served stale. False if there is none. */
bool stet__delta_choose(struct stet__task *task, struct stet__delta_source *out);

/* Its content, with malloc; NULL if it cannot be had any more, or is not what it was. */
char *stet__delta_load(struct stet__task *task, const struct stet__delta_source *source);

/* ---- delta.c ---- */

/*
 * Offers a dictionary with the request that is about to be sent, if there is one and the request may have
 * it: appends to `out`, and puts another Accept-Encoding in the place of ours in `fields`. How many fields.
 */
size_t stet__delta_offer(struct stet__task *task, struct stet_field *fields, size_t count,
                         struct stet_field out[STET__DELTA_FIELDS_MAX]);

/*
 * The head of the answer: if it is coded with the dictionary, the coding is taken out of it, with what tells
 * of the coded octets (length, digests). False if it is coded in a way that cannot be.
 */
bool stet__delta_take(struct stet__task *task, struct stet_fields *fields);

typedef void stet__delta_taker(struct stet__task *task, struct stet_span octets);

/* Content as it came; the taker gets it decoded, and says in task->failure if there is no need for more.
 * STET_OK, task->failure, or a failure of coder.h, with `failed`. */
int stet__delta_feed(struct stet__task *task, struct stet_span octets, stet__delta_taker *taker);

/* That was all. The same. */
int stet__delta_finish(struct stet__task *task, stet__delta_taker *taker);

/* Nothing is offered any more. */
void stet__delta_release(struct stet__task *task);

#endif
