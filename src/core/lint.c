/* SPDX-License-Identifier: MIT */
#include <stet/lint.h>

#include "base/assert.h"

static const struct stet_lint_row rows[] = {
#define X(symbol, name, severity, clause, sentence, why) {name, severity, clause, sentence, why},
#include <stet/lint.def>
#undef X
};

static const struct stet_lint_probe_row probes[] = {
#define X(symbol, name, sentence) {name, sentence},
#include <stet/lint_probe.def>
#undef X
};

static const char *const severities[] = {
    [STET_LINT_GOOD] = "good",
    [STET_LINT_NOTE] = "note",
    [STET_LINT_WARN] = "warning",
    [STET_LINT_BAD] = "error",
};

const struct stet_lint_row *stet_lint_row(enum stet_lint lint)
{
    stet__assert((unsigned)lint < STET_LINT_COUNT);
    return &rows[lint];
}

const struct stet_lint_probe_row *stet_lint_probe_row(enum stet_lint_probe_kind kind)
{
    stet__assert((unsigned)kind < STET_PROBE_COUNT);
    return &probes[kind];
}

const char *stet_lint_severity_name(enum stet_lint_severity severity)
{
    stet__assert((unsigned)severity <= STET_LINT_BAD);
    return severities[severity];
}
