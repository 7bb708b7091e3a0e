/* SPDX-License-Identifier: MIT */
/*
 * body: the octets of one response, while they come and afterwards. One thread writes, any number of threads
 * read; octets are only ever added at the end, so what was read once stays true.
 *
 *   writer   new --> append ... append --> finish
 *   readers  acquire --> read(offset) ... --> release     length() says how far the writer is
 *
 * Small bodies stand in memory, in one piece if their length was told; large ones in a memory file (memfd),
 * which sendfile takes without copying. Heads are kept apart (object.h): a 304 rewrites a head, never a body.
 */
#ifndef STET_STORE_BODY_H
#define STET_STORE_BODY_H

#include "base/part.h"

#define STET__BODY_LENGTH_UNKNOWN UINT64_MAX

/* From here on a body stands in a memory file. */
#define STET__BODY_FILE_BYTES (32u * 1024)

struct stet__body;
struct stet__codings;

enum stet__body_state {
    STET__BODY_GROWING,
    STET__BODY_COMPLETE,
    STET__BODY_CUT, /* the writer ended before the end: what is there is true, but not all */
};

/* One reference, the writer's. NULL if there is no memory. `expected` octets, or STET__BODY_LENGTH_UNKNOWN.
 */
struct stet__body *stet__body_new(uint64_t expected);

/* A body whose octets are in `octets` already, complete. */
struct stet__body *stet__body_of(struct stet_span octets);

/* Two bodies in a row, `from` octets of the second skipped: for partial responses that are combined. Copies.
 */
struct stet__body *stet__body_join(struct stet__body *first, struct stet__body *second, uint64_t skip);

/* Any thread. */
struct stet__body *stet__body_acquire(struct stet__body *body);
void stet__body_release(struct stet__body *body);

/* The writer. False if there is no memory: then the body is to be finished as cut. */
bool stet__body_append(struct stet__body *body, struct stet_span octets);

/* The writer's last call; the writer's reference stays its own. */
void stet__body_finish(struct stet__body *body, bool complete);

/* Any thread; the state is read before the length: COMPLETE with a length means that this is all. */
enum stet__body_state stet__body_state(const struct stet__body *body);
uint64_t stet__body_length(const struct stet__body *body);

/*
 * A part that begins at `offset` and is at most `max` octets long, less than what is there where it is in
 * several pieces. False if there is nothing at `offset`: not yet, or not any more. The part is good while the
 * reader has its reference, and until stet__body_trim passes its end.
 */
bool stet__body_read(const struct stet__body *body, uint64_t offset, uint64_t max, struct stet__part *out);

/* Copies up to `max` octets from `offset` to `to`; returns their number. */
size_t stet__body_copy(const struct stet__body *body, uint64_t offset, size_t max, char *to);

/*
 * The writer: frees what can be freed of the octets before `offset`, which nobody will read any more. For a
 * body that is streamed without being kept.
 */
void stet__body_trim(struct stet__body *body, uint64_t offset);

/* Octets before this one may be gone. Any thread, but it may be out of date at once. */
uint64_t stet__body_trimmed(const struct stet__body *body);

/* Any thread: it was cut or trimmed, so that nobody can be given it from its first octet to its last. */
bool stet__body_lost(const struct stet__body *body);

/* Octets of memory that it takes, with its overhead and with what codings.h has of it: what counts against a
 * budget. */
size_t stet__body_bytes(const struct stet__body *body);

/* For codings.c: NULL if there are none; of several that set them at once one wins, and all get its. Freed
 * with the body. */
struct stet__codings *stet__body_codings(const struct stet__body *body);
struct stet__codings *stet__body_set_codings(struct stet__body *body, struct stet__codings *codings);

#endif
