/* SPDX-License-Identifier: MIT */
/*
 * serve_options: the table of options of `stet serve`, and how those are read that are more than a number or
 * a text.
 *
 * The man page docs/man/stet-serve.1.md tells the same in more words; the tests compare the two.
 */
#include "cli/serve_options.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <stet/status.h>

#include "cli/cli.h"

/* A copy of `element` at the end of `list`; false if there is no memory. */
static bool append(struct stet__cli_list *list, const void *element, size_t size)
{
    char *grown = realloc(list->at, (list->count + 1) * size);
    if (!grown)
        return false;
    memcpy(grown + list->count * size, element, size);
    list->at = grown;
    list->count++;
    return true;
}

static const char *const no_memory = "out of memory";

static struct stet_span span_of(const char *text)
{
    return stet_span_of(text, strlen(text));
}

static const char *set_listen(void *arg, const char *argument)
{
    struct stet__serve_settings *settings = arg;
    struct stet__listen_address address;
    if (stet__listen_address_parse(span_of(argument), &address) != STET_OK)
        return "not an address; these are: 8304, :8304, 127.0.0.1:8304, [::1]:8304, unix:PATH";
    return append(&settings->addresses, &address, sizeof address) ? NULL : no_memory;
}

static const char *set_index(void *arg, const char *argument)
{
    struct stet__serve_settings *settings = arg;
    if (!*argument || strchr(argument, '/'))
        return "not the name of a file";
    return append(&settings->indexes, &argument, sizeof argument) ? NULL : no_memory;
}

static const char *set_error_page(void *arg, const char *argument)
{
    struct stet__serve_settings *settings = arg;
    const char *equals = strchr(argument, '=');
    uint64_t status;
    if (!equals ||
        stet_span_to_u64(stet_span_of(argument, (size_t)(equals - argument)), &status) != STET_OK ||
        status < 400 || status > 599 || !equals[1])
        return "not CODE=PATH with a code from 400 to 599";
    struct stet__error_page page = {(unsigned)status, equals + 1};
    return append(&settings->pages, &page, sizeof page) ? NULL : no_memory;
}

static const char *rule_error(int status)
{
    switch (status) {
    case STET_E_FIELD_NAME:
        return "not a field that a rule can set";
    case STET_E_FIELD_VALUE:
        return "the value holds a control character";
    default:
        return NULL;
    }
}

static const char *set_header(void *arg, const char *argument)
{
    struct stet__serve_settings *settings = arg;
    struct stet__rule rule;
    int status = stet__rule_parse_header(span_of(argument), &rule);
    if (status != STET_OK)
        return rule_error(status) ? rule_error(status) : "not of the form 'PATTERN: Name: value'";
    return append(&settings->rules, &rule, sizeof rule) ? NULL : no_memory;
}

static const char *set_cache(void *arg, const char *argument)
{
    struct stet__serve_settings *settings = arg;
    struct stet__rule rule;
    int status = stet__rule_parse_cache(span_of(argument), &rule);
    if (status != STET_OK)
        return rule_error(status) ? rule_error(status) : "not of the form 'PATTERN=max-age=60'";
    return append(&settings->rules, &rule, sizeof rule) ? NULL : no_memory;
}

static const char *set_log_format(void *arg, const char *argument)
{
    static const char *const names[] = {
        [STET__LOG_COMMON] = "common", [STET__LOG_COMBINED] = "combined", [STET__LOG_JSON] = "json"};
    struct stet__serve_settings *settings = arg;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], argument) == 0) {
            settings->log_format = (enum stet__log_format)i;
            return NULL;
        }
    return "not common, combined or json";
}

#define NOTHING 0, 0
#define LIMIT(member) STET__FIELD(struct stet__serve_settings, server.limits.member)
#define SERVER(member) STET__FIELD(struct stet__serve_settings, server.member)
#define SERVE(member) STET__FIELD(struct stet__serve_settings, serve.member)
#define OWN(member) STET__FIELD(struct stet__serve_settings, member)

#define HEADING(text)                                                     \
    {                                                                     \
        STET__OPTION_HEADING, text, NULL, NOTHING, 0, 0, NULL, NULL, NULL \
    }
#define SWITCH(name, field, help)                                      \
    {                                                                  \
        STET__OPTION_SWITCH, name, NULL, field, 0, 0, NULL, NULL, help \
    }
#define TEXT(name, argument, field, help)                                \
    {                                                                    \
        STET__OPTION_TEXT, name, argument, field, 0, 0, NULL, NULL, help \
    }
#define NUMBER(name, argument, field, min, max, help)                          \
    {                                                                          \
        STET__OPTION_NUMBER, name, argument, field, min, max, NULL, NULL, help \
    }
#define SIZE(name, field, min, max, help)                                  \
    {                                                                      \
        STET__OPTION_SIZE, name, "SIZE", field, min, max, NULL, NULL, help \
    }
#define CALL(name, argument, initial, set, help)                             \
    {                                                                        \
        STET__OPTION_CALL, name, argument, NOTHING, 0, 0, initial, set, help \
    }

#define DAY_S 86400
#define MIB (UINT64_C(1) << 20)

/* clang-format off */
static const struct stet__option options[] = {
    HEADING("Where to listen"),
    CALL("listen", "ADDR", "127.0.0.1:8304", set_listen, "8304, :8304, 127.0.0.1:8304, [::1]:8304 or unix:PATH;\nmay be repeated"),
    {STET__OPTION_NUMBER, "workers", "N", SERVER(workers), 1, 1024, "one per CPU", NULL, "worker threads"},
    TEXT("user", "NAME", OWN(user), "after listening, become this user; for a start as root"),

    HEADING("What to serve"),
    CALL("index", "NAME", "index.html", set_index, "the file that stands for its folder; may be repeated,\nthe first that exists counts"),
    SWITCH("list", SERVE(listing), "list folders that have no index file"),
    TEXT("spa", "FILE", SERVE(spa), "send this file, with 200, where no file is"),
    CALL("error-page", "CODE=PATH", NULL, set_error_page, "the body of error answers: 404=/404.html; may be repeated"),
    SWITCH("dotfiles", SERVE(dotfiles), "serve files and folders whose name begins with a dot"),
    TEXT("mime-types", "FILE", SERVE(mime_types), "media types by extension, as in /etc/mime.types"),
    TEXT("charset", "NAME", SERVE(charset), "charset of text types; '' for none"),

    HEADING("Fields of answers"),
    CALL("header", "RULE", NULL, set_header, "'PATTERN: Name: value' adds a field; may be repeated"),
    CALL("cache", "RULE", NULL, set_cache, "'PATTERN=max-age=60' sets Cache-Control and Expires;\nmay be repeated, the last that matches counts"),
    SWITCH("immutable", SERVE(immutable), "files named by a hash of their content may be kept a year"),

    HEADING("Log"),
    TEXT("log", "FILE", OWN(log), "write one line per answer to FILE; - is standard output"),
    CALL("log-format", "FORMAT", "combined", set_log_format, "common, combined or json"),
    SWITCH("quiet", OWN(quiet), "do not say where files are served"),

    HEADING("Limits"),
    SIZE("max-head-bytes", LIMIT(head.head_bytes), 256, MIB, "head of a request, else 431"),
    SIZE("max-target-bytes", LIMIT(head.target_bytes), 16, MIB, "request target, else 414"),
    NUMBER("max-fields", "N", LIMIT(head.fields), 1, 1000, "field lines of a request, else 431"),
    SIZE("max-body-bytes", LIMIT(body_bytes), 0, UINT64_C(1) << 40, "body of a request, which is read and dropped, else 413"),
    NUMBER("idle-timeout", "SECONDS", LIMIT(idle_timeout_s), 1, DAY_S, "a kept connection without a request is closed"),
    NUMBER("head-timeout", "SECONDS", LIMIT(head_timeout_s), 1, DAY_S, "first octet to end of a head, else 408"),
    NUMBER("body-timeout", "SECONDS", LIMIT(body_timeout_s), 1, DAY_S, "pause in a request's body, else 408"),
    NUMBER("send-timeout", "SECONDS", LIMIT(send_timeout_s), 1, DAY_S, "pause of a client that takes an answer; then it is cut off"),
    NUMBER("stop-timeout", "SECONDS", LIMIT(stop_timeout_s), 0, DAY_S, "what is in flight after SIGTERM, then it is cut off"),
    NUMBER("max-connections", "N", LIMIT(connections), 1, 10000000, "at a time; the next one waits"),
    NUMBER("max-pipeline", "N", LIMIT(pipeline), 1, 10000, "requests of a connection that are answered in one go"),
    NUMBER("open-files", "N", SERVE(open_files), 1, 1000000, "files kept open, per worker"),
    SIZE("memory", SERVE(memory_bytes), 0, UINT64_C(1) << 40, "file contents kept in memory, per worker"),
    SIZE("tag-at-once", SERVE(tag_at_once_bytes), 0, UINT64_C(1) << 40, "larger files get their entity tag in the background"),

    HEADING("Others"),
    SWITCH("no-confine", OWN(no_confine), "do without the kernel's confinement (landlock, seccomp)"),
    SWITCH("help", OWN(help), "this text"),
};
/* clang-format on */

const struct stet__option_table stet__serve_options = {"serve", options, sizeof options / sizeof *options};

/* CPUs that this process may run on, which can be fewer than the machine has. */
static unsigned usable_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

void stet__serve_settings_init(struct stet__serve_settings *settings)
{
    *settings = (struct stet__serve_settings){.log_format = STET__LOG_COMBINED};
    stet__limits_default(&settings->server.limits);
    stet__serve_configuration_default(&settings->serve);
    settings->server.workers = usable_cpus();
    settings->server.role = &stet__serve_role;
}

void stet__serve_settings_release(struct stet__serve_settings *settings)
{
    free(settings->addresses.at);
    free(settings->indexes.at);
    free(settings->pages.at);
    free(settings->rules.at);
}

bool stet__serve_settings_parse(struct stet__serve_settings *settings, int argc, char **argv)
{
    int operands;
    if (!stet__options_parse(&stet__serve_options, settings, argc, argv, &operands))
        return false;
    if (operands > 1) {
        stet__cli_complain("serve: one folder at a time, not %s and %s", argv[0], argv[1]);
        return false;
    }
    if (settings->addresses.count == 0)
        set_listen(settings, "127.0.0.1:8304");
    settings->server.addresses = settings->addresses.at;
    settings->server.address_count = settings->addresses.count;
    settings->server.role_configuration = &settings->serve;
    if (operands == 1)
        settings->serve.root = argv[0];
    if (settings->indexes.count > 0) {
        settings->serve.index_names = settings->indexes.at;
        settings->serve.index_count = settings->indexes.count;
    }
    settings->serve.error_pages = settings->pages.at;
    settings->serve.error_page_count = settings->pages.count;
    settings->serve.rules = settings->rules.at;
    settings->serve.rule_count = settings->rules.count;
    return true;
}
