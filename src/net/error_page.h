/* SPDX-License-Identifier: MIT */
/*
 * error_page: the content of an error that stet answers itself, the same for drivers and roles: the status,
 * the sentence of its row in reason.def or status.def, and the clause (RFC 9110 section 15.5: "a
 * representation containing an explanation of the error situation").
 *
 * As text for what a driver refuses, whose client is more likely a program; as HTML for what a role answers.
 * Nothing of the request is in either, so there is nothing to escape.
 */
#ifndef STET_NET_ERROR_PAGE_H
#define STET_NET_ERROR_PAGE_H

#include "base/buffer.h"
#include "net/exchange.h"

/* Why stet itself answers, in the terms of a row of status.def or reason.def. */
struct stet__refusal {
    unsigned status;
    const char *name; /* NULL: the page leaves it out */
    const char *clause, *sentence;
};

/* Content-Type of the two forms. */
#define STET__ERROR_HTML STET_SPAN("text/html; charset=utf-8")
#define STET__ERROR_TEXT STET_SPAN("text/plain; charset=utf-8")

/* Room for the page of any row. */
#define STET__ERROR_PAGE_MAX 4096

struct stet__refusal stet__refusal_of_status(int status); /* its http_status */
struct stet__refusal stet__refusal_of_reason(unsigned status, enum stet_reason reason);

/* Append the page; `page->failed` tells of a lack of room. */
void stet__error_page_html(struct stet__buffer *page, const struct stet__refusal *refusal);
void stet__error_page_text(struct stet__buffer *page, const struct stet__refusal *refusal);

/* The head of an answer without content, for when there is no memory for anything else: 503. */
extern const struct stet__head stet__error_no_memory;

#endif
