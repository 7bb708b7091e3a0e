/* SPDX-License-Identifier: MIT */
#include "net/redirect.h"

#include "net/error_page.h"
#include "net/head.h"

#define HTTPS_PORT 443
#define ACME STET_SPAN("/.well-known/acme-challenge/")

/* For one worker. */
struct state {
    const struct stet__redirect *redirect;
    void *behind;
};

static void *start(const void *configuration, struct stet__loop *loop, const char **error)
{
    const struct stet__redirect *redirect = configuration;
    struct state *state = malloc(sizeof *state);
    *error = "there is no memory for a worker";
    if (!state)
        return NULL;
    state->redirect = redirect;
    state->behind = redirect->behind->start(redirect->configuration, loop, error);
    if (state->behind)
        return state;
    free(state);
    return NULL;
}

static void stop(void *arg)
{
    struct state *state = arg;
    state->redirect->behind->stop(state->behind);
    free(state);
}

/* "[::1]:80" without its port. */
static struct stet_span host_of(struct stet_span authority)
{
    for (size_t i = authority.len; i > 0 && authority.ptr[i - 1] != ']'; i--)
        if (authority.ptr[i - 1] == ':')
            return stet_span_of(authority.ptr, i - 1);
    return authority;
}

static bool put_location(struct stet__buffer *to, const struct stet_http1_request *request, unsigned port)
{
    struct stet_span path = request->path_query;
    stet__buffer_append_text(to, "https://");
    stet__buffer_append(to, host_of(request->authority));
    if (port != HTTPS_PORT) {
        stet__buffer_append_text(to, ":");
        stet__buffer_append_u64(to, port);
    }
    if (path.len == 0 || path.ptr[0] != '/')
        stet__buffer_append_text(to, "/");
    return stet__buffer_append(to, path) && !to->failed;
}

/* Both kinds of answers have a page of text. */
static void answer(struct stet__exchange *exchange, const struct stet__refusal *refusal,
                   struct stet_span location)
{
    char digits[20];
    struct stet__buffer page;
    stet__buffer_init(&page, STET__ERROR_PAGE_MAX);
    stet__error_page_text(&page, refusal);
    struct stet_field fields[] = {{STET_SPAN("Content-Type"), STET__ERROR_TEXT, STET_FIELD_CONTENT_TYPE},
                                  {STET_SPAN("Content-Length"),
                                   stet_span_of(digits, stet_format_u64(page.len, digits)),
                                   STET_FIELD_CONTENT_LENGTH},
                                  {STET_SPAN("Location"), location, STET_FIELD_LOCATION}};
    struct stet_fields all = {fields, location.ptr ? 3 : 2, 0};
    const struct stet__head *head = stet__head_make(exchange->arena, refusal->status, &all);
    struct stet__part part = stet__part_memory(stet__buffer_span(&page));
    struct stet__reply reply = {
        .head = head, .parts = &part, .part_count = 1, .reason = STET_REASON_HTTPS_ONLY};
    if (!head || page.failed)
        reply = (struct stet__reply){.head = &stet__error_no_memory, .reason = STET_REASON_OVERLOADED};
    stet__exchange_answer(exchange, &reply);
    stet__buffer_release(&page);
}

static void request(void *arg, struct stet__exchange *exchange)
{
    struct state *state = arg;
    const struct stet_http1_request *asked = exchange->request;
    if (stet_span_equal(exchange->scheme, STET_SPAN("https")) || stet_span_starts(asked->path_query, ACME)) {
        state->redirect->behind->request(state->behind, exchange);
        return;
    }
    bool known = host_of(asked->authority).len > 0 && asked->head.method != STET_METHOD_CONNECT;
    struct stet__buffer location;
    stet__buffer_init(&location, SIZE_MAX);
    known = known && put_location(&location, asked, state->redirect->port);
    struct stet__refusal refusal = stet__refusal_of_reason(known ? 308 : 400, STET_REASON_HTTPS_ONLY);
    answer(exchange, &refusal, known ? stet__buffer_span(&location) : STET_SPAN_NONE);
    stet__buffer_release(&location);
}

void stet__redirect_init(struct stet__redirect *redirect, const struct stet__role *behind,
                         const void *configuration, unsigned port)
{
    *redirect = (struct stet__redirect){
        .role = *behind, .behind = behind, .configuration = configuration, .port = port};
    redirect->role.start = start;
    redirect->role.request = request;
    redirect->role.stop = stop;
}
