/* SPDX-License-Identifier: MIT */
/*
 * A group of transfers, and the life of one: it waits for its turn, is handed to libcurl with a handle from
 * the pool, and comes back from it when libcurl, the clock or the caller has ended it. group.h has the
 * states.
 */
#include "transfer/transfer.h"

#include <stdlib.h>

#include "base/assert.h"
#include "transfer/group.h"

#define CONNECTIONS_MAX 50u
#define SILENCE_MS 60000u
#define HEAD_OCTETS_MAX (300u * 1024)
#define REQUEST_OCTETS_MAX ((size_t)64 << 20)

void stet__transfer_alive(struct stet__transfer *transfer)
{
    transfer->active_ms = transfer->group->sockets.now_ms;
    stet__list_remove(&transfer->link);
    stet__list_append(&transfer->group->silent_first, &transfer->link);
}

/* libcurl's own limits count connections, ours transfers: that is stricter, so none ever waits within
 * libcurl, where its time-outs would go on. The limits bound what is kept. */
static bool setup_multi(struct stet__transfers *group)
{
    CURLM *multi = group->multi;
    return !curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)group->running_max) &&
           !curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)group->running_max) &&
           !curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)group->settings.per_host_max) &&
           !curl_share_setopt(group->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) &&
           stet__handle_resolve(&group->settings, &group->resolve);
}

struct stet__transfers *stet__transfers_new(const struct stet__transfer_settings *settings)
{
    struct stet__transfers *group = calloc(1, sizeof *group);
    if (!group)
        return NULL;
    group->settings = *settings;
    group->running_max = settings->connections_max ? settings->connections_max : CONNECTIONS_MAX;
    group->silence_ms = settings->silence_ms ? settings->silence_ms : SILENCE_MS;
    group->reader.limits = STET_HTTP1_LIMITS_DEFAULT;
    group->reader.limits.head_bytes = settings->head_octets_max ? settings->head_octets_max : HEAD_OCTETS_MAX;
    group->reader.limits.fields = STET__ANSWER_FIELDS_MAX;
    stet__list_init(&group->waiting);
    stet__list_init(&group->connecting);
    stet__list_init(&group->silent_first);
    stet__list_init(&group->doomed);
    stet__list_init(&group->idle);
    group->sockets.epoll_fd = -1;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(group);
        return NULL;
    }
    group->multi = curl_multi_init();
    group->share = curl_share_init();
    if (group->multi && group->share && stet__sockets_init(&group->sockets, group->multi) &&
        setup_multi(group))
        return group;
    stet__transfers_free(group);
    return NULL;
}

static void transfer_free(struct stet__transfer *transfer)
{
    stet__list_remove(&transfer->link);
    stet__arena_release(&transfer->arena);
    stet__buffer_release(&transfer->answer.octets);
    free(transfer);
}

/* Takes the transfer back from libcurl. */
static void detach(struct stet__transfer *transfer)
{
    struct stet__transfers *group = transfer->group;
    struct stet__handle *handle = transfer->handle;
    transfer->state = STET__TRANSFER_DOOMED; /* callbacks that this brings say nothing */
    curl_multi_remove_handle(group->multi, handle->easy);
    transfer->handle = NULL;
    handle->transfer = NULL;
    if (handle->spoiled) {
        stet__handle_free(handle);
        return;
    }
    handle->next = group->handles;
    group->handles = handle;
}

/* As in list.h: the analyser does not see that what is freed has left the list. */
static void free_list(struct stet__list *list)
{
    while (!stet__list_empty(list)) {
        struct stet__transfer *transfer = stet__list_entry(list->next, struct stet__transfer, link);
        if (transfer->handle) /* NOLINT(clang-analyzer-unix.Malloc) */
            detach(transfer);
        transfer_free(transfer);
    }
}

void stet__transfers_free(struct stet__transfers *group)
{
    if (!group)
        return;
    struct stet__list *lists[] = {&group->waiting, &group->connecting, &group->silent_first, &group->doomed,
                                  &group->idle};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        free_list(lists[i]);
    while (group->handles) {
        struct stet__handle *handle = group->handles;
        group->handles = handle->next;
        stet__handle_free(handle);
    }
    if (group->multi)
        curl_multi_cleanup(group->multi);
    if (group->share)
        curl_share_cleanup(group->share);
    stet__sockets_release(&group->sockets);
    curl_slist_free_all(group->resolve);
    curl_global_cleanup();
    free(group);
}

static struct stet__transfer *transfer_new(struct stet__transfers *group)
{
    struct stet__transfer *transfer;
    if (!stet__list_empty(&group->idle)) {
        transfer = stet__list_entry(group->idle.next, struct stet__transfer, link);
        stet__list_remove(&transfer->link);
        return transfer;
    }
    transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->group = group;
    stet__list_init(&transfer->link);
    stet__arena_init(&transfer->arena, REQUEST_OCTETS_MAX);
    stet__buffer_init(&transfer->answer.octets, group->reader.limits.head_bytes);
    return transfer;
}

/* Back to the pool, with the memory it has. */
static void recycle(struct stet__transfer *transfer)
{
    transfer->state = STET__TRANSFER_IDLE;
    stet__arena_reset(&transfer->arena);
    stet__list_remove(&transfer->link);
    stet__list_append(&transfer->group->idle, &transfer->link);
}

struct stet__transfer *stet__transfer_begin(struct stet__transfers *group,
                                            const struct stet__transfer_request *request,
                                            const struct stet__transfer_events *events, void *owner)
{
    struct stet__transfer *transfer = transfer_new(group);
    if (!transfer)
        return NULL;
    if (!stet__request_copy(transfer, request)) {
        recycle(transfer);
        return NULL;
    }
    transfer->events = events;
    transfer->owner = owner;
    transfer->content_octets = 0;
    transfer->failure = STET_OK;
    transfer->asked = transfer->again = false;
    stet__answer_clear(&transfer->answer);
    transfer->state = STET__TRANSFER_WAITING;
    stet__list_append(&group->waiting, &transfer->link);
    group->count++;
    return transfer;
}

/* Says `done`. Afterwards nobody outside knows the transfer. */
static void tell_done(struct stet__transfer *transfer, const struct stet__transfer_result *result)
{
    struct stet__transfers *group = transfer->group;
    group->count--;
    if (transfer->handle)
        group->running--;
    transfer->events->done(transfer->owner, result);
}

/* Ends a transfer while libcurl may be called. */
static void finish(struct stet__transfer *transfer, const struct stet__transfer_result *result)
{
    stet__list_remove(&transfer->link);
    if (transfer->handle && transfer->again)
        transfer->handle->spoiled = true; /* it remembers that Expect did not work */
    tell_done(transfer, result);
    if (transfer->handle)
        detach(transfer);
    recycle(transfer);
}

void stet__transfer_stop(struct stet__transfer *transfer)
{
    struct stet__transfer_result result;
    struct stet__transfers *group = transfer->group;
    stet__assert(transfer->state == STET__TRANSFER_WAITING || transfer->state == STET__TRANSFER_RUNNING);
    stet__result_make_stopped(transfer, STET__TRANSFER_E_STOPPED, &result);
    if (!transfer->handle || !group->calling) {
        finish(transfer, &result);
        return;
    }
    stet__list_remove(&transfer->link);
    stet__list_append(&group->doomed, &transfer->link);
    transfer->state = STET__TRANSFER_DOOMED;
    tell_done(transfer, &result);
}

/* Whether one more transfer with the host of this one may run. */
static bool host_has_room(const struct stet__transfers *group, const struct stet__transfer *transfer)
{
    if (group->settings.per_host_max == 0)
        return true;
    const struct stet__list *lists[] = {&group->connecting, &group->silent_first};
    unsigned running = 0;
    for (size_t i = 0; i < 2; i++)
        for (struct stet__list *at = lists[i]->next; at != lists[i]; at = at->next) {
            const struct stet__transfer *other = stet__list_entry(at, struct stet__transfer, link);
            running += other->port == transfer->port && stet_span_equal_nocase(other->host, transfer->host);
        }
    return running < group->settings.per_host_max;
}

static void fail(struct stet__transfer *transfer, int status)
{
    struct stet__transfer_result result;
    stet__result_make_stopped(transfer, status, &result);
    finish(transfer, &result);
}

static void start(struct stet__transfer *transfer)
{
    struct stet__transfers *group = transfer->group;
    struct stet__handle *handle = group->handles;
    if (handle)
        group->handles = handle->next;
    else
        handle = stet__handle_new(group);
    if (!handle) {
        fail(transfer, STET__TRANSFER_E_MEMORY);
        return;
    }
    transfer->handle = handle;
    transfer->state = STET__TRANSFER_RUNNING;
    group->running++;
    stet__list_remove(&transfer->link);
    stet__list_append(&group->connecting, &transfer->link);
    if (!stet__handle_attach(handle, transfer))
        fail(transfer, STET__TRANSFER_E_OTHER);
    else if (curl_multi_add_handle(group->multi, handle->easy) != CURLM_OK)
        fail(transfer, STET__TRANSFER_E_MEMORY);
}

/* Starts those whose turn it is, in the order in which they came as far as hosts allow. */
static void start_waiting(struct stet__transfers *group)
{
    struct stet__list *at = group->waiting.next;
    while (at != &group->waiting && group->running < group->running_max) {
        struct stet__transfer *transfer = stet__list_entry(at, struct stet__transfer, link);
        at = at->next;
        if (host_has_room(group, transfer))
            start(transfer);
    }
}

/* What libcurl has ended. False if there is nothing. */
static bool harvest(struct stet__transfers *group)
{
    const CURLMsg *message;
    int left;
    bool some = false;
    while (!stet__list_empty(&group->doomed)) {
        struct stet__transfer *transfer = stet__list_entry(group->doomed.next, struct stet__transfer, link);
        detach(transfer);
        recycle(transfer);
        some = true;
    }
    while ((message = curl_multi_info_read(group->multi, &left))) {
        struct stet__transfer_result result;
        void *handle = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &handle);
        struct stet__transfer *transfer = ((struct stet__handle *)handle)->transfer;
        stet__result_make(transfer, message->data.result, &result);
        finish(transfer, &result);
        some = true;
    }
    return some;
}

/* How long the next one has left until it has been silent for too long, in ms; INT64_MAX without one. */
static int64_t patience(const struct stet__transfers *group)
{
    if (stet__list_empty(&group->silent_first))
        return INT64_MAX;
    const struct stet__transfer *transfer =
        stet__list_entry(group->silent_first.next, struct stet__transfer, link);
    int64_t left = transfer->active_ms + group->silence_ms - group->sockets.now_ms;
    return left > 0 ? left : 0;
}

/* After a round: what came while a caller took its time has been heard. */
static void end_silent(struct stet__transfers *group)
{
    while (patience(group) == 0)
        fail(stet__list_entry(group->silent_first.next, struct stet__transfer, link), STET__TRANSFER_E_TIME);
}

size_t stet__transfers_step(struct stet__transfers *group, int ms)
{
    stet__assert(!group->calling);
    stet__sockets_look(&group->sockets);
    if (group->running == 0 && group->count > 0)
        stet__sockets_look_at_idle(&group->sockets);
    start_waiting(group);
    if (group->running == 0)
        return group->count;
    group->calling = true;
    stet__sockets_tick(&group->sockets);
    group->calling = false;
    int64_t wait_ms = harvest(group) ? 0 : ms, left_ms = patience(group);
    if (left_ms != INT64_MAX && (wait_ms < 0 || left_ms < wait_ms))
        wait_ms = left_ms;
    group->calling = true;
    stet__sockets_round(&group->sockets, wait_ms);
    group->calling = false;
    harvest(group);
    end_silent(group);
    start_waiting(group);
    return group->count;
}
