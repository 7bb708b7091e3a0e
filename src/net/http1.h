/* SPDX-License-Identifier: MIT */
/*
 * http1: the driver of HTTP/1.1 (RFC 9112): from octets to exchanges, and from replies to octets.
 *
 * http1.c is the way in, http1_answer.c the way out.
 *
 * For a role that does not read bodies:
 *   no body, or a Content-Length   the role is asked at once; then the body is read and dropped
 *   a chunked body                 read, checked and dropped, then the role is asked, so that a malformed one
 *                                  gets its 400
 *   Expect: 100-continue           the role decides from the head alone; final answer, then close (RFC 9110
 *                                  section 10.1.1)
 * For a role that reads bodies: it is asked at once, and reads or leaves the body (streaming.h). One that
 * asks for the body of a request with Expect has 100 (Continue) sent, if it did not send that itself.
 */
#ifndef STET_NET_HTTP1_H
#define STET_NET_HTTP1_H

#include "net/connection.h"
#include "net/error_page.h"

/*
 * Goes on with all that can be done now: takes the requests of `turn`'s octets, gives a role its request's
 * body, sends what its source has; until the octets are used up or something has to come first. Gives `turn`
 * back unless a role has it. May free `connection`.
 */
void stet__http1_run(struct stet__connection *connection, struct stet__turn *turn);

/* The request that has begun did not come in time: 408, then close. May free `connection`. */
void stet__http1_refuse_late(struct stet__connection *connection, struct stet__turn *turn);

/* A request without TLS where TLS is spoken: 400, then close. May free `connection`. */
void stet__http1_refuse_plain(struct stet__connection *connection, struct stet__turn *turn);

/* http1_answer.c: gathers an error answer; the connection ends after it. `request` is NULL if it did not
 * parse. */
void stet__http1_refuse(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet_http1_request *request, const struct stet__refusal *refusal);

/* http1_answer.c: gathers the answer to the request of `turn`; if it has a body that is not copied, sends it
 * all; if it has a source, begins it (streaming.c). */
void stet__http1_answer(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet__reply *reply);

/* http1_answer.c: gathers the head of an answer. False if there is no room. */
bool stet__http1_gather(struct stet__connection *connection, struct stet__turn *turn,
                        const struct stet__reply *reply);

/* http1_answer.c: gathers 100 (Continue). */
void stet__http1_continue(struct stet__connection *connection, struct stet__turn *turn);

/* http1_answer.c: stet__exchange_interim. */
void stet__http1_interim(struct stet__exchange *exchange, const struct stet__head *head);

/* detached.c: stet__connection_detach. */
bool stet__http1_detach(struct stet__exchange *exchange, const struct stet__reply *reply,
                        const struct stet__tunnel_end *end, struct stet__detached *detached);

/* http1_answer.c: logs an answer to a client that is gone. */
void stet__http1_log_unsent(struct stet__connection *connection, const struct stet__turn *turn,
                            const struct stet__reply *reply);

/* http1_answer.c: what the log says of the request of `turn`, and how long it took. */
struct stet__log_record stet__http1_record(const struct stet__connection *connection,
                                           const struct stet__turn *turn);

#endif
