/* SPDX-License-Identifier: MIT */
#include "coding/coder.h"

#include <stdlib.h>

#include <stet/status.h>

#include "base/assert.h"
#include "coding/engine.h"

struct stet__coder {
    struct stet__engine *engine;
    struct stet__coder_options options;
    uint64_t input, output; /* octets so far */
    int failure;
};

int stet__coder_level_max(enum stet_coding coding)
{
    switch (coding) {
    case STET_CODING_BR:
        return 11;
    case STET_CODING_ZSTD:
        return 19;
    default:
        return 9;
    }
}

static struct stet__engine *engine_of(const struct stet__coder_options *options)
{
    switch (options->coding) {
    case STET_CODING_BR:
        return stet__engine_brotli(options);
    case STET_CODING_ZSTD:
        return options->dictionary ? stet__engine_dcz(options) : stet__engine_zstd(options);
    default:
        return stet__engine_zlib(options);
    }
}

struct stet__coder *stet__coder_new(const struct stet__coder_options *options)
{
    stet__assert(options->coding == STET_CODING_GZIP || options->coding == STET_CODING_BR ||
                 options->coding == STET_CODING_ZSTD ||
                 (options->coding == STET_CODING_DEFLATE && options->decode));
    stet__assert(!options->dictionary || (options->coding == STET_CODING_ZSTD && options->decode));
    struct stet__coder *coder = calloc(1, sizeof *coder);
    if (!coder)
        return NULL;
    int best = stet__coder_level_max(options->coding);
    coder->options = *options;
    if (options->level < 1 || options->level > best)
        coder->options.level = options->level < 0 ? 1 : best;
    coder->engine = engine_of(&coder->options);
    if (coder->engine)
        return coder;
    free(coder);
    return NULL;
}

void stet__coder_free(struct stet__coder *coder)
{
    if (!coder)
        return;
    coder->engine->free(coder->engine);
    free(coder);
}

static int fail(struct stet__coder *coder, int failure)
{
    coder->failure = failure;
    return failure;
}

/* What was said of the length stands in the head of a zstd frame, so it has to be true. */
static bool length_holds(const struct stet__coder *coder, size_t coming, enum stet__coder_step step)
{
    uint64_t length = coder->options.length;
    if (coder->options.decode || length == STET__CODER_LENGTH_UNKNOWN)
        return true;
    if (coming > length - coder->input)
        return false;
    return step != STET__CODER_FINISH || coder->input + coming == length;
}

/* A flush of zlib into less room than its marker takes would mark again and again. */
static bool too_narrow(const struct stet__coder *coder, enum stet__coder_step step, uint64_t room)
{
    return !coder->options.decode && step == STET__CODER_FLUSH && room < STET__CODER_FLUSH_ROOM;
}

int stet__coder_run(struct stet__coder *coder, struct stet_span *input, enum stet__coder_step step,
                    struct stet__coder_output *output)
{
    if (coder->failure)
        return coder->failure;
    if (!length_holds(coder, input->len, step))
        return fail(coder, STET_E_CODED_LENGTH);
    /* One octet more than allowed is asked for, into a place of its own, to tell an end from too much. */
    char beyond;
    uint64_t left = coder->options.output_max - coder->output;
    if (too_narrow(coder, step, left))
        return fail(coder, STET_E_CODED_TOO_LARGE);
    if (too_narrow(coder, step, output->room - output->len))
        return STET_MORE;
    struct stet__coder_output room = {output->ptr + output->len, output->room - output->len, 0};
    bool last = left == 0;
    if (last)
        room = (struct stet__coder_output){&beyond, 1, 0};
    else if (room.room > left)
        room.room = (size_t)left;
    size_t before = input->len;
    int status = room.room == 0 ? STET_MORE : coder->engine->run(coder->engine, input, step, &room);
    coder->input += before - input->len;
    if (last && room.len > 0)
        return fail(coder, STET_E_CODED_TOO_LARGE);
    output->len += room.len;
    coder->output += room.len;
    return status < 0 ? fail(coder, status) : status;
}
