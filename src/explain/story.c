/* SPDX-License-Identifier: MIT */
#include "explain/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX (16u << 20)
#define SAID_MAX 2048

void stet__story_init(struct stet__story *story)
{
    *story = (struct stet__story){.count = 0};
    stet__arena_init(&story->arena, ARENA_MAX);
}

void stet__story_release(struct stet__story *story)
{
    stet__arena_release(&story->arena);
}

struct stet__chapter *stet__story_part(struct stet__story *story, const char *name, const char *title)
{
    struct stet__chapter *part = NULL;
    if (story->count < STET__STORY_PARTS)
        part = stet__arena_alloc(&story->arena, sizeof *part);
    if (!part)
        return NULL;
    *part = (struct stet__chapter){.name = name, .title = title};
    story->parts[story->count++] = part;
    return part;
}

__attribute__((format(printf, 4, 0))) static void say(struct stet__story *story, struct stet_span *to,
                                                      const char *before, const char *format,
                                                      va_list arguments)
{
    char text[SAID_MAX];
    int len =
        snprintf(text, sizeof text, "%.*s%s", to->ptr ? (int)to->len : 0, to->ptr ? to->ptr : "", before);
    if (len < 0 || (size_t)len >= sizeof text)
        return;
    /* clang-tidy 14 does not see through va_start. */
    int more = vsnprintf(text + len, sizeof text - (size_t)len, format, /* NOLINT(clang-analyzer-valist.*) */
                         arguments);
    if (more < 0)
        return;
    size_t whole = (size_t)len + (size_t)more;
    *to = stet__arena_copy(&story->arena, stet_span_of(text, whole < sizeof text ? whole : sizeof text - 1));
}

void stet__story_say(struct stet__story *story, struct stet_span *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *to = STET_SPAN_NONE;
    say(story, to, "", format, arguments);
    va_end(arguments);
}

void stet__story_add(struct stet__story *story, struct stet_span *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(story, to, to->len > 0 ? " " : "", format, arguments);
    va_end(arguments);
}

void stet__story_note(struct stet__story *story, const char *format, ...)
{
    va_list arguments;
    if (story->note_count == STET__STORY_NOTES)
        return;
    va_start(arguments, format);
    say(story, &story->notes[story->note_count++], "", format, arguments);
    va_end(arguments);
}

const char *stet__duration(int64_t seconds, char out[STET__DURATION_LEN])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{31536000, "y"}, {86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    int64_t much = seconds < 0 ? -seconds : seconds;
    if (much < 120) {
        snprintf(out, STET__DURATION_LEN, "%lld s", (long long)seconds);
        return out;
    }
    while (much < units[i].seconds)
        i++;
    int64_t rest = much % units[i].seconds / units[i + 1].seconds;
    int len = snprintf(out, STET__DURATION_LEN, "%lld s (%lld %s", (long long)seconds,
                       (long long)(much / units[i].seconds), units[i].name);
    if (rest > 0)
        len += snprintf(out + len, (size_t)(STET__DURATION_LEN - len), " %lld %s", (long long)rest,
                        units[i + 1].name);
    snprintf(out + len, (size_t)(STET__DURATION_LEN - len), ")");
    return out;
}

void stet__chapter_drop(struct stet__chapter *part, enum stet_rule rule)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->count; i++)
        if (part->steps[i].step.rule != rule)
            part->steps[kept++] = part->steps[i];
    part->count = kept;
}

/* Rules of which a plain no says something, too. */
static bool tells_by_no(enum stet_rule rule)
{
    return rule == STET_RULE_FRESH || rule == STET_RULE_VARIANT || rule == STET_RULE_VARIANT_FIELD ||
           rule == STET_RULE_RECEIVE_VALIDATOR;
}

bool stet__told_matters(const struct stet__told *told)
{
    const struct stet_step *step = &told->step;
    switch (step->outcome) {
    case STET_OUTCOME_ABSENT:
        return false;
    case STET_OUTCOME_NO:
        return step->has_reason || tells_by_no(step->rule);
    case STET_OUTCOME_NUMBER: /* of the ages the last one; the others where they are something */
        return step->decides || step->seconds != 0 || step->rule == STET_RULE_CURRENT_AGE;
    case STET_OUTCOME_YES:
        return step->rule != STET_RULE_PRECONDITIONS;
    default:
        return true;
    }
}
