/* SPDX-License-Identifier: MIT */
/*
 * transfer: requests to servers and their answers, for the roles that ask. libcurl moves the octets
 * (HTTP/1.1, HTTP/2, TLS, proxies, .netrc); what is asked and what an answer means is not its business: it
 * follows no redirect, decodes no content, keeps no cookie, and the field lines of a request are exactly
 * those given.
 *
 * All transfers of a group run in one thread, over connections that are kept. Nothing here prints.
 */
#ifndef STET_TRANSFER_TRANSFER_H
#define STET_TRANSFER_TRANSFER_H

#include <stet/http1.h>

enum stet__transfer_version {
    STET__TRANSFER_ANY, /* HTTP/2 if TLS agrees on it, else HTTP/1.1 */
    STET__TRANSFER_HTTP1,
    STET__TRANSFER_HTTP2, /* with prior knowledge where there is no TLS */
};

/* Of a group. Zero and NULL mean the default; texts have to outlive the group. */
struct stet__transfer_settings {
    unsigned connections_max; /* at once; default 50 */
    unsigned per_host_max;    /* connections to one host; default: as many as there are */
    enum stet__transfer_version version;
    unsigned connect_ms;    /* to resolve, connect and agree on TLS; default 30 s */
    unsigned silence_s;     /* without an octet; default 60 s */
    unsigned whole_ms;      /* of one transfer; default: no limit */
    size_t head_octets_max; /* of an answer's head; default 300 KiB, as curl has it */
    bool insecure;          /* certificates are not verified */
    const char *ca_file, *certificate, *key, *user, *proxy;
    bool netrc;
    const char *const *resolve; /* "HOST:PORT:ADDRESS", NULL at the end: CURLOPT_RESOLVE */
    const char *unix_socket;
};

struct stet__transfer_request {
    const char *method;
    const char *uri;                  /* absolute, http or https */
    const struct stet_fields *fields; /* all but Host (unless given) and what frames the content */
    struct stet_span content;         /* absent: none. Has to last until done */
    int content_fd; /* else, if has_content_fd: content of content_length octets is read from here */
    bool has_content_fd;
    uint64_t content_length;
    const char
        *address; /* connect there ("192.0.2.1", "::1"), whatever the name says; NULL: ask the resolver */
    bool fresh_connection;
    bool keep_credentials; /* settings.user and .netrc count for this URI */
};

/* What is known of a transfer that has ended. Durations since its begin in µs. */
struct stet__transfer_result {
    int status;        /* STET_OK, or a STET_E_... below */
    const char *cause; /* of a failure, in words; until the next call */
    bool timed_out, refused,
        cut; /* kinds of failure: cut means that the head came but not all of the content */
    uint64_t head_octets, content_octets; /* received on the wire, as coded and without framing */
    uint64_t sent_octets;                 /* heads and content */
    int64_t connected_us, first_octet_us, whole_us;
    unsigned major, minor; /* of HTTP; 0 if no answer came */
    bool secure;
    char address[48]; /* of the server */
    unsigned port;
};

/*
 * What becomes of it. `head` comes once, for the final answer (interim ones are left out, or go to `interim`
 * if it is not NULL); then `data`, any number of times, as coded by Content-Encoding, without chunks; then
 * `done`, always exactly once. False from head or data stops the transfer: done then has cut. The fields
 * borrow until `done` has returned; folded lines (obs-fold) have been unfolded (RFC 9112 section 5.2).
 */
struct stet__transfer_events {
    void (*interim)(void *owner, const struct stet_response *interim);
    bool (*head)(void *owner, const struct stet_http1_response *answer);
    bool (*data)(void *owner, struct stet_span octets);
    void (*done)(void *owner, const struct stet__transfer_result *result);
};

struct stet__transfers;
struct stet__transfer;

/* NULL if there is no memory. */
struct stet__transfers *stet__transfers_new(const struct stet__transfer_settings *settings);
void stet__transfers_free(struct stet__transfers *transfers); /* stops what runs, without `done` */

/* Begins one; may be called within events. `request` is read before it returns. NULL if there is no memory or
 * the URI is not one. The handle is valid until `done` has returned. */
struct stet__transfer *stet__transfer_begin(struct stet__transfers *transfers,
                                            const struct stet__transfer_request *request,
                                            const struct stet__transfer_events *events, void *owner);

/* Stops it; `done` follows, with cut, before this returns. Not within its own `head` or `data`: return false
 * there. */
void stet__transfer_stop(struct stet__transfer *transfer);

/* Waits at most `ms` for something to happen (negative: without end) and does it. The number that still run.
 */
size_t stet__transfers_step(struct stet__transfers *transfers, int ms);

#endif
