/* SPDX-License-Identifier: MIT */
/*
 * The cache under test: core and store, driven as a proxy drives them, without sockets, bodies that come
 * piece by piece, or collapsing. Each step is told to the oracle.
 */
#ifndef STET_TEST_SIM_CACHE_H
#define STET_TEST_SIM_CACHE_H

#include <stet/cache.h>

#include "oracle.h"
#include "sim.h"
#include "store/store.h"

struct sim_world {
    struct sim_random random;
    struct sim_origin origin;
    struct sim_oracle oracle;
    struct sim_seen seen;
    struct stet__store *store;
    struct stet_cache_policy policy;
    int64_t now;
    uint64_t served, stale, fetched, freshened, stored, combined,
        adopted; /* what happened, so that nothing is missing */
};

/* One request and what is known of it. */
struct sim_visit {
    struct sim_world *world;
    const struct sim_request *asked;
    struct sim_head head; /* the client's; of a validation in the background without conditions and range */
    struct sim_view view;
    struct stet_request request;
    struct stet__candidate candidates[STET_CANDIDATES_MAX];
    const struct stet_stored *stored[STET_CANDIDATES_MAX];
    unsigned ids[STET_CANDIDATES_MAX];
    struct stet_cache_question question;
    struct stet_cache_decision decision;
    bool background;
    struct sim_response response;
};

/* The number that the origin gave to what is stored. */
unsigned sim_id(const struct stet_fields *fields);

/* One request from its coming to its answer, and validation in the background after it. */
void sim_handle(struct sim_world *world, const struct sim_request *asked);

/* Asks the origin (fetch.c). */
void sim_fetch(struct sim_visit *visit);

/* Answers the client from what is stored, or just came with `body`. */
void sim_answer_from(struct sim_visit *visit, const struct stet_stored *stored,
                     const struct stet__body *body);

/* Objects (commit.c). NULL never. */
struct stet__object *sim_commit(struct sim_visit *visit, const struct stet_stored *next,
                                struct stet__body *body);
struct stet__object *sim_commit_freshened(struct sim_visit *visit, const struct stet__object *old,
                                          const struct stet_stored *next);
struct stet__object *sim_commit_combined(struct sim_visit *visit, const struct stet__object *old,
                                         const struct stet_stored *next, struct stet__body *body);
/* `old`, of another variant, as the origin says that it is the answer to this request: RFC 9111 section 4.1.
 */
struct stet__object *sim_commit_adopted(struct sim_visit *visit, const struct stet__object *old,
                                        const struct stet_stored *next);

#endif
