/* SPDX-License-Identifier: MIT */
/*
 * reply: what every version of HTTP asks of a reply and of the request that it answers.
 */
#ifndef STET_NET_REPLY_H
#define STET_NET_REPLY_H

#include "net/exchange.h"

/* The Content-Length of the reply, or STET__LENGTH_UNKNOWN. */
uint64_t stet__reply_length(const struct stet__reply *reply);

/* Which answers have content: RFC 9110 section 6.4.1. */
bool stet__reply_has_content(const struct stet_http1_request *request, unsigned status);

/* TE: trailers, RFC 9110 section 10.1.4. */
bool stet__takes_trailers(const struct stet_http1_request *request);

#endif
