/* SPDX-License-Identifier: MIT */
/*
 * zlib: gzip (RFC 1952) both ways, deflate (RFC 1950, and raw RFC 1951) inwards.
 *
 * The two forms of deflate are told apart by their first two octets: as a zlib head they are a multiple of 31
 * and name method 8; a raw stream that begins so would have set bits in the padding of a stored block, which
 * nobody does.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <stet/status.h>

#include "coding/engine.h"

#define GZIP_BITS (15 + 16)
#define MEMORY_LEVEL 9
#define GZIP_MAGIC 0x1f

struct zlib_engine {
    struct stet__engine engine;
    z_stream stream;
    bool open;       /* the stream is to be ended */
    bool gzip;       /* else deflate */
    bool ended;      /* a member is complete */
    bool first_held; /* deflate: one octet has come, and waits for the second */
    Bytef first;
};

static void *take(void *opaque, uInt count, uInt size)
{
    (void)opaque;
    return calloc(count, size);
}

static void give(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

static struct zlib_engine *of(struct stet__engine *engine)
{
    return (struct zlib_engine *)(void *)engine;
}

/* Points the stream at what of both spans it can count. */
static void point(z_stream *stream, struct stet_span input, const struct stet__coder_output *output)
{
    size_t room = output->room - output->len;
    stream->next_in = (Bytef *)(uintptr_t)input.ptr;
    stream->avail_in = input.len < UINT_MAX ? (uInt)input.len : UINT_MAX;
    stream->next_out = (Bytef *)output->ptr + output->len;
    stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
}

static void account(const z_stream *stream, struct stet_span *input, struct stet__coder_output *output)
{
    if (input->len > 0)
        stet__engine_took(input, input->len - (size_t)((const char *)stream->next_in - input->ptr));
    output->len = (size_t)((char *)stream->next_out - output->ptr);
}

static int encode(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                  struct stet__coder_output *output)
{
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    struct zlib_engine *zlib = of(engine);
    for (;;) {
        point(&zlib->stream, *input, output);
        /* What is pointed at may be less than there is. */
        bool all = zlib->stream.avail_in == input->len;
        int status = deflate(&zlib->stream, all ? flushes[step] : Z_NO_FLUSH);
        account(&zlib->stream, input, output);
        if (status == Z_STREAM_END)
            return STET_OK;
        if (status != Z_OK && status != Z_BUF_ERROR)
            return STET_E_CODED_MEMORY;
        bool full = output->len == output->room;
        if (input->len == 0 && (step == STET__CODER_FEED || (step == STET__CODER_FLUSH && !full)))
            return STET_OK;
        if (full)
            return STET_MORE;
    }
}

static bool is_zlib_head(Bytef first, Bytef second)
{
    return (first & 15) == Z_DEFLATED && first >> 4 <= 7 && (first * 256 + second) % 31 == 0;
}

/* With the second octet of deflate in sight: chooses the form, and feeds the first octet. */
static int choose_form(struct zlib_engine *zlib, Bytef second)
{
    Bytef nothing;
    bool wrapped = is_zlib_head(zlib->first, second);
    if (inflateReset2(&zlib->stream, wrapped ? 15 : -15) != Z_OK)
        return STET_E_CODED_MEMORY;
    zlib->first_held = false;
    zlib->stream.next_in = &zlib->first;
    zlib->stream.avail_in = 1;
    zlib->stream.next_out = &nothing;
    zlib->stream.avail_out = 1;
    int status = inflate(&zlib->stream, Z_NO_FLUSH);
    /* One octet decodes to nothing; an empty raw stream has two. */
    return status == Z_OK ? STET_OK : status == Z_MEM_ERROR ? STET_E_CODED_MEMORY : STET_E_CODED_SYNTAX;
}

static int inflate_some(struct zlib_engine *zlib, struct stet_span *input, struct stet__coder_output *output)
{
    point(&zlib->stream, *input, output);
    int status = inflate(&zlib->stream, Z_NO_FLUSH);
    account(&zlib->stream, input, output);
    switch (status) {
    case Z_STREAM_END:
        zlib->ended = true;
        return STET_OK;
    case Z_OK:
    case Z_BUF_ERROR:
        return STET_OK;
    case Z_MEM_ERROR:
        return STET_E_CODED_MEMORY;
    default:
        return STET_E_CODED_SYNTAX;
    }
}

/* More octets behind a complete member: the next member, or nothing that belongs there. */
static int next_member(struct zlib_engine *zlib, struct stet_span input)
{
    if (!zlib->gzip || (unsigned char)input.ptr[0] != GZIP_MAGIC)
        return STET_E_CODED_TRAILING;
    zlib->ended = false;
    return inflateReset(&zlib->stream) == Z_OK ? STET_OK : STET_E_CODED_MEMORY;
}

static int decode(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                  struct stet__coder_output *output)
{
    struct zlib_engine *zlib = of(engine);
    int status = STET_OK;
    if (zlib->first_held && input->len > 0)
        status = choose_form(zlib, (Bytef)input->ptr[0]);
    while (status == STET_OK) {
        if (zlib->ended && input->len == 0)
            return STET_OK;
        status = zlib->ended ? next_member(zlib, *input) : inflate_some(zlib, input, output);
        if (status != STET_OK || zlib->ended)
            continue;
        if (output->len == output->room)
            return STET_MORE;
        if (input->len == 0)
            return step == STET__CODER_FINISH ? STET_E_CODED_CUT : STET_OK;
    }
    return status;
}

static int decode_deflate(struct stet__engine *engine, struct stet_span *input, enum stet__coder_step step,
                          struct stet__coder_output *output)
{
    struct zlib_engine *zlib = of(engine);
    if (input->len > 0) {
        zlib->first = (Bytef)input->ptr[0];
        zlib->first_held = true;
        *input = stet_span_skip(*input, 1);
        engine->run = decode;
    }
    return decode(engine, input, step, output);
}

static void release(struct stet__engine *engine)
{
    struct zlib_engine *zlib = of(engine);
    if (zlib->open && engine->run == encode)
        deflateEnd(&zlib->stream);
    else if (zlib->open)
        inflateEnd(&zlib->stream);
    free(zlib);
}

struct stet__engine *stet__engine_zlib(const struct stet__coder_options *options)
{
    struct zlib_engine *zlib = calloc(1, sizeof *zlib);
    if (!zlib)
        return NULL;
    zlib->stream.zalloc = take;
    zlib->stream.zfree = give;
    zlib->gzip = options->coding == STET_CODING_GZIP;
    zlib->engine.free = release;
    if (options->decode) {
        zlib->engine.run = zlib->gzip ? decode : decode_deflate;
        zlib->open = inflateInit2(&zlib->stream, GZIP_BITS) == Z_OK;
    } else {
        zlib->engine.run = encode;
        zlib->open = deflateInit2(&zlib->stream, options->level, Z_DEFLATED, GZIP_BITS, MEMORY_LEVEL,
                                  Z_DEFAULT_STRATEGY) == Z_OK;
    }
    if (zlib->open)
        return &zlib->engine;
    free(zlib);
    return NULL;
}
