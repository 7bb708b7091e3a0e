/* SPDX-License-Identifier: MIT */
/*
 * What was found at one resource, gathered on the heap and moved into the report's arena at the end.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "check/gather.h"

static bool named(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool any_rule(const char *const *names, size_t count)
{
    for (size_t i = 0; i < STET_LINT_COUNT; i++)
        if (named(names, count, stet_lint_row((enum stet_lint)i)->name))
            return true;
    return false;
}

static bool any_probe(const char *const *names, size_t count)
{
    for (size_t i = 0; i < STET_PROBE_COUNT; i++)
        if (named(names, count, stet_lint_probe_row((enum stet_lint_probe_kind)i)->name))
            return true;
    return false;
}

bool stet__choice_known(const char *name)
{
    return any_rule(&name, 1) || any_probe(&name, 1);
}

bool stet__choice_rule(const struct stet__check_choice *choice, enum stet_lint lint)
{
    const char *name = stet_lint_row(lint)->name;
    if (named(choice->skip, choice->skip_count, name))
        return false;
    return named(choice->only, choice->only_count, name) || !any_rule(choice->only, choice->only_count);
}

bool stet__choice_probe(const struct stet__check_choice *choice, enum stet_lint_probe_kind kind)
{
    const char *name = stet_lint_probe_row(kind)->name;
    if (named(choice->skip, choice->skip_count, name))
        return false;
    return named(choice->only, choice->only_count, name) || !any_probe(choice->only, choice->only_count);
}

void stet__gather_begin(struct stet__gather *gather, struct stet__arena *arena,
                        const struct stet__check_choice *choice)
{
    *gather = (struct stet__gather){.arena = arena, .choice = choice};
}

char *stet__gather_text(struct stet__arena *arena, struct stet_span octets)
{
    char *text = stet__arena_alloc(arena, octets.len + 1);
    if (!text)
        return NULL;
    if (octets.len > 0)
        memcpy(text, octets.ptr, octets.len);
    text[octets.len] = '\0';
    return text;
}

/* Room for one more; NULL if there is no memory. */
static void *grown(void *at, size_t count, size_t *room, size_t each)
{
    if (count < *room)
        return at;
    size_t more = *room > 0 ? 2 * *room : 16;
    void *new = reallocarray(at, more, each);
    if (new)
        *room = more;
    return new;
}

size_t stet__gather_exchange(struct stet__gather *gather, const struct stet__check_exchange *exchange)
{
    void *at = grown(gather->exchanges, gather->exchange_count, &gather->exchange_room, sizeof *exchange);
    if (!at) {
        gather->failed = true;
        return STET__GATHER_NONE;
    }
    gather->exchanges = at;
    gather->exchanges[gather->exchange_count] = *exchange;
    return gather->exchange_count++;
}

static bool within(struct stet_span octets, struct stet_span head)
{
    return head.ptr && (uintptr_t)octets.ptr >= (uintptr_t)head.ptr &&
           (uintptr_t)octets.ptr + octets.len <= (uintptr_t)head.ptr + head.len;
}

/* What lies in the head of the exchange is in the arena already, and where it lies tells which field it is
 * of. */
static struct stet_span kept(struct stet__gather *gather, struct stet_span octets, size_t exchange)
{
    if (!octets.ptr)
        return STET_SPAN_NONE;
    if (exchange < gather->exchange_count && within(octets, gather->exchanges[exchange].response))
        return octets;
    char *text = stet__gather_text(gather->arena, octets);
    gather->failed |= !text;
    return text ? stet_span_of(text, octets.len) : STET_SPAN_NONE;
}

static struct stet__gathered *find(const struct stet__gather *gather, enum stet_lint lint)
{
    for (size_t i = 0; i < gather->finding_count; i++)
        if (gather->findings[i].finding.lint == lint)
            return &gather->findings[i];
    return NULL;
}

static void add(struct stet__gather *gather, const struct stet_lint_finding *found, size_t exchange)
{
    struct stet__gathered *known = find(gather, found->lint);
    if (known) {
        known->finding.times++;
        return;
    }
    void *at = grown(gather->findings, gather->finding_count, &gather->finding_room, sizeof *known);
    const char *detail = stet__gather_text(gather->arena, stet_span_of(found->detail, strlen(found->detail)));
    if (at)
        gather->findings = at;
    if (!at || !detail) {
        gather->failed = true;
        return;
    }
    gather->findings[gather->finding_count++] =
        (struct stet__gathered){{.lint = found->lint,
                                 .times = 1,
                                 .sent = kept(gather, found->sent, exchange),
                                 .came = kept(gather, found->came, exchange),
                                 .detail = detail},
                                exchange};
}

void stet__gather_findings(struct stet__gather *gather, const struct stet_lint_findings *found,
                           size_t exchange)
{
    size_t count = found->count < found->room ? found->count : found->room;
    for (size_t i = 0; i < count; i++)
        if (stet__choice_rule(gather->choice, found->at[i].lint))
            add(gather, &found->at[i], exchange);
}

bool stet__told_by_probes(enum stet_lint lint)
{
    switch (lint) {
    case STET_LINT_PARTIAL_RIGHT:
    case STET_LINT_PARTIAL_METHOD:
    case STET_LINT_PARTIAL_WITHOUT_RANGE:
    case STET_LINT_PARTIAL_LENGTH:
    case STET_LINT_PARTIAL_IF_RANGE_WEAK:
    case STET_LINT_PARTIAL_IF_RANGE_DIFFERS:
    case STET_LINT_CODED_WITHOUT_VARY:
    case STET_LINT_UNSATISFIED_WITHOUT_LENGTH:
    case STET_LINT_UNSATISFIED_SATISFIABLE:
    case STET_LINT_NOT_MODIFIED_RIGHT:
    case STET_LINT_NOT_MODIFIED_CONTENT:
    case STET_LINT_NOT_MODIFIED_LENGTH_ZERO:
    case STET_LINT_NOT_MODIFIED_WITHOUT_DATE:
    case STET_LINT_NOT_MODIFIED_WITHOUT_ETAG:
    case STET_LINT_NOT_MODIFIED_OTHER_ETAG:
    case STET_LINT_NOT_MODIFIED_BUT_MODIFIED:
    case STET_LINT_IF_NONE_MATCH_IGNORED:
    case STET_LINT_IF_MODIFIED_SINCE_IGNORED:
    case STET_LINT_CONDITION_DISREGARDED:
        return true;
    default:
        return false;
    }
}

/* The worst first, then in the order of lint.def. */
static int compare(const void *a, const void *b)
{
    const struct stet__gathered *one = a, *two = b;
    enum stet_lint_severity left = stet_lint_row(one->finding.lint)->severity,
                            right = stet_lint_row(two->finding.lint)->severity;
    if (left != right)
        return left > right ? -1 : 1;
    return (one->finding.lint > two->finding.lint) - (one->finding.lint < two->finding.lint);
}

static bool move(struct stet__gather *gather, struct stet__check_resource *out)
{
    size_t n = gather->finding_count, m = gather->exchange_count;
    struct stet__check_finding *findings = stet__arena_alloc(gather->arena, n * sizeof *findings + 1);
    struct stet__check_exchange *exchanges = stet__arena_alloc(gather->arena, m * sizeof *exchanges + 1);
    if (!findings || !exchanges)
        return false;
    if (m > 0)
        memcpy(exchanges, gather->exchanges, m * sizeof *exchanges);
    if (n > 0)
        qsort(gather->findings, n, sizeof *gather->findings, compare);
    for (size_t i = 0; i < n; i++) {
        findings[i] = gather->findings[i].finding;
        size_t number = gather->findings[i].exchange;
        findings[i].exchange = number < m ? &exchanges[number] : NULL;
        out->counts[stet_lint_row(findings[i].lint)->severity]++;
    }
    out->findings = findings;
    out->finding_count = n;
    out->exchanges = exchanges;
    out->exchange_count = m;
    return true;
}

bool stet__gather_end(struct stet__gather *gather, struct stet__check_resource *out)
{
    bool done = !gather->failed && move(gather, out);
    free(gather->exchanges);
    free(gather->findings);
    *gather = (struct stet__gather){.arena = gather->arena, .choice = gather->choice};
    if (out->failure)
        memcpy(out->grade, "-", 2);
    else
        stet__check_grade(out->counts, out->grade);
    return done;
}
