/* SPDX-License-Identifier: MIT */
/*
 * get_request: method, fields and content that the options ask for; the same for all URLs of a run.
 */
#ifndef STET_CLI_GET_REQUEST_H
#define STET_CLI_GET_REQUEST_H

#include "cli/get_options.h"

struct stet__get_request {
    const char *method;
    struct stet_fields fields; /* spans borrow from the options and from static storage */
    struct stet_field *room;
    struct stet_span content;
    bool bare; /* -H 'Accept-Encoding:' : no coding is to be asked for */
};

/* False if there is no memory. */
bool stet__get_request_make(const struct stet__get_options *options, struct stet__get_request *out);
void stet__get_request_release(struct stet__get_request *request);

#endif
