/* SPDX-License-Identifier: MIT */
/*
 * fetch: what a URL says, asked twice: once by somebody who has nothing, and once with the validators of that
 * answer. The two exchanges are told as recorded ones are.
 */
#ifndef STET_EXPLAIN_FETCH_H
#define STET_EXPLAIN_FETCH_H

#include "explain/explain.h"
#include "transfer/transfer.h"

#define STET__EXPLAIN_CAUSE_LEN 256

struct stet__explain_fetch {
    const char *uri, *method;
    struct stet_fields fields; /* of the user */
    struct stet__transfer_settings settings;
};

/* Fetches and tells, by what `how` says of times and caches. False if the server could not be asked: `cause`
 * then says why. */
bool stet__explain_fetch(const struct stet__explain_fetch *fetch, const struct stet__explain_input *how,
                         struct stet__story *story, char cause[STET__EXPLAIN_CAUSE_LEN]);

#endif
