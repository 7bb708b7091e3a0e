/* SPDX-License-Identifier: MIT */
/*
 * head: making the ready-made heads of exchange.h.
 */
#ifndef STET_NET_HEAD_H
#define STET_NET_HEAD_H

#include "base/arena.h"
#include "net/exchange.h"

/*
 * Makes a head of `status` with `fields` (values as they are, already valid) in memory of `arena`; with it
 * lives the result. The reason phrase is that of RFC 9110 section 15. Returns NULL if there is no room.
 */
struct stet__head *stet__head_make(struct stet__arena *arena, unsigned status,
                                   const struct stet_fields *fields);

struct stet__buffer;

/* Appends "404 Not Found". */
void stet__append_title(struct stet__buffer *out, unsigned status);

/* "Not Modified" and so on; an empty span for a status without a name. Static storage. */
struct stet_span stet__reason_phrase(unsigned status);

#endif
