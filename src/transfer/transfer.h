/* SPDX-License-Identifier: MIT */
/*
 * transfer: requests to servers and their answers, for the roles that ask. libcurl moves the octets
 * (HTTP/1.1, HTTP/2, TLS, proxies, .netrc); what is asked and what an answer means is not its business: it
 * follows no redirect, decodes no content, keeps no cookie, and the field lines of a request are exactly
 * those given.
 *
 * All transfers of a group run in one thread, over connections that are kept. Nothing here prints.
 *
 * What a server says is judged by stet_http1_response_parse, so it means here what it means everywhere in
 * stet, and an answer that libcurl would take and core does not (Content-Length that is no number, or beside
 * Transfer-Encoding) fails with the words of core. Three things are taken as they come, because libcurl has
 * framed the message already and no second parser follows:
 *  - folded lines (obs-fold): unfolded, as RFC 9112 section 5.2 asks of a user agent;
 *  - head lines that end in a bare LF, which section 2.2 lets a recipient take;
 *  - chunked in HTTP/1.0: the chunks are taken off, and the connection is not used again (section 6.1).
 */
#ifndef STET_TRANSFER_TRANSFER_H
#define STET_TRANSFER_TRANSFER_H

#include <stet/http1.h>

enum stet__transfer_version {
    STET__TRANSFER_ANY, /* HTTP/2 if TLS agrees on it, else HTTP/1.1 */
    STET__TRANSFER_HTTP1,
    STET__TRANSFER_HTTP2, /* with prior knowledge where there is no TLS */
};

/* How a transfer can fail, beside the failures of stet_http1_response_parse. */
enum stet__transfer_failure {
#define X(symbol, value, name) symbol = (value),
#include "transfer/failure.def"
#undef X
};

/* The name of a failure, fit for logs and JSON: of failure.def or status.def. Static storage. */
const char *stet__transfer_failure_name(int status);

/* Of a group. Zero and NULL mean the default; texts have to outlive the group. */
struct stet__transfer_settings {
    /* Transfers under way, and so connections, at once; those beyond wait their turn, and no time-out counts
     * meanwhile. Default 50. */
    unsigned connections_max;
    unsigned per_host_max; /* the same with one host and port; default: as many as there are */
    enum stet__transfer_version version;
    unsigned connect_ms;    /* to resolve, connect and agree on TLS; default 30 s */
    unsigned silence_ms;    /* without an octet, either way, once there is a connection; default 60 s */
    unsigned whole_ms;      /* of one transfer; default: no limit */
    size_t head_octets_max; /* of an answer's head; default 300 KiB, as curl has it */
    bool insecure;          /* certificates are not verified */
    const char *ca_file, *certificate, *key; /* PEM */
    const char *user;                        /* "NAME:PASSWORD", sent as Basic */
    /* NULL: what the environment says, as for curl (http_proxy, https_proxy, all_proxy, no_proxy). "": none.
     */
    const char *proxy;
    bool netrc;
    const char *const *resolve; /* "HOST:PORT:ADDRESS", NULL at the end: CURLOPT_RESOLVE */
    const char *unix_socket;
};

/*
 * Without content, GET, HEAD and all methods but POST, PUT, PATCH and QUERY send nothing that frames it
 * (RFC 9110 section 9.3.1); these four say that its length is 0 (section 8.6). Expect is not sent unless
 * given.
 */
struct stet__transfer_request {
    const char *method;
    const char *uri;                  /* absolute, http or https */
    const struct stet_fields *fields; /* all but Host (unless given); NULL: none. Content-Length and
                                         Transfer-Encoding are left out: they are the transfer's */
    struct stet_span content;         /* absent: none. Has to last until done */
    int content_fd; /* else, if has_content_fd: content of content_length octets is read from here, from
                       where it stands */
    bool has_content_fd;
    uint64_t content_length;
    const char
        *address; /* connect there ("192.0.2.1", "::1"), whatever the name says; NULL: ask the resolver */
    bool fresh_connection;
    bool keep_credentials; /* settings.user and .netrc count for this URI */
};

/* What is known of a transfer that has ended. Durations in µs since its turn came; connected is 0 if a
 * connection was there already, first_octet if none came. */
struct stet__transfer_result {
    int status;        /* STET_OK, a failure of stet_http1_response_parse, or STET__TRANSFER_E_... */
    const char *cause; /* of a failure, in words; until `done` has returned. "" if there is none */
    bool timed_out, refused,
        cut; /* kinds of failure: cut means that the head came but not all of the content */
    uint64_t head_octets, content_octets; /* received: heads as text (interim ones, too), whatever the version
                                             of HTTP, and content as coded, without framing */
    uint64_t sent_octets;                 /* heads and content */
    int64_t connected_us, first_octet_us, whole_us;
    unsigned major, minor; /* of HTTP; 0 if no answer came */
    bool secure;
    char address[48]; /* of the server, or the proxy; empty if there was no connection */
    unsigned port;
};

/*
 * What becomes of it. `head` comes once, for the final answer (interim ones are left out, or go to `interim`
 * if it is not NULL, and last until it returns); then `data`, any number of times, as coded by
 * Content-Encoding, without chunks; then `done`, always exactly once. False from head or data stops the
 * transfer: done then has cut and STET__TRANSFER_E_STOPPED, and the connection is lost. The answer's head
 * borrows until `done` has returned. `head` and `data` may be NULL.
 *
 * In HTTP/2 the fields read as in HTTP/1.1, there is no reason phrase, and without Content-Length `body` is
 * CHUNKED: the message has an end of its own.
 */
struct stet__transfer_events {
    void (*interim)(void *owner, const struct stet_response *interim);
    bool (*head)(void *owner, const struct stet_http1_response *answer);
    bool (*data)(void *owner, struct stet_span octets);
    void (*done)(void *owner, const struct stet__transfer_result *result);
};

struct stet__transfers;
struct stet__transfer;

/* NULL if there is no memory. Not while another thread makes or frees one. */
struct stet__transfers *stet__transfers_new(const struct stet__transfer_settings *settings);
/* Stops what runs, without `done`. Not within events. NULL does nothing. */
void stet__transfers_free(struct stet__transfers *transfers);

/*
 * Begins one; may be called within events. `request` is read before it returns, but for the content, and
 * `events` have to outlive the transfer. No event comes before this returns. NULL if there is no memory, the
 * URI is not one (stet_uri_parse), the method is no token, or a field holds an octet that no field may. The
 * handle is valid until `done` has returned.
 */
struct stet__transfer *stet__transfer_begin(struct stet__transfers *transfers,
                                            const struct stet__transfer_request *request,
                                            const struct stet__transfer_events *events, void *owner);

/* Stops it; `done` follows, with STET__TRANSFER_E_STOPPED, before this returns. Not within its own events:
 * return false there. */
void stet__transfer_stop(struct stet__transfer *transfer);

/*
 * Waits at most `ms` for something to happen (negative: without end) and does it; a signal ends the waiting,
 * too. The number that still run or wait. Not within events.
 */
size_t stet__transfers_step(struct stet__transfers *transfers, int ms);

#endif
