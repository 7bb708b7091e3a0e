/* SPDX-License-Identifier: MIT */
/*
 * cache: the command `stet cache`: looks after what `stet get` has stored. The folder is opened as stet get
 * does it, so it can be used while others fetch.
 */
#include "cli/cache.h"

#include <time.h>

#include <stet/uri.h>

#include "base/buffer.h"
#include "cli/cache_folder.h"
#include "cli/cli.h"
#include "cli/option.h"
#include "cli/suggest.h"

#define OWN(member) STET__FIELD(struct stet__cache_options, member)

/* clang-format off */
static const struct stet__option options[] = {
    STET__ROW_HEADING("What"),
    STET__SHORT_SWITCH('l', "long", OWN(detailed), "ls: freshness, status, octets and tag of each"),
    STET__ROW_SWITCH("body", OWN(body), "show: write the content to standard output, as it was received"),
    STET__ROW_TEXT("prefix", "PREFIX", OWN(prefix), "ls, rm: what begins so: http://example.com/blog/"),
    STET__ROW_SWITCH("all", OWN(all), "rm: everything"),
    STET__ROW_SWITCH("mend", OWN(mend), "verify: put right what is wrong"),
    STET__ROW_SWITCH("json", OWN(json), "ls, show, stats: JSON"),
    STET__ROW_HEADING("Others"),
    STET__ROW_TEXT("cache-dir", "DIR", OWN(folder), "the cache is here and not in ~/.cache/stet"),
    STET__ROW_SWITCH("help", OWN(help), "this text"),
};
/* clang-format on */

static const struct stet__option_rows rows = STET__ROWS(options);
static const struct stet__option_rows *const parts[] = {&rows};
static const struct stet__option_table table = {"cache", parts, 1};

void stet__cli_cache_help(FILE *out)
{
    const struct stet__cache_options settings = {.json = false};
    fputs("Usage: stet cache ls|show URL|rm URL...|verify|stats [OPTION]...\n\n"
          "Looks after the private cache of stet get.\n\n"
          "  ls         names what is stored, in the order of URLs\n"
          "  show URL   what is stored under a URL: head, freshness and where that comes from, content\n"
          "  rm URL...  forgets it, all variants\n"
          "  verify     looks at every record and every content; tells what is wrong\n"
          "  stats      how much there is, and what it saved\n",
          out);
    stet__options_print(&table, &settings, out);
    fputs("\nExit codes: 0 done; 1 nothing is stored there, verify found a fault, or the cache cannot be\n"
          "opened; 2 wrong command line. More: man stet-cache\n",
          out);
}

int stet__cache_print_json(json_t *json)
{
    bool printed = json && json_dumpf(json, stdout, JSON_INDENT(2)) == 0;
    json_decref(json);
    if (!printed) {
        stet__cli_complain("cache: the JSON cannot be written");
        return STET__EXIT_FAILURE;
    }
    putchar('\n');
    return stet__cli_told();
}

char *stet__cache_key(const char *url)
{
    struct stet_uri uri;
    struct stet__buffer whole;
    size_t room = strlen(url) + 32, len = 0;
    char *key = malloc(room);
    stet__buffer_init(&whole, room);
    stet__buffer_append_text(&whole, strstr(url, "://") ? "" : "http://"); /* as stet get */
    stet__buffer_append_text(&whole, url);
    if (key && !whole.failed && stet_uri_parse(stet__buffer_span(&whole), &uri) == STET_OK)
        len = stet_uri_write(&uri, key, room - 1);
    stet__buffer_release(&whole);
    if (len == 0) {
        stet__cli_complain("cache: '%s' is no URL; it begins with http:// or https://", url);
        free(key);
        return NULL;
    }
    key[len] = 0;
    return key;
}

/* --- rm --- */

static int rm(struct stet__cache_run *run)
{
    uint64_t count = 0;
    int code = STET__EXIT_OK;
    if (run->count == 0 && !run->options->all && !run->options->prefix) {
        stet__cli_complain("cache rm: what? A URL, --prefix http://example.com/ or --all");
        return STET__EXIT_USAGE;
    }
    if (run->options->all || run->options->prefix) {
        const char *prefix = run->options->all ? "" : run->options->prefix;
        count = stet__disk_remove_prefix(run->disk, stet_span_of(prefix, strlen(prefix)));
    }
    for (int i = 0; i < run->count; i++) {
        char *key = stet__cache_key(run->operands[i]);
        if (!key)
            return STET__EXIT_USAGE;
        size_t removed = stet__disk_remove(run->disk, stet_span_of(key, strlen(key)));
        if (removed == 0) {
            stet__cli_complain("cache: nothing is stored under %s", key);
            code = STET__EXIT_FAILURE;
        }
        count += removed;
        free(key);
    }
    printf("%ju removed\n", (uintmax_t)count);
    int told = stet__cli_told();
    return code != STET__EXIT_OK ? code : told;
}

/* --- verify --- */

static void tell_fault(void *owner, const char *fault)
{
    (void)owner;
    printf("fault: %s\n", fault);
}

static int verify(struct stet__cache_run *run)
{
    struct stet__disk_findings found;
    int code = stet__disk_verify(run->disk, run->options->mend, tell_fault, NULL, &found);
    if (code != STET_OK) {
        stet__cli_complain("cache: %s", stet_status_row(code)->sentence);
        return STET__EXIT_FAILURE;
    }
    if (found.leftovers > 0)
        printf("%ju leftover%s of killed processes removed\n", (uintmax_t)found.leftovers,
               found.leftovers == 1 ? "" : "s");
    printf("%ju stored, %ju contents, %ju octets: ", (uintmax_t)found.entries, (uintmax_t)found.bodies,
           (uintmax_t)found.octets);
    if (found.faults == 0)
        puts("clean");
    else
        printf("%ju fault%s%s\n", (uintmax_t)found.faults, found.faults == 1 ? "" : "s",
               run->options->mend ? ", mended" : "; stet cache verify --mend puts it right");
    int told = stet__cli_told();
    return found.faults > 0 ? STET__EXIT_FAILURE : told;
}

/* --- stats --- */

static int stats_json(const struct stet__cache_run *run, const struct stet__disk_stats *s)
{
    return stet__cache_print_json(
        json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                  "folder", run->folder, "uris", (json_int_t)s->uris, "stored_now", (json_int_t)s->entries,
                  "parts", (json_int_t)s->parts, "bodies", (json_int_t)s->bodies, "outputs",
                  (json_int_t)s->outputs, "octets", (json_int_t)s->octets, "body_octets",
                  (json_int_t)s->body_octets, "index_octets", (json_int_t)s->index_octets, "octets_max",
                  s->octets_max == UINT64_MAX ? json_null() : json_integer((json_int_t)s->octets_max),
                  "shared_octets", (json_int_t)s->saved_octets, "hits", (json_int_t)s->hits, "validated",
                  (json_int_t)s->validated, "misses", (json_int_t)s->misses, "stored", (json_int_t)s->stored,
                  "evicted", (json_int_t)s->evicted, "octets_not_sent", (json_int_t)s->not_sent));
}

static void line(const char *name, uint64_t n, const char *text)
{
    printf("%-22s %12ju%s%s\n", name, (uintmax_t)n, *text ? "  " : "", text);
}

static int stats(struct stet__cache_run *run)
{
    struct stet__disk_stats s;
    char limit[64] = "no limit was said yet";
    stet__disk_stats(run->disk, &s);
    if (run->options->json)
        return stats_json(run, &s);
    if (s.octets_max != UINT64_MAX)
        snprintf(limit, sizeof limit, "of %ju (%.0f %%)", (uintmax_t)s.octets_max,
                 100.0 * (double)s.octets / (double)s.octets_max);
    printf("%s\n\n", run->folder);
    line("URLs", s.uris, "");
    line("stored responses", s.entries, "variants count each");
    line("  of them parts", s.parts, "downloads that can be resumed");
    line("contents", s.bodies, "");
    line("octets", s.octets, limit);
    line("  of contents", s.body_octets, "");
    line("  of the index", s.index_octets, "with small contents");
    line("  kept once, not twice", s.saved_octets, "same octets under several URLs");
    line("output files", s.outputs, "known, so that they need not be written again");
    puts("\nsince the cache was made");
    line("fresh", s.hits, "answered without asking anybody");
    line("validated", s.validated, "304");
    line("fetched", s.misses, "");
    line("stored", s.stored, "");
    line("evicted", s.evicted, "for lack of room");
    line("octets not sent", s.not_sent, "");
    return stet__cli_told();
}

/* --- the command --- */

static const struct verb {
    const char *name;
    int (*run)(struct stet__cache_run *run);
    bool takes_urls;
    const char *options; /* of those that not all verbs have */
} verbs[] = {
    {"ls", stet__cache_ls, false, "long prefix json"},
    {"show", stet__cache_show, true, "body json"},
    {"rm", rm, true, "prefix all"},
    {"verify", verify, false, "mend"},
    {"stats", stats, false, "json"},
};

enum { VERBS = sizeof verbs / sizeof *verbs };

static const struct verb *find_verb(const char *name)
{
    struct stet__suggestion suggestion = {name, NULL, 0};
    for (int i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
        stet__suggestion_offer(&suggestion, verbs[i].name);
    }
    stet__cli_complain("cache: there is no '%s'%s%s; these are: ls, show, rm, verify, stats", name,
                       suggestion.best ? "; did you mean " : "", suggestion.best ? suggestion.best : "");
    return NULL;
}

/* An option that the verb would not heed is a mistake. */
static bool suits(const struct verb *verb, const struct stet__cache_options *given, int operands)
{
    const struct {
        const char *name;
        bool given;
    } all[] = {{"long", given->detailed}, {"body", given->body}, {"prefix", given->prefix != NULL},
               {"all", given->all},       {"mend", given->mend}, {"json", given->json}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].given && !strstr(verb->options, all[i].name)) {
            stet__cli_complain("cache %s: --%s is not for it; stet cache --help tells", verb->name,
                               all[i].name);
            return false;
        }
    }
    if (operands > 0 && !verb->takes_urls) {
        stet__cli_complain("cache %s: it takes no URL%s", verb->name,
                           verb->run == stet__cache_ls ? "; --prefix http://example.com/ selects" : "");
        return false;
    }
    return true;
}

static int open_and_run(const struct verb *verb, struct stet__cache_run *run)
{
    const char *wrong = NULL;
    char *own = run->options->folder ? NULL : stet__cache_folder(&wrong);
    const struct stet__disk_settings settings = {.folder = own ? own : run->options->folder};
    struct timespec now;
    int code = STET__EXIT_FAILURE;
    clock_gettime(CLOCK_REALTIME, &now);
    run->now = now.tv_sec;
    run->folder = settings.folder;
    run->policy = (struct stet_cache_policy){.heuristic = STET_HEURISTIC_DEFAULT, .obey_clients = true};
    bool good = settings.folder && stet__disk_open(&settings, &run->disk, &wrong) == STET_OK;
    if (wrong)
        stet__cli_complain("cache: %s: %s", settings.folder ? settings.folder : "~/.cache/stet", wrong);
    if (good) {
        code = verb->run(run);
        stet__disk_close(run->disk);
    }
    free(own);
    return code;
}

int stet__cli_cache(int argc, char **argv)
{
    struct stet__cache_options settings = {.json = false};
    int operands;
    if (!stet__options_parse(&table, &settings, argc, argv, &operands))
        return STET__EXIT_USAGE;
    if (settings.help) {
        stet__cli_cache_help(stdout);
        return stet__cli_told();
    }
    if (operands == 0) {
        stet__cli_complain("cache: what? stet cache ls, for example; stet cache --help tells all");
        return STET__EXIT_USAGE;
    }
    const struct verb *verb = find_verb(argv[0]);
    struct stet__cache_run run = {.options = &settings, .operands = argv + 1, .count = operands - 1};
    return verb && suits(verb, &settings, run.count) ? open_and_run(verb, &run) : STET__EXIT_USAGE;
}
