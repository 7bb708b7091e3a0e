/* SPDX-License-Identifier: MIT */
/*
 * explain_reason: the tables that the library decides by, for people. There are four of them, and one name
 * may be in several: if-none-match is a rule, body-too-large a reason and a failure.
 *
 * Groups are those of the .def files: where a line is left out between two rows, a group begins. So the list
 * cannot be grouped otherwise than its table.
 */
#include "cli/explain_reason.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <stet/lint.h>
#include <stet/reason.h>
#include <stet/status.h>
#include <stet/trace.h>

#include "cli/cli.h"
#include "cli/explain_log.h"
#include "cli/suggest.h"

#define TEXT_MAX (1u << 20)
#define WIDTH_DEFAULT 80
#define WIDTH_MIN 40

struct row {
    const char *name, *clause, *sentence;
    unsigned line; /* of its .def */
    int key;       /* of the library's own row */
};

static const struct row reasons[] = {
#define X(symbol, name, clause, sentence) {name, clause, sentence, __LINE__, symbol},
#include <stet/reason.def>
#undef X
};

static const struct row rules[] = {
#define X(symbol, name, clause, source, field, question) {name, clause, question, __LINE__, symbol},
#include <stet/rule.def>
#undef X
};

static const struct row findings[] = {
#define X(symbol, name, severity, clause, sentence, why) {name, clause, sentence, __LINE__, symbol},
#include <stet/lint.def>
#undef X
};

static const struct row failures[] = {
#define X(symbol, value, name, http_status, clause, sentence) {name, clause, sentence, __LINE__, value},
#include <stet/status.def>
#undef X
};

/* What the row has beyond its sentence: in `text`, or else what is appended to `made`. */
static const char *text_of_reason(int key, struct stet__buffer *made)
{
    (void)made;
    return stet_reason_text((enum stet_reason)key);
}

static const char *text_of_rule(int key, struct stet__buffer *made)
{
    const struct stet_rule_row *rule = stet_rule_row((enum stet_rule)key);
    if (rule->source == STET_RULE_OF_NONE || rule->field == STET_FIELD_OTHER)
        return NULL;
    stet__buffer_append_text(made, "It looks at ");
    stet__buffer_append(made, stet_field_name(rule->field));
    stet__buffer_append_text(made,
                             rule->source == STET_RULE_OF_REQUEST ? " of the request." : " of the response.");
    return NULL;
}

static const char *text_of_finding(int key, struct stet__buffer *made)
{
    (void)made;
    return stet_lint_row((enum stet_lint)key)->why;
}

static const char *text_of_failure(int key, struct stet__buffer *made)
{
    int status = stet_status_row(key)->http_status;
    if (status == 0)
        return NULL;
    stet__buffer_append_text(made, "A request that fails so is answered with ");
    stet__buffer_append_u64(made, (uint64_t)status);
    stet__buffer_append_text(made, ".");
    return NULL;
}

#define COUNT_OF(rows) (sizeof(rows) / sizeof *(rows))

static const struct table {
    const char *name, *title;
    const struct row *rows;
    size_t count;
    const char *(*text)(int key, struct stet__buffer *made);
} tables[] = {
    {"reason", "Reasons: why a decision is what it is", reasons, COUNT_OF(reasons), text_of_reason},
    {"rule", "Rules: what a decision considers", rules, COUNT_OF(rules), text_of_rule},
    {"finding", "Findings: what stet check tells", findings, COUNT_OF(findings), text_of_finding},
    {"failure", "Failures: why something was not understood or not done", failures, COUNT_OF(failures),
     text_of_failure},
};

/* The text of a row in `made`. */
static void put_text(const struct table *table, const struct row *row, struct stet__buffer *made)
{
    const char *text = table->text(row->key, made);
    if (text)
        stet__buffer_append_text(made, text);
}

static size_t width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col;
}

/* `text` in lines of `room` octets at most, but for words that are longer. The tables are in ASCII. */
static void put_wrapped(struct stet__buffer *out, struct stet_span text, size_t room)
{
    size_t column = 0;
    while (text.len > 0) {
        const char *space = memchr(text.ptr, ' ', text.len);
        size_t word = space ? (size_t)(space - text.ptr) : text.len;
        if (column > 0)
            stet__buffer_append_text(out, column + 1 + word > room ? "\n" : " ");
        column = column == 0 || column + 1 + word > room ? word : column + 1 + word;
        stet__buffer_append(out, stet_span_of(text.ptr, word));
        text = stet_span_skip(text, space ? word + 1 : word);
    }
    stet__buffer_append_text(out, "\n");
}

static void put_related(struct stet__buffer *out, enum stet_reason reason)
{
    struct stet__buffer line;
    size_t count = 0;
    const enum stet_reason *related = stet_reason_related(reason, &count);
    stet__buffer_init(&line, TEXT_MAX);
    stet__buffer_append_text(&line, "See also:");
    for (size_t i = 0; i < count; i++) {
        stet__buffer_append_text(&line, i == 0 ? " " : ", ");
        stet__buffer_append_text(&line, stet_reason_row(related[i])->name);
    }
    stet__buffer_append_text(out, "\n");
    put_wrapped(out, stet__buffer_span(&line), width());
    stet__buffer_release(&line);
}

static void put_heading(struct stet__buffer *out, const struct table *table, const struct row *row)
{
    bool bold = stet__explain_colour();
    stet__buffer_append_text(out, bold ? "\033[1m" : "");
    stet__buffer_append_text(out, row->name);
    stet__buffer_append_text(out, bold ? "\033[0m" : "");
    stet__buffer_append_text(out, ": ");
    if (table->rows == findings) {
        stet__buffer_append_text(out,
                                 stet_lint_severity_name(stet_lint_row((enum stet_lint)row->key)->severity));
        stet__buffer_append_text(out, " of stet check");
    } else {
        stet__buffer_append_text(out, table->name);
    }
    if (row->clause[0]) {
        stet__buffer_append_text(out, ", ");
        stet__buffer_append_text(out, row->clause);
    }
    stet__buffer_append_text(out, "\n\n");
}

static void put_row(struct stet__buffer *out, const struct table *table, const struct row *row)
{
    struct stet__buffer text;
    put_heading(out, table, row);
    put_wrapped(out, stet_span_of(row->sentence, strlen(row->sentence)), width());
    stet__buffer_init(&text, TEXT_MAX);
    put_text(table, row, &text);
    if (text.len > 0) {
        stet__buffer_append_text(out, "\n");
        put_wrapped(out, stet__buffer_span(&text), width());
    }
    stet__buffer_release(&text);
    if (table->rows == reasons)
        put_related(out, (enum stet_reason)row->key);
}

int stet__explain_reason(const char *name)
{
    struct stet__suggestion suggestion = {name, NULL, 0};
    struct stet__buffer out;
    stet__buffer_init(&out, TEXT_MAX);
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (size_t i = 0; i < tables[t].count; i++) {
            const struct row *row = &tables[t].rows[i];
            stet__suggestion_offer(&suggestion, row->name);
            if (strcmp(row->name, name) != 0)
                continue;
            stet__buffer_append_text(&out, out.len > 0 ? "\n" : "");
            put_row(&out, &tables[t], row);
        }
    if (out.len > 0 || out.failed)
        return stet__explain_print(&out);
    if (suggestion.best)
        stet__cli_complain("explain: there is no reason named %s; did you mean %s?", name, suggestion.best);
    else
        stet__cli_complain("explain: there is no reason named %s; stet explain --list has all", name);
    return STET__EXIT_FAILURE;
}

/* ---- the list ---- */

static json_t *related_json(const struct table *table, const struct row *row)
{
    json_t *names = json_array();
    size_t count = 0;
    if (table->rows != reasons)
        return names;
    const enum stet_reason *related = stet_reason_related((enum stet_reason)row->key, &count);
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(names, json_string(stet_reason_row(related[i])->name));
    return names;
}

/* NULL if there is no memory. */
static json_t *row_json(const struct table *table, const struct row *row)
{
    struct stet__buffer text;
    stet__buffer_init(&text, TEXT_MAX);
    put_text(table, row, &text);
    json_t *more = text.len > 0 ? json_stringn(text.ptr, text.len) : json_null();
    json_t *out = json_pack("{ss ss ss? ss so so}", "table", table->name, "name", row->name, "clause",
                            row->clause[0] ? row->clause : NULL, "sentence", row->sentence, "text", more,
                            "related", related_json(table, row));
    bool failed = text.failed;
    stet__buffer_release(&text);
    if (!failed)
        return out;
    json_decref(out);
    return NULL;
}

static int list_json(void)
{
    json_t *all = json_array();
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (size_t i = 0; i < tables[t].count; i++)
            if (json_array_append_new(all, row_json(&tables[t], &tables[t].rows[i])) != 0) {
                json_decref(all);
                return stet__explain_print_json(NULL);
            }
    return stet__explain_print_json(all);
}

/* How wide the columns of a table are. */
static void measure(const struct table *table, int *names, int *clauses)
{
    *names = *clauses = 0;
    for (size_t i = 0; i < table->count; i++) {
        int name = (int)strlen(table->rows[i].name), clause = (int)strlen(table->rows[i].clause);
        *names = name > *names ? name : *names;
        *clauses = clause > *clauses ? clause : *clauses;
    }
}

static void list_table(const struct table *table)
{
    int names, clauses;
    measure(table, &names, &clauses);
    printf("%s\n\n", table->title);
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        bool group = i > 0 && row->line > table->rows[i - 1].line + 1;
        printf("%s%-*s  %-*s  %s\n", group ? "\n" : "", names, row->name, clauses, row->clause,
               row->sentence);
    }
}

int stet__explain_list(bool json)
{
    if (json)
        return list_json();
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        printf("%s", t > 0 ? "\n\n" : "");
        list_table(&tables[t]);
    }
    return stet__cli_told();
}
