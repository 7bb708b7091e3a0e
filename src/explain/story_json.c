/* SPDX-License-Identifier: MIT */
/*
 * A story as JSON. Octets that are not ASCII become the characters with their numbers, so that what a sender
 * put into a field never breaks the text (RFC 8259 section 8.1).
 */
#include "explain/story.h"

#include <jansson.h>

static json_t *text_json(struct stet_span text)
{
    struct stet__buffer utf8;
    if (!text.ptr)
        return json_null();
    stet__buffer_init(&utf8, text.len * 2 + 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        char two[] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};
        stet__buffer_append(&utf8, c < 0x80 ? stet_span_of(text.ptr + i, 1) : stet_span_of(two, 2));
    }
    json_t *json = json_stringn(utf8.len > 0 ? utf8.ptr : "", utf8.len);
    stet__buffer_release(&utf8);
    return json;
}

static json_t *reason_json(bool has, enum stet_reason reason)
{
    return has ? json_string(stet_reason_row(reason)->name) : json_null();
}

static json_t *step_json(const struct stet__told *told)
{
    const struct stet_step *step = &told->step;
    const struct stet_rule_row *row = stet_rule_row(step->rule);
    json_t *json = json_pack("{ss ss ss so so ss so sb}", "rule", row->name, "clause", row->clause,
                             "question", row->question, "input", text_json(told->input), "against",
                             text_json(told->against), "outcome", stet_outcome_name(step->outcome), "reason",
                             reason_json(step->has_reason, step->reason), "decides", step->decides);
    if (json && step->outcome == STET_OUTCOME_NUMBER)
        (void)json_object_set_new(json, "seconds", json_integer(step->seconds));
    if (json && told->name.ptr)
        (void)json_object_set_new(json, "field", text_json(told->name));
    return json;
}

static json_t *part_json(const struct stet__chapter *part)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < part->count; i++)
        (void)json_array_append_new(steps, step_json(&part->steps[i]));
    json_t *right =
        part->right == STET__RIGHT_UNTOLD ? json_null() : json_boolean(part->right == STET__RIGHT_YES);
    const char *clause = part->has_reason ? stet_reason_row(part->reason)->clause : NULL;
    return json_pack("{ss ss so s{so ss? so so}}", "name", part->name, "title", part->title, "steps", steps,
                     "verdict", "reason", reason_json(part->has_reason, part->reason), "clause", clause,
                     "right", right, "text", text_json(part->verdict));
}

struct json_t *stet__story_json(const struct stet__story *story)
{
    json_t *parts = json_array();
    for (size_t i = 0; i < story->count; i++)
        (void)json_array_append_new(parts, part_json(story->parts[i]));
    json_t *notes = json_array();
    for (size_t i = 0; i < story->note_count; i++)
        (void)json_array_append_new(notes, text_json(story->notes[i]));
    return json_pack("{so so so}", "notes", notes, "parts", parts, "conclusion",
                     text_json(story->conclusion));
}
