/* SPDX-License-Identifier: MIT */
/*
 * handle: an easy handle of libcurl that is used for one transfer after the other. Options that do not change
 * are set once; of the others only those that differ from the last transfer's, since each costs a call, and
 * some a copy.
 */
#ifndef STET_TRANSFER_HANDLE_H
#define STET_TRANSFER_HANDLE_H

#include <curl/curl.h>

#include "transfer/transfer.h"

struct stet__handle {
    CURL *easy;
    struct stet__handle *next;       /* in the pool */
    struct stet__transfer *transfer; /* whose it is now */
    struct curl_slist *resolve;
    char words[CURL_ERROR_SIZE];
    long version;                                            /* CURL_HTTP_VERSION_... as set */
    bool head, upload, named, addressed, fresh, credentials; /* as set */
    bool spoiled;                                            /* not to be used again */
};

/* What all easy handles of `settings` have in common, those of wires too. False if there is no memory. */
bool stet__handle_setup(CURL *easy, const struct stet__transfer_settings *settings);

/* "::ADDRESS:" for CURLOPT_CONNECT_TO, any host and any port: brackets around an IPv6 address. 0 if there is
 * no room. */
size_t stet__handle_write_address(const char *address, char *out, size_t room);

/* settings->resolve as libcurl wants it; NULL, too, if there is none. False if there is no memory. */
bool stet__handle_resolve(const struct stet__transfer_settings *settings, struct curl_slist **out);

#endif
