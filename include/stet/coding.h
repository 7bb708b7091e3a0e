/* SPDX-License-Identifier: MIT */
/*
 * coding: content codings and who accepts them. RFC 9110 sections 8.4, 12.4.2 and 12.5.3.
 *
 * What is decided with them stands elsewhere: coded_tag.h (the tags of coded copies), coded.h (which copy
 * answers a request, and what its head says), vary.h (which stored response a request selects).
 */
#ifndef STET_CODING_H
#define STET_CODING_H

#include <stet/message.h>

enum stet_coding {
#define X(symbol, name, made, rank, clause) symbol,
#include <stet/coding.def>
#undef X
    STET_CODING_COUNT,
    STET_CODING_UNKNOWN = STET_CODING_COUNT, /* another one, or several on top of each other: never touched */
};

/* A set of codings has the bit of each. UNKNOWN has none. */
static inline unsigned stet_coding_bit(enum stet_coding coding)
{
    return coding < STET_CODING_COUNT ? 1u << coding : 0;
}

/* The name of a known coding, as Content-Encoding has it; absent for UNKNOWN. Static storage. */
struct stet_span stet_coding_name(enum stet_coding coding);

/* The coding of that name in any case; "x-gzip" is gzip (RFC 9110 section 8.4.1.3). */
enum stet_coding stet_coding_id(struct stet_span name);

/*
 * How the content of a message is coded, by all lines of Content-Encoding: IDENTITY if there is no member but
 * "identity" (which should not be there: section 8.4), the coding if there is one that is known, UNKNOWN for
 * any other, for a malformed one and for several.
 */
enum stet_coding stet_coding_of(const struct stet_fields *fields);

/*
 * What a request accepts: Accept-Encoding, read. Whoever asks more than once keeps it; it borrows nothing.
 *
 * Absent and empty are told apart, and both lead to identity alone: section 12.5.3 lets a server send any
 * coding where the field is absent, but clients that do not say so cannot undo one. The same for a field
 * without any well-formed member.
 */
struct stet_accept_encoding {
    bool present;                        /* some line is there */
    bool named;                          /* some member is well-formed */
    unsigned char set;                   /* the codings with a quality above 0 */
    unsigned short q[STET_CODING_COUNT]; /* in thousandths. Identity that nobody named has 1: it is
                                            acceptable, and the last choice */
};

/*
 * Reads all lines of Accept-Encoding. Malformed members (no token, a parameter that is no weight, a weight
 * that is no qvalue) are skipped. A coding that is named twice has the lower quality of the two. "*" stands
 * for the codings that are not named, identity among them. Names of codings that are not known lead to
 * nothing.
 */
void stet_accept_encoding_read(const struct stet_fields *fields, struct stet_accept_encoding *out);

/* The quality of a coding, 0 to 1000: 0 is not acceptable. UNKNOWN has 0. */
static inline unsigned stet_accept_encoding_quality(const struct stet_accept_encoding *accept,
                                                    enum stet_coding coding)
{
    return coding < STET_CODING_COUNT ? accept->q[coding] : 0;
}

#define STET_ACCEPT_ENCODING_LEN 40 /* the longest normal form: "br, zstd, gzip, deflate, identity;q=0" */

/*
 * The normal form of what a set of codings (`accept->set`) says: "br, zstd, gzip, deflate" as far as they are
 * in it, then "identity;q=0" if identity is not; "identity" if it is alone. For cache keys, and what the
 * origin is asked with. Read again it gives the same set. Returns the octets written.
 */
size_t stet_accept_encoding_write(unsigned set, char out[STET_ACCEPT_ENCODING_LEN]);

/* Whether two requests accept the same set, so that both have one normal form. */
bool stet_accept_encoding_same(const struct stet_fields *a, const struct stet_fields *b);

#endif
