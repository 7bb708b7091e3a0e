/* SPDX-License-Identifier: MIT */
/*
 * reader: a source over a body, complete or growing. Each reader goes at its own pace.
 */
#include "proxy/fill.h"

#define PART_BYTES (1024 * 1024)

static enum stet__supply next(void *owner, struct stet__part *part)
{
    struct stet__reader *reader = owner;
    struct stet__fills *fills = reader->worker->proxy->fills;
    if (reader->attached)
        stet__fill_pass(fills, reader);
    for (int again = 0; again < 3; again++) {
        if (reader->offset >= reader->end)
            return STET__SUPPLY_END;
        enum stet__body_state state = stet__body_state(reader->body);
        uint64_t left = reader->end - reader->offset;
        if (stet__body_read(reader->body, reader->offset, left < PART_BYTES ? left : PART_BYTES, part)) {
            reader->offset += part->length;
            return STET__SUPPLY_PART;
        }
        if (state == STET__BODY_COMPLETE)
            return reader->end == UINT64_MAX ? STET__SUPPLY_END : STET__SUPPLY_CUT;
        if (state == STET__BODY_CUT)
            return STET__SUPPLY_CUT;
        if (stet__fill_await(fills, reader))
            return STET__SUPPLY_WAIT;
        /* It has grown or ended meanwhile: look again. */
    }
    return STET__SUPPLY_CUT;
}

static void done(void *owner, bool sent)
{
    struct stet__reader *reader = owner;
    stet__fill_detach(reader->worker->proxy->fills, reader);
    stet__body_release(reader->body);
    free(reader);
}

static void woken(struct stet__wake *wake)
{
    struct stet__reader *reader = stet__list_entry(wake, struct stet__reader, wake);
    if (atomic_load_explicit(&reader->cut, memory_order_relaxed))
        stet__exchange_cut(reader->exchange);
    else
        stet__exchange_write_on(reader->exchange);
}

struct stet__reader *stet__reader_new(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                                      struct stet__body *body, uint64_t first, uint64_t end)
{
    struct stet__reader *reader = malloc(sizeof *reader);
    if (!reader)
        return NULL;
    *reader = (struct stet__reader){.worker = worker,
                                    .body = stet__body_acquire(body),
                                    .exchange = exchange,
                                    .offset = first,
                                    .passed = first,
                                    .end = end};
    stet__list_init(&reader->node);
    stet__wake_init(&reader->wake, &worker->mailbox, woken);
    return reader;
}

bool stet__reader_attach(struct stet__reader *reader, uint64_t hash)
{
    reader->attached = true;
    if (stet__fill_attach(reader->worker->proxy->fills, reader, hash))
        return true;
    done(reader, false);
    return false;
}

void stet__reader_source(struct stet__reader *reader, struct stet__source *out)
{
    *out = (struct stet__source){.owner = reader, .next = next, .done = done};
}
