/* SPDX-License-Identifier: MIT */
/*
 * zstd: both ways (RFC 8878), with windows of at most 8 MiB (RFC 9659 section 3). What stands behind the head
 * of dcz (dcz.c) is decoded with its dictionary, which is raw content even if it looks like a dictionary of
 * zstd's own (RFC 9842 section 5).
 *
 * The library decodes a frame that it has as a whole, and room for, without looking at its window. So the
 * head of a frame is fed octet by octet: then a window is judged the same, however the input is cut. The
 * magic number is compared here, because the library may have been built to read the forms that preceded the
 * RFC.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <stet/status.h>

#include "coding/engine.h"

#define WINDOW_LOG_MAX 23
#define WINDOW_LOG_DICTIONARY 27
#define FRAME_HEAD_MAX 18
#define MAGIC_LEN 4

struct zstd_engine {
    struct stet__engine engine;
    ZSTD_CCtx *encoder; /* one of the two */
    ZSTD_DCtx *decoder;
    size_t at;     /* octets of the frame so far, up to FRAME_HEAD_MAX */
    bool complete; /* a frame has ended; another may follow */
    bool skippable;
    bool full; /* the decoder may have more to put out */
    const struct stet__coder_dictionary *dictionary;
};

static struct zstd_engine *of(struct stet__engine *engine)
{
    return (struct zstd_engine *)(void *)engine;
}

static int failure_of(size_t code)
{
    switch (ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return STET_E_CODED_WINDOW;
    case ZSTD_error_memory_allocation:
        return STET_E_CODED_MEMORY;
    default:
        return STET_E_CODED_SYNTAX;
    }
}

static int encode(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                  struct stet__coder_output *output)
{
    static const ZSTD_EndDirective directives[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    for (;;) {
        ZSTD_inBuffer in = {input->ptr, input->len, 0};
        ZSTD_outBuffer out = {output->ptr, output->room, output->len};
        size_t left = ZSTD_compressStream2(of(engine)->encoder, &out, &in, directives[step]);
        if (ZSTD_isError(left))
            return STET_E_CODED_MEMORY;
        *input = stet_span_skip(*input, in.pos);
        output->len = out.pos;
        if (input->len == 0 && (step == STET__CODER_FEED || left == 0))
            return STET_OK;
        if (output->len == output->room)
            return STET_MORE;
    }
}

/* Whether `octet` can be number `at` of a frame's magic number. */
static bool magic_fits(struct zstd_engine *zstd, unsigned char octet)
{
    static const unsigned char frame[MAGIC_LEN] = {0x28, 0xb5, 0x2f, 0xfd};
    static const unsigned char skippable[MAGIC_LEN] = {0x50, 0x2a, 0x4d, 0x18};
    if (zstd->at == 0)
        zstd->skippable = (octet & 0xf0) == skippable[0];
    if (zstd->skippable)
        return zstd->at == 0 || octet == skippable[zstd->at];
    return octet == frame[zstd->at];
}

/* The library forgets a prefix at the end of each frame, a skippable one too. */
static bool put_prefix(struct zstd_engine *zstd)
{
    const struct stet__coder_dictionary *dictionary = zstd->dictionary;
    return !dictionary || zstd->at > 0 ||
           !ZSTD_isError(ZSTD_DCtx_refPrefix(zstd->decoder, dictionary->octets.ptr, dictionary->octets.len));
}

/* One call of the library; nothing is taken if the next octet cannot be there. */
static int decode_some(struct zstd_engine *zstd, struct stet_span *input, struct stet__coder_output *output)
{
    bool head = zstd->at < FRAME_HEAD_MAX;
    if (input->len > 0 && zstd->at < MAGIC_LEN && !magic_fits(zstd, (unsigned char)input->ptr[0]))
        return zstd->complete ? STET_E_CODED_TRAILING : STET_E_CODED_SYNTAX;
    if (!put_prefix(zstd))
        return STET_E_CODED_MEMORY;
    ZSTD_inBuffer in = {input->ptr, head && input->len > 0 ? 1 : input->len, 0};
    ZSTD_outBuffer out = {output->ptr, output->room, output->len};
    size_t left = ZSTD_decompressStream(zstd->decoder, &out, &in);
    if (ZSTD_isError(left))
        return failure_of(left);
    *input = stet_span_skip(*input, in.pos);
    output->len = out.pos;
    if (head)
        zstd->at += in.pos;
    if (left == 0) {
        zstd->at = 0;
        zstd->complete = true;
    }
    return STET_OK;
}

static int decode(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                  struct stet__coder_output *output)
{
    struct zstd_engine *zstd = of(engine);
    for (;;) {
        bool cut = zstd->at > 0 || !zstd->complete;
        if (input->len == 0 && !zstd->full)
            return step == STET__CODER_FINISH && cut ? STET_E_CODED_CUT : STET_OK;
        int status = decode_some(zstd, input, output);
        if (status < 0)
            return status;
        zstd->full = zstd->at > 0 && output->len == output->room;
        if (zstd->full)
            return STET_MORE;
    }
}

static void release(struct stet__engine *engine)
{
    struct zstd_engine *zstd = of(engine);
    ZSTD_freeCCtx(zstd->encoder);
    ZSTD_freeDCtx(zstd->decoder);
    free(zstd);
}

static bool open_encoder(struct zstd_engine *zstd, const struct stet__coder_options *options)
{
    zstd->encoder = ZSTD_createCCtx();
    if (!zstd->encoder)
        return false;
    bool good = !ZSTD_isError(ZSTD_CCtx_setParameter(zstd->encoder, ZSTD_c_compressionLevel, options->level));
    if (good && options->length != STET__CODER_LENGTH_UNKNOWN)
        good = !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd->encoder, options->length));
    return good;
}

/* RFC 9842 section 5: 1.25 times the dictionary, up to 128 MiB. */
static int window_log_max(const struct stet__coder_dictionary *dictionary)
{
    int log = WINDOW_LOG_MAX;
    size_t len = dictionary ? dictionary->octets.len : 0;
    while (log < WINDOW_LOG_DICTIONARY && ((size_t)1 << log) < len + len / 4)
        log++;
    return log;
}

static bool open_decoder(struct zstd_engine *zstd, const struct stet__coder_options *options)
{
    zstd->dictionary = options->dictionary;
    zstd->decoder = ZSTD_createDCtx();
    return zstd->decoder && !ZSTD_isError(ZSTD_DCtx_setParameter(zstd->decoder, ZSTD_d_windowLogMax,
                                                                 window_log_max(options->dictionary)));
}

struct stet__engine *stet__engine_zstd(const struct stet__coder_options *options)
{
    struct zstd_engine *zstd = calloc(1, sizeof *zstd);
    if (!zstd)
        return NULL;
    zstd->engine = (struct stet__engine){options->decode ? decode : encode, release};
    if (options->decode ? open_decoder(zstd, options) : open_encoder(zstd, options))
        return &zstd->engine;
    release(&zstd->engine);
    return NULL;
}
