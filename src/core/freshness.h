/* SPDX-License-Identifier: MIT */
/*
 * freshness: dates in stored messages, read as RFC 9111 section 4.2 wants a cache to: in any case.
 */
#ifndef STET_CORE_FRESHNESS_H
#define STET_CORE_FRESHNESS_H

#include <stet/date.h>
#include <stet/message.h>

/*
 * The date in the one line of this field. STET_END if there is no line; STET_E_SYNTAX if there are several,
 * or the value is no date.
 */
int stet__date_read(const struct stet_fields *fields, enum stet_field_id id, int64_t now, int64_t *out);

#endif
