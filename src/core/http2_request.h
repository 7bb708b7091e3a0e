/* SPDX-License-Identifier: MIT */
/*
 * http2_request: what a request of HTTP/2 says, in the form in which HTTP/1.1 would have said it, so that
 * nobody who reads requests knows the version (RFC 9113 section 8.3.1).
 *
 * The decoder of the fields (nghttp2) has seen to what every receiver refuses before it knows what a field
 * means: names in upper case, pseudo-fields that are unknown, late or repeated, connection-specific fields,
 * octets that no value has. Here is judged what stet judges of any request: target, host, method, length,
 * expectation.
 */
#ifndef STET_CORE_HTTP2_REQUEST_H
#define STET_CORE_HTTP2_REQUEST_H

#include <stet/http1.h>

/* Absent: not there. */
struct stet__http2_pseudo {
    struct stet_span method, scheme, authority, path;
};

/*
 * Fills `*out` from the pseudo-fields and `count` field lines, which stand at room[1] and behind. room[0] is
 * for Host: with :authority, its value as a Host line goes there, and a Host among the others is left out if
 * it says the same. `ended`: no content follows.
 *
 * minor is 1, as an HTTP/1.1 client can do no more; the form is ORIGIN, ASTERISK or, for CONNECT, AUTHORITY,
 * never ABSOLUTE; content of unknown length reads as CHUNKED. head_len is 0. The result borrows from `room`
 * and whatever that borrows from. STET_OK or a row of status.def, and then `*out` has what the access log
 * wants: method and target.
 */
int stet__http2_request_make(const struct stet__http2_pseudo *pseudo, struct stet_field *room, size_t count,
                             bool ended, struct stet_http1_request *out);

#endif
