/* SPDX-License-Identifier: MIT */
/*
 * A report as JSON (RFC 8259). docs/check.md has the members; `version` changes if one of them goes or means
 * something else. Octets that are not UTF-8 are read as Latin-1, so what is written is valid whatever came.
 */
#include "check/report_json.h"
#include "check/report.h"
#include "check/text.h"

enum { VERSION = 1, INDENT = 2 };

json_t *stet__check_json_string(const char *text)
{
    return stet__json_text(stet__text_of(text));
}

static int append(const char *octets, size_t len, void *out)
{
    return stet__buffer_append(out, stet_span_of(octets, len)) ? 0 : -1;
}

bool stet__check_json_write(json_t *json, struct stet__buffer *out)
{
    bool done = json && json_dump_callback(json, append, out, JSON_INDENT(INDENT)) == 0;
    json_decref(json);
    return done && stet__buffer_append_text(out, "\n");
}

static json_t *counts_json(const size_t counts[STET_LINT_BAD + 1])
{
    json_t *json = json_object();
    for (int i = 0; i <= STET_LINT_BAD; i++)
        (void)json_object_set_new(json, stet_lint_severity_name((enum stet_lint_severity)i),
                                  json_integer((json_int_t)counts[i]));
    return json;
}

static json_t *exchange_json(const struct stet__check_exchange *exchange)
{
    return json_pack("{ss so so so si sI sI so}", "probe", stet_lint_probe_row(exchange->kind)->name,
                     "variant", stet__check_json_string(exchange->variant), "request",
                     stet__json_text(exchange->request), "response", stet__json_text(exchange->response),
                     "status", (int)exchange->status, "content_length", (json_int_t)exchange->content_length,
                     "duration_us", (json_int_t)exchange->whole_us, "failure",
                     stet__check_json_string(exchange->failure));
}

/* The exchange is told by its place in `exchanges`, from 0. */
static json_t *finding_json(const struct stet__check_resource *resource,
                            const struct stet__check_finding *finding)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    size_t number = stet__check_exchange_number(resource, finding->exchange);
    return json_pack("{ss ss ss ss si so so so so}", "rule", row->name, "severity",
                     stet_lint_severity_name(row->severity), "clause", row->clause, "sentence", row->sentence,
                     "times", (int)finding->times, "detail", stet__check_json_string(finding->detail), "sent",
                     stet__json_text(finding->sent), "came", stet__json_text(finding->came), "exchange",
                     number > 0 ? json_integer((json_int_t)number - 1) : json_null());
}

static json_t *resource_json(const struct stet__check_resource *resource)
{
    json_t *findings = json_array(), *exchanges = json_array();
    for (size_t i = 0; i < resource->finding_count; i++)
        (void)json_array_append_new(findings, finding_json(resource, &resource->findings[i]));
    for (size_t i = 0; i < resource->exchange_count; i++)
        (void)json_array_append_new(exchanges, exchange_json(&resource->exchanges[i]));
    return json_pack(
        "{so so so so si ss so so so so so so so so}", "uri", stet__check_json_string(resource->uri), "asked",
        stet__check_json_string(resource->asked), "role", stet__check_json_string(resource->role), "failure",
        stet__check_json_string(resource->failure), "status", (int)resource->status, "grade", resource->grade,
        "counts", counts_json(resource->counts), "content_type", stet__json_text(resource->content_type),
        "etag", stet__json_text(resource->etag), "last_modified", stet__json_text(resource->last_modified),
        "cache_control", stet__json_text(resource->cache_control), "server",
        stet__json_text(resource->server), "findings", findings, "exchanges", exchanges);
}

static json_t *mends_json(enum stet_lint lint)
{
    json_t *json = json_object();
    for (int i = 0; i < STET__SERVER_COUNT; i++) {
        enum stet__check_server server = (enum stet__check_server)i;
        const char *mend = stet__check_mend(lint, server);
        if (mend)
            (void)json_object_set_new(json, stet__check_server_name(server), json_string(mend));
    }
    return json;
}

static json_t *rule_json(enum stet_lint lint)
{
    const struct stet_lint_row *row = stet_lint_row(lint);
    char uri[STET__CLAUSE_URI_LEN];
    bool known = stet__check_clause_uri(row->clause, uri);
    return json_pack("{ss ss ss? ss ss so}", "severity", stet_lint_severity_name(row->severity), "clause",
                     row->clause, "clause_uri", known ? uri : NULL, "sentence", row->sentence, "why",
                     row->why, "mend", mends_json(lint));
}

/* Each rule of which something was found, by name. */
static json_t *rules_json(const struct stet__check_report *report)
{
    json_t *json = json_object();
    for (size_t i = 0; i < report->resource_count; i++)
        for (size_t j = 0; j < report->resources[i].finding_count; j++) {
            enum stet_lint lint = report->resources[i].findings[j].lint;
            const char *name = stet_lint_row(lint)->name;
            if (!json_object_get(json, name))
                (void)json_object_set_new(json, name, rule_json(lint));
        }
    return json;
}

bool stet__check_write_json(const struct stet__check_report *report, struct stet__buffer *out)
{
    char begun_at[STET__CHECK_TIME_LEN];
    json_t *resources = json_array();
    for (size_t i = 0; i < report->resource_count; i++)
        (void)json_array_append_new(resources, resource_json(&report->resources[i]));
    stet__check_time(report->begun_at, begun_at);
    json_t *json =
        json_pack("{si s{ss ss} ss sI sb so sI ss so so so}", "version", VERSION, "generator", "name", "stet",
                  "version", STET_VERSION, "begun_at", begun_at, "duration_ms", (json_int_t)report->whole_ms,
                  "passive", report->passive, "source", stet__check_json_string(report->source), "requests",
                  (json_int_t)report->requests, "grade", report->grade, "counts", counts_json(report->counts),
                  "resources", resources, "rules", rules_json(report));
    return stet__check_json_write(json, out);
}
