/* SPDX-License-Identifier: MIT */
/*
 * vary: the meaning of one request field, compared between two requests. vary.c asks which fields and which
 * responses.
 */
#ifndef STET_CORE_VARY_H
#define STET_CORE_VARY_H

#include <stet/vary.h>

/* Members beyond this are not read as a set any more, but compared as they stand. */
#define STET__WEIGHTED_MAX 64

/* A member of Accept and its kin: RFC 9110 sections 12.4.2 and 12.5. */
struct stet__weighted {
    struct stet_span thing;  /* a media range, coding, charset or language range */
    struct stet_span params; /* its parameters, the weight among them */
    unsigned q;              /* in thousandths; 1000 if there is none */
};

/*
 * Reads all members of a field by name into `room` (STET__WEIGHTED_MAX). SIZE_MAX if there are more, or one
 * is malformed.
 */
size_t stet__weighted_read(const struct stet_fields *fields, struct stet_span name,
                           struct stet__weighted *room);

/* Whether both fields have the same members, in any order. False if either cannot be read. */
bool stet__weighted_same(struct stet_span name, const struct stet_fields *a, const struct stet_fields *b);

/*
 * Whether the response is in the one language that `request` likes best, and the request that it was got with
 * named that language too.
 */
bool stet__weighted_language(const struct stet_fields *response, const struct stet_fields *selecting,
                             const struct stet_fields *request);

#endif
