/* SPDX-License-Identifier: MIT */
/*
 * get_download: see get_download.h. In the order of a life: next, begin, data, end.
 *
 * What never happens to an output file: that a failure, a 304 (which has no content: curl issue 15728), or an
 * interruption empties or cuts it. It is opened beside its place in begin and put there in end.
 */
#include "cli/get_download.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <stet/date.h>
#include <stet/uri.h>

#include "base/assert.h"
#include "cli/get_name.h"
#include "cli/get_tell.h"

static struct stet__get_bar *free_bar(struct stet__get_run *run)
{
    for (size_t i = 0; i < run->progress.count; i++)
        if (!run->progress.bars[i].name)
            return &run->progress.bars[i];
    return NULL;
}

static void release(struct stet__get_download *download)
{
    stet__list_remove(&download->node);
    if (download->bar)
        *download->bar = (struct stet__get_bar){.name = NULL};
    stet__get_file_drop(&download->file);
    stet__get_item_release(&download->item);
    free(download->uri);
    free(download->redirect);
    free(download->fields);
    free(download->octets);
    free(download);
}

/* --- begin --- */

/* A copy of the fields, for -w and --json. */
static bool keep_fields(struct stet__get_download *download, const struct stet_fields *fields)
{
    size_t len = 1;
    for (size_t i = 0; i < fields->count; i++)
        len += fields->at[i].name.len + fields->at[i].value.len;
    free(download->fields);
    free(download->octets);
    download->field_count = 0;
    download->fields = calloc(fields->count + 1, sizeof *download->fields);
    download->octets = malloc(len);
    if (!download->fields || !download->octets)
        return false;
    char *at = download->octets;
    for (size_t i = 0; i < fields->count; i++) {
        const struct stet_field *from = &fields->at[i];
        memcpy(at, from->name.ptr, from->name.len);
        memcpy(at + from->name.len, from->value.ptr, from->value.len);
        download->fields[i] = (struct stet_field){
            stet_span_of(at, from->name.len), stet_span_of(at + from->name.len, from->value.len), from->id};
        at += from->name.len + from->value.len;
    }
    download->field_count = fields->count;
    return true;
}

/* Where a redirect that is not followed leads. */
static char *find_redirect(const struct stet__get_answer *answer)
{
    struct stet_uri base;
    const struct stet_field *location = stet_fields_find(&answer->response->fields, STET_FIELD_LOCATION, 0);
    if (answer->response->status / 100 != 3 || !location ||
        stet_uri_parse(stet__cli_span(answer->uri), &base) != STET_OK)
        return NULL;
    size_t room = strlen(answer->uri) + location->value.len + 16;
    char *out = malloc(room);
    size_t len = out ? stet_uri_resolve(&base, location->value, out, room - 1) : 0;
    if (len == 0) {
        free(out);
        return NULL;
    }
    out[len] = '\0';
    return out;
}

static bool keep_answer(struct stet__get_download *download, const struct stet__get_answer *answer)
{
    free(download->uri);
    free(download->redirect);
    download->uri = strdup(answer->uri);
    download->redirect = find_redirect(answer);
    download->code = answer->response->status;
    download->last_modified = answer->last_modified;
    return download->uri && keep_fields(download, &answer->response->fields);
}

/* Whether the file has what the answer brings, as stet itself wrote it. */
static bool has_content(const struct stet__get_download *download, const struct stet__get_answer *answer)
{
    const struct stet__get_run *run = download->run;
    struct stet__disk_output output;
    return answer->has_digest && run->disk && download->file.kind == STET__GET_FILE_REPLACE &&
           download->file.exists && stet__disk_output_find(run->disk, download->file.path, &output) &&
           output.decoded == !run->options->no_compressed &&
           memcmp(output.digest, answer->digest, sizeof output.digest) == 0;
}

/* The head as text. The version is ours: what is stored has none. */
static bool write_head(struct stet__get_download *download, const struct stet_response *response)
{
    char line[32];
    struct stet__buffer head;
    stet__buffer_init(&head, SIZE_MAX);
    snprintf(line, sizeof line, "HTTP/1.1 %u ", response->status);
    stet__buffer_append_text(&head, line);
    stet__buffer_append(&head, response->reason_phrase);
    for (size_t i = 0; i < response->fields.count; i++) {
        const struct stet_field *field = &response->fields.at[i];
        stet__buffer_append_text(&head, "\r\n");
        stet__buffer_append(&head, field->name);
        stet__buffer_append_text(&head, ": ");
        stet__buffer_append(&head, field->value);
    }
    stet__buffer_append_text(&head, "\r\n\r\n");
    bool done = !head.failed && stet__get_file_write(&download->file, stet__buffer_span(&head));
    stet__buffer_release(&head);
    return done;
}

static enum stet__get_take cannot(struct stet__get_download *download, const char *wrong)
{
    download->wrong = wrong;
    return STET__GET_STOP;
}

static enum stet__get_take cannot_write(struct stet__get_download *download)
{
    if (errno == EPIPE && !download->item.path)
        download->run->reader_is_gone = true;
    return cannot(download, strerrordesc_np(errno));
}

/* Content that is for nobody: of a 304 to conditions of the user's own, of errors with -f, and with --json
 * what has no file. */
static bool is_unwanted(const struct stet__get_download *download)
{
    const struct stet__get_options *options = download->run->options;
    return (options->fail && download->code >= 400) ||
           (download->code == 304 && !options->include && !options->head_only) ||
           (options->json && !download->item.path && !download->item.to_stdout);
}

static const char too_large[] = "it is larger than --max-filesize";

static bool is_too_large(const struct stet__get_download *download, uint64_t octets)
{
    uint64_t max = download->run->options->file_octets_max;
    return max > 0 && octets > max;
}

static const char *find_place(struct stet__get_download *download)
{
    struct stet__get_run *run = download->run;
    struct stet__get_file *file = &download->file;
    const char *wrong = stet__get_place_find(file, download->item.path, run->options->create_folders);
    if (wrong || file->kind != STET__GET_FILE_REPLACE ||
        stet__get_claim(&run->claims, file->path, download->item.uri))
        return wrong;
    return "another URL is written there already; -o gives this one another name";
}

static enum stet__get_take begin(void *owner, const struct stet__get_answer *answer)
{
    struct stet__get_download *download = owner;
    const struct stet__get_options *options = download->run->options;
    bool headed = options->include || options->head_only;
    download->begun = true;
    if (!keep_answer(download, answer))
        return cannot(download, "out of memory");
    download->refused = options->fail && download->code >= 400;
    if (is_unwanted(download))
        return STET__GET_SKIP;
    if (answer->length != UINT64_MAX && is_too_large(download, answer->length))
        return cannot(download, too_large);
    const char *wrong = NULL;
    if (download->item.path)
        wrong = find_place(download);
    download->kept = !wrong && !headed && has_content(download, answer);
    download->whole = !headed;
    if (download->kept)
        return STET__GET_SKIP;
    if (!wrong)
        wrong = stet__get_file_open(&download->file, options->parallel && download->run->many);
    if (wrong)
        return cannot(download, wrong);
    return !headed || write_head(download, answer->response) ? STET__GET_TAKE : cannot_write(download);
}

/* With -i, each redirect that is followed shows its head, too. */
static void redirect(void *owner, const struct stet__get_answer *answer)
{
    struct stet__get_download *download = owner;
    const struct stet__get_options *options = download->run->options;
    if (!(options->include || options->head_only) || download->item.path || options->parallel)
        return;
    if (stet__get_file_open(&download->file, false) == NULL && !write_head(download, answer->response))
        cannot_write(download);
}

/* --- data --- */

/* A terminal that is sent arbitrary octets may do anything. */
static bool is_harmful(const struct stet__get_download *download, struct stet_span octets)
{
    return download->run->terminal && !download->item.path && !download->item.to_stdout &&
           memchr(octets.ptr, '\0', octets.len) != NULL;
}

/* Content on the terminal and bars would overwrite each other. */
static void show_content(struct stet__get_download *download)
{
    struct stet__get_run *run = download->run;
    if (download->item.path || !run->terminal)
        return;
    stet__get_progress_clear(&run->progress);
    run->progress.on = false;
}

static bool data(void *owner, struct stet_span octets)
{
    struct stet__get_download *download = owner;
    if (is_harmful(download, octets)) {
        cannot(download,
               "this is no text; -o FILE writes it to a file, and -o - to the terminal all the same");
        return false;
    }
    download->taken += octets.len;
    if (is_too_large(download, download->taken)) {
        cannot(download, too_large);
        return false;
    }
    show_content(download);
    if (stet__get_file_write(&download->file, octets))
        return true;
    cannot_write(download);
    return false;
}

static bool restart(void *owner)
{
    struct stet__get_download *download = owner;
    if (download->file.kind == STET__GET_FILE_DIRECT && download->file.written > 0)
        return false; /* octets in a pipe cannot be taken back */
    stet__get_file_drop(&download->file);
    download->kept = false;
    download->taken = 0;
    return true;
}

static void progress(void *owner, uint64_t received, uint64_t expected)
{
    struct stet__get_download *download = owner;
    struct stet__get_tally *tally = &download->run->tally;
    tally->under_way_octets += received - download->received;
    download->received = received;
    if (download->bar) {
        download->bar->received = received;
        download->bar->expected = expected;
    }
    stet__get_progress_draw(&download->run->progress);
}

/* --- end --- */

static void remember(const struct stet__get_download *download, const struct stet__get_result *result)
{
    struct stet__get_run *run = download->run;
    struct stet__disk_output output = {.decoded = !run->options->no_compressed};
    if (!run->disk || !download->file.path || !download->whole || !result->has_digest)
        return;
    memcpy(output.digest, result->digest, sizeof output.digest);
    stet__disk_output_put(run->disk, download->file.path, &output);
}

static void finish_file(struct stet__get_download *download, const struct stet__get_result *result)
{
    int64_t time = download->run->options->remote_time ? download->last_modified : STET_NO_DATE;
    if (download->kept) {
        if (stet__get_file_set_time(&download->file, time))
            remember(download, result);
        return;
    }
    if (download->file.kind == STET__GET_FILE_NONE)
        return;
    bool replaces = download->file.kind == STET__GET_FILE_REPLACE;
    show_content(download);
    const char *wrong = stet__get_file_commit(&download->file, time);
    if (wrong)
        cannot_write(download);
    else if (replaces)
        remember(download, result);
}

static int exit_code(const struct stet__get_download *download, const struct stet__get_result *result)
{
    if (download->wrong)
        return STET__EXIT_FAILURE;
    if (result->status == STET_E_GET_OFFLINE)
        return STET__EXIT_NOT_STORED;
    if (result->status == STET_E_GET_URI)
        return STET__EXIT_USAGE;
    if (result->status == STET_E_GET_MEMORY || result->status == STET_E_GET_SINK)
        return STET__EXIT_FAILURE;
    if (result->status == STET_E_GET_STOPPED)
        return STET__EXIT_INTERRUPTED;
    if (result->status != STET_OK)
        return STET__EXIT_NETWORK;
    return download->refused ? STET__EXIT_HTTP : STET__EXIT_OK;
}

static void count(struct stet__get_run *run, const struct stet__get_result *result, int code)
{
    run->tally.ended++;
    run->tally.received_octets += result->received_octets;
    run->tally.saved_octets += result->saved_octets;
    if (code == STET__EXIT_OK) {
        run->good++;
        run->tally.by_source[result->source]++;
        run->changed = run->changed || result->changed;
        return;
    }
    run->tally.failed++;
    run->mixed = run->mixed || (run->worst && run->worst != code);
    run->worst = code;
}

static void end(void *owner, const struct stet__get_result *result)
{
    struct stet__get_download *download = owner;
    struct stet__get_run *run = download->run;
    if (result->status == STET_OK && !download->wrong)
        finish_file(download, result);
    int code = exit_code(download, result);
    run->tally.under_way_octets -= download->received;
    count(run, result, code);
    if (download->kept)
        run->tally.not_written++;
    if (download->bar)
        *download->bar = (struct stet__get_bar){.name = NULL};
    download->bar = NULL;
    stet__get_tell(download, result, code);
    if (run->reader_is_gone)
        run->stop = 1;
    release(download);
    stet__get_progress_draw(&run->progress);
}

/* --- next --- */

static const struct stet__get_sink sink = {
    .begin = begin, .data = data, .restart = restart, .redirect = redirect, .progress = progress, .end = end};

/* A URL that cannot be fetched has its end at once. */
static void refuse(struct stet__get_download *download)
{
    static const struct stet__get_result nothing = {.status = STET_E_GET_URI};
    download->wrong = NULL;
    count(download->run, &nothing, STET__EXIT_USAGE);
    stet__get_tell(download, &nothing, STET__EXIT_USAGE);
    release(download);
}

bool stet__get_download_next(void *owner, struct stet__get_job *job)
{
    struct stet__get_run *run = owner;
    for (;;) {
        struct stet__get_download *download = calloc(1, sizeof *download);
        if (!download) {
            stet__cli_complain("get: out of memory");
            run->worst = STET__EXIT_FAILURE;
            return false;
        }
        if (!stet__get_input_next(&run->input, &download->item)) {
            free(download);
            return false;
        }
        download->run = run;
        download->file = (struct stet__get_file){.fd = -1, .target_fd = -1};
        download->started_us = stet__get_now_us();
        download->last_modified = STET_NO_DATE;
        stet__list_init(&download->node);
        stet__list_append(&run->downloads, &download->node);
        run->tally.begun++;
        if (download->item.wrong) {
            refuse(download);
            continue;
        }
        download->bar = free_bar(run);
        if (download->bar)
            *download->bar =
                (struct stet__get_bar){download->item.path ? download->item.path : download->item.uri, 0,
                                       UINT64_MAX, download->started_us};
        *job = (struct stet__get_job){.uri = download->item.uri,
                                      .method = run->request.method,
                                      .fields = run->request.fields,
                                      .content = run->request.content,
                                      .sink = sink};
        job->sink.owner = download;
        return true;
    }
}
