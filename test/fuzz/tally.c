/* SPDX-License-Identifier: MIT */
/*
 * Lines of access logs: explain/tally.h. Each line that is not empty is counted once, as an answer, as a note
 * of what was dropped, or as unreadable; the rows add up to the answers.
 */
#include <stdlib.h>

#include "explain/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet_span text = stet_span_of((const char *)data, size);
    struct stet__tally *tally = stet__tally_new();
    uint64_t lines = 0, sum = 0;
    require(tally != NULL);
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) + 1 : text.len;
        stet__tally_line(tally, stet_span_of(text.ptr, len));
        text = stet_span_skip(text, len);
        lines++;
    }
    size_t count = stet__tally_sort(tally);
    for (size_t i = 0; i < count; i++)
        sum += tally->rows[i].count;
    require(sum == tally->answers && tally->answers + tally->unreadable <= lines);
    require(tally->not_modified <= tally->gets && tally->gets <= tally->answers);
    stet__tally_free(tally);
    return 0;
}
