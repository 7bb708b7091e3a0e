/* SPDX-License-Identifier: MIT */
/*
 * serve_options: the table of options of `stet serve`, and how those are read that are more than a number or
 * a text.
 *
 * The man page docs/man/stet-serve.1.md tells the same in more words; the tests compare the two.
 */
#include "cli/serve_options.h"

#include <stdlib.h>
#include <string.h>

#include <stet/status.h>

#include "cli/cli.h"

static const char *set_index(void *arg, const char *argument)
{
    struct stet__serve_settings *settings = arg;
    if (!*argument || strchr(argument, '/'))
        return "not the name of a file";
    return stet__cli_list_append(&settings->indexes, &argument, sizeof argument);
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
    return stet__cli_list_append(&settings->pages, &page, sizeof page);
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
    int status = stet__rule_parse_header(stet__cli_span(argument), &rule);
    if (status != STET_OK)
        return rule_error(status) ? rule_error(status) : "not of the form 'PATTERN: Name: value'";
    return stet__cli_list_append(&settings->rules, &rule, sizeof rule);
}

static const char *set_cache(void *arg, const char *argument)
{
    struct stet__serve_settings *settings = arg;
    struct stet__rule rule;
    int status = stet__rule_parse_cache(stet__cli_span(argument), &rule);
    if (status != STET_OK)
        return rule_error(status) ? rule_error(status) : "not of the form 'PATTERN=max-age=60'";
    return stet__cli_list_append(&settings->rules, &rule, sizeof rule);
}

#define LIMIT(member) STET__FIELD(struct stet__serve_settings, common.server.limits.member)
#define SERVE(member) STET__FIELD(struct stet__serve_settings, serve.member)

/* clang-format off */
static const struct stet__option where[] = {
    STET__ROW_HEADING("Where to listen"),
    STET__ROW_LISTEN("8304"),
};

static const struct stet__option what[] = {
    STET__ROW_HEADING("What to serve"),
    STET__ROW_CALL("index", "NAME", "index.html", set_index, "the file that stands for its folder; may be repeated,\nthe first that exists counts"),
    STET__ROW_SWITCH("list", SERVE(listing), "list folders that have no index file"),
    STET__ROW_TEXT("spa", "FILE", SERVE(spa), "send this file, with 200, where no file is"),
    STET__ROW_CALL("error-page", "CODE=PATH", NULL, set_error_page, "the body of error answers: 404=/404.html; may be repeated"),
    STET__ROW_SWITCH("dotfiles", SERVE(dotfiles), "serve files and folders whose name begins with a dot"),
    STET__ROW_TEXT("mime-types", "FILE", SERVE(mime_types), "media types by extension, as in /etc/mime.types"),
    STET__ROW_TEXT("charset", "NAME", SERVE(charset), "charset of text types; '' for none"),

    STET__ROW_HEADING("Fields of answers"),
    STET__ROW_CALL("header", "RULE", NULL, set_header, "'PATTERN: Name: value' adds a field; may be repeated"),
    STET__ROW_CALL("cache", "RULE", NULL, set_cache, "'PATTERN=max-age=60' sets Cache-Control and Expires;\nmay be repeated, the last that matches counts"),
    STET__ROW_SWITCH("immutable", SERVE(immutable), "files named by a hash of their content may be kept a year"),
};

static const struct stet__option kept[] = {
    STET__ROW_TEXT("cache-dir", "DIR", STET__FIELD(struct stet__serve_settings, cache_dir), "coded copies are kept in this folder, too, for after a restart"),
};

static const struct stet__option own_limits[] = {
    STET__ROW_SIZE("max-body-bytes", LIMIT(body_bytes), 0, STET__TIB, "body of a request, which is read and dropped, else 413"),
    STET__ROW_NUMBER("open-files", "N", SERVE(open_files), 1, 1000000, "files kept open, per worker"),
    STET__ROW_SIZE("memory", SERVE(memory_bytes), 0, STET__TIB, "file contents kept in memory, per worker"),
    STET__ROW_SIZE("tag-at-once", SERVE(tag_at_once_bytes), 0, STET__TIB, "larger files get their entity tag in the background"),
};
/* clang-format on */

static const struct stet__option_rows where_rows = STET__ROWS(where), what_rows = STET__ROWS(what),
                                      kept_rows = STET__ROWS(kept), own_limit_rows = STET__ROWS(own_limits);

static const struct stet__option_rows *const parts[] = {
    &where_rows, &stet__rows_workers, &stet__rows_tls,    &what_rows,      &stet__rows_codings,
    &kept_rows,  &stet__rows_log,     &stet__rows_limits, &own_limit_rows, &stet__rows_others};

const struct stet__option_table stet__serve_options = {"serve", parts, sizeof parts / sizeof *parts};

void stet__serve_settings_init(struct stet__serve_settings *settings)
{
    memset(settings, 0, sizeof *settings);
    stet__server_settings_init(&settings->common, &stet__serve_role);
    stet__coding_settings_init(&settings->coded);
    stet__serve_configuration_default(&settings->serve);
}

void stet__serve_settings_release(struct stet__serve_settings *settings)
{
    stet__server_settings_release(&settings->common);
    stet__coding_settings_release(&settings->coded);
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
    if (!stet__server_settings_finish(&settings->common, "127.0.0.1:8304"))
        return false;
    settings->common.server.role_configuration = &settings->serve;
    if (operands == 1)
        settings->serve.root = argv[0];
    if (settings->indexes.count > 0) {
        settings->serve.index_names = settings->indexes.at;
        settings->serve.index_count = settings->indexes.count;
    }
    stet__coding_settings_finish(&settings->coded);
    settings->serve.coding = settings->coded.coding;
    settings->serve.error_pages = settings->pages.at;
    settings->serve.error_page_count = settings->pages.count;
    settings->serve.rules = settings->rules.at;
    settings->serve.rule_count = settings->rules.count;
    return true;
}
