/* SPDX-License-Identifier: MIT */
/*
 * wire: octets to a server and octets back over one HTTP/1.1 connection, as they are. For whoever has to see
 * what no client shows: what stands behind the head of a 304, whether a connection ends within the content,
 * what a server makes of a request that is not well formed. libcurl connects (TLS, proxies); nobody parses
 * on the way.
 */
#ifndef STET_TRANSFER_WIRE_H
#define STET_TRANSFER_WIRE_H

#include "base/buffer.h"
#include "transfer/transfer.h"

struct stet__wire;

/* Connects. NULL after a failure, which `*cause` (static storage) tells in words. `address` as in transfer.h.
 */
struct stet__wire *stet__wire_open(const struct stet__transfer_settings *settings, const char *uri,
                                   const char *address, const char **cause);
void stet__wire_close(struct stet__wire *wire); /* NULL does nothing */

struct stet__wire_answer {
    int status; /* STET_OK, STET_MORE: it ended or fell silent before the answer was complete,
                   or what stet_http1_response_parse objects to */
    struct stet_http1_response head; /* borrows from `octets` */
    struct stet_span content;        /* of `octets`, with the chunks taken apart in place */
    struct stet_span behind;         /* what came behind the end of the message, within `linger_ms`: nothing
                                        was asked that it could answer (RFC 9112 section 6.3) */
    bool closed;                     /* the server closed the connection */
    struct stet__buffer octets;      /* all that came; release it */
    struct stet_field fields[128];
};

struct stet__wire_limits {
    unsigned patience_ms, linger_ms;
    size_t octets_max; /* of what is read */
};

/*
 * Sends `request`, all of it, and reads one final answer to a request with `method`; interim ones are
 * skipped. Then reads on for `linger_ms`. Blocks at most `patience_ms` and `linger_ms`.
 */
void stet__wire_ask(struct stet__wire *wire, struct stet_span request, enum stet_method method,
                    const struct stet__wire_limits *limits, struct stet__wire_answer *out);

#endif
