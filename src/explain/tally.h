/* SPDX-License-Identifier: MIT */
/*
 * tally: access logs, counted by the reasons of their answers. Read are the three formats that stet writes
 * (net/access_log_line.h), and the common and combined formats of other servers, which have no reason: those
 * answers are counted by status code.
 */
#ifndef STET_EXPLAIN_TALLY_H
#define STET_EXPLAIN_TALLY_H

#include <stet/span.h>

#include "base/buffer.h"

struct stet__tally_row {
    const char *name;     /* of a reason, of a failure, or "status-404" */
    const char *clause;   /* NULL for a status code */
    const char *sentence; /* "" for a status code */
    uint64_t count, octets;
};

struct stet__tally {
    struct stet__tally_row *rows;
    size_t row_count;
    uint64_t answers, octets;
    uint64_t gets, not_modified;  /* GET; and those of them that were answered with 304 */
    uint64_t aborted;             /* answers that were cut off */
    uint64_t dropped, unreadable; /* records that a busy log has left out; lines that are none of these */
};

/* NULL if there is no memory. */
struct stet__tally *stet__tally_new(void);
void stet__tally_free(struct stet__tally *tally);

/* Counts one line, with or without its end. Empty lines are nothing. */
void stet__tally_line(struct stet__tally *tally, struct stet_span line);

/* After the last line: those that occur stand first, the most frequent one before all others. Returns how
 * many. */
size_t stet__tally_sort(struct stet__tally *tally);

/* As text for people, and as JSON (NULL if there is no memory); `count` as stet__tally_sort has it. */
void stet__tally_write(const struct stet__tally *tally, size_t count, bool colour, struct stet__buffer *out);

struct json_t;
struct json_t *stet__tally_json(const struct stet__tally *tally, size_t count);

#endif
