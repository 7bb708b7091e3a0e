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

/* Connects. NULL after a failure, which `*cause` (static storage, until the next call in this thread) tells
 * in words. `address` as in transfer.h. */
struct stet__wire *stet__wire_open(const struct stet__transfer_settings *settings, const char *uri,
                                   const char *address, const char **cause);
void stet__wire_close(struct stet__wire *wire); /* NULL does nothing */

#define STET__WIRE_FIELDS_MAX 128

struct stet__wire_answer {
    int status;    /* STET_OK, STET_MORE: it ended, fell silent or reached the limit before the answer was
                      complete, or what stet_http1_response_parse or stet_chunked_next objects to */
    bool has_head; /* `head` is that of the final answer, whatever became of its content */
    struct stet_http1_response head; /* borrows from `octets` and `fields`: the answer is not to be moved */
    struct stet_span content;        /* of `octets`, with the chunks taken apart in place; what came of it */
    struct stet_span behind;         /* what came behind the end of the message, within `linger_ms`: nothing
                                        was asked that it could answer (RFC 9112 section 6.3) */
    unsigned interims;               /* answers with 1xx that came before */
    bool folded;                     /* a field line of the head was folded (RFC 9112 section 5.2) */
    bool closed;                     /* the server closed the connection */
    bool silent;                     /* it was open, but patience_ms were over */
    bool limited;                    /* octets_max were reached: what is in `octets` is not all */
    bool reusable;                   /* another request may be sent: the answer is complete, the connection
                                        persists, and nothing came behind the end */
    struct stet__buffer octets;      /* all that came, from the first interim answer on; but where chunks were
                                        taken apart there are gaps. Release it */
    struct stet_field fields[STET__WIRE_FIELDS_MAX];
};

struct stet__wire_limits {
    unsigned patience_ms, linger_ms;
    size_t octets_max;        /* of what is read; 0 means 16 MiB */
    const volatile int *stop; /* may be NULL; not 0, as a signal handler sets it: the patience is over */
};

/*
 * Sends `request`, all of it, and reads one final answer to a request with `method`; interim ones are
 * skipped. Then reads on for `linger_ms`. Blocks at most `patience_ms` and `linger_ms`. What `out` held
 * before is not released.
 */
void stet__wire_ask(struct stet__wire *wire, struct stet_span request, enum stet_method method,
                    const struct stet__wire_limits *limits, struct stet__wire_answer *out);

#endif
