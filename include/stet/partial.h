/* SPDX-License-Identifier: MIT */
/*
 * partial: stored parts of representations. RFC 9111 sections 3.3 and 3.4, RFC 9110 section 15.3.7.3.
 */
#ifndef STET_PARTIAL_H
#define STET_PARTIAL_H

#include <stet/stored.h>

/*
 * What a final response brings: of a 200 all octets (`complete_length` if Content-Length tells it), of a 206
 * with one valid Content-Range that range. STET_E_SYNTAX for a 206 with several parts or an invalid or
 * missing Content-Range, or whose Content-Length is not the length of its range: it can be passed on, not
 * stored.
 */
int stet_held_read(const struct stet_response *response, struct stet_held *out);

enum stet_combine_verdict {
    STET_COMBINE_NOT,    /* they are not parts of the same, or leave a hole: the new one replaces the old */
    STET_COMBINE_WITHIN, /* the new one brings nothing that is not held */
    STET_COMBINE_AFTER,  /* the octets of the new one from `skip` on are appended to the old one's */
    STET_COMBINE_BEFORE, /* the octets of the old one from `skip` on are appended to the new one's */
};

struct stet_combination {
    enum stet_combine_verdict verdict;
    enum stet_reason reason;
    uint64_t skip;
    struct stet_held held; /* of the result; the fields are those of stet_update_fields */
};

/*
 * Whether `next`, just received, and `stored` can be made one (section 3.4): only by the same strong
 * validator, a strong ETag (or a strong Last-Modified if neither has an ETag), and the same complete length.
 */
void stet_partial_combine(const struct stet_stored *stored, const struct stet_stored *next,
                          struct stet_combination *out);

/*
 * Whether the octets that are held satisfy the ranges that `request` asks for (section 3.3); always so if
 * all are held. A request without Range, or with several ranges, needs all.
 */
bool stet_partial_satisfies(const struct stet_request *request, const struct stet_stored *stored);

/*
 * The range to ask the origin for, to complete what is held for this request, with If-Range (RFC 9110 section
 * 13.1.5) if there is a strong validator: false if the whole has to be asked for.
 */
bool stet_partial_missing(const struct stet_request *request, const struct stet_stored *stored,
                          struct stet_range *out);

#endif
