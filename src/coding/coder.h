/* SPDX-License-Identifier: MIT */
/*
 * coder: content codings (RFC 9110 8.4.1) as streams: octets in, coded or decoded octets out, in whatever
 * pieces they come.
 *
 * zlib, brotli and zstd do the work; this is the one interface to them. It knows nothing of files, stored
 * responses or loops.
 *
 * What is decoded may come from anywhere, so a decoder is bounded in both its output (`output_max`) and its
 * memory: a window of 32 KiB (gzip, deflate), of at most 16 MiB (br, RFC 7932) or of at most 8 MiB (zstd, RFC
 * 9659 section 3: a frame that asks for more is refused). It is strict: the whole input is valid or decoding
 * fails. A cut is told from an end, and what stands behind the end is a failure of its own, by which time all
 * that came before it has been put out.
 *
 * - gzip: one or more members (RFC 1952 section 2.2); encoded as one, without a time or a name, so that the
 * same octets always give the same octets.
 * - deflate: decoded only. RFC 9110 8.4.1.2 means the zlib form; some senders use the raw one, and both are
 * taken.
 * - dcz: decoded only: the digest of a dictionary, and zstd made with it (RFC 9842 section 5). The window may
 * be 1.25 times the dictionary, if that is more than 8 MiB, and what that is to the next power of two.
 * Without the dictionary of that digest nothing is put out. dcb is not here: the libbrotli of Debian 12
 * (1.0.9) knows no dictionaries of others.
 * - zstd: one or more frames, with skippable ones between them (RFC 8878); encoded with a window of at most 8
 * MiB.
 */
#ifndef STET_CODING_CODER_H
#define STET_CODING_CODER_H

#include <stdbool.h>
#include <stdint.h>

#include <stet/coding.h>
#include <stet/span.h>

struct stet__coder;

#define STET__CODER_LENGTH_UNKNOWN UINT64_MAX

/* A dictionary of RFC 9842, and its SHA-256. Borrowed by a coder that has it. */
struct stet__coder_dictionary {
    struct stet_span octets;
    unsigned char digest[32];
};

#define STET__CODER_DCZ_HEAD 40 /* octets before the zstd frames */

struct stet__coder_options {
    enum stet_coding coding; /* not identity; deflate only to decode */
    bool decode;
    int level;           /* of encoding: 0 stands for the best, out of range for the nearest there is */
    uint64_t length;     /* of encoding: of the whole input, or STET__CODER_LENGTH_UNKNOWN; more or less is a
                            failure */
    uint64_t output_max; /* of either; more is STET_E_CODED_TOO_LARGE */
    const struct stet__coder_dictionary *dictionary; /* of decoding zstd: the octets are dcz, made with it */
};

/* The levels that the library has: 1 to this. gzip 9, br 11, zstd 19: from 20 on zstd wants larger windows.
 */
int stet__coder_level_max(enum stet_coding coding);

/* Where output goes: `len` of `room` octets are used. */
struct stet__coder_output {
    char *ptr;
    size_t room, len;
};

enum stet__coder_step {
    STET__CODER_FEED,   /* there may be more input */
    STET__CODER_FLUSH,  /* what came so far is wanted now; a decoder always does that */
    STET__CODER_FINISH, /* this is all the input there is */
};

/* NULL if there is no memory. */
struct stet__coder *stet__coder_new(const struct stet__coder_options *options);
void stet__coder_free(struct stet__coder *coder); /* NULL does nothing */

#define STET__CODER_FLUSH_ROOM \
    64 /* a flush of an encoder wants so much room, or asks for it with STET_MORE */

/*
 * Takes octets from the front of `*input` and appends to `*output`. STET_OK: all input is taken, and all that
 * this step asks for has been put out. STET_MORE: the output is full; empty it and call again with what is
 * left of the input and the same step. A failure sticks:
 *
 * - STET_E_CODED_SYNTAX: what is decoded is not that coding, or damaged
 * - STET_E_CODED_CUT: finished, and the input ends before the coded octets do (no octets at all are a cut,
 * too)
 * - STET_E_CODED_TRAILING: there is something behind the end
 * - STET_E_CODED_WINDOW: zstd: the window is larger than it may be
 * - STET_E_CODED_DICTIONARY: dcz: it was made with another dictionary
 * - STET_E_CODED_TOO_LARGE: there is more output than `output_max`
 * - STET_E_CODED_LENGTH: encoding: the input is not as long as was said
 * - STET_E_CODED_MEMORY: there is no memory
 */
int stet__coder_run(struct stet__coder *coder, struct stet_span *input, enum stet__coder_step step,
                    struct stet__coder_output *output);

#endif
