/* SPDX-License-Identifier: MIT */
/*
 * fill: fetches that others may wait for or read from, of all workers, in one table under one lock.
 *
 *   ASKING --headed--> HEADED --over--> (out of the table)
 *      |                                      ^
 *      +---------------- over ----------------+
 *
 * 1. While ASKING a visit may wait; each is woken once, by `headed` or `over`, and then decides anew: the
 *    answer may be stored, may be for another variant, may be private.
 * 2. While HEADED the body grows; its readers are woken by `grown` and by `over`.
 * 3. A fill is `unkept` if its body will not be stored: then its slowest reader holds the writer back, and
 *    what all have passed is freed, under the lock: who comes late knows whether there is still all it needs.
 * 4. A reader that holds others up and takes less than STET__FILL_AHEAD in --lag-timeout is cut off. Others
 *    are not slowed down below that, and one that is slower than they, but not so slow, gets its answer.
 */
#ifndef STET_PROXY_FILL_H
#define STET_PROXY_FILL_H

#include "proxy/worker.h"

#define STET__FILL_AHEAD (256 * 1024) /* of a body that is not kept, ahead of its slowest reader */

struct stet__fill {
    struct stet__list node; /* in the table */
    uint64_t hash;
    struct stet_span key;
    const struct stet_request *request; /* of who leads: good while the fill is in the table */
    struct stet__list waiters;          /* visits, until it has a head */
    struct stet__list readers;
    struct stet__body *body;
    bool headed, unkept, listed;
    struct stet__wake writer; /* its fetch: readers have passed octets, or are gone */
};

struct stet__fills *stet__fills_new(void);
void stet__fills_free(struct stet__fills *fills);

enum stet__lead { STET__LEAD, STET__WAIT };

/*
 * Has `visit` wait for a fill under way whose answer may be its own, or puts `fill`, which is its own, into
 * the table. `visit` NULL leads only if nobody does: STET__WAIT means that somebody does.
 */
enum stet__lead stet__fill_lead_or_wait(struct stet__fills *fills, struct stet__fill *fill,
                                        struct stet__visit *visit);

/* A growing body that nobody waits for, but that may get readers: it is stored. */
void stet__fill_list(struct stet__fills *fills, struct stet__fill *fill);

/* The visit does not wait any more. */
void stet__fill_leave(struct stet__fills *fills, struct stet__visit *visit);

void stet__fill_headed(struct stet__fills *fills, struct stet__fill *fill, struct stet__body *body);

/* Nobody needs to wait any more, and the fill has no readers to come: `failure` is told to those who wait. */
void stet__fill_over(struct stet__fills *fills, struct stet__fill *fill, enum stet_reason failure);

/* Readers that wait are woken: those of `worker` at once. */
void stet__fill_grown(struct stet__fills *fills, struct stet__fill *fill, struct stet__proxy_worker *worker);

void stet__fill_unkept(struct stet__fills *fills, struct stet__fill *fill);

/* Frees what all readers have passed: returns the least of that, or UINT64_MAX if there is no reader. */
uint64_t stet__fill_trim(struct stet__fills *fills, struct stet__fill *fill);

/* Once a second, while the writer is held back: cuts off readers that have held others up for too long. */
void stet__fill_cut_slow(struct stet__fills *fills, struct stet__fill *fill, int64_t now_ms,
                         int64_t limit_ms);

/* ---- of readers ---- */

/*
 * Finds the fill of the reader's body; none if the body has ended. False: the octets that it is to begin with
 * are freed already.
 */
bool stet__fill_attach(struct stet__fills *fills, struct stet__reader *reader, uint64_t hash);
void stet__fill_detach(struct stet__fills *fills, struct stet__reader *reader);

/* The reader has passed what is before its offset. */
void stet__fill_pass(struct stet__fills *fills, struct stet__reader *reader);

/* Has the reader woken when the body grows or ends. False: it has already. */
bool stet__fill_await(struct stet__fills *fills, struct stet__reader *reader);

#endif
