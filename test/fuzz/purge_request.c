/* SPDX-License-Identifier: MIT */
/*
 * Bodies of the admin's purge requests: proxy/purge_request.h.
 *
 * What must hold: a refusal leaves the request untouched; what is taken points into the body; selectors come
 * to an end, and none is longer than what it was written as.
 */
#include <stdlib.h>

#include "proxy/purge_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool within(struct stet_span part, struct stet_span whole)
{
    return !part.ptr || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void read_selectors(struct stet__purge_request *request)
{
    size_t left = request->selectors.len;
    char *room = malloc(left + 1);
    struct stet_span selector;
    require(room != NULL);
    while (stet__purge_next(request, room, &selector)) {
        require(request->selectors.len < left && selector.len + 2 <= left);
        left = request->selectors.len;
    }
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet_span body = stet_span_of((const char *)data, size);
    struct stet__purge_request request = {.selectors = STET_SPAN("untouched")};
    const char *wrong = stet__purge_read(body, &request);
    if (wrong) {
        require(stet_span_equal(request.selectors, STET_SPAN("untouched")));
        return 0;
    }
    require(within(request.selectors, body) && within(request.origin, body));
    if (request.origin.ptr) {
        char *room = malloc(request.origin.len + 1);
        require(room != NULL && stet__purge_decode(request.origin, room).len <= request.origin.len);
        free(room);
    }
    read_selectors(&request);
    return 0;
}
