/* SPDX-License-Identifier: MIT */
/*
 * What core tells becomes words. Of a field of several lines core looks at all and tells the first: here they
 * are joined, as RFC 9110 section 5.3 has them mean one list. Credentials are not repeated.
 */
#include "explain/story.h"

#include <inttypes.h>
#include <stdio.h>

#include <stet/date.h>

#define WORDS_MAX 64

static bool is_secret(struct stet_span name)
{
    return stet_span_equal_nocase(name, STET_SPAN("Authorization")) ||
           stet_span_equal_nocase(name, STET_SPAN("Proxy-Authorization")) ||
           stet_span_equal_nocase(name, STET_SPAN("Cookie"));
}

/* All lines of the field whose first one has the value `text`, joined. */
static struct stet_span joined(struct stet__gatherer *gatherer, const struct stet_fields *fields,
                               size_t first)
{
    struct stet__buffer all;
    const struct stet_field *field = &fields->at[first];
    stet__buffer_init(&all, 1u << 20);
    for (size_t i = first; i < fields->count; i++) {
        if (!stet_span_equal_nocase(fields->at[i].name, field->name))
            continue;
        if (i > first)
            stet__buffer_append_text(&all, ", ");
        stet__buffer_append(&all, fields->at[i].value);
    }
    struct stet_span text = all.failed ? field->value : stet__buffer_span(&all);
    if (text.len > 0 || !field->value.ptr)
        text = stet__arena_copy(&gatherer->story->arena, text);
    else
        text = STET_SPAN("");
    stet__buffer_release(&all);
    return text;
}

static struct stet_span field_text(struct stet__gatherer *gatherer, struct stet_span text)
{
    for (size_t k = 0; k < sizeof gatherer->fields / sizeof *gatherer->fields; k++) {
        const struct stet_fields *fields = gatherer->fields[k];
        for (size_t i = 0; fields && i < fields->count; i++)
            if (fields->at[i].value.ptr == text.ptr && fields->at[i].value.len == text.len)
                return is_secret(fields->at[i].name) ? STET_SPAN("(not shown)") : joined(gatherer, fields, i);
    }
    return text.len > 0 ? stet__arena_copy(&gatherer->story->arena, text) : STET_SPAN("");
}

static struct stet_span tag_text(struct stet__story *story, const struct stet_looked *looked)
{
    struct stet__buffer tag;
    stet__buffer_init(&tag, 1u << 20);
    stet__buffer_append_text(&tag, looked->weak ? "W/\"" : "\"");
    stet__buffer_append(&tag, looked->text);
    stet__buffer_append_text(&tag, "\"");
    struct stet_span text = stet__arena_copy(&story->arena, stet__buffer_span(&tag));
    stet__buffer_release(&tag);
    return text;
}

static struct stet_span words(struct stet__gatherer *gatherer, const struct stet_looked *looked)
{
    char text[WORDS_MAX];
    int len = 0;
    switch (looked->kind) {
    case STET_LOOKED_NONE:
        return STET_SPAN_NONE;
    case STET_LOOKED_TEXT:
        return field_text(gatherer, looked->text);
    case STET_LOOKED_TAG:
        return tag_text(gatherer->story, looked);
    case STET_LOOKED_DATE:
        stet_date_format(looked->number, text);
        len = STET_DATE_LEN;
        break;
    case STET_LOOKED_SECONDS:
        len = snprintf(text, sizeof text, "%" PRId64 " s", looked->number);
        break;
    case STET_LOOKED_COUNT:
        len = snprintf(text, sizeof text, "%" PRId64, looked->number);
        break;
    }
    return stet__arena_copy(&gatherer->story->arena, stet_span_of(text, (size_t)len));
}

static void gather(const struct stet_trace *trace, const struct stet_step *step)
{
    /* The trace is the first member of its gatherer, which is not constant. */
    struct stet__gatherer *gatherer = (struct stet__gatherer *)(uintptr_t)trace;
    struct stet__chapter *part = gatherer->part;
    if (part->count == STET__CHAPTER_STEPS)
        return;
    struct stet__told *told = &part->steps[part->count++];
    *told = (struct stet__told){.step = *step,
                                .input = words(gatherer, &step->input),
                                .against = words(gatherer, &step->against),
                                .name = STET_SPAN_NONE};
    if (step->name.ptr)
        told->name = stet__arena_copy(&gatherer->story->arena, step->name);
    told->step.name = STET_SPAN_NONE; /* what it borrows from may go */
    told->step.input.text = told->step.against.text = STET_SPAN_NONE;
}

struct stet__gatherer stet__gatherer_of(struct stet__story *story, struct stet__chapter *part)
{
    return (struct stet__gatherer){.trace = {gather}, .story = story, .part = part};
}
