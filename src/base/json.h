/* SPDX-License-Identifier: MIT */
/*
 * json: octets that may be anything as text of JSON, which is Unicode (RFC 8259 section 8.1).
 */
#ifndef STET_BASE_JSON_H
#define STET_BASE_JSON_H

#include <jansson.h>

#include <stet/span.h>

/*
 * A JSON string: the octets as they are if they are UTF-8, else read as Latin-1, which is what obs-text of a
 * field once was (RFC 9110 section 5.5). JSON's null for an absent span. NULL if there is no memory. The
 * caller owns it.
 */
json_t *stet__json_text(struct stet_span octets);

#endif
