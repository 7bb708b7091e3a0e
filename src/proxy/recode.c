/* SPDX-License-Identifier: MIT */
/*
 * recode: a source around another one, coding or decoding what passes. What has come is flushed when the
 * inner source has no more for now, so that a client sees what its origin has sent so far.
 *
 * A decoder takes octets of whoever runs the origin: its memory is bounded by coder.h, its output by
 * --decode-max; beyond that, and where the coded octets are damaged or end too early, the answer is cut off.
 */
#include <unistd.h>

#include "coding/coder.h"
#include "proxy/coded.h"

#define OUT_BYTES (32u * 1024)
#define IN_BYTES (32u * 1024)

struct recoding {
    struct stet__source inner;
    struct stet__proxy *proxy;
    size_t cost;
    struct stet__coder *coder;
    struct stet_span rest;  /* of what the inner source gave, in memory */
    struct stet__part file; /* what it gave in a file */
    enum stet__coder_step step;
    bool pending; /* the coder has more to put out, or to take */
    bool decodes;
    bool any;                    /* octets were fed */
    bool behind;                 /* since the last flush, too */
    bool over;                   /* all has come out */
    struct stet_fields trailers; /* those that hold for these octets */
    struct stet_field *trailer_lines;
    char *in; /* of IN_BYTES, once a file was given */
    char out[OUT_BYTES];
};

const unsigned char stet__recode_rank[STET_CODING_COUNT] = {
    [STET_CODING_GZIP] = 3, [STET_CODING_ZSTD] = 2, [STET_CODING_BR] = 1};

/* About what the libraries take: windows, and tables of what they have seen. */
static size_t cost_of(enum stet_coding coding, bool decode)
{
    static const size_t kib[STET_CODING_COUNT][2] = {[STET_CODING_GZIP] = {300, 50},
                                                     [STET_CODING_DEFLATE] = {300, 50},
                                                     [STET_CODING_BR] = {8 * 1024, 4 * 1024},
                                                     [STET_CODING_ZSTD] = {4 * 1024, 8 * 1024}};
    return kib[coding][decode] * 1024 + sizeof(struct recoding);
}

unsigned stet__recode_affords(const struct stet__proxy_worker *worker, enum stet_coding own, unsigned codings)
{
    size_t used = atomic_load_explicit(&worker->proxy->recoding_bytes, memory_order_relaxed);
    bool decode = own != STET_CODING_IDENTITY;
    unsigned affordable = 0;
    for (enum stet_coding coding = 0; coding < STET_CODING_COUNT; coding++)
        if (used + cost_of(decode ? own : coding, decode) <= STET__RECODE_BYTES)
            affordable |= stet_coding_bit(coding);
    return codings & affordable;
}

static void end(struct recoding *recoding)
{
    atomic_fetch_sub_explicit(&recoding->proxy->recoding_bytes, recoding->cost, memory_order_relaxed);
    stet__coder_free(recoding->coder);
    free(recoding->in);
    free(recoding->trailer_lines);
    free(recoding);
}

static void done(void *owner, bool sent)
{
    struct recoding *recoding = owner;
    recoding->inner.done(recoding->inner.owner, sent);
    end(recoding);
}

static const struct stet_fields *trailers(void *owner)
{
    struct recoding *recoding = owner;
    const struct stet_fields *base =
        recoding->inner.trailers ? recoding->inner.trailers(recoding->inner.owner) : NULL;
    if (!base)
        return NULL;
    if (!recoding->trailer_lines)
        recoding->trailer_lines = malloc((base->count + 1) * sizeof *recoding->trailer_lines);
    if (!recoding->trailer_lines)
        return NULL;
    recoding->trailers =
        (struct stet_fields){recoding->trailer_lines, stet_coded_trailers(base, recoding->trailer_lines), 0};
    for (size_t i = 0; i < recoding->trailers.count; i++)
        recoding->trailers.present |= UINT64_C(1) << recoding->trailer_lines[i].id;
    return &recoding->trailers;
}

/* The next octets of the part that stands in a file. */
static bool read_file(struct recoding *recoding)
{
    struct stet__part *file = &recoding->file;
    if (!recoding->in)
        recoding->in = malloc(IN_BYTES);
    if (!recoding->in)
        return false;
    size_t want = file->length < IN_BYTES ? (size_t)file->length : IN_BYTES;
    ssize_t n = pread(file->fd, recoding->in, want, (off_t)file->offset);
    if (n <= 0)
        return false;
    file->offset += (uint64_t)n;
    file->length -= (uint64_t)n;
    recoding->rest = stet_span_of(recoding->in, (size_t)n);
    return true;
}

/* Sets `step` by what the inner source has. False: nothing can be done now, and `*supply` says why. */
static bool more(struct recoding *recoding, enum stet__supply *supply)
{
    struct stet__part part;
    *supply = STET__SUPPLY_CUT;
    recoding->step = STET__CODER_FEED;
    if (recoding->file.length > 0)
        return read_file(recoding);
    *supply = recoding->inner.next(recoding->inner.owner, &part);
    switch (*supply) {
    case STET__SUPPLY_PART:
        recoding->any = recoding->behind = true;
        *supply = STET__SUPPLY_CUT;
        if (part.memory.ptr) {
            recoding->rest = part.memory;
            return true;
        }
        recoding->file = part;
        return part.length == 0 || read_file(recoding);
    case STET__SUPPLY_END:
        recoding->step = STET__CODER_FINISH;
        /* No octets are in no coding that could be undone; coded, nothing has a frame like anything else. */
        recoding->over = !recoding->any && recoding->decodes;
        return !recoding->over;
    case STET__SUPPLY_WAIT:
        recoding->step = STET__CODER_FLUSH;
        return recoding->behind;
    case STET__SUPPLY_CUT:
        break;
    }
    return false;
}

static enum stet__supply next(void *owner, struct stet__part *part)
{
    struct recoding *recoding = owner;
    enum stet__supply supply;
    while (!recoding->over) {
        struct stet__coder_output output = {recoding->out, sizeof recoding->out, 0};
        if (!recoding->pending && !more(recoding, &supply))
            return supply;
        int status = stet__coder_run(recoding->coder, &recoding->rest, recoding->step, &output);
        if (status < 0)
            return STET__SUPPLY_CUT;
        recoding->pending = status == STET_MORE;
        if (status == STET_OK) {
            recoding->over = recoding->step == STET__CODER_FINISH;
            recoding->behind &= recoding->step == STET__CODER_FEED;
            recoding->step = STET__CODER_FEED;
        }
        if (output.len > 0) {
            *part = stet__part_memory(stet_span_of(recoding->out, output.len));
            return STET__SUPPLY_PART;
        }
    }
    return STET__SUPPLY_END;
}

/* What costs little, for it is done on the loop. */
static int quick_level(enum stet_coding coding)
{
    return coding == STET_CODING_ZSTD ? 3 : 4;
}

bool stet__recode(struct stet__proxy_worker *worker, struct stet__source *source, enum stet_coding coding,
                  bool decode)
{
    struct stet__coder_options options = {
        .coding = coding,
        .decode = decode,
        .level = quick_level(coding),
        .length = STET__CODER_LENGTH_UNKNOWN,
        .output_max = decode ? worker->configuration->decode_bytes : UINT64_MAX,
    };
    struct recoding *recoding = malloc(sizeof *recoding);
    struct stet__coder *coder = stet__coder_new(&options);
    if (!recoding || !coder) {
        free(recoding);
        stet__coder_free(coder);
        return false;
    }
    recoding->proxy = worker->proxy;
    recoding->cost = cost_of(coding, decode);
    atomic_fetch_add_explicit(&worker->proxy->recoding_bytes, recoding->cost, memory_order_relaxed);
    recoding->inner = *source;
    recoding->decodes = decode;
    recoding->coder = coder;
    recoding->rest = STET_SPAN("");
    recoding->file = (struct stet__part){.length = 0};
    recoding->step = STET__CODER_FEED;
    recoding->pending = recoding->any = recoding->behind = recoding->over = false;
    recoding->in = NULL;
    recoding->trailer_lines = NULL;
    *source = (struct stet__source){.owner = recoding, .next = next, .trailers = trailers, .done = done};
    return true;
}
