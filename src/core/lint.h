/* SPDX-License-Identifier: MIT */
/*
 * lint: what the files of the linter share. lint_exchange.c and lint_probe.c call one function per subject.
 *
 * A finding is added, then told in parts; what does not fit into its detail is left out. All of these take
 * the NULL that stands for "no room".
 */
#ifndef STET_CORE_LINT_H
#define STET_CORE_LINT_H

#include <stet/lint.h>

/* A new finding without sent, came and detail, or NULL if there is no room for it; it is counted in any case.
 */
struct stet_lint_finding *stet__lint_add(struct stet_lint_findings *out, enum stet_lint lint);

/* The same with what came, and without a detail. */
struct stet_lint_finding *stet__lint_came(struct stet_lint_findings *out, enum stet_lint lint,
                                          struct stet_span came);

/* The same with what was sent. */
struct stet_lint_finding *stet__lint_sent(struct stet_lint_findings *out, enum stet_lint lint,
                                          struct stet_span sent);

/* Append to the detail: words, a number, octets of a message (controls and obs-text as "?"). */
void stet__lint_text(struct stet_lint_finding *finding, const char *text);
void stet__lint_number(struct stet_lint_finding *finding, int64_t n);
void stet__lint_octets(struct stet_lint_finding *finding, struct stet_span octets);

#endif
