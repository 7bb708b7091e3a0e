/* SPDX-License-Identifier: MIT */
/*
 * The section of one resource: what it is, what was found, what was right, and all exchanges, one below the
 * other in the order in which they were made, with their heads to open.
 */
#include "check/report_html.h"

#include <stdio.h>

static void put_fact(struct stet__page *page, const char *name, struct stet_span value)
{
    if (!value.ptr)
        return;
    stet__page_put(page, "<div><dt>");
    stet__page_put(page, name);
    stet__page_put(page, "</dt><dd>");
    stet__page_text(page, value);
    stet__page_put(page, "</dd></div>\n");
}

static void put_facts(struct stet__page *page, const struct stet__check_resource *resource)
{
    char status[16];
    snprintf(status, sizeof status, "%u", resource->status);
    stet__page_put(page, "<dl class=\"facts\">\n");
    if (resource->status != 0)
        put_fact(page, "Status", stet__text_of(status));
    put_fact(page, "Content-Type", resource->content_type);
    put_fact(page, "ETag", resource->etag);
    put_fact(page, "Last-Modified", resource->last_modified);
    put_fact(page, "Cache-Control", resource->cache_control);
    put_fact(page, "Server", resource->server);
    if (resource->asked && strcmp(resource->asked, resource->uri) != 0)
        put_fact(page, "Asked as", stet__text_of(resource->asked));
    stet__page_put(page, "</dl>\n");
}

static void put_right(struct stet__page *page, const struct stet__check_resource *resource)
{
    size_t n = resource->counts[STET_LINT_GOOD];
    if (n == 0)
        return;
    stet__page_put(page, "<details class=\"right good\"><summary>");
    stet__page_put(page, "<span class=\"sign\" aria-hidden=\"true\">✓</span>");
    stet__page_counted(page, "", n, n == 1 ? " thing looked at and right" : " things looked at and right");
    stet__page_put(page, "</summary>\n<ul>\n");
    for (size_t i = 0; i < resource->finding_count; i++) {
        const struct stet_lint_row *row = stet_lint_row(resource->findings[i].lint);
        if (row->severity != STET_LINT_GOOD)
            continue;
        stet__page_put(page, "<li>");
        stet__page_text_of(page, row->sentence);
        stet__page_put(page, " <code>");
        stet__page_put(page, row->name);
        stet__page_put(page, "</code></li>\n");
    }
    stet__page_put(page, "</ul></details>\n");
}

static void put_message_head(struct stet__page *page, const char *name, struct stet_span head)
{
    struct stet_span line;
    stet__page_put(page, "<figure><figcaption>");
    stet__page_put(page, name);
    stet__page_put(page, "</figcaption><pre>");
    bool first = true;
    while (stet__text_line(&head, &line) && line.len > 0) {
        stet__page_put(page, first ? "" : "\n");
        stet__page_text(page, line);
        first = false;
    }
    stet__page_put(page, "</pre></figure>\n");
}

/* Where an exchange begins and ends, of all the time that was spent asking. */
struct when {
    int64_t begin_us, end_us, whole_us;
};

static void put_track(struct stet__page *page, const struct when *when)
{
    char text[96];
    double whole = when->whole_us > 0 ? (double)when->whole_us : 1;
    snprintf(text, sizeof text, "<span class=\"track\"><i style=\"left:%.2f%%;width:%.2f%%\"></i></span>",
             100 * (double)when->begin_us / whole, 100 * (double)(when->end_us - when->begin_us) / whole);
    stet__page_put(page, text);
}

static void put_exchange(struct stet__page *page, const struct stet__check_exchange *exchange, size_t number,
                         const struct when *when)
{
    char class[] = {'s', (char)('0' + exchange->status / 100 % 10), '\0'};
    const struct stet_lint_probe_row *row = stet_lint_probe_row(exchange->kind);
    stet__page_counted(page, "<li id=\"r", page->number, "-x");
    stet__page_counted(page, "", number, "\"><details><summary>");
    stet__page_counted(page, "<span class=\"n\">", number, "</span><span class=\"probe\"><code>");
    stet__page_put(page, row->name);
    stet__page_put(page, "</code> ");
    stet__page_text_of(page, exchange->variant);
    stet__page_put(page, "</span><span class=\"status ");
    stet__page_put(page, class);
    stet__page_put(page, "\">");
    if (exchange->status > 0)
        stet__page_number(page, exchange->status);
    else
        stet__page_put(page, "none");
    stet__page_counted(page, "</span><span class=\"n size\">", exchange->content_length,
                       " B</span><span class=\"n\">");
    stet__page_time(page, exchange->whole_us);
    stet__page_put(page, "</span>");
    put_track(page, when);
    stet__page_put(page, "</summary>\n<p>");
    stet__page_text_of(page, row->sentence);
    if (exchange->failure) {
        stet__page_put(page, "</p>\n<p class=\"failure\">");
        stet__page_text_of(page, exchange->failure);
    }
    stet__page_put(page, "</p>\n<div class=\"heads\">\n");
    put_message_head(page, "request", exchange->request);
    if (exchange->response.ptr)
        put_message_head(page, "response", exchange->response);
    stet__page_put(page, "</div></details></li>\n");
}

void stet__page_exchanges(struct stet__page *page, const struct stet__check_resource *resource)
{
    struct when when = {0, 0, 0};
    if (resource->exchange_count == 0)
        return;
    for (size_t i = 0; i < resource->exchange_count; i++)
        when.whole_us += resource->exchanges[i].whole_us;
    stet__page_counted(page, "<details class=\"exchanges\"><summary>", resource->exchange_count, " exchange");
    stet__page_put(page, stet__check_plural(resource->exchange_count));
    stet__page_put(page, " in ");
    stet__page_time(page, when.whole_us);
    stet__page_put(page, "</summary>\n<p class=\"key\">T is the entity tag of the plain GET, D its "
                         "Last-Modified.</p>\n<ol>\n");
    for (size_t i = 0; i < resource->exchange_count; i++) {
        when.end_us = when.begin_us + resource->exchanges[i].whole_us;
        put_exchange(page, &resource->exchanges[i], i + 1, &when);
        when.begin_us = when.end_us;
    }
    stet__page_put(page, "</ol></details>\n");
}

void stet__page_resource(struct stet__page *page, const struct stet__check_resource *resource)
{
    stet__page_counted(page, "<section class=\"resource\" id=\"r", page->number, "\">\n<h2>");
    stet__page_grade(page, resource->grade);
    stet__page_put(page, "<span>");
    stet__page_text_of(page, resource->uri);
    stet__page_put(page, "</span>");
    if (resource->role) {
        stet__page_put(page, " <span class=\"role\">");
        stet__page_text_of(page, resource->role);
        stet__page_put(page, "</span>");
    }
    stet__page_put(page, "</h2>\n");
    put_facts(page, resource);
    if (resource->failure) {
        stet__page_put(page, "<p class=\"failure\"><b>It could not be checked.</b> ");
        stet__page_text_of(page, resource->failure);
        stet__page_put(page, "</p>\n");
    }
    for (size_t i = 0; i < resource->finding_count; i++)
        if (stet_lint_row(resource->findings[i].lint)->severity > STET_LINT_GOOD)
            stet__page_finding(page, resource, &resource->findings[i]);
    put_right(page, resource);
    stet__page_exchanges(page, resource);
    stet__page_put(page, "</section>\n");
}
