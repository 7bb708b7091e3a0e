/* SPDX-License-Identifier: MIT */
/*
 * digest: the SHA-256 of octets, cut to 128 bits, and the entity tag that is made of it: 22 octets of
 * base64url. The origin and the proxy make the same tag of the same octets.
 */
#ifndef STET_BASE_DIGEST_H
#define STET_BASE_DIGEST_H

#include <stet/span.h>

#define STET__DIGEST_BYTES 16
#define STET__DIGEST_TAG_LEN ((STET__DIGEST_BYTES * 8 + 5) / 6)

struct stet__digest {
    unsigned char octets[STET__DIGEST_BYTES];
};

/* False if the library fails (no memory). */
bool stet__digest_of(struct stet_span octets, struct stet__digest *out);

/* The opaque part of the tag, without quotes. */
void stet__digest_tag(const struct stet__digest *digest, char out[STET__DIGEST_TAG_LEN]);

/* The same for octets that come in pieces. A failure sticks. */
struct stet__digester;

struct stet__digester *stet__digester_new(void); /* NULL if there is no memory */
void stet__digester_add(struct stet__digester *digester, struct stet_span octets);

/* Frees the digester. False if something failed. */
bool stet__digester_finish(struct stet__digester *digester, struct stet__digest *out);
void stet__digester_free(struct stet__digester *digester); /* NULL does nothing */

#endif
