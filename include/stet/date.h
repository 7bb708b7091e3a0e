/* SPDX-License-Identifier: MIT */
/*
 * date: HTTP-date, RFC 9110 section 5.6.7.
 *
 * Times are whole Unix seconds (UTC) in an int64_t. No libc time function, time zone or locale is used. A
 * leap second (":60") is accepted and reads as the first second of the next minute.
 */
#ifndef STET_DATE_H
#define STET_DATE_H

#include <stet/span.h>
#include <stet/status.h>

/* "There is no such date": outside of every value that parsing can give. */
#define STET_NO_DATE INT64_MIN

#define STET_DATE_LEN 29 /* octets of an IMF-fixdate */

/*
 * Reads IMF-fixdate, RFC 850 or asctime form. `now` resolves the two-digit year of RFC 850: it is the latest
 * year with these digits in which the moment is not more than 50 years after `now`. The name of the day has
 * to be one, but need not be the right one (many senders get it wrong, and the date is unambiguous without
 * it). OWS around the value is the caller's to trim. STET_E_SYNTAX for anything else, 30 February and
 * 24:00:00 among it.
 */
int stet_date_parse(struct stet_span value, int64_t now, int64_t *out);

/*
 * Writes the IMF-fixdate of `date` (years 0 to 9999; others are clamped) to `out`: STET_DATE_LEN octets, no
 * terminator. RFC 9110 section 5.6.7: the only form that a sender generates.
 */
void stet_date_format(int64_t date, char out[STET_DATE_LEN]);

#endif
