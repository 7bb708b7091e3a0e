/* SPDX-License-Identifier: MIT */
/*
 * access_log_line: one record as a line of text.
 *
 *   common    192.0.2.1 - - [21/Nov/2026:09:30:00 +0000] "GET / HTTP/1.1" 304 0 if-none-match-matches
 *   combined  the same with "referer" "user agent" before the reason
 *   json      {"time":"2026-11-21T09:30:00Z","peer":"192.0.2.1","method":"GET",...}
 *
 * What a client sent cannot end a quoted string or a line: in the first two, control octets, the quote, the
 * backslash and octets from 0x7F on become \xHH; in JSON they become \u00HH, each octet for itself, so that
 * the line is always valid UTF-8 and nothing is lost. An answer that was cut off has " aborted" at the end,
 * or "aborted":true. What a cache did is in JSON alone, as "cache".
 */
#ifndef STET_NET_ACCESS_LOG_LINE_H
#define STET_NET_ACCESS_LOG_LINE_H

#include "base/buffer.h"
#include "net/access_log.h"

/* Appends a line with its LF; see buffer.h for what happens if there is no room. */
void stet__log_line(enum stet__log_format format, const struct stet__log_record *record,
                    struct stet__buffer *out);

/* The line that tells of records that were dropped. */
void stet__log_dropped_line(enum stet__log_format format, uint64_t count, struct stet__buffer *out);

#endif
