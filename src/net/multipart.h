/* SPDX-License-Identifier: MIT */
/*
 * multipart: the body of a 206 with several ranges, multipart/byteranges (RFC 9110 section 14.6, RFC 2046
 * section 5.1).
 *
 *   CRLF --BOUNDARY CRLF Content-Type: ... CRLF Content-Range: bytes 0-4/10 CRLF CRLF octets   for each range
 *   CRLF --BOUNDARY-- CRLF
 *
 * The boundary must not be in the octets. They may be gigabytes, so that is not looked for: the boundary is
 * 128 bits of a keyed hash of tag and ranges, which nobody without the secret can foresee, and the same
 * answer has the same boundary.
 */
#ifndef STET_NET_MULTIPART_H
#define STET_NET_MULTIPART_H

#include <stet/range.h>

#include "net/exchange.h"

#define STET__BOUNDARY_LEN 32
#define STET__MULTIPART_PARTS (2 * STET_RANGES_MAX + 1)

struct stet__multipart_source {
    struct stet_span type; /* Content-Type of each part; may be absent */
    uint64_t complete_length;
    const struct stet__part *body; /* the whole */
};

void stet__multipart_boundary(const void *secret, size_t secret_len, struct stet_span tag,
                              const struct stet_range_set *ranges, char out[STET__BOUNDARY_LEN]);

/* The octets of text that `parts` below needs at the most. */
size_t stet__multipart_text_max(const struct stet_range_set *ranges, struct stet_span type);

/*
 * Fills `parts` (room for STET__MULTIPART_PARTS) and returns their number. `text` receives what stands
 * between the octets, and lives as long as the parts. The sum of the lengths is the Content-Length.
 */
size_t stet__multipart_parts(const struct stet__multipart_source *source, const struct stet_range_set *ranges,
                             const char *boundary, char *text, struct stet__part *parts);

/* The part of `body` that is `range`. */
struct stet__part stet__part_of_range(const struct stet__part *body, struct stet_range range);

#endif
