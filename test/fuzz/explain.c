/* SPDX-License-Identifier: MIT */
/*
 * Recorded heads, and all that is told of them: explain/recorded.h, explain/explain.h. What stands behind the
 * first NUL is what a cache has stored.
 *
 * What must hold: whatever the octets are, there is an explanation or a complaint; the text speaks to no
 * terminal, and there is JSON. The reason of a verdict of core is that of the last step that decides.
 */
#include <jansson.h>
#include <stdlib.h>

#include "explain/explain.h"

#define CLOCK INT64_C(1795253400)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void look_at_text(const struct stet__story *story, bool all)
{
    const struct stet__story_look look = {100, false, all};
    struct stet__buffer out;
    stet__buffer_init(&out, 64u << 20);
    stet__story_write(story, &look, &out);
    require(!out.failed);
    for (size_t i = 0; i < out.len; i++)
        require(out.ptr[i] == '\n' || (out.ptr[i] >= 0x20 && out.ptr[i] < 0x7f));
    stet__buffer_release(&out);
}

static void look_at_steps(const struct stet__story *story)
{
    for (size_t k = 0; k < story->count; k++) {
        const struct stet__chapter *part = story->parts[k];
        size_t last = part->count;
        for (size_t i = 0; i < part->count; i++)
            if (part->steps[i].step.decides)
                last = i;
        bool of_one = strcmp(part->name, "origin") == 0 || strcmp(part->name, "decision") == 0 ||
                      strcmp(part->name, "receipt") == 0 || strcmp(part->name, "answer") == 0;
        if (of_one && part->has_reason && part->count < STET__CHAPTER_STEPS)
            require(last < part->count && part->steps[last].step.reason == part->reason);
    }
}

static void look(const struct stet__explain_input *input)
{
    struct stet__story story;
    stet__story_init(&story);
    stet__explain(input, &story);
    look_at_steps(&story);
    look_at_text(&story, false);
    look_at_text(&story, true);
    json_t *json = stet__story_json(&story);
    require(json != NULL);
    json_decref(json);
    stet__story_release(&story);
}

static struct stet__recorded *heads(struct stet_span text, bool *good)
{
    struct stet__recorded *recorded = malloc(sizeof *recorded);
    require(recorded != NULL);
    stet__recorded_init(recorded);
    *good = stet__recorded_add(recorded, text) == NULL;
    return recorded;
}

static void drop(struct stet__recorded *recorded)
{
    stet__recorded_release(recorded);
    free(recorded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet_span all = stet_span_of((const char *)data, size);
    const char *nul = size > 0 ? memchr(data, 0, size) : NULL;
    struct stet_span first = nul ? stet_span_of(all.ptr, (size_t)(nul - all.ptr)) : all;
    struct stet_span second = nul ? stet_span_skip(all, first.len + 1) : STET_SPAN("");
    bool good, stored_good;
    struct stet__recorded *exchange = heads(first, &good), *stored = heads(second, &stored_good);
    struct stet__explain_input input = {.exchange = exchange, .clock = CLOCK};
    if (good)
        look(&input);
    if (good && stored_good && stored->has_response) {
        input.stored = stored;
        input.now = (struct stet__explain_when){true, true, 70};
        look(&input);
        input.shared_only = true;
        look(&input);
    }
    drop(exchange);
    drop(stored);
    return 0;
}
