/* SPDX-License-Identifier: MIT */
/*
 * coded: coded copies of a representation: whether there may be any, which one answers a request, and what
 * its head says. RFC 9110 sections 8.4, 12.1, 12.5.3 and 12.5.5.
 *
 * The base is what the file is or what the origin sent, in its own coding. Copies are the same in others:
 * kept ones, with the fingerprint of their octets in their tag, or passing ones, made while they are sent.
 *
 *     stet_coded_judge       once, of the base: may it be coded?
 *     stet_coded_select      per request: base or which copy? under which tag does the client hold it?
 *     stet_coded_selected    the selected representation, for stet_answer_decide and stet_cache_answer_coded
 *     stet_coded_fields      once per copy: its head
 */
#ifndef STET_CODED_H
#define STET_CODED_H

#include <stet/coded_tag.h>
#include <stet/precondition.h>

/* What an operator says about coding. */
struct stet_coded_policy {
    const struct stet_span *types; /* "text/html"; "text" and a slash and an asterisk: all of text; "+xml":
                                      all that end so */
    size_t type_count;
    uint64_t min_octets; /* smaller ones are not worth it */
    uint64_t max_octets;
};

struct stet_codable {
    bool codable;
    enum stet_reason reason;
};

/*
 * Whether copies may be made of a response with `octets` octets of content. Reasons in their order:
 *
 *   not-coded-no-transform   Cache-Control of the response (RFC 9111 section 5.2.2.6)
 *   not-coded-status         another status than 200
 *   not-coded-part           it has Content-Range
 *   not-coded-already        it has a Content-Encoding other than identity
 *   not-coded-type           no type, several, or none of the policy's
 *   not-coded-small, not-coded-large
 *   codable
 */
struct stet_codable stet_coded_judge(const struct stet_response *response, uint64_t octets,
                                     const struct stet_coded_policy *policy);

/* What there is of a representation. */
struct stet_coded_offer {
    struct stet_etag base;     /* its tag; STET_NO_ETAG if it has none */
    enum stet_coding own;      /* its coding */
    unsigned kept;             /* the set of codings whose copies are there */
    unsigned passing;          /* the set of those that can be made while they are sent */
    unsigned possible;         /* the set of those that are sent at other times: before a copy is evicted, or
                                  after one is made */
    bool no_transform;         /* of the response: the base alone counts */
    const unsigned char *rank; /* STET_CODING_COUNT of them, higher is better; NULL: those of coding.def */
    const struct stet_fields *response; /* NULL, or the fields of the base, for their Vary: below */
};

struct stet_coded_choice {
    enum stet_coding coding; /* offer->own: the base */
    enum stet_reason reason;
    struct stet_etag held; /* the tag of If-None-Match, If-Match or If-Range under which the client holds that
                              coding; of several the first. STET_NO_ETAG if none. Borrows from the request */
};

/*
 * Which one answers a request, by RFC 9110 section 12.1: proactive negotiation, that may use whatever is
 * known of the client.
 *
 *   coding-held            the client presents a tag of this base in a coding that it accepts: that one. Of
 *                          several the one that it likes best
 *   coding-preferred       the highest quality; of equals base and kept copies before passing ones, then the
 *                          rank
 *   coding-not-asked       Accept-Encoding is absent, empty or malformed: identity
 *   coding-not-there       none of the codings that it names is there: identity, which it accepts
 *   coding-only            there is never anything but the base, whatever it accepts
 *   coding-no-transform, coding-request-no-transform   the base, whatever it accepts
 *   coding-not-acceptable  nothing that is there is acceptable: identity, else the base. Never 406
 *
 * With Range passing copies come last of all: their octets are not there to take a range of.
 *
 * A coding that If-None-Match names is chosen even if neither a copy of it is there nor can be made (only of
 * GET and HEAD): what the client has is still current, so the answer is 304, or 412 by an earlier condition,
 * and no octets are needed.
 *
 * What others append to a tag (STET_CODED_TAG_FOREIGN) does not count if Vary names more than
 * Accept-Encoding: "page-pt-br" may be the tag of another variant of "page-pt".
 */
void stet_coded_select(const struct stet_request *request, const struct stet_coded_offer *offer,
                       struct stet_coded_choice *out);

/*
 * The chosen representation, to judge the request's conditions and ranges by: `base` (of the file, or
 * `selected` of a stored response), with `etag` and `length` of the chosen copy (those of the base if there
 * is none), and `held`. Last-Modified of a resource with several codings is a weak validator: it does not
 * tell them apart.
 */
struct stet_representation stet_coded_selected(const struct stet_representation *base,
                                               const struct stet_coded_choice *choice, struct stet_etag etag,
                                               uint64_t length);

/* What is a copy's own in its head. */
struct stet_coded_head {
    enum stet_coding coding;
    struct stet_span etag;           /* the field value; absent: no ETag */
    struct stet_span content_length; /* the field value; absent: not known yet */
};

#define STET_CODED_FIELDS_MORE 4 /* fields that a copy can have beyond those of its base */

/*
 * The fields of a copy: those of the base without Content-Encoding, Content-Length, Content-MD5,
 * Content-Digest, Repr-Digest and Digest, which are about other octets, and ETag; then those of `head`, and
 * Vary as stet_coded_vary_lacks says. A copy without a tag has no Last-Modified either: that date by itself
 * would stand for the octets of all codings, and If-Range with it may reach an origin that has but the base.
 * `room` has base->count + STET_CODED_FIELDS_MORE elements; spans borrow
 * from both or are static. Returns the number.
 */
size_t stet_coded_fields(const struct stet_fields *base, const struct stet_coded_head *head,
                         struct stet_field *room);

/*
 * The trailer fields of a copy: those of the base that say the same of other octets. `room` has base->count
 * elements. Returns the number.
 */
size_t stet_coded_trailers(const struct stet_fields *base, struct stet_field *room);

/*
 * Whether "Vary: Accept-Encoding" has to be added to a response of a resource that has codings, or may get
 * some: unless a Vary names it or is "*" (section 12.5.5). The base and its 304 need it, too.
 */
bool stet_coded_vary_lacks(const struct stet_fields *response);

#endif
