/* SPDX-License-Identifier: MIT */
/*
 * lint: what is right, wrong and improvable about the validators and the caching of an answer. One table,
 * lint.def, has a row for each finding there can be; the functions here look at exchanges and say which rows
 * apply. They are pure, and know nothing of sockets: `stet check` makes the exchanges, or reads them from a
 * HAR file.
 *
 *   stet_lint_exchange   one exchange, whatever it was: what its request, status and fields say by themselves
 *   stet_lint_probe      two: a plain GET, and what was asked afterwards to see how the server takes it
 */
#ifndef STET_LINT_H
#define STET_LINT_H

#include <stet/message.h>

enum stet_lint_severity {
    STET_LINT_GOOD, /* as it should be: told, so that a report says what was looked at */
    STET_LINT_NOTE, /* could be better, or worth to know */
    STET_LINT_WARN, /* costs transfers, or a SHOULD is not followed */
    STET_LINT_BAD,  /* clients or caches get something wrong, or a MUST is not followed */
};

/* X(symbol, name, severity, clause, sentence, why): see lint.def. */
enum stet_lint {
#define X(symbol, name, severity, clause, sentence, why) symbol,
#include <stet/lint.def>
#undef X
    STET_LINT_COUNT
};

struct stet_lint_row {
    const char *name; /* stable, lower case with hyphens */
    enum stet_lint_severity severity;
    const char *clause;
    const char *sentence; /* what is the matter, one sentence */
    const char *why;      /* why it matters to users, one to three sentences */
};

const struct stet_lint_row *stet_lint_row(enum stet_lint lint);
const char *
stet_lint_severity_name(enum stet_lint_severity severity); /* "good", "note", "warning", "error" */

/* What was asked: X(symbol, name, sentence) of lint_probe.def. The plain GET is the first. */
enum stet_lint_probe_kind {
#define X(symbol, name, sentence) symbol,
#include <stet/lint_probe.def>
#undef X
    STET_PROBE_COUNT
};

struct stet_lint_probe_row {
    const char *name;
    const char *sentence;
};

const struct stet_lint_probe_row *stet_lint_probe_row(enum stet_lint_probe_kind kind);

#define STET_LINT_DIGEST_BYTES 32

/* One exchange. What is not known has its has_ or _known false; rules that need it are then left out. */
struct stet_lint_exchange {
    struct stet_request request;
    struct stet_response response;
    struct stet_span uri;              /* absolute; may be absent */
    bool secure;                       /* over TLS */
    bool times_known;                  /* the client's clock counts */
    int64_t requested_at, received_at; /* Unix seconds */

    bool content_known; /* the content that came: */
    struct stet_span
        content; /* its octets as coded, without framing; absent if only the following are kept */
    uint64_t content_length;
    unsigned char digest[STET_LINT_DIGEST_BYTES]; /* SHA-256 of them */
    bool identity_known; /* its codings could be taken off (also if there are none): */
    uint64_t identity_length;
    unsigned char identity_digest[STET_LINT_DIGEST_BYTES];

    bool changing; /* of a base: asked once more without a condition, other content or another validator came.
                      What differs between two answers then says nothing of the probe */

    bool wire_known;        /* the octets on the wire were looked at: */
    uint64_t octets_behind; /* behind the end of the message, as of a body with a 304 */
    bool cut;               /* the connection ended within the content */
    unsigned minor;         /* of HTTP/1 */
};

#define STET_LINT_DETAIL_MAX 160

struct stet_lint_finding {
    enum stet_lint lint;
    struct stet_span
        sent; /* of the request: the line or value at issue; may be absent. Borrows from the exchange */
    struct stet_span came;             /* of the answer */
    char detail[STET_LINT_DETAIL_MAX]; /* this case in words, with its numbers ("1200 s, 304 said 60 s"); may
                                          be empty */
};

/* Where findings go. Those that do not fit are only counted. */
struct stet_lint_findings {
    struct stet_lint_finding *at;
    size_t room, count;
};

void stet_lint_exchange(const struct stet_lint_exchange *exchange, struct stet_lint_findings *out);

/*
 * `base` is the answer to a plain GET (of the coding that the probe is about: its own base), `probe` that to
 * a request of `kind`. Of those that compare more (repeated, another node, later) `base` is the first. Judged
 * by what the request has, not by who made it. A status of 0 of `probe`: no answer came.
 */
void stet_lint_probe(enum stet_lint_probe_kind kind, const struct stet_lint_exchange *base,
                     const struct stet_lint_exchange *probe, struct stet_lint_findings *out);

#endif
