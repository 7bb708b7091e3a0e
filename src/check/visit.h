/* SPDX-License-Identifier: MIT */
/*
 * visit: one resource while it is being checked. check.c decides what is asked, and in which order; here it
 * is asked, taken down, judged and gathered.
 */
#ifndef STET_CHECK_VISIT_H
#define STET_CHECK_VISIT_H

#include <stet/coding.h>

#include "check/ask.h"
#include "check/gather.h"
#include "check/probe.h"

/* A report while it is being made. */
struct stet__check_making {
    const struct stet__check_settings *settings;
    struct stet__check_report *report;
    struct stet__check_resource *resources; /* on the heap */
    size_t count, room;
    struct stet__asker *asker; /* of the last resource; the next one may be of the same host */
    const char *asker_uri;
    bool failed; /* there is no memory */
};

struct stet__visit {
    struct stet__check_making *run;
    struct stet__gather gather;
    struct stet__check_resource resource;
    struct stet__taken base[STET_CODING_COUNT]; /* plain GETs; that of identity is the base of all others */
    bool has[STET_CODING_COUNT];                /* and it came in that very coding */
    unsigned status[STET_PROBE_COUNT];          /* of the last answer of each kind; 0: not asked */
    unsigned silent;                            /* questions without an answer, one after the other */
    unsigned done;
    bool over; /* no more is to be asked */
};

/* NULL if there is no memory. */
struct stet__check_report *stet__check_begin(struct stet__check_making *run,
                                             const struct stet__check_settings *settings);
/* The report of what was gathered; frees it and returns NULL if there was no memory. */
struct stet__check_report *stet__check_end(struct stet__check_making *run);

/* `asked` is what the user or a page named; `role` is static. */
void stet__visit_begin(struct stet__visit *visit, struct stet__check_making *run, const char *asked,
                       const char *role);

/* Asks, and judges the answer by itself and beside `base` (may be NULL). `kept` may be NULL; else release it.
 * False if no answer came. */
bool stet__visit_ask(struct stet__visit *visit, const struct stet__probe *probe,
                     const struct stet_lint_exchange *base, struct stet__taken *kept);

/* Goes on with another URI: a redirect. */
void stet__visit_move(struct stet__visit *visit, const char *uri);

/* What was found between two exchanges that were made already; shown with exchange number `exchange`. */
void stet__visit_judge(struct stet__visit *visit, enum stet_lint_probe_kind kind,
                       const struct stet_lint_exchange *base, const struct stet_lint_exchange *probe,
                       size_t exchange);

/* Adds the resource to the run, and frees the rest. */
void stet__visit_end(struct stet__visit *visit);

#endif
