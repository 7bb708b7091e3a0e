/* SPDX-License-Identifier: MIT */
/*
 * option: reading and printing by the table of option.h. An option is known by its whole name only: an
 * abbreviation that is clear today is not when a new option comes.
 */
#include "cli/option.h"

#include <stet/span.h>
#include <stet/status.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/suggest.h"

enum { HELP_COLUMN = 28, PORT_MAX = 65535 };

int stet__size_parse(const char *text, uint64_t *out)
{
    static const struct {
        char letter;
        unsigned shift;
    } units[] = {{'K', 10}, {'M', 20}, {'G', 30}, {'k', 10}, {'m', 20}, {'g', 30}};
    struct stet_span digits = stet_span_of(text, strlen(text));
    unsigned shift = 0;
    uint64_t n;
    for (size_t i = 0; digits.len > 0 && shift == 0 && i < sizeof units / sizeof *units; i++)
        if (digits.ptr[digits.len - 1] == units[i].letter)
            shift = units[i].shift;
    digits.len -= shift > 0;
    int status = stet_span_to_u64(digits, &n);
    if (status != STET_OK)
        return status;
    if (n > UINT64_MAX >> shift)
        return STET_E_NUMBER;
    *out = n << shift;
    return STET_OK;
}

static void store(const struct stet__option *option, void *settings, uint64_t n)
{
    char *field = (char *)settings + option->offset;
    unsigned narrow = (unsigned)n;
    stet__assert(option->width == sizeof n || option->width == sizeof narrow);
    if (option->width == sizeof n)
        memcpy(field, &n, sizeof n);
    else
        memcpy(field, &narrow, sizeof narrow);
}

static uint64_t load(const struct stet__option *option, const void *settings)
{
    const char *field = (const char *)settings + option->offset;
    uint64_t n;
    unsigned narrow;
    if (option->width == sizeof n) {
        memcpy(&n, field, sizeof n);
        return n;
    }
    memcpy(&narrow, field, sizeof narrow);
    return narrow;
}

static bool set_port(const struct stet__option_table *table, const struct stet__option *option,
                     void *settings, const char *argument)
{
    uint64_t n = option->min;
    int status = argument ? stet_span_to_u64(stet_span_of(argument, strlen(argument)), &n) : STET_OK;
    if (status == STET_OK && n >= 1 && n <= PORT_MAX) {
        store(option, settings, n);
        return true;
    }
    stet__cli_complain("%s: --%s %s: not a port from 1 to %d", table->command, option->name, argument,
                       PORT_MAX);
    return false;
}

static bool set_number(const struct stet__option_table *table, const struct stet__option *option,
                       void *settings, const char *argument)
{
    uint64_t n;
    int status = option->kind == STET__OPTION_SIZE
                     ? stet__size_parse(argument, &n)
                     : stet_span_to_u64(stet_span_of(argument, strlen(argument)), &n);
    if (status == STET_OK && n >= option->min && n <= option->max) {
        store(option, settings, n);
        return true;
    }
    stet__cli_complain("%s: --%s %s: not a %s from %ju to %ju", table->command, option->name, argument,
                       option->kind == STET__OPTION_SIZE ? "size (such as 64K)" : "number",
                       (uintmax_t)option->min, (uintmax_t)option->max);
    return false;
}

static bool set(const struct stet__option_table *table, const struct stet__option *option, void *settings,
                const char *argument)
{
    const char *wrong;
    switch (option->kind) {
    case STET__OPTION_SWITCH:
        memcpy((char *)settings + option->offset, &(bool){true}, sizeof(bool));
        return true;
    case STET__OPTION_PORT:
        return set_port(table, option, settings, argument);
    case STET__OPTION_TEXT:
        memcpy((char *)settings + option->offset, &argument, sizeof argument);
        return true;
    case STET__OPTION_CALL:
    case STET__OPTION_MAYBE:
    case STET__OPTION_DO:
        wrong = option->set(settings, argument);
        if (wrong)
            stet__cli_complain("%s: --%s%s%s: %s", table->command, option->name, argument ? " " : "",
                               argument ? argument : "", wrong);
        return !wrong;
    default:
        return set_number(table, option, settings, argument);
    }
}

/* Row `i` of all parts, or NULL behind the last. */
static const struct stet__option *row(const struct stet__option_table *table, size_t i)
{
    for (size_t part = 0; part < table->part_count; part++) {
        if (i < table->parts[part]->count)
            return &table->parts[part]->at[i];
        i -= table->parts[part]->count;
    }
    return NULL;
}

static bool is_option(const struct stet__option *option, const char *name, size_t len)
{
    return option->kind != STET__OPTION_HEADING && strlen(option->name) == len &&
           memcmp(option->name, name, len) == 0;
}

/* Whether it is known what to do instead of an option that there is not; told if so. Either `name` or
 * `letter` is what was typed. */
static bool tell_instead(const struct stet__option_table *table, const char *name, char letter)
{
    for (size_t part = 0; part < table->part_count; part++)
        for (size_t i = 0; i < table->parts[part]->lack_count; i++) {
            const struct stet__option_lack *lack = &table->parts[part]->lacks[i];
            if (name ? strcmp(lack->name, name) != 0 : lack->letter != letter)
                continue;
            const char typed[] = {letter, '\0'};
            stet__cli_complain("%s: there is no option %s%s: %s", table->command, name ? "--" : "-",
                               name ? name : typed, lack->instead);
            return true;
        }
    return false;
}

/* The row of the option whose name begins at `typed` and is `len` long; a complaint if there is none. */
static const struct stet__option *find(const struct stet__option_table *table, const char *typed, size_t len)
{
    char name[64];
    const struct stet__option *option;
    for (size_t i = 0; (option = row(table, i)); i++)
        if (is_option(option, typed, len))
            return option;
    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), typed);
    if (tell_instead(table, name, 0))
        return NULL;
    struct stet__suggestion suggestion = {name, NULL, 0};
    for (size_t i = 0; (option = row(table, i)); i++)
        if (option->kind != STET__OPTION_HEADING)
            stet__suggestion_offer(&suggestion, option->name);
    if (suggestion.best)
        stet__cli_complain("%s: there is no option --%s; did you mean --%s?", table->command, name,
                           suggestion.best);
    else
        stet__cli_complain("%s: there is no option --%s; stet help %s names all", table->command, name,
                           table->command);
    return NULL;
}

/* The row with this letter, or NULL. */
static const struct stet__option *find_letter(const struct stet__option_table *table, char letter)
{
    const struct stet__option *option;
    for (size_t i = 0; (option = row(table, i)); i++)
        if (option->letter == letter)
            return option;
    return NULL;
}

static bool is_digits(const char *text)
{
    return text && text[0] && text[strspn(text, "0123456789")] == '\0';
}

/* Whether there is no argument to it at all. */
static bool is_bare(const struct stet__option *option)
{
    return option->kind == STET__OPTION_SWITCH || option->kind == STET__OPTION_DO;
}

/* Whether the word behind an option is its argument. */
static bool takes(const struct stet__option *option, const char *next)
{
    if (option->kind == STET__OPTION_PORT)
        return is_digits(next);
    return !is_bare(option) && option->kind != STET__OPTION_MAYBE && next;
}

/* `argument` is what stands in the same word, or NULL; `next` the word behind, which is used if need be. */
static bool apply(const struct stet__option_table *table, const struct stet__option *option, void *settings,
                  const char *argument, char **next, int *at)
{
    if (!argument && takes(option, *next)) {
        argument = *next;
        ++*at;
    }
    if (!is_bare(option) && option->kind != STET__OPTION_PORT && option->kind != STET__OPTION_MAYBE &&
        !argument) {
        stet__cli_complain("%s: --%s needs an argument: %s", table->command, option->name, option->argument);
        return false;
    }
    return set(table, option, settings, argument);
}

/* Reads the option at argv[*at]; `*at` moves to the last argument that was used. */
static bool parse_one(const struct stet__option_table *table, void *settings, char **argv, int *at)
{
    const char *typed = argv[*at] + 2;
    const char *equals = strchr(typed, '=');
    const struct stet__option *option = find(table, typed, equals ? (size_t)(equals - typed) : strlen(typed));
    if (!option)
        return false;
    if (is_bare(option) && equals) {
        stet__cli_complain("%s: --%s takes no argument", table->command, option->name);
        return false;
    }
    return apply(table, option, settings, equals ? equals + 1 : NULL, &argv[*at + 1], at);
}

/* The same for letters: switches, and at the end one that may have an argument. */
static bool parse_letters(const struct stet__option_table *table, void *settings, char **argv, int *at)
{
    char **next = &argv[*at + 1];
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        const struct stet__option *option = find_letter(table, *letter);
        if (!option && strcmp(argv[*at], "-h") == 0)
            option = find(table, "help", sizeof "help" - 1);
        if (!option) {
            if (!tell_instead(table, NULL, *letter))
                stet__cli_complain("%s: there is no option -%c; stet help %s names all", table->command,
                                   *letter, table->command);
            return false;
        }
        if (!is_bare(option))
            return apply(table, option, settings, letter[1] ? letter + 1 : NULL, next, at);
        if (!set(table, option, settings, NULL))
            return false;
    }
    return true;
}

bool stet__options_parse(const struct stet__option_table *table, void *settings, int argc, char **argv,
                         int *operands)
{
    bool only_operands = false;
    *operands = 0;
    for (int i = 0; i < argc; i++) {
        if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[(*operands)++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else {
            bool (*parse)(const struct stet__option_table *, void *, char **, int *) =
                argv[i][1] == '-' ? parse_one : parse_letters;
            if (!parse(table, settings, argv, &i))
                return false;
        }
    }
    return true;
}

static void print_size(uint64_t n, FILE *out)
{
    static const char letters[] = "KMG";
    size_t unit = 0;
    for (; unit < 3 && n >= 1024 && n % 1024 == 0; unit++)
        n /= 1024;
    fprintf(out, unit ? " [%ju%c]" : " [%ju]", (uintmax_t)n, unit ? letters[unit - 1] : 0);
}

static void print_default(const struct stet__option *option, const void *settings, FILE *out)
{
    const char *text = option->initial;
    if (!text && option->kind == STET__OPTION_TEXT)
        memcpy(&text, (const char *)settings + option->offset, sizeof text);
    if (text)
        fprintf(out, " [%s]", text);
    else if (option->kind == STET__OPTION_NUMBER)
        fprintf(out, " [%ju]", (uintmax_t)load(option, settings));
    else if (option->kind == STET__OPTION_SIZE)
        print_size(load(option, settings), out);
}

static int print_name(const struct stet__option *option, bool lettered, FILE *out)
{
    bool maybe = option->kind == STET__OPTION_MAYBE;
    char letter[] = {'-', option->letter, ',', ' ', '\0'};
    return fprintf(out, "  %s--%s%s%s%s",
                   !lettered        ? ""
                   : option->letter ? letter
                                    : "    ",
                   option->name,
                   maybe              ? "[="
                   : option->argument ? " "
                                      : "",
                   option->argument ? option->argument : "", maybe ? "]" : "");
}

static void print_row(const struct stet__option *option, bool lettered, const void *settings, FILE *out)
{
    int width = print_name(option, lettered, out);
    if (width >= HELP_COLUMN) {
        fputc('\n', out);
        width = 0;
    }
    for (const char *line = option->help; *line;) {
        size_t len = strcspn(line, "\n");
        fprintf(out, "%*s%.*s", HELP_COLUMN - width, "", (int)len, line);
        line += len + (line[len] == '\n');
        if (*line)
            fputc('\n', out);
        width = 0;
    }
    print_default(option, settings, out);
    fputc('\n', out);
}

void stet__options_print(const struct stet__option_table *table, const void *settings, FILE *out)
{
    const struct stet__option *option;
    bool lettered = false;
    for (size_t i = 0; (option = row(table, i)); i++)
        lettered = lettered || option->letter;
    for (size_t i = 0; (option = row(table, i)); i++)
        if (option->kind == STET__OPTION_HEADING)
            fprintf(out, "\n%s\n", option->name);
        else
            print_row(option, lettered, settings, out);
}
