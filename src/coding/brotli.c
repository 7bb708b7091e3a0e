/* SPDX-License-Identifier: MIT */
/*
 * brotli: br (RFC 7932) both ways. The large windows that the library knows beyond the RFC stay off.
 *
 * The encoder, as distributions build it, calls exit() when it gets no memory. So it never sees that: what it
 * has allocated is in a list, and where there is no more a jump leaves it for good, and the list is freed.
 */
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>

#include <stet/status.h>

#include "base/list.h"
#include "coding/engine.h"

struct brotli_engine {
    struct stet__engine engine;
    BrotliEncoderState *encoder; /* one of the two */
    BrotliDecoderState *decoder;
    bool ended;
    struct stet__list blocks; /* of the encoder */
    bool running;             /* out_of_memory is set */
    jmp_buf out_of_memory;
};

struct block {
    struct stet__list node;
    max_align_t octets[];
};

static void *take(void *opaque, size_t size)
{
    (void)opaque;
    return malloc(size);
}

static void give(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static void *take_block(void *opaque, size_t size)
{
    struct brotli_engine *brotli = opaque;
    struct block *block = size < SIZE_MAX - sizeof *block ? malloc(sizeof *block + size) : NULL;
    if (!block && brotli->running)
        longjmp(brotli->out_of_memory, 1);
    if (!block)
        return NULL;
    stet__list_append(&brotli->blocks, &block->node);
    return block->octets;
}

static void give_block(void *opaque, void *memory)
{
    (void)opaque;
    if (!memory)
        return;
    struct block *block = (struct block *)(void *)((char *)memory - offsetof(struct block, octets));
    stet__list_remove(&block->node);
    free(block);
}

static struct brotli_engine *of(struct stet__engine *engine)
{
    return (struct brotli_engine *)(void *)engine;
}

/* The library's view of both spans, and back. */
struct view {
    const uint8_t *in;
    uint8_t *out;
    size_t in_len, out_len;
};

static struct view view_of(struct stet_span input, const struct stet__coder_output *output)
{
    return (struct view){(const uint8_t *)input.ptr, (uint8_t *)output->ptr + output->len, input.len,
                         output->room - output->len};
}

static void account(const struct view *view, struct stet_span *input, struct stet__coder_output *output)
{
    stet__engine_took(input, view->in_len);
    output->len = output->room - view->out_len;
}

static int encode_on(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                     struct stet__coder_output *output)
{
    static const BrotliEncoderOperation operations[] = {BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                                        BROTLI_OPERATION_FINISH};
    BrotliEncoderState *encoder = of(engine)->encoder;
    for (;;) {
        struct view view = view_of(*input, output);
        if (!BrotliEncoderCompressStream(encoder, operations[step], &view.in_len, &view.in, &view.out_len,
                                         &view.out, NULL))
            return STET_E_CODED_MEMORY;
        account(&view, input, output);
        bool done = step == STET__CODER_FINISH ? BrotliEncoderIsFinished(encoder)
                    : step == STET__CODER_FEED ? true
                                               : !BrotliEncoderHasMoreOutput(encoder);
        if (input->len == 0 && done)
            return STET_OK;
        if (output->len == output->room)
            return STET_MORE;
    }
}

static int encode(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                  struct stet__coder_output *output)
{
    struct brotli_engine *brotli = of(engine);
    if (setjmp(brotli->out_of_memory) != 0)
        return STET_E_CODED_MEMORY;
    brotli->running = true;
    int status = encode_on(engine, input, step, output);
    brotli->running = false;
    return status;
}

static int failure_of(const BrotliDecoderState *decoder)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(decoder);
    bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                  code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
    return memory ? STET_E_CODED_MEMORY : STET_E_CODED_SYNTAX;
}

static int decode(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                  struct stet__coder_output *output)
{
    struct brotli_engine *brotli = of(engine);
    if (!brotli->ended) {
        struct view view = view_of(*input, output);
        BrotliDecoderResult result = BrotliDecoderDecompressStream(brotli->decoder, &view.in_len, &view.in,
                                                                   &view.out_len, &view.out, NULL);
        account(&view, input, output);
        if (result == BROTLI_DECODER_RESULT_ERROR)
            return failure_of(brotli->decoder);
        if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
            return STET_MORE;
        if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
            return step == STET__CODER_FINISH ? STET_E_CODED_CUT : STET_OK;
        brotli->ended = true;
    }
    return input->len > 0 ? STET_E_CODED_TRAILING : STET_OK;
}

static void release(struct stet__engine *engine)
{
    struct brotli_engine *brotli = of(engine);
    while (!stet__list_empty(&brotli->blocks))
        give_block(brotli, ((struct block *)(void *)brotli->blocks.next)->octets);
    if (brotli->decoder)
        BrotliDecoderDestroyInstance(brotli->decoder);
    free(brotli);
}

static bool open_encoder(struct brotli_engine *brotli, const struct stet__coder_options *options)
{
    brotli->encoder = BrotliEncoderCreateInstance(take_block, give_block, brotli);
    if (!brotli->encoder)
        return false;
    uint32_t hint = options->length < (UINT32_C(1) << 30) ? (uint32_t)options->length : 0;
    return BrotliEncoderSetParameter(brotli->encoder, BROTLI_PARAM_QUALITY, (uint32_t)options->level) &&
           BrotliEncoderSetParameter(brotli->encoder, BROTLI_PARAM_LGWIN, BROTLI_DEFAULT_WINDOW) &&
           BrotliEncoderSetParameter(brotli->encoder, BROTLI_PARAM_SIZE_HINT, hint);
}

struct stet__engine *stet__engine_brotli(const struct stet__coder_options *options)
{
    struct brotli_engine *brotli = calloc(1, sizeof *brotli);
    if (!brotli)
        return NULL;
    stet__list_init(&brotli->blocks);
    brotli->engine = (struct stet__engine){options->decode ? decode : encode, release};
    if (options->decode)
        brotli->decoder = BrotliDecoderCreateInstance(take, give, NULL);
    if (options->decode ? brotli->decoder != NULL : open_encoder(brotli, options))
        return &brotli->engine;
    release(&brotli->engine);
    return NULL;
}
