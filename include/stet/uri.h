/* SPDX-License-Identifier: MIT */
/*
 * uri: http and https URIs, as far as caching needs them: one form for one resource (RFC 9110 section 4.2.3),
 * references resolved against a base (RFC 3986 section 5), origins compared (RFC 9110 section 4.3.1).
 *
 * The normal form, which is the cache key's: lower-case scheme and host, no default port, no trailing dot of
 * the host, "/" for an empty path. Path and query stay as they came, octet by octet: percent-encoding, letter
 * case and dot segments are significant to some origins, and a proxy forwards them as they are (section 7.7).
 */
#ifndef STET_URI_H
#define STET_URI_H

#include <stet/span.h>
#include <stet/status.h>

/* Parts of an absolute http or https URI; spans borrow from what was parsed. */
struct stet_uri {
    struct stet_span scheme; /* "http" or "https", in any case */
    struct stet_span host;   /* an IPv6 address has its brackets; no dot at the end; not empty */
    unsigned port;           /* the default of the scheme if there is none */
    struct stet_span path;   /* may be empty */
    struct stet_span query;  /* without the question mark; absent if there is none */
};

/*
 * STET_E_SYNTAX for another scheme, user information (RFC 9110 section 4.2.4), no host, a port beyond 65535,
 * or an octet that no request target has (http1.h). A fragment is left out.
 */
int stet_uri_parse(struct stet_span text, struct stet_uri *out);

/* Same scheme, host and port. */
bool stet_uri_same_origin(const struct stet_uri *a, const struct stet_uri *b);

/*
 * Writes the normal form of `uri` to `out` and returns its octets; 0 if `room` is too small. room =
 * scheme + host + path + query + 16 is always enough.
 */
size_t stet_uri_write(const struct stet_uri *uri, char *out, size_t room);

/*
 * Writes the normal form of the target URI of a request (RFC 9110 section 7.1) from its parts: `authority` as
 * in Host, `path_query` as in struct stet_http1_request; absent gives "/". 0 if there is no room, the
 * authority is malformed or empty, or the scheme is another one.
 */
size_t stet_uri_write_target(struct stet_span scheme, struct stet_span authority, struct stet_span path_query,
                             char *out, size_t room);

/*
 * Resolves a reference (RFC 3986 section 5.2, dot segments removed there) as Location and Content-Location
 * have it, against `base`, and writes the normal form, without a fragment. 0 if the result is no http or
 * https URI or there is no room: what is written before dot segments are removed has to fit.
 */
size_t stet_uri_resolve(const struct stet_uri *base, struct stet_span reference, char *out, size_t room);

#endif
