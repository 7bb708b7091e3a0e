/* SPDX-License-Identifier: MIT */
/*
 * http1: the driver of HTTP/1.1 (RFC 9112): from octets to exchanges, and from replies to octets.
 *
 * http1.c is the way in, http1_answer.c the way out.
 *
 *   request without a body, or with a Content-Length: the role is asked at once; then the body is read and
 * dropped request with a chunked body: read, checked and dropped, then the role is asked, so that a malformed
 * one gets its 400 Expect: 100-continue with a body: the role decides from the head alone; final answer, then
 * close (RFC 9110 10.1.1)
 */
#ifndef STET_NET_HTTP1_H
#define STET_NET_HTTP1_H

#include "net/connection.h"

/* Takes the requests of `turn`'s octets until they are used up or an answer has to wait. May free
 * `connection`. */
void stet__http1_run(struct stet__connection *connection, struct stet__turn *turn);

/* The request that has begun did not come in time: 408, then close. May free `connection`. */
void stet__http1_refuse_late(struct stet__connection *connection, struct stet__turn *turn);

/* Why the driver itself answers, in the terms of a row of status.def or reason.def. */
struct stet__refusal {
    unsigned status;
    const char *name, *clause, *sentence;
};

/* http1_answer.c: gathers an error answer; the connection ends after it. `request` is NULL if it did not
 * parse. */
void stet__http1_refuse(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet_http1_request *request, const struct stet__refusal *refusal);

/* http1_answer.c: gathers the answer to the request of `turn`; if it has a body that is not copied, sends it
 * all. */
void stet__http1_answer(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet__reply *reply);

#endif
