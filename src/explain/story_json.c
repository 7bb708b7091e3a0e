/* SPDX-License-Identifier: MIT */
/*
 * A story as JSON.
 */
#include "explain/story.h"

#include "base/json.h"

static json_t *reason_json(bool has, enum stet_reason reason)
{
    return has ? json_string(stet_reason_row(reason)->name) : json_null();
}

static json_t *step_json(const struct stet__told *told)
{
    const struct stet_step *step = &told->step;
    const struct stet_rule_row *row = stet_rule_row(step->rule);
    json_t *json = json_pack("{ss ss ss so so ss so sb}", "rule", row->name, "clause", row->clause,
                             "question", row->question, "input", stet__json_text(told->input), "against",
                             stet__json_text(told->against), "outcome", stet_outcome_name(step->outcome),
                             "reason", reason_json(step->has_reason, step->reason), "decides", step->decides);
    if (json && step->outcome == STET_OUTCOME_NUMBER)
        (void)json_object_set_new(json, "seconds", json_integer(step->seconds));
    if (json && told->name.ptr)
        (void)json_object_set_new(json, "field", stet__json_text(told->name));
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
                     "right", right, "text", stet__json_text(part->verdict));
}

struct json_t *stet__story_json(const struct stet__story *story)
{
    json_t *parts = json_array();
    for (size_t i = 0; i < story->count; i++)
        (void)json_array_append_new(parts, part_json(story->parts[i]));
    json_t *notes = json_array();
    for (size_t i = 0; i < story->note_count; i++)
        (void)json_array_append_new(notes, stet__json_text(story->notes[i]));
    return json_pack("{so so so}", "notes", notes, "parts", parts, "conclusion",
                     stet__json_text(story->conclusion));
}
