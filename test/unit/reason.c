/* SPDX-License-Identifier: MIT */
/*
 * reason: the table is fit to be printed: names are unique and stable in form, clauses name a document and
 * section, and sentences are sentences.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_names_are_those_of_the_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
