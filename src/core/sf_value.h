/* SPDX-License-Identifier: MIT */
/*
 * sf_value: the values inside structured fields, RFC 9651 sections 4.2.3.1 and 4.2.3.3 to 4.2.10.
 *
 * Each function reads from the front of `*rest` and advances it on STET_OK only. STET_E_SYNTAX otherwise.
 */
#ifndef STET_CORE_SF_VALUE_H
#define STET_CORE_SF_VALUE_H

#include <stet/sf.h>

#define STET__SF_MAX 999999999999999 /* of an Integer, and of a Decimal in thousandths */

int stet__sf_read_key(struct stet_span *rest, struct stet_span *out);
int stet__sf_read_bare_item(struct stet_span *rest, struct stet_sf_item *out);

/* Whether `s` is a whole key or token; for the serialiser. */
bool stet__sf_is_key(struct stet_span s);
bool stet__sf_is_token(struct stet_span s);

#endif
