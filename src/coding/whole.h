/* SPDX-License-Identifier: MIT */
/*
 * whole: a body is coded or decoded in one go, off the loop, into memory of its own.
 *
 * The same octets and options give the same result: input is fed, and output taken, in pieces of a fixed
 * size, wherever it stands. What is read and what comes out are hashed on the way, so that the caller can
 * tell whether it was what it takes it for: a file may change while it is read.
 */
#ifndef STET_CODING_WHOLE_H
#define STET_CODING_WHOLE_H

#include <stdatomic.h>

#include "base/digest.h"
#include "base/part.h"
#include "coding/coder.h"

#define STET__WHOLE_HEAP_MAX \
    32768 /* results up to this stand on the heap; larger ones in a sealed memory file */

struct stet__whole {
    uint64_t length;
    struct stet__digest digest;      /* of the result */
    struct stet__digest from_digest; /* of what was coded or decoded */
    char *memory;                    /* the result, or NULL */
    int fd;                          /* of a memory file that nobody can change any more, or -1 */
};

/* What becomes of the result. */
enum stet__whole_keep {
    STET__WHOLE_KEEP,
    STET__WHOLE_DIGEST, /* only its length and digest are wanted */
};

/* Holds nothing. */
static inline void stet__whole_init(struct stet__whole *whole)
{
    *whole = (struct stet__whole){.fd = -1};
}

/*
 * Codes or decodes all of `from`; of the options, `length` is seen to here. `stop` may be NULL; once it is
 * true the work ends soon with STET_E_CODED_STOPPED. STET_OK, or a failure of coder.h, STET_E_CODED_READ
 * among them: then `*out` is left as it was.
 */
int stet__whole_make(const struct stet__coder_options *options, const struct stet__part *from,
                     enum stet__whole_keep keep, const atomic_bool *stop, struct stet__whole *out);

/* The same without a coding: takes and hashes a copy. */
int stet__whole_copy(const struct stet__part *from, uint64_t max, const atomic_bool *stop,
                     struct stet__whole *out);

/* The result, for sending; borrows. */
struct stet__part stet__whole_part(const struct stet__whole *whole);

/* Frees what it holds; it is as after init. */
void stet__whole_release(struct stet__whole *whole);

/* What goes into a tag (docs/decisions.md): the first octets of the digest. */
static inline uint32_t stet__fingerprint(const struct stet__digest *digest)
{
    const unsigned char *o = digest->octets;
    return (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
}

#endif
