/* SPDX-License-Identifier: MIT */
/*
 * What a probe says of the server that answered it, beside a plain GET.
 */
#include "core/lint_probe.h"

static void judge(const struct stet__probing *p)
{
    switch (p->kind) {
    case STET_PROBE_REPEATED:
    case STET_PROBE_LATER:
    case STET_PROBE_NODE:
        stet__probe_again(p);
        break;
    case STET_PROBE_EDGE:
        stet__probe_edge(p);
        break;
    case STET_PROBE_HEAD:
        stet__probe_head(p);
        break;
    case STET_PROBE_CODING:
        stet__probe_coding(p);
        break;
    default:
        if (p->kind >= STET_PROBE_RANGE)
            stet__probe_ranges(p);
        else
            stet__probe_conditions(p);
    }
}

static struct stet_lint_exchange within_time(const struct stet_lint_exchange *exchange)
{
    struct stet_lint_exchange out = *exchange;
    out.requested_at = stet__lint_time(out.requested_at);
    out.received_at = stet__lint_time(out.received_at);
    return out;
}

void stet_lint_probe(enum stet_lint_probe_kind kind, const struct stet_lint_exchange *base,
                     const struct stet_lint_exchange *probe, struct stet_lint_findings *out)
{
    const struct stet_lint_exchange first = within_time(base), second = within_time(probe);
    struct stet__probing p = {kind, &first, &second, out};
    if (kind == STET_PROBE_GET || base->response.status != 200)
        return;
    if (probe->response.status == 0) {
        stet__lint_text(stet__probe_found(&p, STET_LINT_PROBE_NO_ANSWER, STET_FIELD_OTHER),
                        stet_lint_probe_row(kind)->sentence);
        return;
    }
    judge(&p);
    if (probe->response.status == 304)
        stet__probe_not_modified(&p);
}
