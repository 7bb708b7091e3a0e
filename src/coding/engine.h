/* SPDX-License-Identifier: MIT */
/*
 * engine: what coder.c needs of each compression library. One file for each: zlib.c, brotli.c, zstd.c,
 * and dcz.c for what zstd makes with a dictionary.
 *
 * An engine is asked with room for output only. It takes what it can and returns STET_MORE if it has more to
 * put out than there is room, else STET_OK, or a failure of coder.h.
 */
#ifndef STET_CODING_ENGINE_H
#define STET_CODING_ENGINE_H

#include "coding/coder.h"

struct stet__engine {
    int (*run)(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
               struct stet__coder_output *output);
    void (*free)(struct stet__engine *engine);
};

/* NULL if there is no memory. The level is one that the library has. */
struct stet__engine *stet__engine_zlib(const struct stet__coder_options *options);
struct stet__engine *stet__engine_brotli(const struct stet__coder_options *options);
struct stet__engine *stet__engine_zstd(const struct stet__coder_options *options);
struct stet__engine *stet__engine_dcz(const struct stet__coder_options *options);

static inline void stet__engine_took(struct stet_span *input, size_t left)
{
    *input = stet_span_skip(*input, input->len - left);
}

#endif
