/* SPDX-License-Identifier: MIT */
/*
 * redirect: RFC 9110 section 15.4. Each hop is a request of its own, with its own key, conditions and stored
 * response; nothing that was made for one of them goes to the next. What the user gave for the first origin
 * (Authorization, Cookie, Host, a name and password) goes to that origin only: request.c.
 */
#include "get/task.h"

bool stet__redirect_followed(const struct stet__task *task, const struct stet_response *response)
{
    unsigned status = response->status;
    bool redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    return task->get->settings.follow && redirect && stet_fields_have(&response->fields, STET_FIELD_LOCATION);
}

/* Sections 15.4.2 to 15.4.4: 303 is answered by a GET, and what is widely done with POST after 301 and 302 is
 * allowed. */
static bool becomes_get(const struct stet__task *task, unsigned status)
{
    enum stet_method method = stet_method_id(task->method);
    if (status == 303)
        return method != STET_METHOD_GET && method != STET_METHOD_HEAD;
    return (status == 301 || status == 302) && method == STET_METHOD_POST;
}

static bool was_there(const struct stet__task *task, struct stet_span key, struct stet_span method)
{
    for (const struct stet__visited *at = task->visited; at; at = at->before)
        if (stet_span_equal(at->key, key) && stet_span_equal(at->method, method))
            return true;
    return false;
}

static bool remember(struct stet__task *task)
{
    struct stet__visited *visited = stet__arena_alloc(&task->arena, sizeof *visited);
    if (!visited)
        return false;
    *visited = (struct stet__visited){task->visited, task->key, task->method};
    task->visited = visited;
    return true;
}

/* Section 10.2.2: without a fragment of its own the reference inherits the one that it is reached by. */
static void split_fragment(struct stet__task *task, struct stet_span *reference)
{
    const char *hash = reference->len > 0 ? memchr(reference->ptr, '#', reference->len) : NULL;
    if (!hash)
        return;
    size_t before = (size_t)(hash - reference->ptr);
    task->fragment = stet__arena_copy(&task->arena, stet_span_skip(*reference, before));
    reference->len = before;
}

static int move(struct stet__task *task, const struct stet_response *response)
{
    struct stet_span reference = stet_fields_find(&response->fields, STET_FIELD_LOCATION, 0)->value;
    split_fragment(task, &reference);
    size_t room = reference.len + task->key.len + 32;
    char *text = stet__arena_alloc(&task->arena, room + 1);
    if (!text || !remember(task))
        return STET_E_GET_MEMORY;
    size_t len = stet_uri_resolve(&task->uri, reference, text, room);
    if (len == 0)
        return STET_E_GET_LOCATION;
    text[len] = '\0';
    if (becomes_get(task, response->status)) {
        task->method = STET_SPAN("GET");
        task->has_content = false;
    }
    task->key = stet_span_of(text, len);
    if (was_there(task, task->key, task->method))
        return STET_E_GET_LOOP;
    return stet_uri_parse(task->key, &task->uri) == STET_OK ? STET_OK : STET_E_GET_LOCATION;
}

enum stet__step stet__redirect_follow(struct stet__task *task, const struct stet_response *response)
{
    int status = STET_E_GET_REDIRECTS;
    if (task->background) /* it was for the store; where it leads was asked for by nobody */
        return STET__STEP_END;
    if (task->result.redirects < task->get->settings.redirects_max)
        status = move(task, response);
    if (status != STET_OK)
        return stet__task_fail(task, status);
    task->result.redirects++;
    task->result.had = task->had_digest = task->looked = false;
    task->waited = task->unconditional = false;
    task->mended = 0;
    task->reached = 0;
    return STET__STEP_LOOK;
}
