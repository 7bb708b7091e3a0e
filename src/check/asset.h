/* SPDX-License-Identifier: MIT */
/*
 * asset: what a page links and a browser would fetch with it: images, scripts, style sheets, media, fonts and
 * icons; not where its links lead.
 */
#ifndef STET_CHECK_ASSET_H
#define STET_CHECK_ASSET_H

#include <stet/lint.h>

struct stet__assets {
    char **at; /* absolute URIs in normal form, each once, in the order of the page */
    size_t count;
};

/* Up to `max` of them; none if `page` is no HTML, or its content is not there. False: there is no memory for
 * all of them. Release them in any case. */
bool stet__assets_find(const struct stet_lint_exchange *page, unsigned max, struct stet__assets *out);
void stet__assets_release(struct stet__assets *assets);

#endif
