/* SPDX-License-Identifier: MIT */
/*
 * get_tell: see get_tell.h. Errors are one line on standard error, with the URL as it was typed, so that it
 * is found in what was typed.
 */
#include "cli/get_tell.h"

#include <errno.h>
#include <unistd.h>

#include "cli/get_name.h"
#include "cli/get_write_out.h"

bool stet__get_tells(const struct stet__get_options *options)
{
    return !options->silent || options->show_error;
}

/* NULL if nothing is wrong. `room` holds what has to be put together. */
static const char *find_error(const struct stet__get_download *download,
                              const struct stet__get_result *result, int code, char *room, size_t len)
{
    const char *path = download->item.path;
    bool caused = result->cause && *result->cause;
    if (download->item.wrong)
        return download->item.wrong;
    if (code == STET__EXIT_OK)
        return NULL;
    if (download->wrong)
        snprintf(room, len, "%s%s%s", path ? path : "", path ? ": " : "", download->wrong);
    else if (code == STET__EXIT_HTTP)
        snprintf(room, len, "the server says %u", result->code);
    else if (result->status == STET_E_GET_SINK)
        return "what was written turned out to be of another version, and cannot be taken back";
    else
        snprintf(room, len, "%s", caused ? result->cause : stet_status_row(result->status)->sentence);
    stet__get_tidy(room);
    return room;
}

static void tell_error(const struct stet__get_download *download, const char *error)
{
    if (download->item.line > 0)
        stet__cli_complain("get: %s:%zu: %s: %s", download->run->options->input, download->item.line,
                           download->item.typed, error);
    else
        stet__cli_complain("get: %s: %s", download->item.typed, error);
}

static void tell_oddities(const struct stet__get_download *download, const struct stet__get_result *result)
{
    if (result->undecoded)
        stet__cli_complain("get: %s: its content coding is not known here; it is written as it came",
                           download->item.typed);
    if (result->damaged)
        stet__cli_complain("get: %s: the content does not have the digest that the server says it has",
                           download->item.typed);
}

static const char *content_type(const struct stet_fields *fields, char *room, size_t len)
{
    const struct stet_field *type = stet_fields_find(fields, STET_FIELD_CONTENT_TYPE, 0);
    if (!type)
        return NULL;
    snprintf(room, len, "%.*s", (int)(type->value.len < len ? type->value.len : len - 1), type->value.ptr);
    return room;
}

static void tell_facts(struct stet__get_download *download, const struct stet__get_result *result, int code,
                       const char *error)
{
    const struct stet__get_options *options = download->run->options;
    char type[256];
    struct stet__get_facts facts = {
        .url = download->item.typed,
        .url_effective = download->uri ? download->uri : download->item.uri,
        .method = download->run->request.method,
        .file = download->item.path,
        .redirect = download->redirect,
        .error = error,
        .number = download->item.number,
        .field_count = download->field_count,
        .fields = {download->fields, download->field_count, 0},
        .file_kept = download->kept,
        .exit_code = code,
        .total_us = stet__get_now_us() - download->started_us,
        .result = result,
    };
    for (size_t i = 0; i < facts.fields.count; i++)
        facts.fields.present |= UINT64_C(1) << facts.fields.at[i].id;
    facts.content_type = content_type(&facts.fields, type, sizeof type);
    if (options->json)
        stet__write_out_json(&facts, stdout);
    if (options->write_out)
        stet__write_out(options->write_out, &facts, stdout, stderr);
    /* The content of the next one goes straight to the descriptor. */
    if (fflush(stdout) != 0 && errno == EPIPE)
        download->run->reader_is_gone = true;
}

void stet__get_tell(struct stet__get_download *download, const struct stet__get_result *result, int code)
{
    struct stet__get_run *run = download->run;
    char room[512];
    const char *error = find_error(download, result, code, room, sizeof room);
    bool quiet = run->reader_is_gone || (result->status == STET_E_GET_STOPPED && !download->wrong);
    bool tells = stet__get_tells(run->options) && !(quiet && !download->item.wrong);
    if ((error && tells) || run->options->json || run->options->write_out)
        stet__get_progress_clear(&run->progress);
    if (error && tells)
        tell_error(download, error);
    if (tells)
        tell_oddities(download, result);
    if ((run->options->json || run->options->write_out) && !run->reader_is_gone)
        tell_facts(download, result, code, error);
}
