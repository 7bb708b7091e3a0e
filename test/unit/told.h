/* SPDX-License-Identifier: MIT */
/*
 * told: what the tests of transfer share: a group, and what the events of a transfer have told, as a story of
 * one line.
 */
#ifndef STET_TEST_UNIT_TOLD_H
#define STET_TEST_UNIT_TOLD_H

#include "answering.h"

#include "transfer/transfer.h"

#define H "HTTP/1.1 "
#define HELLO H "200 OK\r\nContent-Length: 5\r\n\r\nhello"

struct told {
    char story[2000]; /* "[103](200)octets" and then "ok" or the name of the failure */
    size_t len;
    struct stet__transfer_result result;
    char cause[300];
    unsigned done;
    uint64_t octets;
    bool stop_in_head, stop_in_data, quiet;
    struct stet__transfer *victim; /* stopped in head */
    bool next;                     /* another one is begun in head and in done */
    struct stet_http1_response answer;
};

static struct stet__transfers *group;
static const struct stet__transfer_events events;

static void tell(struct told *told, struct stet_span text)
{
    size_t room = sizeof told->story - 1 - told->len, len = text.len < room ? text.len : room;
    if (len > 0)
        memcpy(told->story + told->len, text.ptr, len);
    told->len += len;
    told->story[told->len] = '\0';
}

static void tell_number(struct told *told, const char *open, unsigned n, const char *end)
{
    char text[40];
    tell(told, stet_span_of(text, (size_t)snprintf(text, sizeof text, "%s%u%s", open, n, end)));
}

static void on_interim(void *owner, const struct stet_response *interim)
{
    tell_number(owner, "[", interim->status, "]");
}

static inline const char *uri_of(const char *target)
{
    static char uri[200];
    snprintf(uri, sizeof uri, "http://127.0.0.1:%u%s", answering.port, target);
    return uri;
}

static inline struct stet__transfer *begin(struct told *told, const char *target)
{
    struct stet__transfer_request request = {.method = "GET", .uri = uri_of(target)};
    struct stet__transfer *transfer = stet__transfer_begin(group, &request, &events, told);
    assert_non_null(transfer);
    return transfer;
}

static struct told next_told;

static bool on_head(void *owner, const struct stet_http1_response *answer)
{
    struct told *told = owner;
    told->answer = *answer;
    tell_number(told, "(", answer->head.status, ")");
    for (size_t i = 0; i < answer->head.fields.count; i++) {
        const struct stet_field *field = &answer->head.fields.at[i];
        if (field->name.len > 1)
            continue;
        tell(told, field->name);
        tell(told, STET_SPAN("="));
        tell(told, field->value);
        tell(told, STET_SPAN(";"));
    }
    if (told->victim)
        stet__transfer_stop(told->victim);
    if (told->next)
        begin(&next_told, "/hello");
    return !told->stop_in_head;
}

static bool on_data(void *owner, struct stet_span octets)
{
    struct told *told = owner;
    told->octets += octets.len;
    if (!told->quiet)
        tell(told, octets);
    return !told->stop_in_data;
}

static void on_done(void *owner, const struct stet__transfer_result *result)
{
    struct told *told = owner;
    const char *name = result->status == STET_OK ? "ok" : stet__transfer_failure_name(result->status);
    told->result = *result;
    told->done++;
    snprintf(told->cause, sizeof told->cause, "%s", result->cause);
    assert_true((result->status == STET_OK) == (result->cause[0] == '\0'));
    tell(told, stet_span_of(name, strlen(name)));
    if (result->cut)
        tell(told, STET_SPAN(" cut"));
    if (told->next)
        begin(&next_told, "/hello");
}

static const struct stet__transfer_events events = {on_interim, on_head, on_data, on_done};

static inline void run_group(void)
{
    while (stet__transfers_step(group, 10000) > 0)
        continue;
}

static inline void open_group(const struct stet__transfer_settings *settings)
{
    static const struct stet__transfer_settings plain = {.proxy = ""};
    group = stet__transfers_new(settings ? settings : &plain);
    assert_non_null(group);
}

static inline void close_group(void)
{
    stet__transfers_free(group);
    group = NULL;
}

/* One transfer in a group of its own. */
static inline void fetch(struct told *told, const char *method, const char *target)
{
    struct stet__transfer_request request = {.method = method, .uri = uri_of(target)};
    open_group(NULL);
    assert_non_null(stet__transfer_begin(group, &request, &events, told));
    run_group();
    assert_int_equal(told->done, 1);
    close_group();
}

#endif
