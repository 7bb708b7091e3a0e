/* SPDX-License-Identifier: MIT */
/*
 * What one exchange says by itself: each subject in turn.
 */
#include "core/lint.h"

void stet__lint_answer(const struct stet__lint_look *look)
{
    static void (*const subjects[])(const struct stet__lint_look *look) = {
        stet__lint_validator, stet__lint_date,       stet__lint_age,     stet__lint_directive,
        stet__lint_conflict,  stet__lint_freshness,  stet__lint_storing, stet__lint_vary,
        stet__lint_coding,    stet__lint_length,     stet__lint_partial, stet__lint_not_modified,
        stet__lint_condition, stet__lint_structured,
    };
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        subjects[i](look);
}

void stet_lint_exchange(const struct stet_lint_exchange *exchange, struct stet_lint_findings *out)
{
    struct stet__lint_look look;
    stet__lint_look(&look, exchange, out);
    stet__lint_answer(&look);
    stet__lint_request(&look);
}
