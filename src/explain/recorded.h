/* SPDX-License-Identifier: MIT */
/*
 * recorded: heads of HTTP messages as people have them: in files, with LF or CRLF, with or without content,
 * of any version of HTTP, as a browser, a proxy or `curl -v` writes them down.
 *
 * Only what makes a head readable is put right; the field lines are judged by the parser of HTTP/1.1.
 */
#ifndef STET_EXPLAIN_RECORDED_H
#define STET_EXPLAIN_RECORDED_H

#include <stet/http1.h>

#include "base/arena.h"

#define STET__RECORDED_FIELDS 256

struct stet__recorded {
    bool has_request, has_response;
    struct stet_http1_request request;   /* without fields if there is none */
    struct stet_http1_response response; /* the last final one */
    struct stet_field request_fields[STET__RECORDED_FIELDS], response_fields[STET__RECORDED_FIELDS];
    struct stet__arena arena; /* what the heads borrow from */
};

void stet__recorded_init(struct stet__recorded *recorded);
void stet__recorded_release(struct stet__recorded *recorded);

/*
 * Adds what `text` has: a request, a response, or a request and then its response. Of several the last counts
 * (redirects followed, 1xx before); of later requests those that have a version and a response. Content is
 * skipped. Lines that begin with "> " and "< " are those of
 * `curl -v`, and then only these count. A response is read as the answer to the request that is there
 * already. NULL, or what is wrong in words of static storage.
 */
const char *stet__recorded_add(struct stet__recorded *recorded, struct stet_span text);

#endif
