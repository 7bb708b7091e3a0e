/* SPDX-License-Identifier: MIT */
/*
 * One finding: what is the matter, what was sent and what came, why it matters, and how to mend it, server by
 * server. What a rule means is told where it is first met; further findings of it lead there.
 */
#include "check/report_html.h"

static void put_id(struct stet__page *page, size_t number, enum stet_lint lint)
{
    stet__page_counted(page, "r", number, "-");
    stet__page_put(page, stet_lint_row(lint)->name);
}

static void put_clause(struct stet__page *page, const char *clause)
{
    char uri[STET__CLAUSE_URI_LEN];
    bool known = stet__check_clause_uri(clause, uri);
    if (known) {
        stet__page_put(page, "<a rel=\"noreferrer\" href=\"");
        stet__page_text_of(page, uri);
        stet__page_put(page, "\">");
    }
    stet__page_text_of(page, clause);
    if (known)
        stet__page_put(page, "</a>");
}

static void put_meta(struct stet__page *page, const struct stet__check_resource *resource,
                     const struct stet__check_finding *finding)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    size_t number = stet__check_exchange_number(resource, finding->exchange);
    stet__page_put(page, "<p class=\"meta\"><span class=\"severity\">");
    stet__page_put(page, stet_lint_severity_name(row->severity));
    stet__page_put(page, "</span> <code>");
    stet__page_put(page, row->name);
    stet__page_put(page, "</code> ");
    put_clause(page, row->clause);
    if (number > 0) {
        stet__page_counted(page, " <a href=\"#r", page->number, "-x");
        stet__page_counted(page, "", number, "\">");
        stet__page_counted(page, "exchange ", number, "</a>");
    }
    if (finding->times > 1)
        stet__page_counted(page, " <span>", finding->times, " times</span>");
    stet__page_put(page, "</p>\n");
}

static bool put_lines(struct stet__page *page, struct stet_span octets, bool first)
{
    struct stet_span line;
    while (stet__text_line(&octets, &line)) {
        stet__page_put(page, first ? "" : "\n");
        stet__page_text(page, line);
        first = false;
    }
    return first;
}

static void put_octets(struct stet__page *page, const char *name, struct stet__check_shown shown)
{
    if (!shown.first.ptr && !shown.line.ptr)
        return;
    stet__page_put(page, "<div><dt>");
    stet__page_put(page, name);
    stet__page_put(page, "</dt><dd><pre>");
    bool none = true;
    if (shown.first.ptr) {
        stet__page_put(page, "<b>");
        none = put_lines(page, shown.first, true);
        stet__page_put(page, "</b>");
    }
    none = put_lines(page, shown.line, none);
    stet__page_put(page, none ? "(nothing)</pre></dd></div>\n" : "</pre></dd></div>\n");
}

/* A set of radio buttons whose panes the style sheet shows and hides: tabs without a script. */
static void put_tab(struct stet__page *page, enum stet_lint lint, int server, bool checked)
{
    stet__page_put(page, "<input type=\"radio\" name=\"m-");
    put_id(page, page->number, lint);
    stet__page_put(page, "\" id=\"m-");
    put_id(page, page->number, lint);
    stet__page_counted(page, "-", (uint64_t)server, checked ? "\" checked>" : "\">");
    stet__page_put(page, "<label for=\"m-");
    put_id(page, page->number, lint);
    stet__page_counted(page, "-", (uint64_t)server, "\">");
    stet__page_put(page, stet__check_server_name((enum stet__check_server)server));
    stet__page_put(page, "</label>");
}

/* Remarks stand out from what is to be written. */
static void put_advice(struct stet__page *page, const char *advice)
{
    struct stet_span rest = stet__text_of(advice), line;
    bool first = true;
    while (stet__text_line(&rest, &line)) {
        bool remark = line.len > 0 && (line.ptr[0] == '#' || stet_span_starts(line, STET_SPAN("//")));
        stet__page_put(page, first ? "" : "\n");
        stet__page_put(page, remark ? "<i>" : "");
        stet__page_text(page, line);
        stet__page_put(page, remark ? "</i>" : "");
        first = false;
    }
}

static void put_mends(struct stet__page *page, const struct stet__check_resource *resource,
                      enum stet_lint lint)
{
    int first = -1;
    for (int i = STET__SERVER_COUNT - 1; i >= 0; i--)
        if (stet__check_mend(lint, (enum stet__check_server)i))
            first = i;
    if (first < 0)
        return;
    enum stet__check_server own = stet__check_server_of(resource);
    if (own != STET__SERVER_COUNT && stet__check_mend(lint, own))
        first = (int)own;
    stet__page_put(page, "<fieldset class=\"tabs\"><legend>How to mend it</legend>\n");
    for (int i = 0; i < STET__SERVER_COUNT; i++)
        if (stet__check_mend(lint, (enum stet__check_server)i))
            put_tab(page, lint, i, i == first);
    for (int i = 0; i < STET__SERVER_COUNT; i++) {
        const char *mend = stet__check_mend(lint, (enum stet__check_server)i);
        if (!mend)
            continue;
        stet__page_put(page, "\n<pre data-server=\"");
        stet__page_put(page, stet__check_server_name((enum stet__check_server)i));
        stet__page_put(page, "\">");
        put_advice(page, mend);
        stet__page_put(page, "</pre>");
    }
    stet__page_put(page, "\n</fieldset>\n");
}

static void put_meaning(struct stet__page *page, const struct stet__check_resource *resource,
                        enum stet_lint lint)
{
    if (page->told[lint] > 0) {
        stet__page_put(page, "<p class=\"why\"><a href=\"#");
        put_id(page, page->told[lint], lint);
        stet__page_put(page, "\">Why it matters, and how to mend it</a></p>\n");
        return;
    }
    page->told[lint] = page->number;
    stet__page_put(page, "<p class=\"why\"><b>Why it matters.</b> ");
    stet__page_text_of(page, stet_lint_row(lint)->why);
    stet__page_put(page, "</p>\n");
    put_mends(page, resource, lint);
}

void stet__page_finding(struct stet__page *page, const struct stet__check_resource *resource,
                        const struct stet__check_finding *finding)
{
    const struct stet_lint_row *row = stet_lint_row(finding->lint);
    stet__page_put(page, "<article class=\"finding ");
    stet__page_put(page, stet__page_class(row->severity));
    stet__page_put(page, "\" id=\"");
    put_id(page, page->number, finding->lint);
    stet__page_put(page, "\">\n<h3><span class=\"sign\" aria-hidden=\"true\">");
    stet__page_put(page, stet__page_mark(row->severity));
    stet__page_put(page, "</span>");
    stet__page_text_of(page, row->sentence);
    stet__page_put(page, "</h3>\n");
    put_meta(page, resource, finding);
    if (*finding->detail) {
        stet__page_put(page, "<p class=\"detail\"><b>Here:</b> ");
        stet__page_text_of(page, finding->detail);
        stet__page_put(page, "</p>\n");
    }
    if (finding->sent.ptr || finding->came.ptr) {
        stet__page_put(page, "<dl class=\"octets\">\n");
        put_octets(page, "sent", stet__check_sent(finding));
        put_octets(page, "came", stet__check_came(finding));
        stet__page_put(page, "</dl>\n");
    }
    put_meaning(page, resource, finding->lint);
    stet__page_put(page, "</article>\n");
}
