/* SPDX-License-Identifier: MIT */
/*
 * lint_probe: what the files of the probe rules share. lint_probing.c has them; lint_probe.c says which file
 * judges which probe.
 *
 * What was asked for may have changed between the two answers. So a rule about a difference looks first
 * whether the validators still are those of the base, and at base->changing.
 */
#ifndef STET_CORE_LINT_PROBE_H
#define STET_CORE_LINT_PROBE_H

#include <stet/date.h>
#include <stet/etag.h>

#include "core/lint.h"

struct stet__probing {
    enum stet_lint_probe_kind kind;
    const struct stet_lint_exchange *base, *probe;
    struct stet_lint_findings *out;
};

/* ETag; none if it is malformed or there are several. */
struct stet_etag stet__probe_tag(const struct stet_lint_exchange *exchange);

/* Last-Modified, or STET_NO_DATE. */
int64_t stet__probe_modified(const struct stet_lint_exchange *exchange);

/* Octets of the content, without framing; false if that is not known. */
bool stet__probe_length(const struct stet_lint_exchange *exchange, uint64_t *out);

/* Equal but perhaps for the weakness mark: RFC 9110 section 8.8.3.2. */
static inline bool stet__probe_tag_kept(const struct stet__probing *p)
{
    return stet_etag_weak_equal(stet__probe_tag(p->base), stet__probe_tag(p->probe));
}

/* Both have a tag, or both a date, and they differ. */
bool stet__probe_changed(const struct stet__probing *p);

enum stet__lint_sameness { STET__LINT_UNKNOWN, STET__LINT_SAME, STET__LINT_OTHER };

/* The contents, as coded and with their codings taken off. */
enum stet__lint_sameness stet__probe_octets(const struct stet__probing *p);
enum stet__lint_sameness stet__probe_identity(const struct stet__probing *p);

/* Whether the two Vary fields name other fields. */
bool stet__probe_vary_differs(const struct stet__probing *p);

/* Whether other cache directives came: other names, or lifetimes more than a few seconds apart. Expires
 * counts as its distance from Date. */
bool stet__probe_freshness_differs(const struct stet__probing *p);

/* A finding with what was asked, and the field `id` of the answer (OTHER: none). */
struct stet_lint_finding *stet__probe_found(const struct stet__probing *p, enum stet_lint lint,
                                            enum stet_field_id id);

/* The same; its detail says what the field is in both. */
void stet__probe_differs(const struct stet__probing *p, enum stet_lint lint, enum stet_field_id id);

/* For a status that no rule of this probe expects: server errors, refusals. */
void stet__probe_unexpected(const struct stet__probing *p);

void stet__probe_conditions(const struct stet__probing *p);   /* lint_probe_condition.c */
void stet__probe_not_modified(const struct stet__probing *p); /* lint_probe_304.c: any 304 */
void stet__probe_head(const struct stet__probing *p);         /* lint_probe_head.c */
void stet__probe_again(const struct stet__probing *p);        /* lint_probe_again.c: repeated, later, node */
void stet__probe_edge(const struct stet__probing *p);         /* lint_probe_edge.c */
void stet__probe_coding(const struct stet__probing *p);       /* lint_probe_coding.c */
void stet__probe_ranges(const struct stet__probing *p);       /* lint_probe_range.c */
void stet__probe_part(const struct stet__probing *p);         /* lint_probe_part.c: any 206 */

#endif
