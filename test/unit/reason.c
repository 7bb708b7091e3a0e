/* SPDX-License-Identifier: MIT */
/*
 * reason: the tables are fit to be printed: names are unique and stable in form, clauses name a document and
 * section, sentences are sentences, and texts are some of them on one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include <stet/reason.h>

/* Lower-case letters, digits and single hyphens between them. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && name[0] != '-' &&
           name[len - 1] != '-' && !strstr(name, "--");
}

/* "RFC 9110 13.1.2" */
static bool is_clause(const char *clause)
{
    static const char digits[] = "0123456789";
    if (strncmp(clause, "RFC ", 4) != 0 || strspn(clause + 4, digits) != 4 || clause[8] != ' ')
        return false;
    for (const char *section = clause + 8; *section; section += 1 + strspn(section + 1, digits))
        if (strspn(section + 1, digits) == 0 || (*section != '.' && section != clause + 8))
            return false;
    return true;
}

static bool is_sentence(const char *sentence)
{
    size_t len = strlen(sentence);
    return len > 10 && sentence[0] >= 'A' && sentence[0] <= 'Z' && sentence[len - 1] == '.' &&
           !strstr(sentence, "  ");
}

static void test_rows(void **state)
{
    for (int i = 0; i < STET_REASON_COUNT; i++) {
        const struct stet_reason_row *row = stet_reason_row((enum stet_reason)i);
        if (!is_name(row->name) || !is_clause(row->clause) || !is_sentence(row->sentence))
            fail_msg("row %d: %s, %s, %s", i, row->name, row->clause, row->sentence);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(stet_reason_row((enum stet_reason)j)->name, row->name);
    }
}

/* "STET_REASON_IF_MATCH_DIFFERS" and "if-match-differs" are the same words. */
static void test_names_are_those_of_the_symbols(void **state)
{
    static const char *const symbols[] = {
#define X(symbol, name, clause, sentence) #symbol,
#include <stet/reason.def>
#undef X
    };
    assert_int_equal(sizeof symbols / sizeof *symbols, STET_REASON_COUNT);
    for (int i = 0; i < STET_REASON_COUNT; i++) {
        const char *words = symbols[i] + strlen("STET_REASON_");
        const char *name = stet_reason_row((enum stet_reason)i)->name;
        assert_int_equal(strlen(words), strlen(name));
        for (size_t k = 0; name[k]; k++)
            if ((words[k] == '_'                      ? '-'
                 : words[k] >= 'A' && words[k] <= 'Z' ? words[k] + 32
                                                      : words[k]) != name[k])
                fail_msg("%s is named %s", symbols[i], name);
    }
}

/* The full stops that end a sentence: those of "stet serve." and not those of "9110 5.6.7". */
static size_t sentences_of(const char *text)
{
    size_t count = 0;
    for (const char *at = text; *at; at++)
        count += (*at == '.' || *at == '?') && (at[1] == ' ' || at[1] == '\0');
    return count;
}

static bool is_text(const char *text)
{
    size_t len = strlen(text);
    return len > 80 && text[len - 1] == '.' && text[0] != ' ' && !strpbrk(text, "\r\n\t") &&
           !strstr(text, "  ");
}

static void test_texts(void **state)
{
    for (int i = 0; i < STET_REASON_COUNT; i++) {
        const char *text = stet_reason_text((enum stet_reason)i);
        const struct stet_reason_row *row = stet_reason_row((enum stet_reason)i);
        if (!is_text(text) || sentences_of(text) < 2 || sentences_of(text) > 7 || strstr(text, row->sentence))
            fail_msg("%s: %s", row->name, text);
    }
}

/* Each is another one than the reason itself, and none comes twice. */
static void test_related(void **state)
{
    for (int i = 0; i < STET_REASON_COUNT; i++) {
        size_t count = 0;
        const enum stet_reason *related = stet_reason_related((enum stet_reason)i, &count);
        assert_in_range(count, 1, STET_REASON_RELATED_MAX);
        for (size_t k = 0; k < count; k++) {
            if (related[k] == (enum stet_reason)i || (unsigned)related[k] >= STET_REASON_COUNT)
                fail_msg("%s is related to itself", stet_reason_row((enum stet_reason)i)->name);
            for (size_t m = 0; m < k; m++)
                assert_int_not_equal(related[m], related[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_names_are_those_of_the_symbols),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_related),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
