/* SPDX-License-Identifier: MIT */
/*
 * gather: what was found at one resource, while it is being checked. Exchanges and findings come one after
 * the other; a row that applies once more is counted, and shown with the first exchange that it applied to.
 */
#ifndef STET_CHECK_GATHER_H
#define STET_CHECK_GATHER_H

#include "check/check.h"

struct stet__gather {
    struct stet__arena *arena; /* of the report */
    const struct stet__check_choice *choice;
    struct stet__check_exchange *exchanges;
    size_t exchange_count, exchange_room;
    struct stet__gathered {
        struct stet__check_finding finding;
        size_t exchange;
    } * findings;
    size_t finding_count, finding_room;
    bool failed; /* there was no memory for something */
};

void stet__gather_begin(struct stet__gather *gather, struct stet__arena *arena,
                        const struct stet__check_choice *choice);

#define STET__GATHER_NONE ((size_t)-1) /* "no exchange": of the resource as a whole */

/* Adds an exchange and returns its number. */
size_t stet__gather_exchange(struct stet__gather *gather, const struct stet__check_exchange *exchange);

/* Adds what was found in it. */
void stet__gather_findings(struct stet__gather *gather, const struct stet_lint_findings *found,
                           size_t exchange);

/* Whether probes tell it more exactly, because they know the base: no need to tell it of one exchange alone.
 */
bool stet__told_by_probes(enum stet_lint lint);

/* Moves all of it into the arena and to `out`, with counts and grade, and forgets it. False: no memory. */
bool stet__gather_end(struct stet__gather *gather, struct stet__check_resource *out);

/* Text that lives as long as the report; NULL if there is no memory. */
char *stet__gather_text(struct stet__arena *arena, struct stet_span octets);

#endif
