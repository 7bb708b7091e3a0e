/* SPDX-License-Identifier: MIT */
/*
 * dcz: Dictionary-Compressed Zstandard, decoded. RFC 9842 section 5: 40 octets that name the dictionary, and
 * zstd frames behind them.
 *
 * The 40 octets are a skippable frame, so a decoder that took them for one would never compare the digest.
 * Nothing is put out before they have come and are right.
 */
#include <stdlib.h>
#include <string.h>

#include <stet/status.h>

#include "coding/engine.h"

#define MAGIC_LEN 8

struct dcz_engine {
    struct stet__engine engine;
    struct stet__engine *zstd;
    const struct stet__coder_dictionary *dictionary;
    size_t at; /* octets of the head so far */
};

static struct dcz_engine *of(struct stet__engine *engine)
{
    return (struct dcz_engine *)(void *)engine;
}

/* Octet `at` of the head. */
static unsigned char wanted(const struct dcz_engine *dcz)
{
    static const unsigned char magic[MAGIC_LEN] = {0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0};
    return dcz->at < MAGIC_LEN ? magic[dcz->at] : dcz->dictionary->digest[dcz->at - MAGIC_LEN];
}

static int run(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
               struct stet__coder_output *output)
{
    struct dcz_engine *dcz = of(engine);
    for (; dcz->at < STET__CODER_DCZ_HEAD && input->len > 0; dcz->at++) {
        if ((unsigned char)input->ptr[0] != wanted(dcz))
            return dcz->at < MAGIC_LEN ? STET_E_CODED_SYNTAX : STET_E_CODED_DICTIONARY;
        *input = stet_span_skip(*input, 1);
    }
    if (dcz->at < STET__CODER_DCZ_HEAD)
        return step == STET__CODER_FINISH ? STET_E_CODED_CUT : STET_OK;
    return dcz->zstd->run(dcz->zstd, input, step, output);
}

static void release(struct stet__engine *engine)
{
    struct dcz_engine *dcz = of(engine);
    if (dcz->zstd)
        dcz->zstd->free(dcz->zstd);
    free(dcz);
}

struct stet__engine *stet__engine_dcz(const struct stet__coder_options *options)
{
    struct dcz_engine *dcz = calloc(1, sizeof *dcz);
    if (!dcz)
        return NULL;
    dcz->engine = (struct stet__engine){run, release};
    dcz->dictionary = options->dictionary;
    dcz->zstd = stet__engine_zstd(options);
    if (dcz->zstd)
        return &dcz->engine;
    release(&dcz->engine);
    return NULL;
}
