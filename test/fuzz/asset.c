/* SPDX-License-Identifier: MIT */
/*
 * Pages: check/asset.h. What stands before the first NUL is the URI of the page; without one the page has a
 * URI that is good.
 *
 * What must hold: there are as many assets as were asked for, at most; each is an absolute URI of http or
 * https, without a fragment, and stands there once. Fewer asked for are the first ones.
 */
#include <stdlib.h>

#include <stet/uri.h>

#include "check/asset.h"

#define MANY 64
#define FEW 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct stet_span text(const char *from)
{
    return stet_span_of(from, strlen(from));
}

static void check(const struct stet__assets *assets)
{
    struct stet_uri uri;
    require(assets->count <= MANY);
    for (size_t i = 0; i < assets->count; i++) {
        require(stet_uri_parse(text(assets->at[i]), &uri) == STET_OK);
        require(strchr(assets->at[i], '#') == NULL);
        for (size_t k = 0; k < i; k++)
            require(strcmp(assets->at[i], assets->at[k]) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct stet_field type = {{"Content-Type", 12}, {"text/html", 9}, STET_FIELD_CONTENT_TYPE};
    struct stet_lint_exchange page = {.uri = STET_SPAN("https://h.example/a/b?c"),
                                      .content = stet_span_of((const char *)data, size)};
    const char *nul = size > 0 ? memchr(data, 0, size) : NULL;
    struct stet__assets many, few;
    page.response.fields = (struct stet_fields){&type, 1, UINT64_C(1) << STET_FIELD_CONTENT_TYPE};
    if (nul) {
        page.uri = stet_span_of(page.content.ptr, (size_t)(nul - page.content.ptr));
        page.content = stet_span_skip(page.content, page.uri.len + 1);
    }
    require(stet__assets_find(&page, MANY, &many) && stet__assets_find(&page, FEW, &few));
    check(&many);
    require(few.count == (many.count < FEW ? many.count : FEW));
    for (size_t i = 0; i < few.count; i++)
        require(strcmp(few.at[i], many.at[i]) == 0);
    stet__assets_release(&many);
    stet__assets_release(&few);
    return 0;
}
