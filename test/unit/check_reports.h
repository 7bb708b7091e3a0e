/* SPDX-License-Identifier: MIT */
/*
 * Reports to be written: a usual one, one whose every text a hostile server chose, and an empty one.
 */
#ifndef TEST_CHECK_REPORTS_H
#define TEST_CHECK_REPORTS_H

#include "check/report.h"

#define LONG_VALUE 70000

/* ESC, BEL and C1 of terminals, markup, ends of CDATA, quotes, octets that are no UTF-8, NUL, what turns the
 * direction of reading, formats of printf. */
#define HOSTILE                                                          \
    "\x1b[31mred\x1b]0;title\x07 \x9b"                                   \
    "2J \x08\x7f <script>alert(1)</script> ]]> --> \"quoted\" 'single' " \
    "& &amp; %s%n \xff\xfe\x80 javascript:x \r\r"

/* A span in a static initializer. */
#define OCTETS(literal)              \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct stet__check_exchange usual_exchanges[] = {
    {.kind = STET_PROBE_GET,
     .request = OCTETS("GET /app.js HTTP/1.1\r\nHost: www.example.com\r\nAccept-Encoding: identity\r\n\r\n"),
     .response = OCTETS("HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 18:49:16 GMT\r\nServer: Apache/2.4.62 "
                        "(Debian)\r\nETag: \"5f3a-61c\"\r\nContent-Length: 24378\r\n\r\n"),
     .status = 200,
     .content_length = 24378,
     .whole_us = 2310},
    {.kind = STET_PROBE_CODING,
     .variant = "gzip",
     .request = OCTETS("GET /app.js HTTP/1.1\r\nHost: www.example.com\r\nAccept-Encoding: gzip\r\n\r\n"),
     .response = OCTETS("HTTP/1.1 200 OK\r\nETag: \"5f3a-61c-gzip\"\r\nContent-Encoding: gzip\r\n\r\n"),
     .status = 200,
     .content_length = 8021,
     .whole_us = 3904},
    {.kind = STET_PROBE_INM,
     .variant = "gzip",
     .request = OCTETS("GET /app.js HTTP/1.1\r\nHost: www.example.com\r\nAccept-Encoding: "
                       "gzip\r\nIf-None-Match: \"5f3a-61c-gzip\"\r\n\r\n"),
     .response = OCTETS("HTTP/1.1 200 OK\r\nETag: \"5f3a-61c-gzip\"\r\nContent-Encoding: gzip\r\n\r\n"),
     .status = 200,
     .content_length = 8021,
     .whole_us = 3711},
    {.kind = STET_PROBE_RANGE_BEYOND,
     .request = OCTETS("GET /app.js HTTP/1.1\r\nHost: www.example.com\r\nRange: bytes=999999-\r\n\r\n"),
     .response = {NULL, 0},
     .failure = "the connection was closed before an answer came"},
};

static const struct stet__check_finding usual_findings[] = {
    {.lint = STET_LINT_INM_CODED_IGNORED,
     .exchange = &usual_exchanges[2],
     .times = 2,
     .sent = OCTETS("If-None-Match: \"5f3a-61c-gzip\""),
     .came = OCTETS("HTTP/1.1 200 OK"),
     .detail = "gzip"},
    {.lint = STET_LINT_EXPIRES_CONTRADICTS,
     .exchange = &usual_exchanges[0],
     .times = 1,
     .sent = {NULL, 0},
     .came = OCTETS("Cache-Control: max-age=3600\r\nExpires: Thu, 01 Jan 2037 00:00:00 GMT"),
     .detail = "3600 s by max-age, 319008644 s by Expires"},
    {.lint = STET_LINT_ETAG_CODING_SUFFIX,
     .exchange = &usual_exchanges[1],
     .times = 1,
     .came = OCTETS("ETag: \"5f3a-61c-gzip\""),
     .detail = ""},
    {.lint = STET_LINT_STRONG_ETAG, .exchange = &usual_exchanges[0], .times = 1, .detail = ""},
    {.lint = STET_LINT_CODED_APART, .exchange = NULL, .times = 1, .detail = ""},
};

static const struct stet__check_resource usual_resources[] = {
    {.uri = "https://www.example.com/app.js",
     .asked = "http://www.example.com/app.js",
     .status = 200,
     .content_type = OCTETS("text/javascript"),
     .etag = OCTETS("\"5f3a-61c\""),
     .cache_control = OCTETS("max-age=3600"),
     .server = OCTETS("Apache/2.4.62 (Debian)"),
     .exchanges = usual_exchanges,
     .exchange_count = 4,
     .findings = usual_findings,
     .finding_count = 5,
     .counts = {2, 1, 1, 1},
     .grade = "D"},
    {.uri = "https://www.example.com/style.css",
     .asked = "https://www.example.com/style.css",
     .role = "asset",
     .status = 200,
     .findings = usual_findings,
     .finding_count = 1,
     .counts = {0, 0, 0, 1},
     .grade = "D"},
    {.uri = "https://gone.example/",
     .asked = "https://gone.example/",
     .failure = "the name leads nowhere",
     .grade = "-"},
};

static const struct stet__check_report usual_report = {
    .begun_at = 1795286956,
    .whole_ms = 812,
    .requests = 46,
    .resources = usual_resources,
    .resource_count = 3,
    .counts = {2, 1, 1, 2},
    .grade = "D",
};

/* All that a server, a recording or a user can choose is `text`. */
struct chosen {
    struct stet__check_exchange exchange;
    struct stet__check_finding findings[3];
    struct stet__check_resource resource;
    struct stet__check_report report;
};

static inline const struct stet__check_report *chosen_report(struct chosen *chosen, const char *text)
{
    struct stet_span span = stet_span_of(text, strlen(text));
    chosen->exchange = (struct stet__check_exchange){.kind = STET_PROBE_INM,
                                                     .variant = text,
                                                     .request = span,
                                                     .response = span,
                                                     .status = 304,
                                                     .content_length = UINT64_MAX,
                                                     .whole_us = 1,
                                                     .failure = text};
    static const enum stet_lint lints[] = {STET_LINT_INM_IGNORED, STET_LINT_ETAG_WEAK, STET_LINT_STRONG_ETAG};
    for (size_t i = 0; i < 3; i++)
        chosen->findings[i] = (struct stet__check_finding){lints[i], &chosen->exchange, 7, span, span, text};
    chosen->resource = (struct stet__check_resource){.uri = text,
                                                     .asked = "another",
                                                     .role = text,
                                                     .failure = text,
                                                     .status = 999,
                                                     .content_type = span,
                                                     .etag = span,
                                                     .last_modified = span,
                                                     .cache_control = span,
                                                     .server = span,
                                                     .exchanges = &chosen->exchange,
                                                     .exchange_count = 1,
                                                     .findings = chosen->findings,
                                                     .finding_count = 3,
                                                     .counts = {1, 1, 0, 1},
                                                     .grade = "D"};
    chosen->report = (struct stet__check_report){.begun_at = INT64_MAX,
                                                 .whole_ms = -1,
                                                 .passive = true,
                                                 .source = text,
                                                 .resources = &chosen->resource,
                                                 .resource_count = 1,
                                                 .counts = {1, 1, 0, 1},
                                                 .grade = "D"};
    return &chosen->report;
}

/* A text of each octet but NUL, once. */
static inline const char *every_octet(void)
{
    static char text[256];
    for (int i = 1; i < 256; i++)
        text[i - 1] = (char)i;
    return text;
}

static inline const char *long_text(void)
{
    static char text[LONG_VALUE + 1];
    for (size_t i = 0; i < LONG_VALUE; i++)
        text[i] = "\x1b<\xe4x"[i % 4];
    return text;
}

/* What a server may send at its worst, and nothing at all. */
static inline const char *worst_text(size_t i)
{
    const char *const texts[] = {
        HOSTILE, every_octet(), long_text(), "", "\xe2\x80\xae\xc2\x9b right to left", NULL};
    return texts[i];
}

static const struct stet__check_report empty_report = {.grade = "-"};

#endif
