/* SPDX-License-Identifier: MIT */
/*
 * answer: what an origin server says to GET or HEAD of a representation that it has: 200, 206, 304, 412 or
 * 416, and why. It puts preconditions (RFC 9110 section 13.2.2) and ranges (section 14.2) together; nothing
 * else decides that.
 *
 * Where section 13.2.2 ends in 200 and section 14.2 suggests 416 (a true or absent If-Range, and a range
 * beyond the end) the answer is 416: docs/decisions.md.
 *
 * And which fields of that representation's answers an error has.
 */
#ifndef STET_ANSWER_H
#define STET_ANSWER_H

#include <stet/precondition.h>
#include <stet/range.h>

struct stet_answer {
    unsigned status; /* 200, 206, 304, 412 or 416 */
    enum stet_reason reason;
    bool if_range_held; /* 206 with a true If-Range: other representation fields may stay away (15.3.7) */
    struct stet_range_set ranges; /* of a 206; its count is 0 otherwise */
};

/* `request` is a GET or HEAD; `selected->exists` is true. */
void stet_answer_decide(const struct stet_request *request, const struct stet_representation *selected,
                        int64_t now, struct stet_answer *out);

/*
 * Whether `field`, which is meant for every answer about a resource, belongs into an error or a redirect,
 * too: not what describes the representation (RFC 9110 section 8), says for how long or where it is to be
 * had, or is for the error itself to say (Location, Allow).
 */
bool stet_error_keeps(const struct stet_field *field);

#endif
