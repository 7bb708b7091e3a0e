/* SPDX-License-Identifier: MIT */
/*
 * One exchange with a server, over a wire or a transfer.
 *
 * A wire sees the octets behind a message, but takes only what is well-formed HTTP/1.1. What it cannot read,
 * or be connected to by TLS, is asked again by a transfer, which also has HTTP/2 and is more lenient.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <stet/http1.h>
#include <stet/uri.h>

#include "check/ask.h"
#include "check/gather.h"
#include "transfer/wire.h"

enum { LINGER_MS = 20, PATIENCE_MS = 30000, OF_LARGE = 1 << 16, STEP_MS = 100 };

struct stet__asker {
    const struct stet__check_settings *settings;
    struct stet__arena *arena;
    const char *uri;
    struct stet__wire *wire;
    const char *address; /* where the wire leads */
    bool used;           /* the wire has carried an exchange */
    struct stet__transfers *transfers;
    bool by_transfer; /* the server does not speak what wires do */
    bool unread;      /* the wire could not make anything of what came, or not agree on TLS */
    bool loopback;
    bool large; /* the content goes on beyond content_max */
    uint64_t requests;
    int64_t next_us; /* when the next question may be asked */
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_loopback(const char *uri)
{
    struct stet_uri parts;
    if (stet_uri_parse(stet_span_of(uri, strlen(uri)), &parts) != STET_OK)
        return false;
    return stet_span_starts(parts.host, STET_SPAN("127.")) ||
           stet_span_equal(parts.host, STET_SPAN("[::1]")) ||
           stet_span_equal_nocase(parts.host, STET_SPAN("localhost"));
}

struct stet__asker *stet__asker_new(const struct stet__check_settings *settings, struct stet__arena *arena,
                                    const char *uri)
{
    struct stet__asker *asker = calloc(1, sizeof *asker);
    if (asker)
        *asker = (struct stet__asker){.settings = settings,
                                      .arena = arena,
                                      .uri = uri,
                                      .loopback = is_loopback(uri) || settings->transfer->unix_socket,
                                      .by_transfer = settings->transfer->version == STET__TRANSFER_HTTP2};
    return asker;
}

static void hang_up(struct stet__asker *asker)
{
    stet__wire_close(asker->wire);
    asker->wire = NULL;
    asker->used = false;
}

void stet__asker_free(struct stet__asker *asker)
{
    if (!asker)
        return;
    hang_up(asker);
    stet__transfers_free(asker->transfers);
    free(asker);
}

uint64_t stet__asker_requests(const struct stet__asker *asker)
{
    return asker->requests;
}

/* Politeness. A signal ends the waiting. */
static void pace(struct stet__asker *asker)
{
    unsigned rate = asker->settings->per_second;
    int64_t now = now_us();
    if (rate == 0 || asker->loopback)
        return;
    if (asker->next_us > now) {
        const struct timespec left = {(asker->next_us - now) / 1000000,
                                      (asker->next_us - now) % 1000000 * 1000};
        (void)nanosleep(&left, NULL);
        now = asker->next_us;
    }
    asker->next_us = now + 1000000 / rate;
}

/* Words that live as long as the report. */
static const char *text(struct stet__asker *asker, const char *words)
{
    const char *kept = stet__gather_text(asker->arena, stet_span_of(words, strlen(words)));
    return kept ? kept : "There is no memory left.";
}

static unsigned patience_ms(const struct stet__asker *asker)
{
    const struct stet__transfer_settings *transfer = asker->settings->transfer;
    if (transfer->whole_ms > 0)
        return transfer->whole_ms;
    return transfer->silence_ms > 0 ? transfer->silence_ms : PATIENCE_MS;
}

/* How much of an answer is read. Of a content that is too large to be looked at to its end nothing is learnt
 * by reading as far each time: what a range gets, and where a message begins, is near its beginning. */
static size_t octets_max(const struct stet__asker *asker, const struct stet__question *question)
{
    size_t all = asker->settings->content_max;
    bool little = asker->large && question->kind != STET_PROBE_GET && all > OF_LARGE;
    return little ? OF_LARGE : all;
}

static bool has_content(const struct stet__wire_answer *answer)
{
    return answer->head.body != STET_BODY_NONE && !answer->head.coded;
}

/* What a wire brought. False: no memory. */
static bool take_wire(struct stet__asker *asker, const struct stet__question *question,
                      struct stet__wire_answer *answer, struct stet__taken *out)
{
    struct stet_span head = stet_span_of(answer->content.ptr - answer->head.head_len, answer->head.head_len);
    if (!stet__taken_answer(asker->arena, head, out))
        return false;
    out->lint.wire_known = true;
    out->lint.octets_behind = answer->behind.len;
    out->unended = answer->silent && answer->status != STET_OK;
    out->cut_off = answer->limited || out->unended;
    out->lint.cut = answer->status != STET_OK && !out->cut_off;
    if (answer->status == STET_OK && has_content(answer))
        stet__taken_content(out, answer->content, asker->settings->content_max);
    else
        out->record.content_length = answer->content.len;
    if (question->keep && out->lint.content_known) {
        out->lint.content = answer->content;
        out->content = answer->octets;
        stet__buffer_init(&answer->octets, 0);
    }
    return true;
}

static const char *objection(const struct stet__wire_answer *answer)
{
    if (answer->status < 0)
        return stet_status_row(answer->status)->sentence;
    return answer->silent ? "No answer came in time."
                          : "The server closed the connection before the answer was complete.";
}

static bool connected(struct stet__asker *asker, const char *address, struct stet__taken *out)
{
    const char *cause;
    if (asker->wire && asker->address != address)
        hang_up(asker);
    if (asker->wire)
        return true;
    asker->address = address;
    asker->wire = stet__wire_open(asker->settings->transfer, asker->uri, address, &cause);
    if (!asker->wire) {
        out->record.failure = text(asker, cause);
        asker->unread = out->lint.secure;
    }
    return asker->wire != NULL;
}

/* False: no memory. Nothing taken, and record.failure, if it did not work. */
static bool ask_wire(struct stet__asker *asker, const struct stet__question *question,
                     struct stet__taken *out)
{
    const struct stet__wire_limits limits = {.patience_ms = patience_ms(asker),
                                             .linger_ms = question->linger ? LINGER_MS : 0,
                                             .octets_max = octets_max(asker, question) + STET__TAKEN_HEAD_MAX,
                                             .stop = asker->settings->stop};
    bool again, done = true;
    do {
        if (!connected(asker, question->address, out))
            return true;
        struct stet__wire_answer *answer = malloc(sizeof *answer);
        if (!answer)
            return false;
        bool used = asker->used;
        asker->used = true;
        asker->requests++;
        stet__wire_ask(asker->wire, question->head, out->lint.request.method, &limits, answer);
        /* A server may close a kept connection at any time: RFC 9112 section 9.5. */
        again = used && answer->octets.len == 0 && answer->closed;
        if (!answer->reusable)
            hang_up(asker);
        if (answer->has_head)
            done = take_wire(asker, question, answer, out);
        else if (!again)
            out->record.failure = objection(answer);
        asker->unread = !answer->has_head && answer->status < 0;
        stet__buffer_release(&answer->octets);
        free(answer);
    } while (again);
    return done;
}

/* One exchange over a transfer. */
struct carried {
    struct stet__asker *asker;
    struct stet__taken *out;
    struct stet__buffer content;
    bool done, no_memory, whole;
};

static bool on_head(void *owner, const struct stet_http1_response *answer)
{
    struct carried *carried = owner;
    struct stet__buffer head;
    stet__buffer_init(&head, STET__TAKEN_HEAD_MAX);
    stet__buffer_append_text(&head, "HTTP/1.1 ");
    stet__buffer_append_u64(&head, answer->head.status);
    stet__buffer_append_text(&head, " ");
    stet__buffer_append(&head, answer->head.reason_phrase);
    stet__buffer_append_text(&head, "\r\n");
    for (size_t i = 0; i < answer->head.fields.count; i++) {
        stet__buffer_append(&head, answer->head.fields.at[i].name);
        stet__buffer_append_text(&head, ": ");
        stet__buffer_append(&head, answer->head.fields.at[i].value);
        stet__buffer_append_text(&head, "\r\n");
    }
    stet__buffer_append_text(&head, "\r\n");
    carried->no_memory =
        head.failed || !stet__taken_answer(carried->asker->arena, stet__buffer_span(&head), carried->out);
    stet__buffer_release(&head);
    return !carried->no_memory;
}

static bool on_data(void *owner, struct stet_span octets)
{
    struct carried *carried = owner;
    carried->out->cut_off = !stet__buffer_append(&carried->content, octets);
    return !carried->out->cut_off;
}

static void on_done(void *owner, const struct stet__transfer_result *result)
{
    struct carried *carried = owner;
    struct stet__taken *out = carried->out;
    carried->done = true;
    carried->whole = result->status == STET_OK;
    if (result->status != STET_OK && out->record.status == 0)
        out->record.failure = text(carried->asker, result->cause);
    out->unended = result->cut && result->status == STET__TRANSFER_E_TIME;
    out->cut_off |= out->unended;
    out->lint.cut = result->cut && !out->cut_off;
    out->lint.secure |= result->secure;
}

static struct stet__transfer *begin_transfer(struct stet__asker *asker, const struct stet__question *question,
                                             struct carried *carried)
{
    static const struct stet__transfer_events events = {NULL, on_head, on_data, on_done};
    struct stet_field room[STET__TAKEN_FIELDS_MAX];
    struct stet_fields fields = {room, 0, 0};
    const struct stet_fields *all = &carried->out->lint.request.fields;
    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].id != STET_FIELD_HOST)
            room[fields.count++] = all->at[i];
    const struct stet__transfer_request request = {.method = question->method,
                                                   .uri = question->uri,
                                                   .fields = &fields,
                                                   .address = question->address,
                                                   .keep_credentials = true};
    if (!asker->transfers)
        asker->transfers = stet__transfers_new(asker->settings->transfer);
    asker->requests++;
    return asker->transfers ? stet__transfer_begin(asker->transfers, &request, &events, carried) : NULL;
}

static bool ask_transfer(struct stet__asker *asker, const struct stet__question *question,
                         struct stet__taken *out)
{
    struct carried carried = {.asker = asker, .out = out};
    stet__buffer_init(&carried.content, octets_max(asker, question));
    struct stet__transfer *transfer = begin_transfer(asker, question, &carried);
    if (!transfer) {
        out->record.failure = "The request cannot be made.";
        return true;
    }
    while (!carried.done)
        if (stet__check_stopped(asker->settings))
            stet__transfer_stop(transfer);
        else
            stet__transfers_step(asker->transfers, STEP_MS);
    struct stet_span content = stet__buffer_span(&carried.content);
    bool bare = out->lint.request.method == STET_METHOD_HEAD || out->record.status == 304;
    if (carried.whole && !bare && out->record.status != 0)
        stet__taken_content(out, content, asker->settings->content_max);
    if (question->keep && out->lint.content_known) {
        out->lint.content = content.ptr ? content : STET_SPAN("");
        out->content = carried.content;
    } else {
        stet__buffer_release(&carried.content);
    }
    return !carried.no_memory;
}

bool stet__ask(struct stet__asker *asker, const struct stet__question *question, struct stet__taken *out)
{
    *out = (struct stet__taken){.cut_off = false};
    stet__buffer_init(&out->content, 0);
    out->record.kind = question->kind;
    out->record.variant = question->variant;
    if (!stet__taken_request(asker->arena, question->uri, question->head, out))
        return false;
    if (out->record.failure)
        return true;
    pace(asker);
    int64_t begun_us = now_us();
    out->lint.times_known = true;
    out->lint.requested_at = time(NULL);
    bool first = asker->requests == 0, done = true;
    asker->unread = asker->by_transfer;
    if (!asker->by_transfer)
        done = ask_wire(asker, question, out);
    if (done && asker->unread) {
        out->record.failure = NULL;
        done = ask_transfer(asker, question, out);
        asker->by_transfer |= first && out->record.status != 0;
    }
    if (question->kind == STET_PROBE_GET)
        asker->large = out->cut_off;
    out->lint.received_at = time(NULL);
    out->record.whole_us = now_us() - begun_us;
    return done;
}
