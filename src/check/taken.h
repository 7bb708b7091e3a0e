/* SPDX-License-Identifier: MIT */
/*
 * taken: something that was asked and what came, taken down for the rules and for the report; from a server
 * (ask.h) or from a recording (har.c).
 */
#ifndef STET_CHECK_TAKEN_H
#define STET_CHECK_TAKEN_H

#include <stet/lint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "check/report.h"

/* All but the content is in the arena that was given. */
struct stet__taken {
    struct stet__check_exchange record;
    struct stet_lint_exchange lint; /* response.status 0: nothing came; `record.failure` says why */
    struct stet__buffer content;    /* what lint.content borrows from, if it is kept */
    bool cut_off;                   /* more came than was looked at, or would have */
    bool unended;                   /* because it had not ended when the patience was over */
};

enum { STET__TAKEN_FIELDS_MAX = 128, STET__TAKEN_HEAD_MAX = 1 << 18 };

static inline bool stet__taken_answered(const struct stet__taken *taken)
{
    return taken->lint.response.status != 0;
}

void stet__taken_release(struct stet__taken *taken);

/* The head of the request for `uri`, and of the answer to it, as HTTP/1.1 has them. False: no memory. What is
 * malformed is told in record.failure. The record shows no credentials. */
bool stet__taken_request(struct stet__arena *arena, const char *uri, struct stet_span octets,
                         struct stet__taken *out);
bool stet__taken_answer(struct stet__arena *arena, struct stet_span octets, struct stet__taken *out);

/* The content that came, all of it: its digests. Decoded it is looked at up to `max` octets. */
void stet__taken_content(struct stet__taken *taken, struct stet_span content, size_t max);

/* The same, for content that is known without its codings only. `coded`: it had some. */
void stet__taken_decoded(struct stet__taken *taken, struct stet_span content, bool coded);

#endif
