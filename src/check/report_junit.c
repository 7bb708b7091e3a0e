/* SPDX-License-Identifier: MIT */
/*
 * A report as JUnit's XML, as Jenkins, GitLab and others read it: a suite for each resource, a case for each
 * rule that had something to say. Warnings and errors fail; notes pass and tell what they have to in
 * system-out. A resource that could not be checked is a case with an error.
 */
#include <stdio.h>

#include "check/report.h"
#include "check/text.h"

enum { SHOWN_MAX = 4000 }; /* octets of a value */

static void put(struct stet__buffer *out, const char *text)
{
    stet__buffer_append_text(out, text);
}

static void put_attribute(struct stet__buffer *out, const char *name, struct stet_span value)
{
    put(out, " ");
    put(out, name);
    put(out, "=\"");
    stet__text_markup(out, stet__text_cut(value, SHOWN_MAX));
    put(out, "\"");
}

static void put_count(struct stet__buffer *out, const char *name, size_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", n);
    put_attribute(out, name, stet__text_of(text));
}

static void put_seconds(struct stet__buffer *out, int64_t us)
{
    char text[32];
    uint64_t n = us > 0 ? (uint64_t)us : 0;
    snprintf(text, sizeof text, "%llu.%03llu", (unsigned long long)(n / 1000000),
             (unsigned long long)(n / 1000 % 1000));
    put_attribute(out, "time", stet__text_of(text));
}

static void put_line(struct stet__buffer *out, const char *label, struct stet_span value)
{
    if (!value.ptr || value.len == 0)
        return;
    put(out, label);
    stet__text_markup(out, stet__text_cut(value, SHOWN_MAX));
    put(out, "\n");
}

static void put_lines(struct stet__buffer *out, const char *label, struct stet_span text)
{
    struct stet_span line;
    while (stet__text_line(&text, &line))
        put_line(out, label, line);
}

static void put_story(struct stet__buffer *out, const struct stet__check_finding *finding)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    struct stet__check_shown sent = stet__check_sent(finding), came = stet__check_came(finding);
    put_line(out, "", stet__text_of(row->sentence));
    put_line(out, "here: ", stet__text_of(finding->detail));
    put_line(out, "sent: ", sent.first);
    put_lines(out, "sent: ", sent.line);
    put_line(out, "came: ", came.first);
    put_line(out, "came: ", came.line);
    put_line(out, "why: ", stet__text_of(row->why));
    put_line(out, "clause: ", stet__text_of(row->clause));
}

static void begin_case(struct stet__buffer *out, const struct stet__check_resource *resource,
                       const char *name)
{
    put(out, "    <testcase");
    put_attribute(out, "classname", stet__text_of(resource->uri));
    put_attribute(out, "name", stet__text_of(name));
}

static void put_case(struct stet__buffer *out, const struct stet__check_resource *resource,
                     const struct stet__check_finding *finding)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    const char *element = row->severity >= STET_LINT_WARN ? "failure" : "system-out";
    begin_case(out, resource, row->name);
    put_seconds(out, finding->exchange ? finding->exchange->whole_us : 0);
    if (row->severity == STET_LINT_GOOD) {
        put(out, "/>\n");
        return;
    }
    put(out, ">\n      <");
    put(out, element);
    if (row->severity >= STET_LINT_WARN) {
        put_attribute(out, "type", stet__text_of(stet_lint_severity_name(row->severity)));
        put_attribute(out, "message", stet__text_of(row->sentence));
    }
    put(out, ">");
    put_story(out, finding);
    put(out, "</");
    put(out, element);
    put(out, ">\n    </testcase>\n");
}

static void put_failure(struct stet__buffer *out, const struct stet__check_resource *resource)
{
    begin_case(out, resource, "checked");
    put(out, ">\n      <error");
    put_attribute(out, "message", stet__text_of(resource->failure));
    put(out, "/>\n    </testcase>\n");
}

static size_t failures(const struct stet__check_resource *resource)
{
    return resource->counts[STET_LINT_WARN] + resource->counts[STET_LINT_BAD];
}

static void put_suite(struct stet__buffer *out, const struct stet__check_report *report,
                      const struct stet__check_resource *resource)
{
    int64_t whole_us = 0;
    char begun_at[STET__CHECK_TIME_LEN];
    for (size_t i = 0; i < resource->exchange_count; i++)
        whole_us += resource->exchanges[i].whole_us;
    stet__check_time(report->begun_at, begun_at);
    begun_at[strlen(begun_at) - 1] = '\0'; /* the schema has no zone; it is UTC */
    put(out, "  <testsuite");
    put_attribute(out, "name", stet__text_of(resource->uri));
    put_count(out, "tests", resource->finding_count + (resource->failure != NULL));
    put_count(out, "failures", failures(resource));
    put_count(out, "errors", resource->failure != NULL);
    put_count(out, "skipped", 0);
    put_seconds(out, whole_us);
    put_attribute(out, "timestamp", stet__text_of(begun_at));
    put(out, ">\n    <properties>\n      <property name=\"grade\"");
    put_attribute(out, "value", stet__text_of(resource->grade));
    put(out, "/>\n    </properties>\n");
    if (resource->failure)
        put_failure(out, resource);
    for (size_t i = 0; i < resource->finding_count; i++)
        put_case(out, resource, &resource->findings[i]);
    put(out, "  </testsuite>\n");
}

bool stet__check_write_junit(const struct stet__check_report *report, struct stet__buffer *out)
{
    size_t tests = 0, failed = 0, errors = 0;
    for (size_t i = 0; i < report->resource_count; i++) {
        const struct stet__check_resource *resource = &report->resources[i];
        errors += resource->failure != NULL;
        tests += resource->finding_count + (resource->failure != NULL);
        failed += failures(resource);
    }
    put(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"stet check\"");
    put_count(out, "tests", tests);
    put_count(out, "failures", failed);
    put_count(out, "errors", errors);
    put_seconds(out, report->whole_ms * 1000);
    put(out, ">\n");
    for (size_t i = 0; i < report->resource_count; i++)
        put_suite(out, report, &report->resources[i]);
    put(out, "</testsuites>\n");
    return !out->failed;
}
