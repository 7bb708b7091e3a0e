/* SPDX-License-Identifier: MIT */
/*
 * not_modified: which fields of the 200 go into its 304, RFC 9110 section 15.4.5.
 *
 * Everything that is not metadata of the representation stays: the six fields of the MUST (Content-Location,
 * Date, ETag, Vary, Cache-Control, Expires), but also CORS and security fields, cookies and what nobody
 * knows, so that a cache that updates its stored response from the 304 ends with what the 200 would have
 * said. Left out are Content-Type and its kin, and Last-Modified if there is an ETag.
 */
#ifndef STET_NOT_MODIFIED_H
#define STET_NOT_MODIFIED_H

#include <stet/message.h>

/* Whether `field` of a 200 belongs into its 304; `has_etag`: the 200 has an ETag. */
bool stet_not_modified_keeps(const struct stet_field *field, bool has_etag);

/*
 * Copies those of `fields` that stay to `room`, in order, and returns their number. `room` has at least
 * `fields->count` elements and may be the array of `fields` itself.
 */
size_t stet_not_modified_fields(const struct stet_fields *fields, struct stet_field *room);

#endif
