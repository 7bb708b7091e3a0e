/* SPDX-License-Identifier: MIT */
/*
 * The oracle: a cache that is nothing but lists, written from RFC 9110, RFC 9111, RFC 5861 and RFC 9875, with
 * the choices that docs/decisions.md records. It is told each step of the cache under test and stops the
 * program at the first that it would not have taken, or that gives a client what it must not get.
 *
 * What it leaves to the cache: when to evict (it drops what the cache no longer finds), and with which tags
 * to ask an origin (a wrong 304 shows in what the client gets).
 */
#ifndef STET_TEST_SIM_ORACLE_H
#define STET_TEST_SIM_ORACLE_H

#include <stet/cache.h>

#include "sim.h"

#define SIM_ENTRIES 64

/* What is stored, as the oracle knows it. */
struct sim_entry {
    unsigned id;
    char uri[40];
    struct sim_head request, response;
    int64_t request_time, response_time, age_value;
    struct sim_version version;
    bool of_version; /* else the content is a message of its own */
    bool head, authorized, invalidated;
    bool maybe_invalidated; /* by No-Vary-Search: as the cache likes */
    bool partial;
    uint64_t first, last, length; /* if partial */
};

struct sim_list {
    struct sim_entry at[SIM_ENTRIES];
    unsigned count;
};

/* An exchange with the origin. */
struct sim_exchange {
    const struct sim_head *request; /* the client's */
    const struct sim_answer *answer;
    int64_t request_time, response_time;
};

struct sim_oracle {
    uint64_t seed, operation;
    struct stet_cache_policy policy;
    const struct sim_origin *origin;
    struct sim_list lists[SIM_RESOURCES];
    const struct sim_request *asked;
    struct sim_exchange exchange;
    /* What is expected of the request in hand. */
    unsigned candidates[STET_CANDIDATES_MAX]; /* ids, in the cache's order */
    unsigned candidate_count;
    const struct sim_entry *chosen;
};

/* Says what went wrong, with the seed and the number of the operation, and ends the program. */
__attribute__((format(printf, 2, 3), noreturn)) void sim_wrong(const struct sim_oracle *oracle,
                                                               const char *format, ...);

/* The candidates that the cache found. */
void sim_oracle_found(struct sim_oracle *oracle, const struct sim_request *asked, const unsigned *ids,
                      uint64_t invalidated, unsigned count);

/* What the cache decided; `chosen` is an id, or 0. */
void sim_oracle_decided(struct sim_oracle *oracle, const struct sim_head *request, int64_t now,
                        enum stet_cache_action action, unsigned chosen);

/* The origin answered, or did not; told first of all that follows from it. Invalidation follows at once. */
void sim_oracle_exchanged(struct sim_oracle *oracle, const struct sim_exchange *exchange);

/* Whether what is chosen stands in for an error: compared with what the cache does. */
void sim_oracle_error(struct sim_oracle *oracle, int64_t now, bool stands_in);

/* Whether the cache keeps the answer; `replaced` are ids that go for it. */
void sim_oracle_kept(struct sim_oracle *oracle, bool kept, bool may_be_left);
void sim_oracle_replaced(struct sim_oracle *oracle, unsigned id);
void sim_oracle_combined(struct sim_oracle *oracle, unsigned old, unsigned new);

/* A 304 names `old`, which the request does not select: a copy of it is the answer, and maybe kept as `new`.
 */
void sim_oracle_adopted(struct sim_oracle *oracle, unsigned old, unsigned new, bool kept);

/* The cache updates the stored response `id` with the answer: may it? */
void sim_oracle_freshened(struct sim_oracle *oracle, unsigned id);

/* The cache takes `id` for out of date because of the answer. */
void sim_oracle_invalidated(struct sim_oracle *oracle, unsigned id);

/* What the client gets. `validated`: the origin was asked just now, and said that this is what it has. */
void sim_oracle_answered(struct sim_oracle *oracle, const struct sim_response *response, int64_t now,
                         bool validated);

/* Purges by the operator: `what` as in the store's. */
void sim_oracle_purged_uri(struct sim_oracle *oracle, const char *uri, bool hard);
void sim_oracle_purged_prefix(struct sim_oracle *oracle, const char *prefix, bool hard);
void sim_oracle_purged_group(struct sim_oracle *oracle, const char *group, bool hard);

/* ---- between the oracle's files ---- */

struct sim_entry *sim_entry_find(struct sim_oracle *oracle, unsigned id);
void sim_entry_drop(struct sim_oracle *oracle, const struct sim_entry *entry);

/* Cache-Control, naively: whether a directive is there, and its number (-1: none, or none that counts). */
bool sim_directive(const struct sim_head *head, const char *name);
int64_t sim_seconds(const struct sim_head *head, const char *name);

/* How long something stale may be used: 0 if the directive is malformed, `otherwise` if it is absent. */
int64_t sim_window(const struct sim_head *head, const char *name, int64_t otherwise);

int64_t sim_date(const struct sim_head *head, const char *name, int64_t otherwise);
bool sim_explicit(const struct sim_head *response);
int64_t sim_lifetime(const struct sim_head *response, int64_t response_time);
int64_t sim_age(const struct sim_entry *entry, int64_t now);
int64_t sim_ttl(const struct sim_entry *entry, int64_t now);
bool sim_never_stale(const struct sim_head *response);
bool sim_selects(const struct sim_entry *entry, const struct sim_head *request);
bool sim_shareable(const struct sim_head *response);
bool sim_heuristic_status(unsigned status);

/* What a request with its conditions and range gets of an entry that is a 200: RFC 9110 section 13.2.2. */
unsigned sim_status_of(const struct sim_head *request, const struct sim_head *response, int64_t response_time,
                       uint64_t length, uint64_t *first, uint64_t *last);
bool sim_has_octets(const struct sim_entry *entry, const struct sim_head *request);

#endif
