/* SPDX-License-Identifier: MIT */
#include "net/error_page.h"

#include "net/head.h"

const struct stet__head stet__error_no_memory = {
    .status = 503,
    .h1 = {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n", 53},
    .expires_after_s = -1};

struct stet__refusal stet__refusal_of_status(int status)
{
    const struct stet_status_row *row = stet_status_row(status);
    return (struct stet__refusal){(unsigned)row->http_status, row->name, row->clause, row->sentence};
}

struct stet__refusal stet__refusal_of_reason(unsigned status, enum stet_reason reason)
{
    const struct stet_reason_row *row = stet_reason_row(reason);
    return (struct stet__refusal){status, row->name, row->clause, row->sentence};
}

/* "name, clause" */
static void put_source(struct stet__buffer *page, const struct stet__refusal *refusal)
{
    if (refusal->name) {
        stet__buffer_append_text(page, refusal->name);
        stet__buffer_append_text(page, ", ");
    }
    stet__buffer_append_text(page, refusal->clause);
}

void stet__error_page_html(struct stet__buffer *page, const struct stet__refusal *refusal)
{
    stet__buffer_append_text(page, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>");
    stet__append_title(page, refusal->status);
    stet__buffer_append_text(page, "</title>\n<h1>");
    stet__append_title(page, refusal->status);
    stet__buffer_append_text(page, "</h1>\n<p>");
    stet__buffer_append_text(page, refusal->sentence);
    stet__buffer_append_text(page, "</p>\n<p><small>");
    put_source(page, refusal);
    stet__buffer_append_text(page, "</small></p>\n");
}

void stet__error_page_text(struct stet__buffer *page, const struct stet__refusal *refusal)
{
    stet__append_title(page, refusal->status);
    stet__buffer_append_text(page, "\n\n");
    stet__buffer_append_text(page, refusal->sentence);
    stet__buffer_append_text(page, " (");
    put_source(page, refusal);
    stet__buffer_append_text(page, ")\n");
}
