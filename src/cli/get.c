/* SPDX-License-Identifier: MIT */
/*
 * get: the command `stet get`: options, cache and transfers made ready, all URLs run, what became of them
 * told. What a request or an answer means is decided in get/ and core; where content goes in get_download.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cache_folder.h"
#include "cli/get_download.h"
#include "cli/get_tell.h"

void stet__cli_get_help(FILE *out)
{
    struct stet__get_options options;
    stet__get_options_init(&options);
    fputs(
        "Usage: stet get [OPTION]... URL...\n\n"
        "Fetches URLs like curl, and keeps what comes: the next time only what has changed is transferred.\n"
        "Content goes to standard output or to files; several stet at once may use the same cache.\n"
        "Defaults are in brackets.\n",
        out);
    stet__get_options_print(&options, out);
    fputs("\nExit codes: 0 fetched, 1 failure here, 2 wrong command line or URL, 5 no answer, or not all of "
          "it,\n"
          "6 some URLs failed or all in different ways, 7 --offline: not stored, 10 --changed: it has not,\n"
          "22 -f: the server says 400 or above, 130 interrupted. More: man stet-get\n",
          out);
    stet__get_options_release(&options);
}

/* --- the signal --- */

static volatile int *stop_of_handler;

static void on_interrupt(int signal)
{
    *stop_of_handler = 1;
}

/* The first SIGINT or SIGTERM ends the run in order, the second one at once; a shell that starts us in the
 * background has SIGINT ignored, and that is meant so. A closed pipe is seen by write. */
static void set_signals(struct stet__get_run *run)
{
    struct sigaction interrupt = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND},
                     ignore = {.sa_handler = SIG_IGN}, before;
    stop_of_handler = &run->stop;
    if (sigaction(SIGINT, NULL, &before) != 0 || before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &interrupt, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* --- what it takes --- */

/* True also without a cache: downloads need not fail because of that, unless they are about it. */
static bool open_cache(struct stet__get_run *run)
{
    const struct stet__get_options *options = run->options;
    const char *wrong = NULL;
    char *own = NULL;
    if (options->no_store)
        return true;
    if (!options->cache_folder)
        own = stet__cache_folder(&wrong);
    const struct stet__disk_settings settings = {.folder = own ? own : options->cache_folder,
                                                 .octets_max = options->cache_octets_max,
                                                 .object_max = options->object_octets_max};
    bool needed = options->mode == STET__GET_OFFLINE || options->changed;
    if (settings.folder && stet__disk_open(&settings, &run->disk, &wrong) != STET_OK)
        run->disk = NULL;
    if (wrong && (needed || stet__get_tells(options)))
        stet__cli_complain("get: the cache in %s: %s", settings.folder ? settings.folder : "~/.cache/stet",
                           wrong);
    free(own);
    return run->disk || !needed;
}

static struct stet__get *make_engine(const struct stet__get_run *run, struct stet__transfers *transfers)
{
    const struct stet__get_options *options = run->options;
    const struct stet__get_settings settings = {
        .mode = options->mode,
        .max_stale_s = options->max_stale_s,
        .store = run->disk != NULL,
        .follow = options->follow,
        .redirects_max = options->redirects_max,
        .compressed = !options->no_compressed && !run->request.bare,
        .dictionaries = !options->no_dictionary && !options->transfer.insecure,
        .parallel = options->parallel ? options->parallel_max : 1,
        .retries = options->retries,
        /* No lifetime is guessed: who fetches by hand, or from cron, wants to know what is there now, and
         * asking costs a 304 (RFC 9111 section 4.2.2 leaves it to the cache). */
        .policy = {.obey_clients = true, .keep_cookies = true},
        .transfer = &options->transfer,
    };
    return transfers ? stet__get_new(&settings, transfers, run->disk) : NULL;
}

/* --- what became of it --- */

static bool is_shown(const struct stet__get_run *run)
{
    const struct stet__get_options *options = run->options;
    return !options->silent && !options->no_progress && (options->progress || isatty(STDERR_FILENO));
}

static void tell_end(struct stet__get_run *run)
{
    const struct stet__get_options *options = run->options;
    char line[512];
    stet__get_progress_clear(&run->progress);
    if (options->silent || run->reader_is_gone)
        return;
    if (run->tally.ended > 0 && (run->tally.begun > 1 || run->progress.on)) {
        stet__get_tally_format(&run->tally, stet__get_now_us(), line, sizeof line);
        fprintf(stderr, "%s\n", line);
    }
    if (run->stop && run->disk)
        stet__cli_complain(
            "get: stopped; the same command goes on, with what came so far where that is possible");
    else if (run->stop)
        stet__cli_complain("get: stopped");
}

static int exit_code(const struct stet__get_run *run)
{
    if (run->stop && !run->reader_is_gone)
        return STET__EXIT_INTERRUPTED;
    if (run->mixed || (run->worst && run->good > 0))
        return STET__EXIT_MIXED;
    if (run->worst)
        return run->worst;
    return run->options->changed && !run->changed ? STET__EXIT_UNCHANGED : STET__EXIT_OK;
}

static void free_all(struct stet__get_run *run, struct stet__get *engine, struct stet__transfers *transfers)
{
    stet__get_free(engine);
    stet__transfers_free(transfers);
    stet__disk_close(run->disk);
    run->disk = NULL;
}

static int run_all(struct stet__get_run *run)
{
    struct stet__get_bar bars[STET__GET_BARS] = {{NULL, 0, 0, 0}};
    int code = STET__EXIT_FAILURE;
    struct stet__transfers *transfers = NULL;
    struct stet__get *engine = NULL;
    stet__cli_raise_descriptors();
    if (!open_cache(run))
        return code;
    transfers = stet__transfers_new(&run->options->transfer);
    engine = make_engine(run, transfers);
    if (!engine) {
        stet__cli_complain("get: out of memory");
        free_all(run, engine, transfers);
        return code;
    }
    run->tally.started_us = stet__get_now_us();
    run->progress = (struct stet__get_progress){
        .on = is_shown(run), .bars = bars, .count = STET__GET_BARS, .tally = &run->tally};
    set_signals(run);
    stet__get_run(engine, stet__get_download_next, run, &run->stop);
    tell_end(run);
    code = exit_code(run);
    free_all(run, engine, transfers);
    return code;
}

/* As any filter ends whose reader has gone. */
static int end_by_pipe(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
    return STET__EXIT_FAILURE;
}

static int run(const struct stet__get_options *options, char *const *urls, size_t url_count)
{
    struct stet__get_run run = {
        .options = options, .many = url_count > 1 || options->input, .terminal = isatty(STDOUT_FILENO) == 1};
    int code = STET__EXIT_FAILURE;
    stet__list_init(&run.downloads);
    if (!stet__get_input_open(&run.input, options, urls, url_count))
        return STET__EXIT_USAGE;
    run.tally.expected = stet__get_input_count(&run.input);
    if (stet__get_request_make(options, &run.request))
        code = run_all(&run);
    else
        stet__cli_complain("get: out of memory");
    stet__get_request_release(&run.request);
    stet__get_input_close(&run.input);
    stet__get_claims_release(&run.claims);
    if (run.reader_is_gone)
        return end_by_pipe();
    int told = stet__cli_told();
    return code ? code : told;
}

int stet__cli_get(int argc, char **argv)
{
    struct stet__get_options options;
    int urls, code = STET__EXIT_USAGE;
    stet__get_options_init(&options);
    if (stet__get_options_parse(&options, argc, argv, &urls)) {
        if (options.help) {
            stet__cli_get_help(stdout);
            code = stet__cli_told();
        } else {
            code = run(&options, argv, (size_t)urls);
        }
    }
    stet__get_options_release(&options);
    return code;
}
