/* SPDX-License-Identifier: MIT */
/*
 * range: Range and Content-Range in bytes, RFC 9110 section 14.
 */
#ifndef STET_RANGE_H
#define STET_RANGE_H

#include <stet/reason.h>
#include <stet/span.h>
#include <stet/status.h>

/* Octets `first` to `last`, both counted from 0 and both included; last < complete length, first <= last. */
struct stet_range {
    uint64_t first;
    uint64_t last;
};

#define STET_RANGES_MAX 16 /* parts that one answer can have; a larger set is answered whole */

/* How many ranges a Range may name before it counts as abuse and is ignored (section 14.2). */
#define STET_RANGE_SPECS_MAX 100

enum stet_range_verdict {
    STET_RANGE_IGNORE,        /* answer as if there were no Range: 200 */
    STET_RANGE_SATISFIABLE,   /* 206 with the ranges of the set */
    STET_RANGE_UNSATISFIABLE, /* 416 */
};

struct stet_range_set {
    enum stet_range_verdict verdict;
    enum stet_reason reason; /* of the verdict */
    size_t count;            /* 0 unless SATISFIABLE */
    struct stet_range at[STET_RANGES_MAX];
};

/*
 * Judges one Range value against a representation of `complete_length` octets. Unknown units and malformed
 * sets are ignored (section 14.2); unit names compare without case; numbers beyond 64 bits behave as very
 * large ones. Ranges come in the order they were asked for; those that overlap or touch are coalesced into
 * the place of the first (section 15.3.7.2). A set that asks for more octets than the representation has
 * (what is asked for twice counts twice), or for more than STET_RANGES_MAX parts after coalescing, or that
 * names more than STET_RANGE_SPECS_MAX, is ignored. A representation without octets satisfies a suffix only,
 * and 206 has no form for that: it is sent whole.
 */
struct stet_range_set stet_range_judge(struct stet_span value, uint64_t complete_length);

/* A parsed Content-Range: section 14.4. */
struct stet_content_range {
    bool unsatisfied;    /* the form with an asterisk for the range, of a 416 */
    bool complete_known; /* false: an asterisk stands for the complete length */
    struct stet_range range;
    uint64_t complete_length;
};

/*
 * The range is that of a 206, or 0-0 if `unsatisfied`. STET_E_SYNTAX for another unit, a malformed value, or
 * an invalid one (last < first, complete <= last).
 */
int stet_content_range_parse(struct stet_span value, struct stet_content_range *out);

#define STET_CONTENT_RANGE_LEN 70 /* room that is always enough for the two writers below */

/* "bytes 2-5/10"; returns the octets written. */
size_t stet_content_range_format(struct stet_range range, uint64_t complete_length, char *out);

/* The form of a 416: bytes, an asterisk, the complete length; returns the octets written. */
size_t stet_content_range_format_unsatisfied(uint64_t complete_length, char *out);

#endif
