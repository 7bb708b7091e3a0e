/* SPDX-License-Identifier: MIT */
/*
 * A report for a terminal: what is wrong first, with what was asked and what came below it, and a line of
 * figures at the end. Why a rule matters, and how to mend it, is told where it is first met.
 */
#include <stdio.h>

#include "check/report.h"
#include "check/text.h"

enum { WIDTH = 80, WIDTH_MIN = 40, WIDTH_MAX = 110, LABEL = 6, INDENT = 4, FACT_MIN = 8, FAILURE_MAX = 400 };

struct pen {
    struct stet__buffer *out;
    const struct stet__check_style *style;
    size_t width, left;         /* columns; those left in a line of facts */
    bool told[STET_LINT_COUNT]; /* why it matters */
};

#define PLAIN "\033[0m"
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define CYAN "\033[36m"

static const struct {
    const char *mark, *colour;
} looks[] = {
    [STET_LINT_GOOD] = {"✓", GREEN},
    [STET_LINT_NOTE] = {"·", CYAN},
    [STET_LINT_WARN] = {"!", YELLOW},
    [STET_LINT_BAD] = {"✗", RED},
};

static void put(struct pen *pen, const char *text)
{
    stet__buffer_append_text(pen->out, text);
}

static void colour(struct pen *pen, const char *code)
{
    if (pen->style->colour)
        put(pen, code);
}

static void put_in(struct pen *pen, const char *code, const char *text)
{
    colour(pen, code);
    put(pen, text);
    colour(pen, PLAIN);
}

static void pad(struct pen *pen, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        put(pen, " ");
}

static void put_number(struct pen *pen, uint64_t n, const char *what)
{
    stet__buffer_append_u64(pen->out, n);
    put(pen, what);
}

/* Text of ours, in words that wrap; the pen stands at `column`. Each further line stands behind `indent`
 * columns and `prefix`. */
static void put_wrapped(struct pen *pen, struct stet_span text, size_t column, size_t indent,
                        const char *prefix)
{
    bool first = true;
    size_t room = pen->width - indent - strlen(prefix); /* of a whole line: longer words are broken */
    while (text.len > 0) {
        const char *space = memchr(text.ptr, ' ', text.len < room ? text.len : room);
        size_t len = space ? (size_t)(space - text.ptr) : text.len < room ? text.len : room;
        if (!first && column + 1 + len > pen->width) {
            put(pen, "\n");
            pad(pen, indent);
            put(pen, prefix);
            column = indent + strlen(prefix);
        } else if (!first) {
            put(pen, " ");
            column++;
        }
        stet__buffer_append(pen->out, stet_span_of(text.ptr, len));
        column += len;
        first = false;
        text = stet_span_skip(text, space ? len + 1 : len);
    }
    put(pen, "\n");
}

static void put_words(struct pen *pen, const char *text, size_t column, size_t indent)
{
    put_wrapped(pen, stet__text_of(text), column, indent, "");
}

static void label(struct pen *pen, const char *name)
{
    pad(pen, INDENT);
    colour(pen, DIM);
    put(pen, name);
    colour(pen, PLAIN);
    pad(pen, LABEL - strlen(name));
}

/* Lines of a sender behind a label, or below one. */
static void put_lines(struct pen *pen, const char *name, struct stet_span text)
{
    struct stet_span line;
    while (stet__text_line(&text, &line)) {
        if (name)
            label(pen, name);
        else
            pad(pen, INDENT + LABEL);
        name = NULL;
        stet__text_terminal(pen->out, line, pen->width - INDENT - LABEL);
        put(pen, "\n");
    }
}

/* The first line of a request is left out: what is asked for stands above. */
static void put_octets(struct pen *pen, const struct stet__check_finding *finding)
{
    struct stet__check_shown sent = stet__check_sent(finding), came = stet__check_came(finding);
    put_lines(pen, "sent", sent.line);
    put_lines(pen, "came", came.first);
    put_lines(pen, came.first.ptr ? NULL : "came", came.line);
    if (*finding->detail)
        put_lines(pen, "here", stet__text_of(finding->detail));
}

static const char *grade_colour(const char *grade)
{
    switch (grade[0]) {
    case 'A':
    case 'B':
        return GREEN;
    case 'C':
        return YELLOW;
    case '-':
        return DIM;
    default:
        return RED;
    }
}

static void put_grade(struct pen *pen, const char *grade)
{
    colour(pen, BOLD);
    colour(pen, grade_colour(grade));
    put(pen, grade);
    colour(pen, PLAIN);
    pad(pen, INDENT - strlen(grade));
}

/* A value after a dot; left out if the line has no room for it. */
static void put_fact(struct pen *pen, const char *before, struct stet_span value)
{
    size_t taken = 3 + strlen(before), columns = pen->width / 2;
    if (!value.ptr || pen->left < taken + FACT_MIN)
        return;
    put_in(pen, DIM, " · ");
    put(pen, before);
    if (columns > pen->left - taken)
        columns = pen->left - taken;
    pen->left -= taken + stet__text_terminal(pen->out, value, columns);
}

static void put_failure(struct pen *pen, const char *failure)
{
    struct stet__buffer shown;
    stet__buffer_init(&shown, 4 * FAILURE_MAX);
    stet__text_terminal(&shown, stet__text_of(failure), FAILURE_MAX);
    put_in(pen, RED, "  ✗ ");
    put_wrapped(pen, stet__buffer_span(&shown), INDENT, INDENT, "");
    stet__buffer_release(&shown);
}

static void put_head(struct pen *pen, const struct stet__check_resource *resource)
{
    put_grade(pen, resource->grade);
    colour(pen, BOLD);
    stet__text_terminal(pen->out, stet__text_of(resource->uri), pen->width - INDENT);
    colour(pen, PLAIN);
    put(pen, "\n");
    pad(pen, INDENT);
    if (resource->status == 0)
        put(pen, "no answer");
    else
        put_number(pen, resource->status, "");
    pen->left = pen->width - INDENT - strlen("no answer");
    put_fact(pen, "", stet__text_of(resource->role));
    put_fact(pen, "", resource->content_type);
    put_fact(pen, "ETag ", resource->etag);
    put_fact(pen, "", resource->server);
    if (resource->asked && strcmp(resource->asked, resource->uri) != 0)
        put_fact(pen, "asked as ", stet__text_of(resource->asked));
    put(pen, "\n");
    if (resource->failure)
        put_failure(pen, resource->failure);
    put(pen, "\n");
}

/* A line of advice is ours and is to be copied: it is never shortened, only remarks wrap. */
static void put_advice(struct pen *pen, struct stet_span line)
{
    enum { COLUMN = INDENT + LABEL };
    pad(pen, COLUMN);
    if (stet_span_starts(line, STET_SPAN("# "))) {
        put_wrapped(pen, line, COLUMN, COLUMN, "# ");
        return;
    }
    if (stet_span_starts(line, STET_SPAN("// "))) {
        put_wrapped(pen, line, COLUMN, COLUMN, "// ");
        return;
    }
    for (size_t i = 0; i < line.len; i++)
        stet__buffer_append(pen->out,
                            line.ptr[i] == '\t' ? STET_SPAN("    ") : stet_span_of(line.ptr + i, 1));
    put(pen, "\n");
}

static void put_mend(struct pen *pen, enum stet_lint lint, enum stet__check_server server)
{
    const char *mend = server == STET__SERVER_COUNT ? NULL : stet__check_mend(lint, server);
    if (!mend)
        return;
    label(pen, "mend");
    put(pen, "in ");
    put(pen, stet__check_server_name(server));
    put(pen, ":\n");
    struct stet_span rest = stet__text_of(mend), line;
    while (stet__text_line(&rest, &line))
        put_advice(pen, line);
}

static void put_title(struct pen *pen, const struct stet__check_finding *finding)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    put(pen, "  ");
    put_in(pen, looks[row->severity].colour, looks[row->severity].mark);
    put(pen, " ");
    put_in(pen, BOLD, row->name);
    put_in(pen, DIM, " · ");
    put_in(pen, DIM, row->clause);
    if (finding->times > 1) {
        put_in(pen, DIM, " · ");
        put_number(pen, finding->times, " times");
    }
    put(pen, "\n");
    pad(pen, INDENT);
    put_words(pen, row->sentence, INDENT, INDENT);
}

/* Notes are told in short unless all is wanted. */
static void put_finding(struct pen *pen, const struct stet__check_finding *finding,
                        enum stet__check_server server)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    bool all = pen->style->verbose || row->severity >= STET_LINT_WARN;
    put_title(pen, finding);
    put_octets(pen, finding);
    if (all && row->severity > STET_LINT_GOOD && !pen->told[finding->lint]) {
        pen->told[finding->lint] = true;
        label(pen, "why");
        put_words(pen, row->why, INDENT + LABEL, INDENT + LABEL);
        put_mend(pen, finding->lint, server);
    }
    put(pen, "\n");
}

static void put_findings(struct pen *pen, const struct stet__check_resource *resource)
{
    enum stet__check_server server = stet__check_server_of(resource);
    for (size_t i = 0; i < resource->finding_count; i++) {
        const struct stet__check_finding *finding = &resource->findings[i];
        if (stet_lint_row(finding->lint)->severity > STET_LINT_GOOD || pen->style->verbose)
            put_finding(pen, finding, server);
    }
    if (!pen->style->verbose && resource->counts[STET_LINT_GOOD] > 0) {
        put(pen, "  ");
        put_in(pen, GREEN, looks[STET_LINT_GOOD].mark);
        put(pen, " ");
        put_number(pen, resource->counts[STET_LINT_GOOD],
                   resource->counts[STET_LINT_GOOD] == 1 ? " thing" : " things");
        put(pen, " looked at and right\n\n");
    }
}

static void put_exchange(struct pen *pen, const struct stet__check_exchange *exchange, size_t number)
{
    char line[96];
    const char *name = stet_lint_probe_row(exchange->kind)->name;
    snprintf(line, sizeof line, "  %3zu  %-24s %3u %10llu octets %7lld.%lld ms", number, name,
             exchange->status, (unsigned long long)exchange->content_length,
             (long long)(exchange->whole_us / 1000), (long long)(exchange->whole_us % 1000 / 100));
    put(pen, line);
    pen->left = pen->width;
    put_fact(pen, "", stet__text_of(exchange->variant));
    put_fact(pen, "", stet__text_of(exchange->failure));
    put(pen, "\n");
}

static void put_exchanges(struct pen *pen, const struct stet__check_resource *resource)
{
    if (!pen->style->verbose || resource->exchange_count == 0)
        return;
    put_in(pen, BOLD, "  exchanges\n");
    for (size_t i = 0; i < resource->exchange_count; i++)
        put_exchange(pen, &resource->exchanges[i], i + 1);
    put(pen, "\n");
}

static void put_count(struct pen *pen, size_t n, const char *code, const char *one, const char *more)
{
    put_in(pen, DIM, " · ");
    colour(pen, n > 0 ? code : DIM);
    put_number(pen, n, " ");
    put(pen, n == 1 ? one : more);
    colour(pen, PLAIN);
}

static void put_summary(struct pen *pen, const struct stet__check_report *report)
{
    char time[48];
    const size_t *counts = report->counts;
    put_grade(pen, report->grade);
    if (report->passive) {
        put_number(pen, report->resource_count, report->resource_count == 1 ? " resource" : " resources");
    } else {
        put_number(pen, report->requests, report->requests == 1 ? " request" : " requests");
        snprintf(time, sizeof time, " in %lld.%lld s", (long long)(report->whole_ms / 1000),
                 (long long)(report->whole_ms % 1000 / 100));
        put(pen, time);
    }
    put_count(pen, counts[STET_LINT_BAD], RED, "error", "errors");
    put_count(pen, counts[STET_LINT_WARN], YELLOW, "warning", "warnings");
    put_count(pen, counts[STET_LINT_NOTE], CYAN, "note", "notes");
    put_count(pen, counts[STET_LINT_GOOD], GREEN, "right", "right");
    put(pen, "\n");
    if (counts[STET_LINT_BAD] + counts[STET_LINT_WARN] + counts[STET_LINT_NOTE] > 0) {
        pad(pen, INDENT);
        put_in(pen, DIM, "stet check --explain RULE tells more of a rule, and how to mend it elsewhere");
        put(pen, "\n");
    }
}

bool stet__check_write_terminal(const struct stet__check_report *report,
                                const struct stet__check_style *style, struct stet__buffer *out)
{
    struct pen pen = {.out = out, .style = style, .width = style->width > 0 ? style->width : WIDTH};
    if (pen.width < WIDTH_MIN)
        pen.width = WIDTH_MIN;
    if (pen.width > WIDTH_MAX)
        pen.width = WIDTH_MAX;
    for (size_t i = 0; i < report->resource_count; i++) {
        put_head(&pen, &report->resources[i]);
        put_findings(&pen, &report->resources[i]);
        put_exchanges(&pen, &report->resources[i]);
    }
    put_summary(&pen, report);
    return !out->failed;
}
