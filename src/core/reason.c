/* SPDX-License-Identifier: MIT */
#include <stet/reason.h>

#include "base/assert.h"

static const struct stet_reason_row rows[] = {
#define X(symbol, name, clause, sentence) {name, clause, sentence},
#include <stet/reason.def>
#undef X
};

struct more {
    const char *text;
    size_t related_count;
    enum stet_reason related[STET_REASON_RELATED_MAX];
};

/* Which rows reason_text.def has: a second one of the same reason is a second enumerator of the same name. */
enum {
#define X(symbol, ...) TEXT_OF_##symbol,
#include <stet/reason_text.def>
#undef X
    TEXT_COUNT
};

/* A reason without a text is named by the compiler. */
#define X(symbol, name, clause, sentence) _Static_assert(TEXT_OF_##symbol < TEXT_COUNT, "");
#include <stet/reason.def>
#undef X
_Static_assert(TEXT_COUNT == (int)STET_REASON_COUNT, "reason_text.def has a row for each of reason.def");

#define COUNT_OF(...) (sizeof((enum stet_reason[]){__VA_ARGS__}) / sizeof(enum stet_reason))

static const struct more texts[] = {
#define X(symbol, text, ...) [symbol] = {text, COUNT_OF(__VA_ARGS__), {__VA_ARGS__}},
#include <stet/reason_text.def>
#undef X
};

const struct stet_reason_row *stet_reason_row(enum stet_reason reason)
{
    stet__assert((unsigned)reason < STET_REASON_COUNT);
    return &rows[reason];
}

const char *stet_reason_text(enum stet_reason reason)
{
    stet__assert((unsigned)reason < STET_REASON_COUNT);
    return texts[reason].text;
}

const enum stet_reason *stet_reason_related(enum stet_reason reason, size_t *count)
{
    stet__assert((unsigned)reason < STET_REASON_COUNT);
    *count = texts[reason].related_count;
    return texts[reason].related;
}
