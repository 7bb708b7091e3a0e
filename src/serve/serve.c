/* SPDX-License-Identifier: MIT */
/*
 * serve: the life of a request, from top to bottom: method, path, representation, decision, reply. What HTTP
 * says about validators and ranges is decided by core (stet/answer.h), not here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <stet/answer.h>

#include "serve/worker.h"

#define CODING_QUEUE_MAX 1024 /* copies that wait to be made; more are asked for again later */

static void answer_error(struct stet__serve_worker *worker, struct stet__exchange *exchange, unsigned status,
                         enum stet_reason reason)
{
    struct stet__path path;
    struct stet__error error = {.status = status, .reason = reason};
    struct stet_span target = exchange->request->path_query;
    if (target.ptr && stet__path_decode(stet__path_of_target(target), true, &path) == STET_REASON_OK)
        error.path = stet__path_span(&path);
    stet__error_answer(worker, exchange, &error);
}

/* RFC 9110 section 9.1: 501 for what is not known, 405 for what is not allowed; both whatever the
 * preconditions. */
static void answer_other_method(struct stet__serve_worker *worker, struct stet__exchange *exchange)
{
    switch (exchange->request->head.method) {
    case STET_METHOD_OPTIONS:
        answer_error(worker, exchange, 204, STET_REASON_OPTIONS);
        return;
    case STET_METHOD_OTHER:
        answer_error(worker, exchange, 501, STET_REASON_METHOD_UNKNOWN);
        return;
    default:
        answer_error(worker, exchange, 405, STET_REASON_METHOD_NOT_ALLOWED);
        return;
    }
}

/*
 * The path as received, so that nothing is decoded and encoded anew, with the slash. Two slashes at its start
 * would be a host (RFC 3986 section 4.2): runs of slashes become one. Absent if there is no memory.
 */
static struct stet_span redirect_location(struct stet__exchange *exchange)
{
    struct stet_span target = exchange->request->path_query, path = stet__path_of_target(target);
    const char *question = memchr(target.ptr, '?', target.len);
    struct stet_span query = stet_span_skip(target, question ? (size_t)(question - target.ptr) : target.len);
    char *text = stet__arena_alloc(exchange->arena, path.len + 1 + query.len);
    size_t len = 0;
    if (!text)
        return STET_SPAN_NONE;
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] != '/' || len == 0 || text[len - 1] != '/')
            text[len++] = path.ptr[i];
    text[len++] = '/';
    memcpy(text + len, query.ptr, query.len);
    return stet_span_of(text, len + query.len);
}

static void answer_nothing(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                           const struct stet__found *found)
{
    if (found->status != 301) {
        answer_error(worker, exchange, found->status, found->reason);
        return;
    }
    struct stet__error error = {
        .status = 301, .reason = found->reason, .location = redirect_location(exchange)};
    if (!error.location.ptr)
        error = (struct stet__error){.status = 503, .reason = STET_REASON_OVERLOADED};
    stet__error_answer(worker, exchange, &error);
}

static void answer_not_modified(struct stet__exchange *exchange, struct stet__entry *entry,
                                enum stet_reason reason)
{
    entry->not_modified.reason = reason;
    stet__exchange_answer(exchange, &entry->not_modified);
}

/* `fallback` is the reason of a plain 200. */
static void answer_entry(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                         struct stet__entry *file, enum stet_reason fallback)
{
    struct stet_answer answer;
    struct stet__shown shown = {.entry = file};
    const struct stet_representation *selected = &file->selected;
    struct stet__entry *current = stet__file_copies_current(worker, &exchange->request->head, file);
    if (current) {
        answer_not_modified(exchange, current, STET_REASON_IF_NONE_MATCH_MATCHES);
        return;
    }
    if (file->copies) {
        stet__file_copies_select(worker, exchange, file, &shown);
        selected = &shown.selected;
    }
    struct stet__entry *entry = shown.entry;
    stet_answer_decide(&exchange->request->head, selected, exchange->now, &answer);
    switch (answer.status) {
    case 304:
        if (answer.reason == STET_REASON_IF_NONE_MATCH_EQUIVALENT)
            stet__file_copies_answer_held(exchange, &shown, answer.reason);
        else
            answer_not_modified(exchange, entry, answer.reason);
        return;
    case 200:
        entry->whole.reason = answer.reason == STET_REASON_NO_PRECONDITION ? fallback : answer.reason;
        stet__exchange_answer(exchange, &entry->whole);
        return;
    case 206:
        stet__partial_answer(worker, exchange, entry, &answer);
        return;
    default: {
        struct stet__error error = {.status = answer.status,
                                    .reason = answer.reason,
                                    .path = entry->path,
                                    .complete_length = entry->selected.length,
                                    .vary = file->copies != NULL};
        stet__error_answer(worker, exchange, &error);
        return;
    }
    }
}

static void request(void *state, struct stet__exchange *exchange)
{
    struct stet__serve_worker *worker = state;
    const struct stet_http1_request *head = exchange->request;
    if (head->head.method != STET_METHOD_GET && head->head.method != STET_METHOD_HEAD) {
        answer_other_method(worker, exchange);
        return;
    }
    if (!head->path_query.ptr) {
        answer_error(worker, exchange, 400, STET_REASON_BAD_PATH);
        return;
    }
    struct stet_span key = stet__path_of_target(head->path_query);
    struct stet__entry *entry = stet__files_find(worker->files, key);
    if (entry && stet__entry_current(worker, entry, exchange->now)) {
        stet__entry_hold(entry);
        answer_entry(worker, exchange, entry, STET_REASON_OK);
        stet__entry_release(entry);
        return;
    }
    struct stet__found found = stet__look_up(worker, key, exchange->now);
    if (!found.entry) {
        answer_nothing(worker, exchange, &found);
        return;
    }
    answer_entry(worker, exchange, found.entry, found.reason);
    stet__entry_release(found.entry);
}

static struct stet__serve_shared shared;

/* A file changed, or one of its precompressed siblings: what was made of it goes. */
static void on_changed(void *arg, struct stet__watched *watched, bool content)
{
    struct stet__serve_worker *worker = arg;
    struct stet__entry *entry = watched->owner;
    if (watched == &entry->watched)
        entry->changed |= content;
    if (entry->copies)
        stet__file_copies_cancel(entry->copies);
    stet__files_drop(worker->files, entry);
}

static void on_all(void *arg)
{
    stet__root_restart(arg);
}

static bool on_root(void *arg)
{
    return stet__root_check(arg);
}

static void on_second(struct stet__tick *tick)
{
    struct stet__serve_worker *worker = stet__list_entry(tick, struct stet__serve_worker, tick);
    if (!stet__root_check(worker))
        stet__look_again(worker);
}

static void stop(void *state)
{
    struct stet__serve_worker *worker = state;
    stet__loop_remove_tick(worker->loop, &worker->tick);
    stet__hashes_forget(worker->shared->hashes, worker->loop);
    /* First the entries: they point at orders that are dropped then. */
    stet__files_free(worker->files);
    if (worker->shared->background)
        stet__background_forget(worker->shared->background, worker->loop);
    stet__watcher_free(worker->watcher);
    stet__error_release(worker);
    close(worker->root);
    free(worker);
}

static void *start(const void *configuration, struct stet__loop *loop, const char **error)
{
    struct stet__serve_worker *worker = calloc(1, sizeof *worker);
    *error = "out of memory";
    if (!worker)
        return NULL;
    worker->configuration = configuration;
    worker->shared = &shared;
    worker->loop = loop;
    worker->root = -1;
    worker->tick.run = on_second;
    struct stet__watch_events events = {on_changed, on_all, on_root, worker};
    worker->files = stet__files_new(worker->configuration->open_files, worker->configuration->memory_bytes);
    worker->watcher = stet__watcher_new(loop, &events);
    if (!worker->files || !worker->watcher)
        goto fail;
    *error = "the folder to serve cannot be opened";
    if (!stet__root_open(worker))
        goto fail;
    stet__loop_add_tick(loop, &worker->tick);
    *error = NULL;
    return worker;
fail:
    stet__files_free(worker->files);
    stet__watcher_free(worker->watcher);
    free(worker);
    return NULL;
}

const struct stet__role stet__serve_role = {.start = start, .request = request, .stop = stop};

void stet__serve_configuration_default(struct stet__serve_configuration *configuration)
{
    static const char *const index_names[] = {"index.html"};
    *configuration = (struct stet__serve_configuration){
        .root = ".",
        .index_names = index_names,
        .index_count = 1,
        .charset = "utf-8",
        .open_files = 1024,
        .memory_bytes = UINT64_C(64) << 20,
        .tag_at_once_bytes = UINT64_C(1) << 20,
        .cache_folder = -1,
    };
}

/* A page of the command line is there and can be read. */
static bool check_page(int root, const char *text, char *error, size_t error_len)
{
    struct stet__path path;
    struct stet__opened file;
    int status = -ENOENT;
    if (stet__path_set(stet_span_of(text, strlen(text)), &path) == STET_REASON_OK)
        status = stet__open_beneath(root, stet__path_name(&path), &file);
    if (status == 0) {
        close(file.fd);
        if (S_ISREG(file.stat.st_mode))
            return true;
        status = -EISDIR;
    }
    snprintf(error, error_len, "%s: %s", text, strerrordesc_np(-status));
    return false;
}

static bool check(const struct stet__serve_configuration *configuration, char *error, size_t error_len)
{
    int root = open(configuration->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        snprintf(error, error_len, "%s: %s", configuration->root, strerrordesc_np(errno));
        return false;
    }
    bool good = true;
    for (size_t i = 0; good && i < configuration->error_page_count; i++)
        good = check_page(root, configuration->error_pages[i].path, error, error_len);
    if (good && configuration->spa)
        good = check_page(root, configuration->spa, error, error_len);
    close(root);
    for (size_t i = 0; good && i < configuration->index_count; i++) {
        good = configuration->index_names[i][0] && !strchr(configuration->index_names[i], '/');
        if (!good)
            snprintf(error, error_len, "%s: not the name of an index file", configuration->index_names[i]);
    }
    return good;
}

/* One thread: what it makes is shared by all, and the rest of the machine is for answers. */
static bool prepare_codings(const struct stet__serve_configuration *configuration)
{
    static struct stet__octets_table octets;
    shared.background = stet__background_new(1, CODING_QUEUE_MAX);
    if (!shared.background)
        return false;
    stet__octets_table_init(&octets, configuration->memory_bytes / 8);
    shared.octets = &octets;
    return true;
}

bool stet__serve_prepare(const struct stet__serve_configuration *configuration, char *error, size_t error_len)
{
    if (!check(configuration, error, error_len))
        return false;
    shared.mime = stet__mime_new(configuration->mime_types, configuration->charset);
    if (!shared.mime) {
        const char *name = configuration->mime_types ? configuration->mime_types : "/etc/mime.types";
        snprintf(error, error_len, "%s: %s", name, strerrordesc_np(errno));
        return false;
    }
    shared.hashes = stet__hashes_new();
    if (shared.hashes && (configuration->coding.made == 0 || prepare_codings(configuration)))
        return true;
    snprintf(error, error_len, "the threads in the background cannot start: %s", strerrordesc_np(errno));
    stet__serve_finish();
    return false;
}

void stet__serve_finish(void)
{
    stet__hashes_free(shared.hashes);
    stet__mime_free(shared.mime);
    stet__background_free(shared.background);
    if (shared.octets)
        stet__octets_table_release(shared.octets);
    shared = (struct stet__serve_shared){.mime = NULL};
}
