/* SPDX-License-Identifier: MIT */
/*
 * What a probe says of the server that answered it, beside a plain GET.
 */
#include "core/lint.h"

void stet_lint_probe(enum stet_lint_probe_kind kind, const struct stet_lint_exchange *base,
                     const struct stet_lint_exchange *probe, struct stet_lint_findings *out)
{
    if (kind == STET_PROBE_GET || base->response.status != 200)
        return;
    stet_lint_exchange(probe, out);
}
