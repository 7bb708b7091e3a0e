/* SPDX-License-Identifier: MIT */
/*
 * world: a cache in a moment, as a `cache` block of the specification writes it down.
 *
 *   policy private grace=60          how the cache behaves; may be left away
 *   stored 70 invalidated            a stored response that came 70 seconds ago; the one stored last first
 *     Cache-Control: max-age=60
 *     @ Accept-Language: de          what the request for it had, if Vary names it
 *   request GET                      what a client asks now
 *     If-None-Match: "v1"
 *   answer 304                       what the origin says
 *     ETag: "v1"
 *
 * A value `{-3600}` is the HTTP-date of an hour ago. Words after `stored`: a status, HEAD, authorized,
 * synthesised, invalidated, held=0-4/10, length=10, delay=2 (seconds that the answer took). What Age says is
 * read from the field, as the proxy does. Words of `policy`: private, disobey (clients' directives),
 * grace=SECONDS, error-grace=SECONDS.
 */
#ifndef STET_TEST_SPEC_WORLD_H
#define STET_TEST_SPEC_WORLD_H

#include "spec.h"

#define WORLD_STORED 8
#define WORLD_LINES 40

/* A response with room for its fields. */
struct world_response {
    struct stet_stored stored;
    struct stet_field fields[WORLD_LINES], selecting[WORLD_LINES];
};

struct world {
    struct stet_cache_policy policy;
    struct world_response stored[WORLD_STORED];
    const struct stet_stored *at[WORLD_STORED];
    struct world_response answer;
    bool has_answer;
    int held; /* what stet_held_read said of the answer */
    struct stet_request request;
    struct stet_field fields[WORLD_LINES];
    struct stet_cache_question question;
};

/* Reads the input of a run. Values stand each against an unreadable page until the next call. NULL if it is
 * malformed; `run->bad` then. */
struct world *world_read(struct spec_run *run);

#endif
