/* SPDX-License-Identifier: MIT */
/*
 * lint: what the files of the linter share. lint_exchange.c and lint_probe.c call one function per subject.
 */
#ifndef STET_CORE_LINT_H
#define STET_CORE_LINT_H

#include <stet/lint.h>

/* A new finding without sent, came and detail, or NULL if there is no room for it; it is counted in any case.
 */
struct stet_lint_finding *stet__lint_add(struct stet_lint_findings *out, enum stet_lint lint);

#endif
