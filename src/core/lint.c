/* SPDX-License-Identifier: MIT */
/*
 * The tables of the linter, and how a finding is made.
 */
#include "core/lint.h"

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

struct stet_lint_finding *stet__lint_add(struct stet_lint_findings *out, enum stet_lint lint)
{
    size_t i = out->count++;
    if (i >= out->room)
        return NULL;
    out->at[i].lint = lint;
    out->at[i].sent = STET_SPAN_NONE;
    out->at[i].came = STET_SPAN_NONE;
    out->at[i].detail[0] = '\0';
    return &out->at[i];
}

struct stet_lint_finding *stet__lint_came(struct stet_lint_findings *out, enum stet_lint lint,
                                          struct stet_span came)
{
    struct stet_lint_finding *finding = stet__lint_add(out, lint);
    if (finding)
        finding->came = came;
    return finding;
}

struct stet_lint_finding *stet__lint_sent(struct stet_lint_findings *out, enum stet_lint lint,
                                          struct stet_span sent)
{
    struct stet_lint_finding *finding = stet__lint_add(out, lint);
    if (finding)
        finding->sent = sent;
    return finding;
}

/* Octets that a terminal or a report might take for something else are not passed on. */
static void put(struct stet_lint_finding *finding, struct stet_span octets)
{
    size_t len = 0;
    while (finding->detail[len] != '\0')
        len++;
    for (size_t i = 0; i < octets.len && len + 1 < STET_LINT_DETAIL_MAX; i++)
        finding->detail[len++] = octets.ptr[i] >= ' ' && octets.ptr[i] <= '~' ? octets.ptr[i] : '?';
    finding->detail[len] = '\0';
}

void stet__lint_text(struct stet_lint_finding *finding, const char *text)
{
    for (; finding && *text != '\0'; text++)
        put(finding, stet_span_of(text, 1));
}

void stet__lint_number(struct stet_lint_finding *finding, int64_t n)
{
    char digits[20];
    uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    if (!finding)
        return;
    if (n < 0)
        put(finding, STET_SPAN("-"));
    put(finding, stet_span_of(digits, stet_format_u64(magnitude, digits)));
}

void stet__lint_octets(struct stet_lint_finding *finding, struct stet_span octets)
{
    if (finding)
        put(finding, octets);
}

void stet__lint_seconds(struct stet_lint_finding *finding, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
    int64_t magnitude = seconds < 0 ? -seconds : seconds;
    stet__lint_number(finding, seconds);
    stet__lint_text(finding, " s");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        bool one = magnitude == units[i].seconds && magnitude > 60;
        if (!one && magnitude < 2 * units[i].seconds)
            continue;
        stet__lint_text(finding, " (");
        stet__lint_number(finding, seconds / units[i].seconds);
        stet__lint_text(finding, " ");
        stet__lint_text(finding, units[i].name);
        stet__lint_text(finding, one ? ")" : "s)");
        return;
    }
}
