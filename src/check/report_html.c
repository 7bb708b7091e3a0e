/* SPDX-License-Identifier: MIT */
/*
 * A report as one page of HTML: no script, nothing from elsewhere, light and dark, for screens of any width
 * and for paper. The figures at its top are switches: a kind of finding can be hidden, by the style sheet
 * alone.
 */
#include "check/report_html.h"

#include <stdio.h>

void stet__page_counted(struct stet__page *page, const char *before, uint64_t n, const char *after)
{
    stet__page_put(page, before);
    stet__page_number(page, n);
    stet__page_put(page, after);
}

const char *stet__page_class(enum stet_lint_severity severity)
{
    static const char *const classes[] = {"good", "note", "warn", "bad"};
    return classes[severity];
}

const char *stet__page_mark(enum stet_lint_severity severity)
{
    static const char *const marks[] = {"✓", "i", "!", "✗"};
    return marks[severity];
}

void stet__page_grade(struct stet__page *page, const char *grade)
{
    char class[] = {grade[0] == '-' ? '0' : grade[0], '\0'};
    stet__page_put(page, "<span class=\"grade ");
    stet__page_put(page, class);
    stet__page_put(page, grade[0] == '-' ? "\" role=\"img\" aria-label=\"No grade\">"
                                         : "\" role=\"img\" aria-label=\"Grade ");
    if (grade[0] != '-') {
        stet__page_put(page, grade);
        stet__page_put(page, "\">");
    }
    stet__page_put(page, grade[0] == '-' ? "–" : grade);
    stet__page_put(page, "</span>");
}

void stet__page_time(struct stet__page *page, int64_t us)
{
    char text[48];
    uint64_t n = us > 0 ? (uint64_t)us : 0;
    bool seconds = n >= 1000000;
    uint64_t tenths = seconds ? n / 100000 : n / 100;
    const char *unit = seconds ? "s" : "ms";
    if (tenths < 1000)
        snprintf(text, sizeof text, "%u.%u %s", (unsigned)tenths / 10, (unsigned)tenths % 10, unit);
    else
        snprintf(text, sizeof text, "%llu %s", (unsigned long long)(tenths / 10), unit);
    stet__page_put(page, text);
}

static void put_head(struct stet__page *page, const struct stet__check_report *report)
{
    stet__page_put(
        page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
              "style-src 'unsafe-inline'\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    stet__page_put(page, report->grade);
    stet__page_put(page, " · stet check");
    if (report->resource_count > 0) {
        stet__page_put(page, " · ");
        stet__page_text_of(page, report->resources[0].uri);
    }
    stet__page_put(page, "</title>\n<style>\n");
    for (size_t i = 0; stet__page_style[i]; i++) {
        stet__page_put(page, stet__page_style[i]);
        stet__page_put(page, "\n");
    }
    stet__page_put(page,
                   "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#findings\">To the findings</a>\n");
}

static void put_top(struct stet__page *page, const struct stet__check_report *report)
{
    char time[STET__CHECK_TIME_LEN];
    stet__check_time(report->begun_at, time);
    stet__page_put(page, "<header class=\"top\"><span class=\"mark\">stet</span> <span>check</span>"
                         "<time datetime=\"");
    stet__page_put(page, time);
    stet__page_put(page, "\">");
    stet__buffer_append(page->out, stet_span_of(time, 10));
    stet__page_put(page, " ");
    stet__buffer_append(page->out, stet_span_of(time + 11, 5));
    stet__page_put(page, " UTC</time></header>\n");
}

/* A figure that is a switch: the style sheet hides what it stands for while it is off. */
static void put_switch(struct stet__page *page, enum stet_lint_severity severity, size_t n, const char *what)
{
    const char *class = stet__page_class(severity);
    stet__page_put(page, "<label class=\"count ");
    stet__page_put(page, class);
    stet__page_put(page, n > 0 ? "\">" : " none\">");
    if (n > 0) {
        stet__page_put(page, "<input type=\"checkbox\" checked id=\"show-");
        stet__page_put(page, class);
        stet__page_put(page, "\">");
    }
    stet__page_counted(page, "<b>", n, "</b> ");
    stet__page_put(page, what);
    stet__page_put(page, "</label>\n");
}

static void put_bar(struct stet__page *page, const size_t counts[STET_LINT_BAD + 1])
{
    stet__page_put(page, "<div class=\"bar\" aria-hidden=\"true\">");
    for (int i = STET_LINT_BAD; i >= STET_LINT_GOOD; i--) {
        if (counts[i] == 0)
            continue;
        stet__page_put(page, "<i class=\"");
        stet__page_put(page, stet__page_class((enum stet_lint_severity)i));
        stet__page_counted(page, "\" style=\"flex-grow:", counts[i], "\"></i>");
    }
    stet__page_put(page, "</div>\n");
}

static void put_what_was_done(struct stet__page *page, const struct stet__check_report *report)
{
    stet__page_put(page, "<p class=\"done\">");
    if (report->passive) {
        stet__page_put(page, "From a recording");
        if (report->source) {
            stet__page_put(page, ", <code>");
            stet__page_text_of(page, report->source);
            stet__page_put(page, "</code>");
        }
    } else {
        stet__page_counted(page, "", report->requests, " request");
        stet__page_put(page, stet__check_plural(report->requests));
        stet__page_put(page, " in ");
        stet__page_time(page, report->whole_ms * 1000);
    }
    stet__page_counted(page, " · ", report->resource_count, " resource");
    stet__page_put(page, stet__check_plural(report->resource_count));
    stet__page_put(page, "</p>\n");
}

static void put_summary(struct stet__page *page, const struct stet__check_report *report)
{
    const size_t *counts = report->counts;
    stet__page_put(page, "<section class=\"summary\">\n");
    stet__page_grade(page, report->grade);
    stet__page_put(page, "<div>\n<h1>");
    if (report->resource_count == 0)
        stet__page_put(page, "Nothing was checked");
    else
        stet__page_text_of(page, report->resources[0].uri);
    if (report->resource_count > 1) {
        stet__page_counted(page, " <small>and ", report->resource_count - 1, " more</small>");
    }
    stet__page_put(page, "</h1>\n");
    put_what_was_done(page, report);
    stet__page_put(page, "<div class=\"counts\" role=\"group\" aria-label=\"What is shown\">\n");
    put_switch(page, STET_LINT_BAD, counts[STET_LINT_BAD], counts[STET_LINT_BAD] == 1 ? "error" : "errors");
    put_switch(page, STET_LINT_WARN, counts[STET_LINT_WARN],
               counts[STET_LINT_WARN] == 1 ? "warning" : "warnings");
    put_switch(page, STET_LINT_NOTE, counts[STET_LINT_NOTE], counts[STET_LINT_NOTE] == 1 ? "note" : "notes");
    put_switch(page, STET_LINT_GOOD, counts[STET_LINT_GOOD], "right");
    stet__page_put(page, "</div>\n");
    put_bar(page, counts);
    stet__page_put(page, "</div>\n</section>\n");
}

static void put_row(struct stet__page *page, const struct stet__check_resource *resource, size_t number)
{
    stet__page_put(page, "<tr><td>");
    stet__page_grade(page, resource->grade);
    stet__page_counted(page, "</td><td><a href=\"#r", number, "\">");
    stet__page_text_of(page, resource->uri);
    stet__page_put(page, "</a>");
    if (resource->role) {
        stet__page_put(page, " <span class=\"role\">");
        stet__page_text_of(page, resource->role);
        stet__page_put(page, "</span>");
    }
    stet__page_put(page, "</td>");
    for (int i = STET_LINT_BAD; i >= STET_LINT_GOOD; i--) {
        stet__page_put(page, "<td class=\"n ");
        stet__page_put(page, resource->counts[i] > 0 ? stet__page_class((enum stet_lint_severity)i) : "none");
        stet__page_counted(page, "\">", resource->counts[i], "</td>");
    }
    stet__page_put(page, "</tr>\n");
}

static void put_resources(struct stet__page *page, const struct stet__check_report *report)
{
    if (report->resource_count < 2)
        return;
    stet__page_put(
        page, "<div class=\"scroll\"><table class=\"resources\">\n<thead><tr><th scope=\"col\">Grade</th>"
              "<th scope=\"col\">Resource</th><th scope=\"col\" class=\"n\">Errors</th>"
              "<th scope=\"col\" class=\"n\">Warnings</th><th scope=\"col\" class=\"n\">Notes</th>"
              "<th scope=\"col\" class=\"n\">Right</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < report->resource_count; i++)
        put_row(page, &report->resources[i], i + 1);
    stet__page_put(page, "</tbody></table></div>\n");
}

bool stet__check_write_html(const struct stet__check_report *report, struct stet__buffer *out)
{
    struct stet__page page = {.out = out};
    put_head(&page, report);
    put_top(&page, report);
    stet__page_put(&page, "<main>\n");
    put_summary(&page, report);
    put_resources(&page, report);
    stet__page_put(&page, "<div id=\"findings\">\n");
    for (size_t i = 0; i < report->resource_count; i++) {
        page.number = i + 1;
        stet__page_resource(&page, &report->resources[i]);
    }
    stet__page_put(
        &page,
        "</div>\n</main>\n<footer><p>Grades: A+ nothing to say, A notes, B one or two warnings, C more, "
        "D one error, F more. </p><p>stet " STET_VERSION "</p></footer>\n</body>\n</html>\n");
    return !out->failed;
}
