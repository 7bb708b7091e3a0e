/* SPDX-License-Identifier: MIT */
/*
 * codings: what the octets of a body were made into in other content codings. Once for each, whoever asks and
 * however often; they go with the body, so all versions of a head share them, and a 304 carries them along.
 *
 *   nothing --begin--> asked --store (of a store: stet__store_code)--> there
 *              ^         |
 *              +--- give up (for now, or for good) ---> refused
 *
 * The heads of coded copies belong to the objects (object.h), for they differ with those.
 */
#ifndef STET_STORE_CODINGS_H
#define STET_STORE_CODINGS_H

#include <stet/coding.h>

#include "store/body.h"

/* Those that are made: the codings before this one. */
#define STET__CODINGS_MADE STET_CODING_DEFLATE

/* Any thread: the caller is to make it, and is the only one. */
bool stet__codings_begin(struct stet__body *body, enum stet_coding coding);

/* Who was to make it does not. `for_good`: nor will anybody else. */
void stet__codings_give_up(struct stet__body *body, enum stet_coding coding, bool for_good);

/*
 * Any thread: `coded`, which is complete, is there from now on, and `fingerprint` is that of its octets. It
 * takes a reference. Who began does it, once, and under the lock of the store that counts the body.
 */
void stet__codings_publish(struct stet__body *body, enum stet_coding coding, struct stet__body *coded,
                           uint32_t fingerprint);

/* Any thread: those that are there. They stay while the body does. */
unsigned stet__codings_there(const struct stet__body *body);

/* Those that nobody will make. */
unsigned stet__codings_refused(const struct stet__body *body);

/* Borrows from `body`; NULL if it is not there. */
struct stet__body *stet__codings_find(const struct stet__body *body, enum stet_coding coding,
                                      uint32_t *fingerprint);

/* What the body takes from its first copy on, without the copies. */
size_t stet__codings_overhead(const struct stet__body *body);

/* ---- of body.c ---- */

struct stet__codings;

void stet__codings_free(struct stet__codings *codings); /* NULL does nothing */
size_t stet__codings_bytes(const struct stet__codings *codings);

#endif
