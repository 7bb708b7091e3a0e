/* SPDX-License-Identifier: MIT */
/*
 * error: answers without a representation: 301, 204 to OPTIONS, and the errors.
 *
 * An error has the operator's page for its status, if there is one and it can be had; else a small page with
 * status, sentence and clause of the reason. It carries no validators and no Cache-Control, so nothing keeps
 * it longer than RFC 9111 section 4.2.2 lets a cache keep what says nothing.
 */
#include "net/error_page.h"
#include "net/head.h"
#include "serve/worker.h"

#define OWN_FIELDS 6

/* The page of a reason: each reason comes with one status here. Kept until the worker stops. Absent without
 * memory. */
static struct stet_span page_of(struct stet__serve_worker *worker, const struct stet__error *error)
{
    struct stet__buffer *page = &worker->pages[error->reason];
    if (page->len > 0)
        return stet__buffer_span(page);
    struct stet__refusal refusal = stet__refusal_of_reason(error->status, error->reason);
    refusal.name = NULL; /* the access log has it */
    stet__buffer_init(page, STET__ERROR_PAGE_MAX);
    stet__error_page_html(page, &refusal);
    if (page->failed)
        stet__buffer_release(page);
    return stet__buffer_span(page);
}

void stet__error_release(struct stet__serve_worker *worker)
{
    for (size_t i = 0; i < STET_REASON_COUNT; i++)
        stet__buffer_release(&worker->pages[i]);
}

/* The operator's page, held; or NULL. */
static struct stet__entry *custom_page(struct stet__serve_worker *worker, unsigned status, int64_t now)
{
    const struct stet__serve_configuration *configuration = worker->configuration;
    for (size_t i = 0; i < configuration->error_page_count; i++)
        if (configuration->error_pages[i].status == status)
            return stet__look_up_page(worker, configuration->error_pages[i].path, now).entry;
    return NULL;
}

struct answer {
    struct stet__exchange *exchange;
    struct stet_field *room;
    size_t count;
    struct stet__reply reply;
};

static void put_field(struct answer *answer, enum stet_field_id id, struct stet_span value)
{
    answer->room[answer->count++] = (struct stet_field){stet_field_name(id), value, id};
}

static void put_length(struct answer *answer, uint64_t length)
{
    char digits[20];
    struct stet_span text = stet_span_of(digits, stet_format_u64(length, digits));
    put_field(answer, STET_FIELD_CONTENT_LENGTH, stet__arena_copy(answer->exchange->arena, text));
}

static void put_status_fields(struct answer *answer, const struct stet__error *error)
{
    if (error->status == 405 || error->status == 204)
        put_field(answer, STET_FIELD_ALLOW, STET_SPAN("GET, HEAD, OPTIONS"));
    if (error->vary)
        put_field(answer, STET_FIELD_VARY, stet_field_name(STET_FIELD_ACCEPT_ENCODING));
    if (error->location.ptr)
        put_field(answer, STET_FIELD_LOCATION, error->location);
    if (error->status == 416) {
        char text[STET_CONTENT_RANGE_LEN];
        size_t len = stet_content_range_format_unsatisfied(error->complete_length, text);
        put_field(answer, STET_FIELD_CONTENT_RANGE,
                  stet__arena_copy(answer->exchange->arena, stet_span_of(text, len)));
    }
}

static void put_body(struct stet__serve_worker *worker, struct answer *answer,
                     const struct stet__error *error, struct stet__entry *page, struct stet__part *part)
{
    if (page) {
        const struct stet_fields *fields = &page->whole.head->fields;
        put_field(answer, STET_FIELD_CONTENT_TYPE,
                  stet_fields_find(fields, STET_FIELD_CONTENT_TYPE, 0)->value);
        answer->reply = page->whole;
    } else {
        *part = (struct stet__part){.memory = page_of(worker, error), .fd = -1};
        part->length = part->memory.len;
        put_field(answer, STET_FIELD_CONTENT_TYPE, STET__ERROR_HTML);
        answer->reply = (struct stet__reply){.parts = part, .part_count = part->memory.len > 0};
    }
    put_length(answer, page ? page->selected.length : part->memory.len);
}

void stet__error_answer(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                        const struct stet__error *error)
{
    const struct stet__serve_configuration *configuration = worker->configuration;
    struct stet__arena *arena = exchange->arena;
    struct stet__entry *page =
        error->status >= 400 ? custom_page(worker, error->status, exchange->now) : NULL;
    struct answer answer = {.exchange = exchange};
    struct stet__part *part = stet__arena_alloc(arena, sizeof *part);
    const struct stet__head *head = NULL;
    answer.room =
        stet__arena_alloc(arena, (OWN_FIELDS + configuration->rule_count) * sizeof(struct stet_field));
    if (part && answer.room) {
        put_status_fields(&answer, error);
        if (error->status != 204)
            put_body(worker, &answer, error, page, part);
        answer.count = stet__fields_of_error(configuration, error->path, answer.room, answer.count);
        struct stet_fields fields = {answer.room, answer.count, 0};
        bool complete = true;
        for (size_t i = 0; i < answer.count; i++) {
            complete &= answer.room[i].value.ptr != NULL;
            fields.present |= UINT64_C(1) << answer.room[i].id;
        }
        head = complete ? stet__head_make(arena, error->status, &fields) : NULL;
    }
    if (!head)
        answer.reply = (struct stet__reply){.head = &stet__error_no_memory};
    else
        answer.reply.head = head;
    answer.reply.reason = error->reason;
    stet__exchange_answer(exchange, &answer.reply);
    if (page)
        stet__entry_release(page);
}
