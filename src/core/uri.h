/* SPDX-License-Identifier: MIT */
/*
 * uri: a reference that is resolved, but not written yet. Who it leads to can be asked before its octets have
 * a place (invalidation.c: other origins are left out).
 */
#ifndef STET_CORE_URI_H
#define STET_CORE_URI_H

#include <stet/uri.h>

struct stet__reference {
    struct stet_uri uri;        /* its path is what stands in the reference */
    struct stet_span directory; /* of the base's path, without its last slash: goes before `uri.path` */
    bool dots;                  /* dot segments are to be removed: RFC 3986 section 5.2.2 */
};

/* RFC 3986 section 5.2.2. STET_E_SYNTAX if the result is no http or https URI. */
int stet__uri_refer(const struct stet_uri *base, struct stet_span reference, struct stet__reference *out);

/* Writes the normal form; 0 if there is no room. */
size_t stet__uri_write_reference(const struct stet__reference *reference, char *out, size_t room);

#endif
