/* SPDX-License-Identifier: MIT */
/*
 * A report as SARIF 2.1.0, with what GitHub's code scanning wants of it: a location for each result, help in
 * Markdown for each rule, and fingerprints, so that a finding of yesterday is known again today.
 *
 * GitHub refuses a whole upload if a location has a scheme that is not "file" (github/codeql-action issue
 * 754). So the place of a result is host and path without the scheme, "www.example.com/app.js"; the whole URI
 * is in its message and its logical location. What is right is left out: code scanning would show it as an
 * alert.
 */
#include <stdio.h>

#include <jansson.h>

#include "base/digest.h"
#include "check/report.h"
#include "check/report_json.h"
#include "check/text.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

enum { SHOWN_MAX = 1000 }; /* octets of a value in a message */

static const char *level(enum stet_lint_severity severity)
{
    return severity == STET_LINT_BAD ? "error" : severity == STET_LINT_WARN ? "warning" : "note";
}

/* What GitHub calls it in its own words. */
static const char *problem(enum stet_lint_severity severity)
{
    return severity == STET_LINT_BAD ? "error" : severity == STET_LINT_WARN ? "warning" : "recommendation";
}

static json_t *buffer_json(struct stet__buffer *text)
{
    json_t *json =
        text->failed ? NULL : stet__json_text(text->len > 0 ? stet__buffer_span(text) : STET_SPAN(""));
    stet__buffer_release(text);
    return json;
}

/* Our own words; nothing in them needs escaping in Markdown but what stands in a code block as it is. */
static json_t *help_json(enum stet_lint lint, bool markdown)
{
    const struct stet_lint_row *row = stet_lint_row(lint);
    struct stet__buffer text;
    char uri[STET__CLAUSE_URI_LEN];
    stet__buffer_init(&text, 1 << 16);
    stet__buffer_append_text(&text, row->why);
    stet__buffer_append_text(&text, markdown ? "\n\n[" : "\n\n");
    stet__buffer_append_text(&text, row->clause);
    if (markdown)
        stet__buffer_append_text(&text, "](");
    if (markdown && stet__check_clause_uri(row->clause, uri))
        stet__buffer_append_text(&text, uri);
    stet__buffer_append_text(&text, markdown ? ")\n" : "\n");
    for (int i = 0; i < STET__SERVER_COUNT; i++) {
        enum stet__check_server server = (enum stet__check_server)i;
        const char *mend = stet__check_mend(lint, server);
        if (!mend)
            continue;
        stet__buffer_append_text(&text, markdown ? "\n**" : "\n");
        stet__buffer_append_text(&text, stet__check_server_name(server));
        stet__buffer_append_text(&text, markdown ? "**\n\n```\n" : ":\n");
        stet__buffer_append_text(&text, mend);
        stet__buffer_append_text(&text, markdown ? "\n```\n" : "\n");
    }
    return buffer_json(&text);
}

static json_t *rule_json(enum stet_lint lint)
{
    const struct stet_lint_row *row = stet_lint_row(lint);
    char uri[STET__CLAUSE_URI_LEN];
    bool known = stet__check_clause_uri(row->clause, uri);
    return json_pack("{ss ss s{ss} s{ss++} ss? s{so so} s{ss} s{s[sss] ss ss}}", "id", row->name, "name",
                     row->name, "shortDescription", "text", row->sentence, "fullDescription", "text",
                     row->sentence, " ", row->why, "helpUri", known ? uri : NULL, "help", "text",
                     help_json(lint, false), "markdown", help_json(lint, true), "defaultConfiguration",
                     "level", level(row->severity), "properties", "tags", "http", "caching", row->clause,
                     "precision", "high", "problem.severity", problem(row->severity));
}

/* Rules by their place in the run; -1 for those of which nothing was found. */
struct places {
    int at[STET_LINT_COUNT];
    int count;
};

static json_t *rules_json(const struct stet__check_report *report, struct places *places)
{
    json_t *rules = json_array();
    memset(places->at, -1, sizeof places->at);
    places->count = 0;
    for (size_t i = 0; i < report->resource_count; i++)
        for (size_t j = 0; j < report->resources[i].finding_count; j++) {
            enum stet_lint lint = report->resources[i].findings[j].lint;
            if (stet_lint_row(lint)->severity == STET_LINT_GOOD || places->at[lint] >= 0)
                continue;
            places->at[lint] = places->count++;
            (void)json_array_append_new(rules, rule_json(lint));
        }
    return rules;
}

static void say(struct stet__buffer *text, const char *label, struct stet_span value)
{
    if (!value.ptr)
        return;
    stet__buffer_append_text(text, label);
    stet__text_utf8(text, stet__text_cut(value, SHOWN_MAX));
}

static void say_lines(struct stet__buffer *text, const char *label, struct stet_span value)
{
    struct stet_span line;
    while (stet__text_line(&value, &line))
        say(text, label, line);
}

/* One paragraph: code scanning shows the first sentence alone in lists. */
static json_t *message_json(const struct stet__check_resource *resource,
                            const struct stet__check_finding *finding)
{
    struct stet__check_shown sent = stet__check_sent(finding), came = stet__check_came(finding);
    struct stet__buffer text;
    stet__buffer_init(&text, 1 << 16);
    stet__buffer_append_text(&text, stet_lint_row(finding->lint)->sentence);
    if (*finding->detail)
        say(&text, " Here: ", stet__text_of(finding->detail));
    say(&text, "\nSent: ", sent.first);
    say_lines(&text, "\nSent: ", sent.line);
    say(&text, "\nCame: ", came.first);
    say(&text, "\nCame: ", came.line);
    say(&text, "\nAt: ", stet__text_of(resource->uri));
    return buffer_json(&text);
}

/* Whether a character may stand in a relative reference (RFC 3986 section 4.2) as it is. */
static bool is_plain(const char *at)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/@!$&'()*+,;=";
    static const char hex[] = "0123456789abcdefABCDEF";
    return *at == '%' ? strspn(at + 1, hex) >= 2 : strchr(plain, *at) != NULL;
}

/* Host and path, everything else in percent signs; no query, which a path of a file has not. */
static json_t *place_json(const char *uri)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *from = strstr(uri, "://");
    struct stet__buffer text;
    from = from ? from + 3 : uri;
    stet__buffer_init(&text, 3 * strlen(from) + 8);
    for (; *from && *from != '?' && *from != '#'; from++) {
        unsigned char c = (unsigned char)*from;
        char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
        stet__buffer_append(&text, is_plain(from) ? stet_span_of(from, 1) : stet_span_of(escaped, 3));
    }
    if (text.len > 0 && text.ptr[text.len - 1] == '/') /* a folder is no file */
        stet__buffer_append_text(&text, "index");
    return buffer_json(&text);
}

static json_t *location_json(const struct stet__check_resource *resource)
{
    return json_pack("{s{s{so} s{si}} s[{so ss}]}", "physicalLocation", "artifactLocation", "uri",
                     place_json(resource->uri), "region", "startLine", 1, "logicalLocations",
                     "fullyQualifiedName", stet__check_json_string(resource->uri), "kind", "resource");
}

/* The same rule at the same resource is the same finding, whatever its numbers are today. */
static json_t *fingerprint_json(const char *uri, const char *rule)
{
    struct stet__buffer text;
    struct stet__digest digest;
    char tag[STET__DIGEST_TAG_LEN];
    stet__buffer_init(&text, strlen(uri) + strlen(rule) + 2);
    stet__buffer_append_text(&text, rule);
    stet__buffer_append_text(&text, " ");
    stet__buffer_append_text(&text, uri);
    bool done = !text.failed && stet__digest_of(stet__buffer_span(&text), &digest);
    stet__buffer_release(&text);
    if (!done)
        return NULL;
    stet__digest_tag(&digest, tag);
    return json_sprintf("%.*s:1", (int)sizeof tag, tag);
}

static json_t *result_json(const struct stet__check_resource *resource,
                           const struct stet__check_finding *finding, int place)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    return json_pack("{ss si ss s{so} s[o] s{so} s{si ss}}", "ruleId", row->name, "ruleIndex", place, "level",
                     level(row->severity), "message", "text", message_json(resource, finding), "locations",
                     location_json(resource), "partialFingerprints", "primaryLocationLineHash",
                     fingerprint_json(resource->uri, row->name), "properties", "times", (int)finding->times,
                     "clause", row->clause);
}

static json_t *results_json(const struct stet__check_report *report, const struct places *places)
{
    json_t *results = json_array();
    for (size_t i = 0; i < report->resource_count; i++)
        for (size_t j = 0; j < report->resources[i].finding_count; j++) {
            const struct stet__check_finding *finding = &report->resources[i].findings[j];
            int place = places->at[finding->lint];
            if (place >= 0)
                (void)json_array_append_new(results, result_json(&report->resources[i], finding, place));
        }
    return results;
}

/* Resources that could not be checked: no results, but a run that did not do all it was asked. */
static json_t *invocation_json(const struct stet__check_report *report)
{
    char begun_at[STET__CHECK_TIME_LEN];
    json_t *notices = json_array();
    for (size_t i = 0; i < report->resource_count; i++) {
        const struct stet__check_resource *resource = &report->resources[i];
        if (resource->failure)
            (void)json_array_append_new(notices, json_pack("{ss s{so} s[o]}", "level", "error", "message",
                                                           "text", stet__check_json_string(resource->failure),
                                                           "locations", location_json(resource)));
    }
    stet__check_time(report->begun_at, begun_at);
    bool right = json_array_size(notices) == 0;
    return json_pack("{sb ss so}", "executionSuccessful", right, "startTimeUtc", begun_at,
                     "toolExecutionNotifications", notices);
}

bool stet__check_write_sarif(const struct stet__check_report *report, struct stet__buffer *out)
{
    struct places places;
    json_t *rules = rules_json(report, &places);
    json_t *json = json_pack("{ss ss s[{s{s{ss ss ss so}} s[o] so ss s{ss}}]}", "$schema", SCHEMA, "version",
                             "2.1.0", "runs", "tool", "driver", "name", "stet check", "version", STET_VERSION,
                             "semanticVersion", STET_VERSION, "rules", rules, "invocations",
                             invocation_json(report), "results", results_json(report, &places), "columnKind",
                             "unicodeCodePoints", "properties", "grade", report->grade);
    return stet__check_json_write(json, out);
}
