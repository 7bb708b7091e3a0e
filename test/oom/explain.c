/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails in the explainer: heads are read, told as text and as JSON, and an access log is
 * counted.
 *
 * What has to hold: no crash, no leak (with the address sanitizer). A head is read, or it is said why not.
 * Nothing lasts from one play to the next.
 */
#include <jansson.h>

#include "explain/explain.h"
#include "explain/tally.h"
#include "sweep.h"

static const char request[] = "GET /a HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"a\", W/\"b\"\r\n\r\n";
static const char response[] =
    "HTTP/1.1 304 Not Modified\r\nDate: Sat, 21 Nov 2026 09:30:00 GMT\r\nETag: \"a\"\r\n"
    "Cache-Control: max-age=60, stale-if-error=10\r\nVary: Accept\r\n\r\n";
static const char stored[] =
    "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\n"
    "Vary: Accept-Encoding\r\nContent-Length: 5\r\n\r\n";
static const char log_line[] =
    "{\"method\":\"GET\",\"status\":304,\"reason\":\"if-none-match-matches\",\"bytes\":0}\n";

static size_t known_octets;

static const char *add(struct stet__recorded *to, const char *text, bool memory_is_enough)
{
    const char *wrong = stet__recorded_add(to, stet_span_of(text, strlen(text)));
    return wrong && memory_is_enough ? wrong : NULL;
}

static const char *tell(const struct stet__explain_input *input, bool memory_is_enough)
{
    const struct stet__story_look look = {100, true, true};
    struct stet__story story;
    struct stet__buffer out;
    const char *problem = NULL;
    stet__story_init(&story);
    stet__buffer_init(&out, 1u << 20);
    stet__explain(input, &story);
    stet__story_write(&story, &look, &out);
    json_t *json = stet__story_json(&story);
    if (known_octets == 0)
        known_octets = out.len;
    if (memory_is_enough && (out.failed || !json || out.len != known_octets))
        problem = "the story is not told as it should be";
    json_decref(json);
    stet__buffer_release(&out);
    stet__story_release(&story);
    return problem;
}

static const char *count(bool memory_is_enough)
{
    struct stet__tally *tally = stet__tally_new();
    if (!tally)
        return memory_is_enough ? "an access log is not counted" : NULL;
    stet__tally_line(tally, stet_span_of(log_line, strlen(log_line)));
    const char *problem = memory_is_enough && tally->answers != 1 ? "an answer is not counted" : NULL;
    json_t *json = stet__tally_json(tally, stet__tally_sort(tally));
    if (memory_is_enough && !json)
        problem = "there is no JSON of an access log";
    json_decref(json);
    stet__tally_free(tally);
    return problem;
}

static const char *use(bool memory_is_enough)
{
    static struct stet__recorded exchange, before;
    struct stet__explain_input input = {.exchange = &exchange, .private_only = true, .clock = 1795253400};
    stet__recorded_init(&exchange);
    stet__recorded_init(&before);
    const char *problem = add(&exchange, request, memory_is_enough);
    if (!problem)
        problem = add(&exchange, response, memory_is_enough);
    if (!problem)
        problem = add(&before, stored, memory_is_enough);
    if (before.has_response)
        input.stored = &before;
    if (!problem && (exchange.has_request || exchange.has_response))
        problem = tell(&input, memory_is_enough);
    if (!problem)
        problem = count(memory_is_enough);
    stet__recorded_release(&exchange);
    stet__recorded_release(&before);
    return problem;
}

static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    failing_arm(n, all_after);
    const char *problem = use(n == 0);
    *calls = failing_calls();
    failing_arm(0, false);
    return !problem && leaks() ? "a leak" : problem;
}

int main(void)
{
    json_set_alloc_funcs(malloc, free);
    return sweep(play);
}
