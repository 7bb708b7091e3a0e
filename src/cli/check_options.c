/* SPDX-License-Identifier: MIT */
/*
 * check_options: the table of options of `stet check`. The man page docs/man/stet-check.1.md tells the same
 * in more words.
 */
#include <stdlib.h>
#include <string.h>

#include <stet/field.h>

#include "cli/check_options.h"
#include "cli/cli.h"

enum { ASSETS_DEFAULT = 50, ASSETS_MAX = 10000 };

static const char *add(struct stet__cli_list *list, const char *argument)
{
    return stet__cli_list_append(list, &argument, sizeof argument);
}

/* A line that any HTTP sender may write: a token, a colon, no control octets. */
static const char *set_header(void *arg, const char *argument)
{
    struct stet__check_options *options = arg;
    const char *colon = strchr(argument, ':');
    if (!colon || !stet_is_token(stet_span_of(argument, (size_t)(colon - argument))))
        return "not of the form 'Name: value'";
    for (const char *at = colon; *at != '\0'; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7F)
            return "has a control octet in it";
    return add(&options->headers, argument);
}

static const char *set_only(void *arg, const char *argument)
{
    struct stet__check_options *options = arg;
    return stet__choice_known(argument) ? add(&options->only, argument)
                                        : "no rule or probe; --list names all";
}

static const char *set_skip(void *arg, const char *argument)
{
    struct stet__check_options *options = arg;
    return stet__choice_known(argument) ? add(&options->skip, argument)
                                        : "no rule or probe; --list names all";
}

static const char *set_resolve(void *arg, const char *argument)
{
    struct stet__check_options *options = arg;
    return strchr(argument, ':') ? add(&options->resolve, argument) : "not of the form HOST:PORT:ADDR";
}

static const char *set_assets(void *arg, const char *argument)
{
    struct stet__check_options *options = arg;
    uint64_t n = ASSETS_DEFAULT;
    if (argument && (stet_span_to_u64(stet__cli_span(argument), &n) != STET_OK || n > ASSETS_MAX))
        return "not a number up to 10000";
    options->settings.assets_max = (unsigned)n;
    return NULL;
}

static const char *set_json(void *arg, const char *argument)
{
    struct stet__check_options *options = arg;
    options->json = argument ? argument : "-";
    return NULL;
}

static const char *set_fail_on(void *arg, const char *argument)
{
    struct stet__check_options *options = arg;
    if (strcmp(argument, "never") == 0) {
        options->fail_on = STET__CHECK_FAIL_NEVER;
        return NULL;
    }
    for (int i = STET_LINT_NOTE; i <= STET_LINT_BAD; i++)
        if (strcmp(argument, stet_lint_severity_name((enum stet_lint_severity)i)) == 0) {
            options->fail_on = i;
            return NULL;
        }
    return "not one of: note, warning, error, never";
}

#define OWN(member) STET__FIELD(struct stet__check_options, member)

/* clang-format off */
static const struct stet__option what[] = {
    STET__ROW_HEADING("What is checked"),
    STET__ROW_MAYBE("assets", "N", set_assets, "also what a page has a browser fetch: images, scripts,\nstyle sheets; up to 50, or N"),
    STET__ROW_SWITCH("nodes", OWN(settings.nodes), "ask every address of the host: do they agree?"),
    STET__ROW_NUMBER("repeat", "N", OWN(settings.repeat), 1, 100, "the same GET so many times"),
    STET__ROW_NUMBER("later", "SECONDS", OWN(settings.later_s), 0, 86400, "and once more after so long; 0: not"),
    STET__ROW_TEXT("edge", "URL", OWN(edge), "with --origin: what does a CDN or proxy change?"),
    STET__ROW_TEXT("origin", "URL", OWN(origin), "the same resource behind the edge"),
    STET__ROW_TEXT("har", "FILE", OWN(har), "ask nobody; look at what a browser has recorded"),
    STET__ROW_CALL("only", "NAME", NULL, set_only, "only this rule or probe; may be repeated"),
    STET__ROW_CALL("skip", "NAME", NULL, set_skip, "not this rule or probe; may be repeated"),
};

static const struct stet__option told[] = {
    STET__ROW_HEADING("What is told"),
    STET__SHORT_SWITCH('v', "verbose", OWN(verbose), "what is right, too, and all exchanges"),
    STET__ROW_MAYBE("json", "FILE", set_json, "the report as JSON, to standard output or a file"),
    STET__ROW_TEXT("sarif", "FILE", OWN(sarif), "as SARIF 2.1, for code scanning; - is standard output"),
    STET__ROW_TEXT("junit", "FILE", OWN(junit), "as JUnit's XML, for CI"),
    STET__ROW_TEXT("html", "FILE", OWN(html), "as one page that needs nothing else"),
    STET__ROW_CALL("fail-on", "LEVEL", "error", set_fail_on, "exit code 1 from this severity on: note, warning,\nerror, never"),
    STET__ROW_SWITCH("no-color", OWN(no_color), "no colours; so does the environment's NO_COLOR"),
    STET__ROW_SWITCH("list", OWN(list), "name all rules and probes"),
    STET__ROW_TEXT("explain", "RULE", OWN(explain), "say what a rule means, why it matters, how to mend it"),
};

static const struct stet__option connection[] = {
    STET__ROW_HEADING("How it is asked"),
    STET__SHORT_CALL('H', "header", "LINE", NULL, set_header, "send this field, too: 'Name: value'; may be repeated"),
    STET__SHORT_TEXT('A', "user-agent", "TEXT", OWN(settings.user_agent), "User-Agent"),
    STET__SHORT_SWITCH('k', "insecure", OWN(transfer.insecure), "do not verify certificates"),
    STET__ROW_TEXT("cacert", "FILE", OWN(transfer.ca_file), "believe these certificate authorities (PEM)"),
    STET__SHORT_TEXT('x', "proxy", "URL", OWN(transfer.proxy), "ask through this proxy"),
    STET__ROW_CALL("resolve", "HOST:PORT:ADDR", NULL, set_resolve, "the address of a host; may be repeated"),
    STET__ROW_TEXT("unix-socket", "PATH", OWN(transfer.unix_socket), "connect to this socket"),
    STET__ROW_SWITCH("http2", OWN(http2), "over HTTP/2; what stands behind a 304 is not seen then"),

    STET__ROW_HEADING("Limits"),
    STET__ROW_NUMBER("rate", "N", OWN(settings.per_second), 0, 100000, "requests a second to one host; 0: no limit.\nThis machine has none"),
    STET__ROW_NUMBER("timeout", "SECONDS", OWN(timeout_s), 1, 86400, "for one answer"),
    STET__ROW_NUMBER("connect-timeout", "SECONDS", OWN(connect_timeout_s), 1, 86400, "to connect"),
    STET__ROW_SIZE("max-content", OWN(content_max), 1024, STET__TIB, "look at so much of a content"),
    STET__ROW_NUMBER("max-redirs", "N", OWN(redirects_max), 0, 1000, "redirects in a row"),

    STET__ROW_HEADING("Others"),
    STET__ROW_SWITCH("help", OWN(help), "this text"),
};
/* clang-format on */

static const struct stet__option_rows what_rows = STET__ROWS(what), told_rows = STET__ROWS(told),
                                      connection_rows = STET__ROWS(connection);
static const struct stet__option_rows *const parts[] = {&what_rows, &told_rows, &connection_rows};
static const struct stet__option_table table = {"check", parts, sizeof parts / sizeof *parts};

void stet__check_options_init(struct stet__check_options *options)
{
    *options = (struct stet__check_options){
        .settings = {.user_agent = "stet-check/" STET_VERSION, .per_second = 20, .repeat = 3},
        .content_max = 4 * STET__MIB,
        .timeout_s = 30,
        .connect_timeout_s = 10,
        .redirects_max = 10,
        .fail_on = STET_LINT_BAD,
    };
}

void stet__check_options_release(struct stet__check_options *options)
{
    free(options->headers.at);
    free(options->only.at);
    free(options->skip.at);
    free(options->resolve.at);
    free(options->fields);
}

void stet__check_options_print(const struct stet__check_options *options, FILE *out)
{
    stet__options_print(&table, options, out);
}

/* The lines of -H as field lines. */
static bool make_fields(struct stet__check_options *options)
{
    const char *const *lines = options->headers.at;
    size_t count = options->headers.count;
    options->fields = calloc(count + 1, sizeof *options->fields);
    if (!options->fields)
        return false;
    options->field_list = (struct stet_fields){options->fields, count, 0};
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(lines[i], ":");
        struct stet_field *field = &options->fields[i];
        field->name = stet_span_of(lines[i], len);
        field->value = stet_span_trim(stet__cli_span(lines[i] + len + 1));
        field->id = stet_field_id(field->name);
        options->field_list.present |= UINT64_C(1) << field->id;
    }
    return true;
}

static void settle(struct stet__check_options *options)
{
    struct stet__check_settings *settings = &options->settings;
    options->transfer.whole_ms = options->timeout_s * 1000;
    options->transfer.silence_ms = options->timeout_s * 1000;
    options->transfer.connect_ms = options->connect_timeout_s * 1000;
    options->transfer.version = options->http2 ? STET__TRANSFER_HTTP2 : STET__TRANSFER_ANY;
    options->transfer.resolve = options->resolve.at;
    settings->transfer = &options->transfer;
    settings->fields = &options->field_list;
    settings->content_max = (size_t)options->content_max;
    settings->redirects_max = options->redirects_max;
    settings->choice = (struct stet__check_choice){.only = options->only.at,
                                                   .skip = options->skip.at,
                                                   .only_count = options->only.count,
                                                   .skip_count = options->skip.count};
}

/* What contradicts each other. */
static const char *contradiction(const struct stet__check_options *options, int uris)
{
    bool hops = options->edge || options->origin;
    if (options->help || options->list || options->explain)
        return NULL;
    if (hops && !(options->edge && options->origin))
        return "--edge and --origin belong together";
    if (hops && (uris > 0 || options->har))
        return "--edge and --origin are all that is checked; leave the others out";
    if (options->har && uris > 0)
        return "--har asks nobody; leave the URLs out";
    if (uris == 0 && !hops && !options->har)
        return "what? stet check http://127.0.0.1:8304/, for example";
    return NULL;
}

bool stet__check_options_parse(struct stet__check_options *options, int argc, char **argv, int *uris)
{
    if (!stet__options_parse(&table, options, argc, argv, uris))
        return false;
    const char *wrong = contradiction(options, *uris);
    if (!wrong && options->resolve.count > 0)
        wrong = add(&options->resolve, NULL);
    if (!wrong && !make_fields(options))
        wrong = "out of memory";
    if (wrong) {
        stet__cli_complain("check: %s", wrong);
        return false;
    }
    settle(options);
    return true;
}
