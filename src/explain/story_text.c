/* SPDX-License-Identifier: MIT */
/*
 * A story as text for people: per step a line with its number, rule, what was looked at, outcome and clause,
 * and below it the sentence of its reason. What a sender put into a field is shown escaped, so that it cannot
 * speak to the terminal.
 */
#include "explain/story.h"

#include <stdio.h>

#define RULE_COLUMNS 22
#define OUTCOME_COLUMNS 17
#define CLAUSE_COLUMNS 22
#define FRAME_COLUMNS (3 + 2 + RULE_COLUMNS + 1 + 2 + OUTCOME_COLUMNS + 1 + CLAUSE_COLUMNS)
#define LOOKED_MIN 20
#define LOOKED_MAX 400

struct pen {
    struct stet__buffer *out;
    const struct stet__story_look *look;
    unsigned looked; /* columns for what was looked at */
    bool narrow;     /* there is no room for the clause beside it: it goes below */
};

static void put(struct pen *pen, const char *text)
{
    stet__buffer_append_text(pen->out, text);
}

static void colour(struct pen *pen, const char *code)
{
    if (pen->look->colour)
        put(pen, code);
}

#define PLAIN "\033[0m"
#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define CYAN "\033[36m"

/* `text` with what is not plain ASCII as \xHH. Returns its columns, at most `room` - 1. */
static size_t escaped(struct stet_span text, char *out, size_t room)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    for (size_t i = 0; i < text.len && len + 5 < room; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c < 0x7f) {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '\\';
        out[len++] = 'x';
        out[len++] = digits[c >> 4];
        out[len++] = digits[c & 15];
    }
    out[len] = '\0';
    return len;
}

static void pad(struct pen *pen, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        put(pen, " ");
}

/* At most `columns`, and padded to that. */
static void put_cut(struct pen *pen, const char *text, size_t len, size_t columns)
{
    if (len <= columns) {
        stet__buffer_append(pen->out, stet_span_of(text, len));
        pad(pen, len, columns);
        return;
    }
    stet__buffer_append(pen->out, stet_span_of(text, columns - 3));
    put(pen, "...");
}

/* The wishes of a rule that compares: what was looked at, and against what. */
static const char *between(const struct stet_step *step)
{
    switch (step->rule) {
    case STET_RULE_APPARENT_AGE:
    case STET_RULE_RESIDENT_TIME:
        return " until ";
    case STET_RULE_LIFETIME_EXPIRES:
    case STET_RULE_LIFETIME_HEURISTIC:
        return " from ";
    case STET_RULE_CORRECTED_AGE:
    case STET_RULE_CURRENT_AGE:
        return " + ";
    case STET_RULE_INITIAL_AGE:
        return " or ";
    case STET_RULE_RANGE:
        return " of ";
    default:
        return " against ";
    }
}

static void put_looked(struct pen *pen, const struct stet__told *told)
{
    char input[LOOKED_MAX], against[LOOKED_MAX], all[3 * LOOKED_MAX];
    escaped(told->input, input, sizeof input);
    escaped(told->against, against, sizeof against);
    char name[LOOKED_MAX] = "";
    if (told->name.ptr)
        escaped(told->name, name, sizeof name);
    bool both = told->input.ptr && told->against.ptr;
    if (told->name.ptr)
        snprintf(all, sizeof all, "%s: %s against %s", name, told->input.ptr ? input : "(none)",
                 told->against.ptr ? against : "(none)");
    else
        snprintf(all, sizeof all, "%s%s%s", told->input.ptr ? input : "", both ? between(&told->step) : "",
                 both ? against : "");
    size_t len = strlen(all);
    put_cut(pen, len > 0 ? all : "-", len > 0 ? len : 1, pen->looked);
}

static void put_outcome(struct pen *pen, const struct stet_step *step)
{
    char text[STET__DURATION_LEN];
    const char *word = step->outcome == STET_OUTCOME_NUMBER ? stet__duration(step->seconds, text)
                                                            : stet_outcome_name(step->outcome);
    colour(pen, step->decides ? BOLD : "");
    put(pen, word);
    colour(pen, step->decides ? PLAIN : "");
    if (!pen->narrow)
        pad(pen, strlen(word), OUTCOME_COLUMNS);
}

/* The clause beside the outcome, or below it with the sentence. */
static void put_why(struct pen *pen, const struct stet_step *step, bool sentence)
{
    colour(pen, DIM);
    put(pen, pen->narrow ? "\n     " : " ");
    put(pen, stet_rule_row(step->rule)->clause);
    if (sentence) {
        put(pen, pen->narrow ? ": " : "\n     ");
        put(pen, stet_reason_row(step->reason)->sentence);
    }
    colour(pen, PLAIN);
    put(pen, "\n");
}

static void put_step(struct pen *pen, const struct stet__told *told, unsigned number, bool sentence)
{
    char text[16];
    const struct stet_rule_row *row = stet_rule_row(told->step.rule);
    snprintf(text, sizeof text, "%3u  ", number);
    put(pen, text);
    colour(pen, CYAN);
    put_cut(pen, row->name, strlen(row->name), RULE_COLUMNS);
    colour(pen, PLAIN);
    put(pen, " ");
    put_looked(pen, told);
    put(pen, "  ");
    put_outcome(pen, &told->step);
    put_why(pen, &told->step, sentence);
}

/* Words that wrap at the width, each line behind `indent`. */
static void put_wrapped(struct pen *pen, struct stet_span text, const char *first, const char *indent)
{
    size_t column = strlen(first), begin = strlen(indent);
    put(pen, first);
    while (text.len > 0) {
        const char *space = memchr(text.ptr, ' ', text.len);
        size_t len = space ? (size_t)(space - text.ptr) : text.len;
        char word[LOOKED_MAX];
        size_t columns = escaped(stet_span_of(text.ptr, len), word, sizeof word);
        if (column > begin && column + 1 + columns > pen->look->width) {
            put(pen, "\n");
            put(pen, indent);
            column = begin;
        } else if (column > begin) {
            put(pen, " ");
            column++;
        }
        put(pen, word);
        column += columns;
        text = stet_span_skip(text, space ? len + 1 : len);
    }
    put(pen, "\n");
}

static void put_part(struct pen *pen, const struct stet__chapter *part)
{
    static const char *const colours[] = {
        [STET__RIGHT_UNTOLD] = "", [STET__RIGHT_YES] = GREEN, [STET__RIGHT_NO] = RED};
    unsigned number = 0;
    colour(pen, BOLD);
    put(pen, part->title);
    colour(pen, PLAIN);
    put(pen, "\n");
    for (size_t i = 0; i < part->count; i++) {
        const struct stet_step *step = &part->steps[i].step;
        /* That of the verdict stands below, all by itself. */
        bool sentence = step->has_reason && !(part->has_reason && step->reason == part->reason);
        if (pen->look->all || stet__told_matters(&part->steps[i]))
            put_step(pen, &part->steps[i], ++number, sentence);
    }
    if (part->verdict.ptr) {
        colour(pen, colours[part->right]);
        put_wrapped(pen, part->verdict, "  => ", "     ");
        colour(pen, PLAIN);
    }
    put(pen, "\n");
}

void stet__story_write(const struct stet__story *story, const struct stet__story_look *look,
                       struct stet__buffer *out)
{
    struct pen pen = {out, look, LOOKED_MIN, look->width < FRAME_COLUMNS + LOOKED_MIN};
    unsigned frame = pen.narrow ? FRAME_COLUMNS - CLAUSE_COLUMNS : FRAME_COLUMNS;
    char line[3 * LOOKED_MAX];
    if (look->width > frame + LOOKED_MIN)
        pen.looked = look->width - frame;
    for (size_t i = 0; i < story->note_count; i++) {
        escaped(story->notes[i], line, sizeof line);
        put(&pen, line);
        put(&pen, "\n");
    }
    if (story->note_count > 0)
        put(&pen, "\n");
    for (size_t i = 0; i < story->count; i++)
        put_part(&pen, story->parts[i]);
    if (!story->conclusion.ptr)
        return;
    colour(&pen, BOLD);
    put_wrapped(&pen, story->conclusion, "", "");
    colour(&pen, PLAIN);
}
