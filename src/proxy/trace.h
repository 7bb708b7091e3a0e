/* SPDX-License-Identifier: MIT */
/*
 * trace: the whole decision about one request, step by step, for whoever holds the token of --debug-header.
 *
 * A trace is a List of RFC 9651, one member per step in the order of time; its parameters are core's words:
 * names of reasons with their clauses. It goes out in the field Stet-Trace:
 *
 *   request;method=GET;key="http://a/x";candidates=1, candidate;n=0;reason=chosen;...;age=3;ttl=57,
 *   decide;action=serve;reason=fresh;clause="RFC 9111 4.2",
 * answer;status=304;reason=if-none-match-matches;...
 *
 * Without the token there is no trace: each function but the first is to be called with one only, and costs a
 * hit one comparison with NULL. A trace is in the arena of its exchange and ends with it. What does not fit
 * STET__TRACE_ROOM is left out, and the last member is then `cut`.
 */
#ifndef STET_PROXY_TRACE_H
#define STET_PROXY_TRACE_H

#include <stet/cache.h>

#include "net/exchange.h"

#define STET__TRACE_ROOM 4096
#define STET__TOKEN_FIELD "Stet-Debug" /* of requests */
#define STET__TRACE_FIELD "Stet-Trace" /* of answers */

struct stet__trace {
    size_t len;
    bool cut;
    char text[STET__TRACE_ROOM];
};

struct stet__fetch;
struct stet__serving;
struct stet__visit;

/* NULL if the request has not `token`, or if there is no memory. */
struct stet__trace *stet__trace_begin(struct stet__exchange *exchange, struct stet_span token);

/* What is stored for it, and what was decided. */
void stet__trace_decided(const struct stet__visit *visit);

/* It has waited for the answer to another request, and is looked at anew. */
void stet__trace_waited(const struct stet__visit *visit);

/* Of a fetch whose visit has a trace; else they do nothing. */
void stet__trace_asked(const struct stet__fetch *fetch);
void stet__trace_came(const struct stet__fetch *fetch);
void stet__trace_failed(const struct stet__fetch *fetch, enum stet_reason reason);
void stet__trace_receipt(const struct stet__fetch *fetch, const struct stet_receipt *receipt);
void stet__trace_not_kept(const struct stet__fetch *fetch);
void stet__trace_adopted(const struct stet__fetch *fetch);
void stet__trace_tagged(const struct stet__fetch *fetch, struct stet_span etag);

/* Which coding the client gets, and why; nothing if there is no choice. */
void stet__trace_coding(const struct stet__serving *serving);

/* What the client gets, and why. */
void stet__trace_answer(struct stet__trace *trace, unsigned status, enum stet_reason reason);

#endif
