/* SPDX-License-Identifier: MIT */
/*
 * check: asks a server what a careful client would ask, and gathers what core's lint (stet/lint.h) says of
 * each answer.
 *
 * The life of a check reads top to bottom in check.c: GET without conditions; passive rules; then probe after
 * probe in the order of lint_probe.def, each made from what the GET said (probe.c) and judged by
 * stet_lint_probe. Only GET, HEAD and OPTIONS are ever sent. HTTP/1.1 probes go by transfer/wire.h, so the
 * octets behind a 304 are seen.
 */
#ifndef STET_CHECK_CHECK_H
#define STET_CHECK_CHECK_H

#include "check/report.h"
#include "transfer/transfer.h"

/* Which rules and probes count: names of lint.def and lint_probe.def. A rule counts if nothing is said. */
struct stet__check_choice {
    const char *const *only, *const *skip;
    size_t only_count, skip_count;
};

bool stet__choice_rule(const struct stet__check_choice *choice, enum stet_lint lint);
bool stet__choice_probe(const struct stet__check_choice *choice, enum stet_lint_probe_kind kind);

/* Whether it is a name of a rule or a probe. */
bool stet__choice_known(const char *name);

struct stet__check_settings {
    const struct stet__transfer_settings *transfer;
    struct stet__check_choice choice;
    const char *user_agent;
    const struct stet_fields *fields; /* the user's own, sent with each request */
    unsigned per_second;              /* requests to one host: politeness. 0: no limit. Loopback has none */
    unsigned assets_max;              /* of what a page links, so many are checked too; 0: none */
    bool nodes;                       /* ask each address of the host */
    unsigned repeat;                  /* the same GET so many times; at least 2 */
    unsigned later_s;                 /* and once more after so many seconds; 0: not */
    size_t content_max;               /* larger contents are looked at up to here */
    unsigned redirects_max;
    const volatile int *stop; /* set by a signal handler: what was found so far is the report */
    void (*progress)(void *owner, const char *uri, unsigned done, unsigned of); /* may be NULL */
    void *owner;
};

/* Nothing more is to be asked. */
static inline bool stet__check_stopped(const struct stet__check_settings *settings)
{
    return settings->stop && *settings->stop;
}

/* Checks each URI. NULL if there is no memory; what cannot be reached is told in its resource. Free with
 * stet__check_free. */
struct stet__check_report *stet__check_run(const struct stet__check_settings *settings,
                                           const char *const *uris, size_t count);

/* Two-hop mode: the same resource at the edge and at the origin; what did the edge change? Two resources,
 * findings of the difference at the edge. */
struct stet__check_report *stet__check_hops(const struct stet__check_settings *settings, const char *edge,
                                            const char *origin);

/* The exchanges of a HAR file (HTTP Archive 1.2), a resource for each URI; what the browser had from its own
 * cache is left out. Of the settings only `choice` and `content_max` count. NULL, and `*cause` in words
 * (static storage), if it is none. */
struct stet__check_report *stet__check_har(const struct stet__check_settings *settings, const char *path,
                                           const char **cause);

void stet__check_free(struct stet__check_report *report); /* NULL does nothing */

#endif
