/* SPDX-License-Identifier: MIT */
/*
 * explain: the command `stet explain`: why an exchange was what it was. What is said is made in explain/;
 * here are the options, files, clock and terminal.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/explain_log.h"
#include "cli/explain_reason.h"
#include "cli/server_options.h"
#include "explain/explain.h"
#include "explain/fetch.h"

#define TEXT_MAX (64u << 20)
#define PATIENCE_MS 30000
#define WIDTH_DEFAULT 120
#define WIDTH_MIN 60
#define WIDTH_MAX 200

struct settings {
    const char *request, *response, *stored, *access_log, *method;
    struct stet__cli_list fields; /* struct stet_field, which borrow from argv */
    struct stet__explain_when now, stored_at;
    int64_t clock;
    bool shared, private_only, insecure, compressed, all, json, list, help;
};

static const char *set_when(struct settings *settings, const char *argument, struct stet__explain_when *out)
{
    return stet__explain_when_read(argument, settings->clock, out)
               ? NULL
               : "not a time; these are: 'Sat, 21 Nov 2026 09:30:00 GMT', 1795253400, +60";
}

static const char *set_now(void *arg, const char *argument)
{
    struct settings *settings = arg;
    return set_when(settings, argument, &settings->now);
}

static const char *set_stored_at(void *arg, const char *argument)
{
    struct settings *settings = arg;
    return set_when(settings, argument, &settings->stored_at);
}

static const char *set_method(void *arg, const char *argument)
{
    struct settings *settings = arg;
    settings->method = argument;
    return stet_method_safe(stet_method_id(stet__cli_span(argument)))
               ? NULL
               : "not a safe method, and the URL would be asked twice";
}

static const char *add_field(void *arg, const char *argument)
{
    struct settings *settings = arg;
    const char *colon = strchr(argument, ':');
    if (!colon || colon == argument || strpbrk(argument, "\r\n"))
        return "not a field; this is: 'Accept: text/html'";
    struct stet_field field = {.name = stet_span_of(argument, (size_t)(colon - argument))};
    field.value = stet_span_trim(stet_span_of(colon + 1, strlen(colon + 1)));
    field.id = stet_field_id(field.name);
    return stet__cli_list_append(&settings->fields, &field, sizeof field);
}

/* clang-format off */
static const struct stet__option options[] = {
    STET__ROW_HEADING("What to explain, beside a URL or a REASON"),
    STET__ROW_TEXT("request", "FILE", STET__FIELD(struct settings, request), "the head of a request, or of a request and then its response"),
    STET__ROW_TEXT("response", "FILE", STET__FIELD(struct settings, response), "the head of its response"),
    STET__ROW_TEXT("stored", "FILE", STET__FIELD(struct settings, stored), "what a cache has stored: a response, or a request and then its response"),
    STET__ROW_TEXT("access-log", "FILE", STET__FIELD(struct settings, access_log), "count the reasons in a log of stet or of another server"),
    STET__ROW_SWITCH("list", STET__FIELD(struct settings, list), "all reasons that there are"),
    STET__ROW_HEADING("How"),
    STET__ROW_CALL("now", "TIME", "when it came", set_now, "at what time: a date, Unix seconds, or +SECONDS after the response came"),
    STET__ROW_CALL("stored-at", "TIME", "its Date", set_stored_at, "when what is stored came"),
    STET__ROW_SWITCH("private", STET__FIELD(struct settings, private_only), "of caches only a private one, a browser's"),
    STET__ROW_SWITCH("shared", STET__FIELD(struct settings, shared), "of caches only a shared one, a proxy or a CDN"),
    STET__ROW_SWITCH("all", STET__FIELD(struct settings, all), "also the rules that had nothing to look at"),
    STET__ROW_SWITCH("json", STET__FIELD(struct settings, json), "everything, as JSON"),
    STET__ROW_HEADING("How to ask a URL"),
    STET__SHORT_CALL('H', "header", "FIELD", NULL, add_field, "a field of the request: 'Accept: text/html'; may be repeated"),
    STET__SHORT_CALL('X', "method", "METHOD", "GET", set_method, "instead of GET: HEAD"),
    STET__SHORT_SWITCH('k', "insecure", STET__FIELD(struct settings, insecure), "do not verify the certificate"),
    STET__ROW_SWITCH("compressed", STET__FIELD(struct settings, compressed), "ask for a coded answer, as browsers do"),
    STET__ROW_HEADING("Others"),
    STET__ROW_SWITCH("help", STET__FIELD(struct settings, help), "this text"),
};
/* clang-format on */

static const struct stet__option_rows rows = STET__ROWS(options);
static const struct stet__option_rows *const parts[] = {&rows};
static const struct stet__option_table table = {"explain", parts, 1};

void stet__cli_explain_help(FILE *out)
{
    struct settings settings = {.method = "GET"};
    fputs(
        "Usage: stet explain [OPTION]... URL\n"
        "       stet explain [OPTION]... --request FILE [--response FILE] [--stored FILE]\n"
        "       stet explain --access-log FILE\n"
        "       stet explain REASON\n\n"
        "Tells step by step why an answer is what it is: 304 or not, stored or not, fresh or not, each with\n"
        "its clause of the RFC. A URL is asked twice, the second time with the validators of the first "
        "answer.\n"
        "FILE \"-\" is standard input; what curl -v prints may be given as it is.\n",
        out);
    stet__options_print(&table, &settings, out);
    fputs("\nExit codes: 0 told, 1 a file or a server could not be read, or there is no such reason,\n"
          "2 wrong command line. More: man stet-explain\n",
          out);
}

static unsigned width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_DEFAULT;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

static int print(const struct settings *settings, const struct stet__story *story)
{
    struct stet__buffer text;
    const struct stet__story_look look = {width(), stet__explain_colour(), settings->all};
    if (settings->json)
        return stet__explain_print_json(stet__story_json(story));
    stet__buffer_init(&text, TEXT_MAX);
    stet__story_write(story, &look, &text);
    return stet__explain_print(&text);
}

/* Adds the heads of a file, if there is one. False after a complaint. */
static bool add_file(struct stet__recorded *recorded, const char *path)
{
    struct stet__buffer text;
    if (!path)
        return true;
    stet__buffer_init(&text, TEXT_MAX);
    bool read = stet__explain_read(path, &text);
    const char *wrong = read ? stet__recorded_add(recorded, stet__buffer_span(&text)) : NULL;
    if (wrong)
        stet__cli_complain("explain: %s: %s", path, wrong);
    stet__buffer_release(&text);
    return read && !wrong;
}

static struct stet__explain_input input_of(const struct settings *settings)
{
    return (struct stet__explain_input){.now = settings->now,
                                        .stored_at = settings->stored_at,
                                        .private_only = settings->private_only,
                                        .shared_only = settings->shared,
                                        .clock = settings->clock};
}

static bool has_all(const struct settings *settings, const struct stet__recorded *exchange,
                    const struct stet__recorded *stored)
{
    if (settings->stored && !stored->has_response)
        stet__cli_complain("explain: --stored has no response");
    else if (settings->response && !exchange->has_response)
        stet__cli_complain("explain: --response has no final response");
    else
        return true;
    return false;
}

static int explain_files(const struct settings *settings)
{
    struct stet__explain_input input = input_of(settings);
    struct stet__recorded *two = calloc(2, sizeof *two);
    struct stet__story story;
    int code = STET__EXIT_FAILURE;
    if (!two)
        return code;
    stet__recorded_init(&two[0]);
    stet__recorded_init(&two[1]);
    stet__story_init(&story);
    if (add_file(&two[0], settings->request) && add_file(&two[0], settings->response) &&
        add_file(&two[1], settings->stored) && has_all(settings, &two[0], &two[1])) {
        input.exchange = &two[0];
        input.stored = settings->stored ? &two[1] : NULL;
        stet__explain(&input, &story);
        code = print(settings, &story);
    }
    stet__story_release(&story);
    stet__recorded_release(&two[0]);
    stet__recorded_release(&two[1]);
    free(two);
    return code;
}

static int explain_uri(struct settings *settings, const char *uri)
{
    static const char codings[] = "Accept-Encoding: gzip, deflate, br, zstd";
    struct stet__explain_input input = input_of(settings);
    struct stet__story story;
    char cause[STET__EXPLAIN_CAUSE_LEN];
    int code = STET__EXIT_FAILURE;
    if (settings->compressed && add_field(settings, codings))
        return code;
    struct stet__explain_fetch fetch = {.uri = uri, .method = settings->method};
    fetch.settings.insecure = settings->insecure;
    fetch.settings.whole_ms = PATIENCE_MS; /* a stream has no end, and its head is there by then */
    fetch.fields = (struct stet_fields){settings->fields.at, settings->fields.count, 0};
    for (size_t i = 0; i < fetch.fields.count; i++)
        if (fetch.fields.at[i].id != STET_FIELD_OTHER)
            fetch.fields.present |= UINT64_C(1) << fetch.fields.at[i].id;
    stet__story_init(&story);
    if (stet__explain_fetch(&fetch, &input, &story, cause))
        code = print(settings, &story);
    else
        stet__cli_complain("explain: %s: %s", uri, cause);
    stet__story_release(&story);
    return code;
}

/* Why the command line makes no sense; NULL if it does. */
static const char *contradiction(const struct settings *settings, int operands)
{
    bool files = settings->request || settings->response || settings->stored;
    int forms = (operands > 0) + files + (settings->access_log != NULL) + settings->list;
    if (forms == 0)
        return "what? stet explain http://127.0.0.1:8304/, for example";
    if (forms > 1 || operands > 1)
        return "one thing at a time: a URL, a REASON, recorded heads, --access-log or --list";
    if (settings->shared && settings->private_only)
        return "--private and --shared leave nothing";
    return NULL;
}

static int run(struct settings *settings, char **operands, int count)
{
    const char *wrong = contradiction(settings, count);
    if (wrong) {
        stet__cli_complain("explain: %s", wrong);
        return STET__EXIT_USAGE;
    }
    if (settings->list)
        return stet__explain_list(settings->json);
    if (settings->access_log)
        return stet__explain_log(settings->access_log, settings->json);
    if (count == 0)
        return explain_files(settings);
    if (strcmp(operands[0], "-") == 0) {
        settings->request = operands[0];
        return explain_files(settings);
    }
    return strstr(operands[0], "://") ? explain_uri(settings, operands[0])
                                      : stet__explain_reason(operands[0]);
}

int stet__cli_explain(int argc, char **argv)
{
    struct settings settings = {.method = "GET", .clock = time(NULL)};
    int operands, code = STET__EXIT_USAGE;
    if (stet__options_parse(&table, &settings, argc, argv, &operands)) {
        if (settings.help) {
            stet__cli_explain_help(stdout);
            code = stet__cli_told();
        } else {
            code = run(&settings, argv, operands);
        }
    }
    free(settings.fields.at);
    return code;
}
