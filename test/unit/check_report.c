/* SPDX-License-Identifier: MIT */
/*
 * What all writers of a report share: grades, clauses that lead somewhere, times, servers, lines of heads,
 * octets made fit to be shown; and advice for each rule that warns, or a reason why there is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "check/text.h"
#include "check_reports.h"

static void test_grades(void **state)
{
    static const struct {
        size_t counts[4];
        const char *grade;
    } rows[] = {
        {{0, 0, 0, 0}, "A+"}, {{30, 0, 0, 0}, "A+"}, {{30, 1, 0, 0}, "A"}, {{30, 9, 0, 0}, "A"},
        {{30, 0, 1, 0}, "B"}, {{0, 5, 2, 0}, "B"},   {{0, 0, 3, 0}, "C"},  {{0, 0, 99, 0}, "C"},
        {{30, 0, 0, 1}, "D"}, {{0, 9, 9, 1}, "D"},   {{0, 0, 0, 2}, "F"},  {{0, 0, 0, SIZE_MAX}, "F"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char grade[3] = "";
        stet__check_grade(rows[i].counts, grade);
        assert_string_equal(grade, rows[i].grade);
    }
}

static void test_clauses_lead_somewhere(void **state)
{
    char uri[STET__CLAUSE_URI_LEN];
    assert_true(stet__check_clause_uri("RFC 9110 13.2.2", uri));
    assert_string_equal(uri, "https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2");
    assert_true(stet__check_clause_uri("RFC 9110 B", uri));
    assert_string_equal(uri, "https://www.rfc-editor.org/rfc/rfc9110#appendix-B");
    assert_true(stet__check_clause_uri("draft-ietf-httpbis-no-vary-search 5.1", uri));
    assert_string_equal(
        uri, "https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-no-vary-search#section-5.1");
    assert_false(stet__check_clause_uri("nowhere", uri));
    for (int i = 0; i < STET_LINT_COUNT; i++)
        assert_true(stet__check_clause_uri(stet_lint_row((enum stet_lint)i)->clause, uri));
}

static void test_times(void **state)
{
    static const struct {
        int64_t at;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},          {951782400, "2000-02-29T00:00:00Z"},
        {951868799, "2000-02-29T23:59:59Z"},  {951868800, "2000-03-01T00:00:00Z"},
        {1795286956, "2026-11-21T18:49:16Z"}, {4107542400, "2100-03-01T00:00:00Z"},
        {4107542399, "2100-02-28T23:59:59Z"}, {253402300799, "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},  {INT64_MIN, "1970-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[STET__CHECK_TIME_LEN];
        stet__check_time(rows[i].at, text);
        assert_string_equal(text, rows[i].text);
    }
}

static enum stet__check_server server_of(const char *server, const char *response)
{
    struct stet__check_exchange exchange = {.response = stet__text_of(response)};
    struct stet__check_resource resource = {
        .server = stet__text_of(server), .exchanges = &exchange, .exchange_count = 1};
    return stet__check_server_of(&resource);
}

static void test_servers(void **state)
{
    assert_int_equal(server_of("nginx/1.22.1", ""), STET__SERVER_NGINX);
    assert_int_equal(server_of("Apache", ""), STET__SERVER_APACHE);
    assert_int_equal(server_of("Caddy", ""), STET__SERVER_CADDY);
    assert_int_equal(server_of(NULL, "HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\n\r\n"),
                     STET__SERVER_EXPRESS);
    assert_int_equal(server_of("not nginx", ""), STET__SERVER_COUNT);
    assert_int_equal(server_of("ngin", ""), STET__SERVER_COUNT);
    assert_int_equal(server_of(NULL, ""), STET__SERVER_COUNT);
    assert_int_equal(stet__check_server_of(&(struct stet__check_resource){0}), STET__SERVER_COUNT);
}

/* Each rule that warns has advice for one server at least; these have none, and why. */
static const char *const no_advice[] = {
    /* about the client, whose fields no server mends */
    "request-etag-malformed",
    "request-etag-empty",
    "request-any-quoted",
    "request-if-match-weak",
    "request-if-range-weak",
    "request-if-range-alone",
    "request-if-range-malformed",
    "request-date-malformed",
    "request-date-obsolete-form",
    "request-date-future",
    "request-if-modified-since-method",
    "request-range-malformed",
    "request-range-method",
    "request-range-abusive",
    "request-available-dictionary",
    "request-cache-control-syntax",
    /* a program or a firewall that fails: what it is has to be found first */
    "probe-server-error",
    "probe-no-answer",
    "probe-refused",
    "failed-unasked",
    "condition-required",
    /* nothing that can be configured: how these servers read the field is written in their code */
    "inm-lines-ignored",
    "inm-list-comma-ignored",
    "ius-vetoes-if-match",
    "range-inm-weak-ignored",
    /* a deployment that is not the same everywhere */
    "status-unstable",
    "nodes-differ-in-content",
    "node-other-status",
    "edge-other-status",
};

static bool has_advice(enum stet_lint lint)
{
    for (int i = 0; i < STET__SERVER_COUNT; i++)
        if (stet__check_mend(lint, (enum stet__check_server)i))
            return true;
    return false;
}

static void test_each_rule_that_warns_has_advice(void **state)
{
    size_t without = 0;
    for (int i = 0; i < STET_LINT_COUNT; i++) {
        const struct stet_lint_row *row = stet_lint_row((enum stet_lint)i);
        bool excused = false;
        for (size_t j = 0; j < sizeof no_advice / sizeof *no_advice; j++)
            excused |= strcmp(no_advice[j], row->name) == 0;
        if (row->severity == STET_LINT_GOOD && has_advice((enum stet_lint)i))
            fail_msg("%s is right, and has advice", row->name);
        if (excused && has_advice((enum stet_lint)i))
            fail_msg("%s has advice, and is listed as without", row->name);
        if (row->severity >= STET_LINT_WARN && !excused && !has_advice((enum stet_lint)i))
            fail_msg("%s has neither advice nor a reason for having none", row->name);
        without += excused;
    }
    assert_int_equal(without, sizeof no_advice / sizeof *no_advice);
}

/* Text that is to be copied: no octet that a terminal or an editor would change. */
static void test_advice_is_plain(void **state)
{
    for (int i = 0; i < STET_LINT_COUNT; i++)
        for (int j = 0; j < STET__SERVER_COUNT; j++) {
            const char *text = stet__check_mend((enum stet_lint)i, (enum stet__check_server)j);
            size_t len = text ? strlen(text) : 0;
            assert_true(!text || len > 0);
            for (size_t k = 0; k < len; k++)
                assert_true(text[k] == '\n' || text[k] == '\t' || (text[k] >= ' ' && text[k] <= '~'));
            assert_true(len == 0 || (text[len - 1] != '\n' && text[len - 1] != ' '));
        }
}

static const char *markup(struct stet_span octets)
{
    static struct stet__buffer out;
    stet__buffer_release(&out);
    stet__buffer_init(&out, 1 << 20);
    stet__text_markup(&out, octets);
    stet__buffer_append(&out, stet_span_of("", 1));
    assert_false(out.failed);
    return out.ptr;
}

static void test_markup(void **state)
{
    assert_string_equal(markup(STET_SPAN("<a b=\"c\">&'</a>")),
                        "&lt;a b=&quot;c&quot;&gt;&amp;&#39;&lt;/a&gt;");
    assert_string_equal(markup(STET_SPAN("\x1b[0m\t\r\n\x7f\0z")), "\\x1b[0m\\x09\\x0d\n\\x7f\\x00z");
    assert_string_equal(markup(STET_SPAN("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")),
                        "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(markup(STET_SPAN("\xe4\x80")), "\xc3\xa4\\x80"); /* Latin-1, a control of it */
    assert_string_equal(markup(STET_SPAN("\xc2\x9b")), "\\x9b");
    assert_string_equal(markup(STET_SPAN("\xe2\x80\xae\xef\xbb\xbf\xc2\xad")), "\\u{202e}\\u{feff}\\u{ad}");
    assert_string_equal(markup(STET_SPAN("\xef\xbf\xbe\xf0\x9f\xbf\xbf")), "\\u{fffe}\\u{1ffff}");
    /* neither overlong nor surrogates nor beyond the end: all of it is Latin-1 then */
    assert_string_equal(markup(STET_SPAN("\xc0\xaf")), "\xc3\x80\xc2\xaf");
    assert_string_equal(markup(STET_SPAN("\xed\xa0\x80")), "\xc3\xad\xc2\xa0\\x80");
    assert_string_equal(markup(STET_SPAN("\xf4\x90\x80\x80")), "\xc3\xb4\\x90\\x80\\x80");
    assert_string_equal(markup(STET_SPAN("\xe2\x82")), "\xc3\xa2\\x82");
    assert_string_equal(markup(STET_SPAN_NONE), "");
}

static void test_terminal_text(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *shown;
    } rows[] = {
        {"plain", 80, "plain"},
        {"plain", 5, "plain"},
        {"plain text", 8, "plain..."},
        {"\x1b[2J", 80, "\\x1b[2J"},
        {"\x1b[2J", 7, "\\x1b[2J"},
        {"\x1b[2J", 6, "..."},
        {"\xc3\xa4", 80, "\\xc3\\xa4"},
        {"\x9b", 80, "\\x9b"},
        {"", 4, ""},
        {"a\tb\r\n", 80, "a\\x09b\\x0d\\x0a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stet__buffer out;
        stet__buffer_init(&out, 1000);
        size_t columns = stet__text_terminal(&out, stet__text_of(rows[i].text), rows[i].columns);
        assert_true(stet_span_equal(stet__buffer_span(&out), stet__text_of(rows[i].shown)));
        assert_int_equal(columns, strlen(rows[i].shown));
        stet__buffer_release(&out);
    }
}

static void test_cut(void **state)
{
    struct stet_span euro = STET_SPAN("a\xe2\x82\xac");
    assert_int_equal(stet__text_cut(euro, 4).len, 4);
    assert_int_equal(stet__text_cut(euro, 3).len, 1);
    assert_int_equal(stet__text_cut(euro, 2).len, 1);
    assert_int_equal(stet__text_cut(euro, 1).len, 1);
    assert_int_equal(stet__text_cut(euro, 0).len, 0);
    assert_int_equal(stet__text_cut(STET_SPAN("\x80\x80\x80"), 2).len, 2); /* no UTF-8: any place will do */
}

static void test_lines(void **state)
{
    struct stet_span rest = STET_SPAN("one\r\ntwo\n\r\nfour\rfour"), line;
    static const char *const want[] = {"one", "two", "", "four\rfour"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(stet__text_line(&rest, &line));
        assert_true(stet_span_equal(line, stet__text_of(want[i])));
    }
    assert_false(stet__text_line(&rest, &line));
}

static bool shows(struct stet__check_shown shown, const char *first, const char *line)
{
    return stet_span_equal(shown.first, stet__text_of(first)) &&
           stet_span_equal(shown.line, stet__text_of(line));
}

static void test_what_is_shown_of_heads(void **state)
{
    struct stet__check_exchange exchange = {
        .kind = STET_PROBE_INM,
        .request = STET_SPAN("GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match:  \"x\" \r\n\r\n"),
        .response = STET_SPAN("HTTP/1.1 200 OK\r\nETag: \"x\"\r\n\r\n")};
    struct stet__check_finding finding = {
        .exchange = &exchange, .sent = STET_SPAN("\"x\""), .came = STET_SPAN("\"x\"")};
    assert_true(shows(stet__check_sent(&finding), "GET / HTTP/1.1", "If-None-Match:  \"x\" "));
    assert_true(shows(stet__check_came(&finding), "HTTP/1.1 200 OK", "ETag: \"x\""));
    finding.came = STET_SPAN("elsewhere");
    assert_true(shows(stet__check_came(&finding), "HTTP/1.1 200 OK", "elsewhere"));
    finding.came = STET_SPAN_NONE;
    assert_true(shows(stet__check_came(&finding), "HTTP/1.1 200 OK", ""));
    finding.came = STET_SPAN("HTTP/1.1 200 OK");
    assert_true(shows(stet__check_came(&finding), "", "HTTP/1.1 200 OK"));
    finding.exchange = NULL;
    assert_true(shows(stet__check_sent(&finding), "", "\"x\""));
    exchange.kind = STET_PROBE_GET;
    finding = (struct stet__check_finding){.exchange = &exchange, .came = STET_SPAN("\"x\"")};
    assert_true(shows(stet__check_sent(&finding), "", ""));
    assert_true(shows(stet__check_came(&finding), "", "ETag: \"x\""));
}

/* What stands beside the value at issue counts with it: a date beside a tag, the coding that is accepted. */
static void test_all_that_was_sent(void **state)
{
    static const char *const heads[][2] = {
        {"Accept-Encoding: identity\r\nIf-None-Match: \"x\"\r\nIf-Modified-Since: then\r\n",
         "If-None-Match: \"x\"\r\nIf-Modified-Since: then"},
        {"Accept: */*\r\nAccept-Encoding: gzip\r\nif-none-match: \"x\"\r\nCookie: a\r\n",
         "Accept-Encoding: gzip\r\nif-none-match: \"x\""},
        {"If-None-Match: \"y\"\r\nIf-None-Match: \"x\"\r\nA: \"x\"\r\n",
         "If-None-Match: \"y\"\r\nIf-None-Match: \"x\""},
        {"Range: bytes=0-0\r\nIf-Range: \"x\"\r\n", "Range: bytes=0-0\r\nIf-Range: \"x\""},
        {"If-Match: \"y\"\r\nA: \"x\"\r\nRange: bytes=0-0\r\n", "A: \"x\""},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        char head[256];
        snprintf(head, sizeof head, "GET / HTTP/1.1\r\n%s\r\n", heads[i][0]);
        struct stet__check_exchange exchange = {.kind = STET_PROBE_INM, .request = stet__text_of(head)};
        struct stet__check_finding finding = {.exchange = &exchange, .sent = STET_SPAN("\"x\"")};
        assert_true(shows(stet__check_sent(&finding), "GET / HTTP/1.1", heads[i][1]));
    }
}

/* Of two fields with one value the one is shown that the finding is about. */
static void test_which_field(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nAge: 0\r\nExpires: 0\r\n\r\n";
    struct stet__check_exchange exchange = {.kind = STET_PROBE_GET,
                                            .response = stet_span_of(head, sizeof head - 1)};
    struct stet__check_finding finding = {.exchange = &exchange,
                                          .came = stet_span_of(strstr(head, "Expires: 0") + 9, 1)};
    assert_true(shows(stet__check_came(&finding), "", "Expires: 0"));
    finding.came = STET_SPAN("0");
    assert_true(shows(stet__check_came(&finding), "", "Age: 0"));
}

/* What does not fit is told, whoever writes. */
static void test_no_room(void **state)
{
    struct stet__check_style style = {false, true, 80};
    struct stet__buffer out;
    stet__buffer_init(&out, 200);
    assert_false(stet__check_write_terminal(&usual_report, &style, &out));
    stet__buffer_clear(&out);
    assert_false(stet__check_write_json(&usual_report, &out));
    stet__buffer_clear(&out);
    assert_false(stet__check_write_sarif(&usual_report, &out));
    stet__buffer_clear(&out);
    assert_false(stet__check_write_junit(&usual_report, &out));
    stet__buffer_clear(&out);
    assert_false(stet__check_write_html(&usual_report, &out));
    stet__buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grades),
        cmocka_unit_test(test_clauses_lead_somewhere),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_servers),
        cmocka_unit_test(test_each_rule_that_warns_has_advice),
        cmocka_unit_test(test_advice_is_plain),
        cmocka_unit_test(test_markup),
        cmocka_unit_test(test_terminal_text),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_what_is_shown_of_heads),
        cmocka_unit_test(test_all_that_was_sent),
        cmocka_unit_test(test_which_field),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
