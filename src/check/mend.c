/* SPDX-License-Identifier: MIT */
/*
 * How to mend what was found, server by server. The rows are in mend.def: many rules have the same advice, so
 * a rule names an advice, and an advice has a text for each server where one is known.
 */
#include "check/report.h"

enum advice {
    ADVICE_NONE, /* of rules that no row names */
#define ADVICE(name, nginx, apache, caddy, express) ADVICE_##name,
#define MEND(lint, name)
#include "check/mend.def"
#undef ADVICE
#undef MEND
    ADVICE_COUNT
};

static const char *const texts[ADVICE_COUNT][STET__SERVER_COUNT] = {
#define ADVICE(name, nginx, apache, caddy, express) [ADVICE_##name] = {nginx, apache, caddy, express},
#define MEND(lint, name)
#include "check/mend.def"
#undef ADVICE
#undef MEND
};

static const unsigned char advices[STET_LINT_COUNT] = {
#define ADVICE(name, nginx, apache, caddy, express)
#define MEND(lint, name) [lint] = ADVICE_##name,
#include "check/mend.def"
#undef ADVICE
#undef MEND
};

_Static_assert(ADVICE_COUNT <= 256, "an advice fits an octet");

const char *stet__check_mend(enum stet_lint lint, enum stet__check_server server)
{
    return texts[advices[lint]][server];
}
