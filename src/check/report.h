/* SPDX-License-Identifier: MIT */
/*
 * report: what a check found, as its writers see it (report_terminal.c, report_json.c, report_sarif.c,
 * report_junit.c, report_html.c). Made by check.c from probes or by har.c from a browser's recording. All of
 * it is in one arena and borrows nothing from elsewhere.
 */
#ifndef STET_CHECK_REPORT_H
#define STET_CHECK_REPORT_H

#include <stet/lint.h>

#include "base/arena.h"
#include "base/buffer.h"

/* One exchange that was made, or recorded. */
struct stet__check_exchange {
    enum stet_lint_probe_kind kind;
    const char *variant; /* which of several of this kind: a coding, an address, "2 of 3"; NULL if there is
                            one only */
    struct stet_span request;  /* its head as HTTP/1.1 has it, CRLF and all; without credentials */
    struct stet_span response; /* its head; absent if none came */
    unsigned status;           /* 0 if none came */
    uint64_t content_length;   /* octets of content that came */
    int64_t whole_us;
    const char *failure; /* why no answer came; NULL */
};

/* A row of lint.def that applies to a resource, with the exchange that shows it. */
struct stet__check_finding {
    enum stet_lint lint;
    const struct stet__check_exchange
        *exchange;               /* the first that showed it; NULL if it is of the resource as a whole */
    unsigned times;              /* how many exchanges showed it */
    struct stet_span sent, came; /* as in stet_lint_finding; copied, unless it is of a head of the exchange */
    const char *detail;          /* may be "" */
};

struct stet__check_resource {
    const char *uri;     /* as it was asked for, after redirects */
    const char *asked;   /* as the user named it */
    const char *role;    /* NULL; "edge", "origin" (two-hop mode), "asset" */
    const char *failure; /* why it could not be checked; NULL */
    unsigned status;
    struct stet_span content_type, etag, last_modified, cache_control, server; /* may be absent */
    const struct stet__check_exchange *exchanges;
    size_t exchange_count;
    const struct stet__check_finding *findings; /* the worst first, then in the order of lint.def */
    size_t finding_count;
    size_t counts[STET_LINT_BAD + 1]; /* findings by severity; GOOD counts what was looked at and right */
    char grade[3];                    /* "A+" to "F"; "-" if it could not be checked */
};

struct stet__check_report {
    struct stet__arena arena;
    int64_t begun_at; /* Unix seconds */
    int64_t whole_ms;
    bool passive;       /* from a HAR file: only what was recorded was looked at */
    const char *source; /* the HAR file's name; NULL */
    const struct stet__check_resource *resources;
    size_t resource_count;
    size_t counts[STET_LINT_BAD + 1];
    uint64_t requests; /* that were made */
    char grade[3];     /* the worst of the resources'; "-" */
};

/*
 * The grade: A+ nothing to say; A notes; B one or two warnings, C more; D one error, F more. Told in
 * docs/check.md. `counts` are by severity.
 */
void stet__check_grade(const size_t counts[STET_LINT_BAD + 1], char out[3]);

/* Servers for which there is advice. */
enum stet__check_server {
    STET__SERVER_NGINX,
    STET__SERVER_APACHE,
    STET__SERVER_CADDY,
    STET__SERVER_EXPRESS,
    STET__SERVER_COUNT
};
const char *stet__check_server_name(enum stet__check_server server);

/* The one that the answers of a resource name; STET__SERVER_COUNT if it is none of them, or not told. */
enum stet__check_server stet__check_server_of(const struct stet__check_resource *resource);

/* How to mend it there: a few lines of configuration or code, or NULL if it is not known. Static storage.
 * advice.def has the texts. */
const char *stet__check_mend(enum stet_lint lint, enum stet__check_server server);

/* Where a clause of lint.def can be read. False if it names no document. */
enum { STET__CLAUSE_URI_LEN = 128 };
bool stet__check_clause_uri(const char *clause, char out[STET__CLAUSE_URI_LEN]);

/* Unix seconds as RFC 3339 has them: "2026-11-21T18:49:16Z". Years 1970 to 9999; others are clamped. */
enum { STET__CHECK_TIME_LEN = sizeof "2026-11-21T18:49:16Z" };
void stet__check_time(int64_t at, char out[STET__CHECK_TIME_LEN]);

/* The place of an exchange among those of its resource, from 1; 0 if it is none of them. */
size_t stet__check_exchange_number(const struct stet__check_resource *resource,
                                   const struct stet__check_exchange *exchange);

/* What a finding shows of a message: the line that the message begins with, and the value at issue with the
 * name of its field, if it is one of the head. Either may be absent. Of a request the conditions beside it
 * are shown, too: several lines then. */
struct stet__check_shown {
    struct stet_span first, line;
};
struct stet__check_shown stet__check_sent(const struct stet__check_finding *finding);
struct stet__check_shown stet__check_came(const struct stet__check_finding *finding);

/* "s", but for 1. */
const char *stet__check_plural(size_t n);

struct stet__check_style {
    bool colour;    /* terminal: escape sequences */
    bool verbose;   /* good rows too, and the exchanges */
    unsigned width; /* of the terminal in columns; 0: 80 */
};

/* The writers append to `out`; text is UTF-8. What servers chose is shown as text.h says. False: `out` is
 * full.
 */
bool stet__check_write_terminal(const struct stet__check_report *report,
                                const struct stet__check_style *style, struct stet__buffer *out);
bool stet__check_write_json(const struct stet__check_report *report, struct stet__buffer *out);
bool stet__check_write_sarif(const struct stet__check_report *report, struct stet__buffer *out);
bool stet__check_write_junit(const struct stet__check_report *report, struct stet__buffer *out);
bool stet__check_write_html(const struct stet__check_report *report, struct stet__buffer *out);

#endif
