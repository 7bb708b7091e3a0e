/* SPDX-License-Identifier: MIT */
/*
 * http2: the driver of HTTP/2 (RFC 9113): from octets to exchanges, and from replies to octets. Frames, HPACK
 * and the order of DATA are nghttp2's; limits, time-outs, exchanges and what goes when are here.
 *
 *   http2.c          the life of a connection: octets in, octets out, time-outs, its end
 *   http2_head.c     from field lines to a request; the role is asked
 *   http2_answer.c   from a reply to HEADERS
 *   http2_data.c     the body of an answer: parts, files, sources
 *   http2_body.c     the body of a request, and its trailers
 *   http2_stream.c   the life of a stream: from the pool, to the log
 *   http2_memory.c   memory for nghttp2
 *   http2_flood.c    what a client may not do too often
 *
 * States of a stream, as flags of struct stet__http2_stream:
 *
 *   begin_headers --> HEAD --> ASKED ------ answer -----> ANSWERED --> closed by nghttp2: logged, pooled
 *                      |         | reset, or connection gone
 *                      |         +--> GONE (http2 == NULL) -- answer --> pooled
 *                      +--> refused: answered by the driver itself
 *
 * 1. Roles are called from within nghttp2's callbacks. What they ask for in there is submitted; octets leave
 * when all that was read is dealt with: one read and one send for each wake-up (`busy`). What they ask for
 * from elsewhere leaves at the end of the loop's round (`soon`), for all streams together.
 * 2. Input is read at any time, so that WINDOW_UPDATE can come in. What a client can make this side keep is
 * bounded: streams by limits.streams, request bodies by the connection's window, answers to PING and SETTINGS
 * by nghttp2's queue, everything else by http2_flood.c.
 * 3. A stream that nghttp2 has closed is not in `streams` any more, and no callback of its role's is called
 * but `gone`.
 *
 * What this leaves out: server push (RFC 9113 section 8.4: no client wants it any more), CONNECT (501),
 * padding of what is sent, priorities of RFC 7540 (deprecated; section 5.3.2).
 */
#ifndef STET_NET_HTTP2_H
#define STET_NET_HTTP2_H

#include "net/connection.h"

/* The connection preface: RFC 9113 section 3.4. */
#define STET__HTTP2_PREFACE STET_SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

/* `connection` speaks HTTP/2; what has come of it is in `turn`, which is given back. May free `connection`.
 */
void stet__http2_begin(struct stet__connection *connection, struct stet__turn *turn);

/* Hooks of connection.c for a connection in STET__CONNECTION_HTTP2. The first three may free it. */
void stet__http2_ready(struct stet__connection *connection, uint32_t events);
void stet__http2_passed(struct stet__connection *connection);
void stet__http2_stop(struct stet__connection *connection);

/* An answer is under way: closing the connection now cuts it off. */
bool stet__http2_answering(const struct stet__connection *connection);

/* The connection is being closed: ends its streams. Frees connection->http2. */
void stet__http2_end(struct stet__connection *connection);

/* What the connections of a worker shared; all are closed and the role has stopped. NULL is nothing. */
void stet__http2_worker_free(struct stet__http2_worker *shared);

#endif
