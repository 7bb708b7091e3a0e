/* SPDX-License-Identifier: MIT */
/*
 * get_progress: what `stet get` shows on a terminal while it is busy, a bar for each URL that is under way
 * and a line for all of them, and the line at the end.
 *
 * Drawn at most ten times a second, and each time with one write, over what is there, so nothing flickers.
 * Nothing is drawn in the first instants of a run or of a URL: what is done at once needs no bar.
 */
#ifndef STET_CLI_GET_PROGRESS_H
#define STET_CLI_GET_PROGRESS_H

#include "get/get.h"

enum { STET__GET_BARS = 8, STET__GET_OCTETS_ROOM = 32, STET__GET_SOURCES = STET__GET_STALE + 1 };

struct stet__get_bar {
    const char *name; /* NULL: nothing is under way here */
    uint64_t received;
    uint64_t expected; /* UINT64_MAX: not known */
    int64_t started_us;
};

struct stet__get_tally {
    size_t begun, ended, failed;
    size_t expected; /* of all; 0: not known */
    size_t by_source[STET__GET_SOURCES];
    size_t not_written;                     /* files that had the content already */
    uint64_t received_octets, saved_octets; /* of those that have ended */
    uint64_t under_way_octets;              /* of the others, so far */
    int64_t started_us;
};

struct stet__get_progress {
    bool on;
    struct stet__get_bar *bars; /* `count` of them */
    size_t count;
    const struct stet__get_tally *tally;
    unsigned lines; /* that stand on the terminal now */
    int64_t drawn_us;
};

int64_t stet__get_now_us(void); /* monotonic */

/* Draws, if it is time to. */
void stet__get_progress_draw(struct stet__get_progress *progress);

/* Takes away what is drawn, before something else is printed. */
void stet__get_progress_clear(struct stet__get_progress *progress);

/* "12.3 MB" of 12345678. `out` has room for STET__GET_OCTETS_ROOM. Pure. */
void stet__get_octets_format(uint64_t octets, char *out);

/* One bar of `columns` columns at most, without a line end; cut to `room`. Pure. */
void stet__get_bar_format(const struct stet__get_bar *bar, unsigned columns, char *out, size_t room);

/* "stet: 3 files in 0.2 s: 2 not modified (304), 1 fetched; 4.1 kB received, 1.2 MB not sent again". Pure. */
void stet__get_tally_format(const struct stet__get_tally *tally, int64_t now_us, char *out, size_t room);

#endif
