/* SPDX-License-Identifier: MIT */
/*
 * A report for a terminal: what is in it, at every width, and that nothing a server chose can speak to the
 * terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "check_reports.h"

static struct stet__buffer out;

/* The report as a text with a terminator. */
static const char *written(const struct stet__check_report *report, bool colour, bool verbose, unsigned width)
{
    struct stet__check_style style = {colour, verbose, width};
    stet__buffer_release(&out);
    stet__buffer_init(&out, 1 << 24);
    assert_true(stet__check_write_terminal(report, &style, &out));
    assert_true(stet__buffer_append(&out, stet_span_of("", 1)));
    return out.ptr ? out.ptr : "";
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part))
        return;
    print_message("%.*s\n", (int)out.len, text);
    fail_msg("\"%s\" is missing", part);
}

static void test_usual(void **state)
{
    const char *text = written(&usual_report, false, false, 100);
    has(text, "D   https://www.example.com/app.js\n");
    has(text,
        "    200 · text/javascript · ETag \"5f3a-61c\" · Apache/2.4.62 (Debian) · asked as http://www....\n");
    has(text, "  ✗ coded-tag-not-matched · RFC 9110 8.8.3.3 · 2 times\n");
    has(text, "    sent  If-None-Match: \"5f3a-61c-gzip\"\n    came  HTTP/1.1 200 OK\n");
    has(text, "    here  gzip\n    why   ");
    has(text, "    mend  in Apache:\n");
    has(text, "          RequestHeader edit* If-None-Match \"-(gzip|br)\\\"\" \"\\\"\"\n");
    has(text, "  ! expires-contradicts · RFC 9111 5.3\n");
    has(text, "  · etag-coding-suffix");
    has(text, "  ✓ 2 things looked at and right\n");
    has(text, "-   https://gone.example/\n    no answer\n  ✗ the name leads nowhere\n");
    has(text, "D   46 requests in 0.8 s · 2 errors · 1 warning · 1 note · 2 right\n");
    has(text, "stet check --explain RULE");
    assert_null(strstr(text, "strong-etag"));
    assert_null(strchr(text, '\x1b'));
}

/* Why a rule matters stands there once. */
static void test_meaning_is_told_once(void **state)
{
    const char *why = stet_lint_row(STET_LINT_INM_CODED_IGNORED)->why;
    char words[40];
    snprintf(words, sizeof words, "%.30s", why);
    const char *text = written(&usual_report, false, false, 110);
    const char *first = strstr(text, words);
    assert_non_null(first);
    assert_null(strstr(first + 1, words));
    const char *name = strstr(text, "coded-tag-not-matched");
    assert_non_null(strstr(name + 1, "coded-tag-not-matched"));
}

static void test_verbose(void **state)
{
    const char *text = written(&usual_report, false, true, 110);
    has(text, "  ✓ strong-etag · RFC 9110 8.8.3\n");
    has(text, "    1  get                      200      24378 octets       2.3 ms\n");
    has(text, "    2  coding                   200       8021 octets       3.9 ms · gzip\n");
    has(text, "the connection was closed before an answer came\n");
}

static void test_recorded(void **state)
{
    struct chosen chosen;
    const char *text = written(chosen_report(&chosen, "http://a.example/"), false, false, 80);
    has(text, "D   1 resource · 1 error · 0 warnings · 1 note · 1 right\n");
}

static void test_empty(void **state)
{
    const char *text = written(&empty_report, false, false, 0);
    has(text, "-   0 requests in 0.0 s · 0 errors · 0 warnings · 0 notes · 0 right\n");
    assert_null(strstr(text, "--explain"));
}

/* Octets that no writer of ours puts there: controls but line feed and ESC of colours; what is not UTF-8 of
 * our own marks. */
static void is_harmless(const char *text, bool colour)
{
    static const char *const own[] = {"✗", "·", "✓"};
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '\n' || (c >= 0x20 && c < 0x7f))
            continue;
        if (c == 0x1b && colour) {
            size_t digits = at[1] == '[' ? strspn(at + 2, "0123456789") : 0;
            assert_true(digits > 0 && at[2 + digits] == 'm');
            continue;
        }
        size_t len = 0;
        for (size_t i = 0; i < 3; i++)
            if (strncmp(at, own[i], strlen(own[i])) == 0)
                len = strlen(own[i]);
        if (len == 0)
            fail_msg("octet %02x in the report", c);
        at += len - 1;
    }
}

static void test_nothing_speaks_to_the_terminal(void **state)
{
    struct chosen chosen;
    for (size_t i = 0; worst_text(i); i++)
        for (unsigned width = 0; width < 130; width += 13) {
            is_harmless(written(chosen_report(&chosen, worst_text(i)), false, true, width), false);
            is_harmless(written(chosen_report(&chosen, worst_text(i)), true, true, width), true);
        }
    const char *text = written(chosen_report(&chosen, HOSTILE), true, false, 110);
    assert_null(strstr(text, "\x1b[31mred"));
    has(text, "\\x1b[31mred\\x1b]0;title\\x07 \\x9b2J");
}

/* Columns of a line: octets that begin a character. */
static size_t columns(const char *line, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)line[i] & 0xc0) != 0x80;
    return n;
}

/* Lines fit the terminal, however long what a server chose is. */
static void test_width(void **state)
{
    struct chosen chosen;
    static const unsigned widths[] = {60, 80, 110};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const char *text = written(chosen_report(&chosen, long_text()), false, false, widths[i]);
        const char *summary = strstr(text, "\nD   1 resource");
        assert_non_null(summary);
        for (const char *line = text; line < summary;) {
            size_t len = strcspn(line, "\n");
            if (columns(line, len) > widths[i])
                fail_msg("more than %u columns: %.*s", widths[i], (int)len, line);
            line += len + 1;
        }
        has(text, "...\n");
    }
}

static int release(void **state)
{
    stet__buffer_release(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),   cmocka_unit_test(test_meaning_is_told_once),
        cmocka_unit_test(test_verbose), cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_empty),   cmocka_unit_test(test_nothing_speaks_to_the_terminal),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
