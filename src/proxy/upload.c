/* SPDX-License-Identifier: MIT */
/*
 * upload: the body of a request, from the client through a pipe to the origin.
 */
#include "proxy/fetch.h"

static size_t on_body(void *owner, struct stet_span octets)
{
    struct stet__fetch *fetch = owner;
    return stet__pipe_put(&fetch->up, octets);
}

/* The client's fault is told to it, if it has no answer yet. */
static void on_body_end(void *owner, int status, const struct stet_fields *trailers)
{
    struct stet__fetch *fetch = owner;
    if (status == STET_OK) {
        stet__pipe_end(&fetch->up, true);
        return;
    }
    unsigned http_status = (unsigned)stet_status_row(status)->http_status;
    struct stet__visit *visit = fetch->visit;
    if (!visit) {
        stet__pipe_end(&fetch->up, false);
        return;
    }
    struct stet__refused why = {http_status ? http_status : 400,
                                http_status == 413   ? STET_REASON_BODY_TOO_LARGE
                                : http_status == 408 ? STET_REASON_BODY_TIMEOUT
                                                     : STET_REASON_BODY_MALFORMED};
    struct stet_cache_status told = stet__fetch_status(fetch);
    fetch->visit = NULL;
    struct stet__proxy_worker *worker = fetch->worker;
    stet__fetch_free(fetch);
    visit->fetch = NULL;
    stet__proxy_error(worker, visit->exchange, why, &told, visit->trace);
}

enum stet__supply stet__upload_next(void *owner, struct stet__part *part)
{
    struct stet__fetch *fetch = owner;
    /* Only now the client is told to go on: the origin may refuse from the head alone. */
    if (!fetch->reading && fetch->visit) {
        fetch->reading = true;
        struct stet__sink sink = {.owner = fetch, .data = on_body, .end = on_body_end};
        stet__exchange_read(fetch->visit->exchange, &sink);
    }
    return stet__pipe_next(&fetch->up, part);
}

void stet__upload_ready(void *owner)
{
    struct stet__fetch *fetch = owner;
    if (fetch->upstream)
        stet__upstream_write_on(fetch->upstream);
}

void stet__upload_drained(void *owner)
{
    struct stet__fetch *fetch = owner;
    if (fetch->visit)
        stet__exchange_read_on(fetch->visit->exchange);
    else if (fetch->exchange)
        stet__exchange_read_on(fetch->exchange);
}
