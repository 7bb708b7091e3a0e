/* SPDX-License-Identifier: MIT */
/*
 * ask: one exchange with a server, made and taken down. Over HTTP/1.1 by transfer/wire.h, so that octets
 * behind the end of a message are seen; if the server does not speak it, by transfer/transfer.h.
 *
 * One asker is for one host: a connection is kept from question to question, and questions are spaced.
 */
#ifndef STET_CHECK_ASK_H
#define STET_CHECK_ASK_H

#include "check/check.h"
#include "check/taken.h"

struct stet__asker;

/* `uri` outlives the asker and names its host. NULL if there is no memory. */
struct stet__asker *stet__asker_new(const struct stet__check_settings *settings, struct stet__arena *arena,
                                    const char *uri);
void stet__asker_free(struct stet__asker *asker); /* NULL does nothing */

struct stet__question {
    enum stet_lint_probe_kind kind;
    const char *variant; /* as in the record */
    const char *method;
    const char *uri;       /* of the asker's host */
    const char *address;   /* another address of it, or NULL */
    struct stet_span head; /* the whole head of the request, as HTTP/1.1 has it */
    bool linger;           /* wait a moment for octets behind the end of the answer */
    bool keep;             /* the content, not only its digest */
};

/* Asks. False: there is no memory. Release `out` in any case. */
bool stet__ask(struct stet__asker *asker, const struct stet__question *question, struct stet__taken *out);

/* The number of requests that were made. */
uint64_t stet__asker_requests(const struct stet__asker *asker);

#endif
