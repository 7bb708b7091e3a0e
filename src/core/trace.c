/* SPDX-License-Identifier: MIT */
#include <stet/trace.h>

#include "base/assert.h"

static const struct stet_rule_row rows[] = {
#define X(symbol, name, clause, question) {name, clause, question},
#include <stet/rule.def>
#undef X
};

static const char *const outcomes[] = {
    [STET_OUTCOME_ABSENT] = "absent", [STET_OUTCOME_IGNORED] = "ignored", [STET_OUTCOME_YES] = "yes",
    [STET_OUTCOME_NO] = "no",         [STET_OUTCOME_NUMBER] = "number",
};

const struct stet_rule_row *stet_rule_row(enum stet_rule rule)
{
    stet__assert((unsigned)rule < STET_RULE_COUNT);
    return &rows[rule];
}

const char *stet_outcome_name(enum stet_outcome outcome)
{
    stet__assert((unsigned)outcome <= STET_OUTCOME_NUMBER);
    return outcomes[outcome];
}
