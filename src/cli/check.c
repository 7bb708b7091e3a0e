/* SPDX-License-Identifier: MIT */
/*
 * check: the command `stet check`. What is asked and found is check/check.h's; here is where the reports go,
 * and what the exit code says.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/check_options.h"
#include "cli/cli.h"
#include "cli/suggest.h"

#define REPORT_MAX ((size_t)1 << 30)

static volatile sig_atomic_t stopped;
static const volatile int *const stop = &stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

void stet__cli_check_help(FILE *out)
{
    struct stet__check_options options;
    stet__check_options_init(&options);
    fputs(
        "Usage: stet check [OPTION]... URL...\n\n"
        "Asks a server what a careful client would ask, and tells what is right, wrong and improvable about\n"
        "its validators, conditional requests and caching. Only GET and HEAD are sent.\n",
        out);
    stet__check_options_print(&options, out);
    fputs("\nExit codes: 0 nothing of --fail-on was found, 1 something was, 2 wrong command line, 5 "
          "something could\n"
          "not be checked. More: man stet-check\n",
          out);
    stet__check_options_release(&options);
}

static void show_progress(void *owner, const char *uri, unsigned done, unsigned of)
{
    (void)owner;
    fprintf(stderr, "\r\033[K%u of about %u: %.60s", done, of, uri);
    fflush(stderr);
}

static bool write_out(const char *path, const struct stet__buffer *text)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "we");
    bool done = out && (text->len == 0 || fwrite(text->ptr, 1, text->len, out) == text->len);
    if (out && !standard)
        done &= fclose(out) == 0;
    if (!done)
        stet__cli_complain("check: %s cannot be written: %s", path, strerrordesc_np(errno));
    return done;
}

typedef bool writer(const struct stet__check_report *report, struct stet__buffer *out);

/* One report to one place, if it is wanted. */
static bool give(const struct stet__check_report *report, const char *path, writer *write)
{
    struct stet__buffer text;
    if (!path)
        return true;
    stet__buffer_init(&text, REPORT_MAX);
    bool done = write(report, &text);
    if (!done)
        stet__cli_complain("check: the report for %s is too large", path);
    done = done && write_out(path, &text);
    stet__buffer_release(&text);
    return done;
}

static bool is_standard(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static bool give_terminal(const struct stet__check_report *report, const struct stet__check_options *options)
{
    struct winsize size;
    struct stet__buffer text;
    const char *no_color = getenv("NO_COLOR");
    bool terminal = isatty(STDOUT_FILENO);
    struct stet__check_style style = {.verbose = options->verbose};
    if (is_standard(options->json) || is_standard(options->sarif) || is_standard(options->junit) ||
        is_standard(options->html))
        return true;
    style.colour = terminal && !options->no_color && !(no_color && *no_color);
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        style.width = size.ws_col;
    stet__buffer_init(&text, REPORT_MAX);
    bool done = stet__check_write_terminal(report, &style, &text) && write_out("-", &text);
    stet__buffer_release(&text);
    return done;
}

static int exit_code(const struct stet__check_report *report, const struct stet__check_options *options)
{
    for (int i = options->fail_on; i <= STET_LINT_BAD; i++)
        if (report->counts[i] > 0)
            return STET__EXIT_FAILURE;
    if (stopped)
        return STET__EXIT_INTERRUPTED;
    for (size_t i = 0; i < report->resource_count; i++)
        if (report->resources[i].failure)
            return STET__EXIT_NETWORK;
    return STET__EXIT_OK;
}

static struct stet__check_report *make(const struct stet__check_options *options, char **uris, int count)
{
    const char *cause = NULL;
    struct stet__check_report *report;
    if (options->har)
        report = stet__check_har(&options->settings, options->har, &cause);
    else if (options->edge)
        report = stet__check_hops(&options->settings, options->edge, options->origin);
    else
        report = stet__check_run(&options->settings, (const char *const *)uris, (size_t)count);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (!report)
        stet__cli_complain("check: %s%s%s", options->har ? options->har : "", options->har ? ": " : "",
                           cause ? cause : "out of memory");
    return report;
}

static int run(struct stet__check_options *options, char **uris, int count)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    options->settings.stop = stop;
    if (isatty(STDERR_FILENO))
        options->settings.progress = show_progress;
    struct stet__check_report *report = make(options, uris, count);
    if (!report)
        return STET__EXIT_FAILURE;
    bool given = give_terminal(report, options);
    given &= give(report, options->json, stet__check_write_json);
    given &= give(report, options->sarif, stet__check_write_sarif);
    given &= give(report, options->junit, stet__check_write_junit);
    given &= give(report, options->html, stet__check_write_html);
    int code = given && stet__cli_told() == STET__EXIT_OK ? exit_code(report, options) : STET__EXIT_FAILURE;
    stet__check_free(report);
    return code;
}

static int list(void)
{
    puts("Rules:");
    for (int i = 0; i < STET_LINT_COUNT; i++) {
        const struct stet_lint_row *row = stet_lint_row((enum stet_lint)i);
        printf("  %-32s %-8s %s\n", row->name, stet_lint_severity_name(row->severity), row->sentence);
    }
    puts("\nProbes:");
    for (int i = 0; i < STET_PROBE_COUNT; i++) {
        const struct stet_lint_probe_row *row = stet_lint_probe_row((enum stet_lint_probe_kind)i);
        printf("  %-24s %s\n", row->name, row->sentence);
    }
    return stet__cli_told();
}

/* The lines of a mend, indented. */
static void print_mend(enum stet_lint lint, enum stet__check_server server)
{
    const char *mend = stet__check_mend(lint, server);
    if (!mend)
        return;
    printf("\n%s:\n", stet__check_server_name(server));
    while (*mend) {
        size_t len = strcspn(mend, "\n");
        printf("    %.*s\n", (int)len, mend);
        mend += len + (mend[len] == '\n');
    }
}

static int explain(const char *name)
{
    struct stet__suggestion suggestion = {name, NULL, 0};
    for (int i = 0; i < STET_LINT_COUNT; i++) {
        const struct stet_lint_row *row = stet_lint_row((enum stet_lint)i);
        if (strcmp(row->name, name) == 0) {
            printf("%s (%s, %s)\n\n%s\n%s\n", row->name, stet_lint_severity_name(row->severity), row->clause,
                   row->sentence, row->why);
            for (int j = 0; j < STET__SERVER_COUNT; j++)
                print_mend((enum stet_lint)i, (enum stet__check_server)j);
            return stet__cli_told();
        }
        stet__suggestion_offer(&suggestion, row->name);
    }
    if (suggestion.best)
        stet__cli_complain("check: there is no rule '%s'; did you mean '%s'?", name, suggestion.best);
    else
        stet__cli_complain("check: there is no rule '%s'; --list names all", name);
    return STET__EXIT_USAGE;
}

int stet__cli_check(int argc, char **argv)
{
    struct stet__check_options options;
    int uris, code = STET__EXIT_USAGE;
    stet__check_options_init(&options);
    if (stet__check_options_parse(&options, argc, argv, &uris)) {
        if (options.help) {
            stet__cli_check_help(stdout);
            code = stet__cli_told();
        } else if (options.list) {
            code = list();
        } else if (options.explain) {
            code = explain(options.explain);
        } else {
            code = run(&options, argv, uris);
        }
    }
    stet__check_options_release(&options);
    return code;
}
