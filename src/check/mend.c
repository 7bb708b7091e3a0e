/* SPDX-License-Identifier: MIT */
/*
 * How to mend what was found, server by server. Many rules have the same advice: mend.def says which one a
 * rule has, advice.def what it says for each server where that is known.
 */
#include "check/report.h"

/* The same field in all four; a string of RFC 9651 keeps its quotes. */
#define FIELD(name, value)                                                                                 \
    "add_header " name " \"" value "\";  # with proxy_hide_header " name "; if the application sends one", \
        "Header set " name " \"" value "\"", "header " name " \"" value "\"",                              \
        "res.set('" name "', '" value "');"
#define FIELD_OF_STRINGS(name, value)                                                    \
    "add_header " name " '\"" value "\"';", "Header set " name " \"\\\"" value "\\\"\"", \
        "header " name " `\"" value "\"`", "res.set('" name "', '\"" value "\"');"

enum advice {
    ADVICE_NONE, /* of rules that no row names */
#define ADVICE(name, ...) ADVICE_##name,
#include "check/advice.def"
#undef ADVICE
    ADVICE_COUNT
};

static const char *const texts[ADVICE_COUNT][STET__SERVER_COUNT] = {
#define ADVICE(name, ...) [ADVICE_##name] = {__VA_ARGS__},
#include "check/advice.def"
#undef ADVICE
};

static const unsigned char advices[STET_LINT_COUNT] = {
#define MEND(lint, name) [lint] = ADVICE_##name,
#include "check/mend.def"
#undef MEND
};

_Static_assert(ADVICE_COUNT <= 256, "an advice fits an octet");

const char *stet__check_mend(enum stet_lint lint, enum stet__check_server server)
{
    return texts[advices[lint]][server];
}
