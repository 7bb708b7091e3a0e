/* SPDX-License-Identifier: MIT */
/*
 * partial: stored parts of representations. RFC 9111 sections 3.3 and 3.4, RFC 9110 section 15.3.7.3.
 */
#ifndef STET_PARTIAL_H
#define STET_PARTIAL_H

#include <stet/stored.h>

/* As `last` of a range to ask for: to the end, "bytes=5-". */
#define STET_RANGE_OPEN UINT64_MAX

/*
 * What a final response brings: of a 206 with one valid Content-Range that range, of any other all octets
 * (`complete_length` if Content-Length tells it). STET_E_SYNTAX for a 206 with several parts, or an invalid
 * or missing Content-Range, or whose Content-Length is not the length of its range: it can be passed on, not
 * stored.
 *
 * One wrong length is put right: a range that reaches to the end of the representation, and content that is
 * shorter. The sender has miscounted the end, so the end is where the content ends: "bytes 4-9/10" with five
 * octets holds 4 to 8 of 9 (docs/decisions.md). Of a range that ends before the end nothing like that is
 * known.
 */
int stet_held_read(const struct stet_response *response, struct stet_held *out);

/*
 * What is held after `octets` of the content came and then no more: the transfer was cut off. False if that
 * is nothing. A 200 of which all announced octets came stays complete.
 */
bool stet_held_cut(struct stet_held *held, uint64_t octets);

/*
 * Whether `field` says the same of any part of a representation. Content-Length, Content-Range, Content-MD5
 * and Content-Digest (RFC 9530 section 2) are about the content of one message: those of a 206 are not
 * stored, and those of a 200 are not sent with a part of it.
 */
bool stet_partial_keeps(const struct stet_field *field);

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
 * validator, a strong ETag (or a strong Last-Modified if neither has an ETag), and no two complete lengths. A
 * tag that was synthesised is none here. `skip` and `held` mean something unless the verdict is NOT.
 */
void stet_partial_combine(const struct stet_stored *stored, const struct stet_stored *next,
                          struct stet_combination *out);

/*
 * Whether the octets that are held satisfy what `request` asks for (section 3.3); always so if all are held.
 * Else it has to be a GET of one range that lies within, with an If-Range that holds or none. `now` as for
 * stet_cache_answer.
 */
bool stet_partial_satisfies(const struct stet_request *request, const struct stet_stored *stored,
                            int64_t now);

/*
 * The range to ask the origin for, to complete what is held for this request, with If-Range (RFC 9110 section
 * 13.1.5) if there is a strong validator: false if it is better to ask for what the client asks for. One
 * range is asked for and no hole is left. A response without any validator is completed only to the whole and
 * only as a guess: the answer cannot be combined unless it turns out to be all there is (docs/decisions.md).
 */
bool stet_partial_missing(const struct stet_request *request, const struct stet_stored *stored, int64_t now,
                          struct stet_range *out);

#endif
