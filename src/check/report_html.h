/* SPDX-License-Identifier: MIT */
/*
 * report_html: the parts of the page. report_html.c has the page and its summary, report_html_resource.c a
 * section for each resource, report_html_finding.c one finding, report_html_style.c the style sheet.
 *
 * Whatever is not a literal of these files goes through text.h, and the page forbids scripts and everything
 * from elsewhere by a Content-Security-Policy of its own: two locks against what a server may send.
 */
#ifndef STET_CHECK_REPORT_HTML_H
#define STET_CHECK_REPORT_HTML_H

#include "check/report.h"
#include "check/text.h"

struct stet__page {
    struct stet__buffer *out;
    size_t number;                /* of the resource that is being written, from 1 */
    size_t told[STET_LINT_COUNT]; /* the resource where a rule is explained, from 1; 0: nowhere yet */
};

/* The style sheet, line by line; NULL is the last. */
extern const char *const stet__page_style[];

static inline void stet__page_put(struct stet__page *page, const char *markup)
{
    stet__buffer_append_text(page->out, markup);
}

static inline void stet__page_text(struct stet__page *page, struct stet_span text)
{
    stet__text_markup(page->out, text);
}

static inline void stet__page_text_of(struct stet__page *page, const char *text)
{
    stet__text_markup_of(page->out, text);
}

static inline void stet__page_number(struct stet__page *page, uint64_t n)
{
    stet__buffer_append_u64(page->out, n);
}

/* Puts `before`, `n` and `after`. */
void stet__page_counted(struct stet__page *page, const char *before, uint64_t n, const char *after);

/* A square with the grade. */
void stet__page_grade(struct stet__page *page, const char *grade);

/* "12.3 ms", "4.5 s" */
void stet__page_time(struct stet__page *page, int64_t us);

/* Names of classes, the same everywhere: "good", "note", "warn", "bad"; and a mark for the eye. */
const char *stet__page_class(enum stet_lint_severity severity);
const char *stet__page_mark(enum stet_lint_severity severity);

void stet__page_resource(struct stet__page *page, const struct stet__check_resource *resource);
void stet__page_exchanges(struct stet__page *page, const struct stet__check_resource *resource);
void stet__page_finding(struct stet__page *page, const struct stet__check_resource *resource,
                        const struct stet__check_finding *finding);

#endif
