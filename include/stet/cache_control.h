/* SPDX-License-Identifier: MIT */
/*
 * cache_control: cache directives, from Cache-Control (RFC 9111 section 5.2) or from a targeted field
 * (RFC 9213). One shape for both, so that nobody behind this header asks which it was.
 *
 * Duplicates and conflicts (RFC 9111 section 4.2.1): of several values of one directive the smallest counts
 * (of max-stale and the stale windows too: the strictest). A lifetime that is malformed anywhere is
 * `invalid`: what has it is stale. A field list counts as the unqualified directive if it is malformed,
 * stands beside a different one, or names Cache-Control, Content-Encoding, Expires or Vary, without which a
 * stored response would be taken for another. Directives that are not known, and text inside of quoted
 * strings, mean nothing.
 *
 * A member that is malformed (a semicolon or a space instead of the comma, a quote that is not closed) still
 * forbids what its words forbid: `private; max-age=60` is private, and its max-age is invalid. It allows
 * nothing: immutable, must-understand and public in it are absent.
 */
#ifndef STET_CACHE_CONTROL_H
#define STET_CACHE_CONTROL_H

#include <stet/message.h>

enum stet_cache_directive {
#define X(symbol, name, argument, clause) symbol,
#include <stet/cache_directive.def>
#undef X
    STET_CC_COUNT
};

/* The largest number of seconds: what is larger becomes this (RFC 9111 section 1.2.2). */
#define STET_SECONDS_MAX INT64_C(2147483648)

struct stet_cache_control {
    uint32_t present; /* bit `directive`: it is there, in any form */
    uint32_t invalid; /* bit `directive`: it is there, but what must be its number is none */
    int64_t max_age, s_maxage, min_fresh, stale_while_revalidate, stale_if_error; /* if present and valid */
    int64_t max_stale; /* STET_SECONDS_MAX if it has no argument */
    /*
     * The names of the qualified forms, one argument without its quotes as it stands there: at least one, all
     * of them tokens. Absent if the directive is absent or unqualified.
     */
    struct stet_span no_cache_fields, private_fields;
    struct stet_span source; /* the name of the field it was read from; absent if there is none */
    bool targeted;           /* of RFC 9213: Cache-Control and Expires mean nothing then (its section 2.2) */
};

static inline bool stet_cache_control_has(const struct stet_cache_control *control,
                                          enum stet_cache_directive directive)
{
    return (control->present >> directive & 1) != 0;
}

/* Has the directive, with a number that can be used. */
static inline bool stet_cache_control_valid(const struct stet_cache_control *control,
                                            enum stet_cache_directive directive)
{
    return ((control->present & ~control->invalid) >> directive & 1) != 0;
}

/* The unqualified form of no-cache or private. */
bool stet_cache_control_unqualified(const struct stet_cache_control *control,
                                    enum stet_cache_directive directive);

/* Whether the field list of a qualified form names `field` (RFC 9111 section 5.2.2.4), in any case. */
bool stet_cache_control_names(struct stet_span list, struct stet_span field);

/* Reads all lines of Cache-Control; without any, everything is absent. Field lists borrow from `fields`. */
void stet_cache_control_read(const struct stet_fields *fields, struct stet_cache_control *out);

/*
 * Reads the first of the `count` target fields that is there, parses as a dictionary (sf.h) and is not empty;
 * Cache-Control if none is (RFC 9213 section 2.2). The last of several members of one name counts. What is of
 * the wrong type (its section 2.1) is taken as malformed: a number in quotes is invalid, a flag with a value
 * forbids but does not allow. A Boolean member that is false is absent. Names of targets may be in any case,
 * and `source` borrows from them.
 */
void stet_cache_control_read_targeted(const struct stet_fields *fields, const struct stet_span *targets,
                                      size_t count, struct stet_cache_control *out);

#endif
