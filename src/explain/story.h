/* SPDX-License-Identifier: MIT */
/*
 * story: what a decision told, kept to be printed. A story has parts, a part has the steps of one decision in
 * their order and a verdict in words; the story ends with a conclusion.
 *
 * A part is written while core decides about messages that carry `trace` of its gatherer. Everything is
 * copied into the arena of the story, so that the messages may go.
 */
#ifndef STET_EXPLAIN_STORY_H
#define STET_EXPLAIN_STORY_H

#include <stet/trace.h>

#include "base/arena.h"
#include "base/buffer.h"

#define STET__CHAPTER_STEPS 256
#define STET__STORY_PARTS 8
#define STET__STORY_NOTES 32

/* A step with what it looked at in words; absent where there was nothing. */
struct stet__told {
    struct stet_step step;
    struct stet_span input, against, name;
};

enum stet__right {
    STET__RIGHT_UNTOLD, /* there is nothing to compare with, or it cannot be known */
    STET__RIGHT_YES,
    STET__RIGHT_NO,
};

struct stet__chapter {
    const char *name;  /* stable: "origin", "private-cache", ... */
    const char *title; /* for people */
    struct stet__told steps[STET__CHAPTER_STEPS];
    size_t count;
    struct stet_span verdict; /* one or more sentences */
    struct stet_span brief;   /* the same in half a sentence, for the conclusion; may be absent */
    struct stet_span either;  /* the same for caches of both kinds, where there is a difference */
    bool has_reason;
    enum stet_reason reason; /* of the verdict */
    enum stet__right right;  /* whether what was recorded is what is due */
};

struct stet__story {
    struct stet__arena arena;
    struct stet_span notes[STET__STORY_NOTES]; /* lines about what the story is of, before all parts */
    size_t note_count;
    struct stet__chapter *parts[STET__STORY_PARTS];
    size_t count;
    struct stet_span conclusion;
};

void stet__story_init(struct stet__story *story);
void stet__story_release(struct stet__story *story);

/* Begins a part with static texts. NULL if there is no room. */
struct stet__chapter *stet__story_part(struct stet__story *story, const char *name, const char *title);

/* Says the verdict of a part, or the conclusion: a copy of the text in the arena. */
__attribute__((format(printf, 3, 4))) void stet__story_say(struct stet__story *story, struct stet_span *to,
                                                           const char *format, ...);

/* Adds a sentence to what was said. */
__attribute__((format(printf, 3, 4))) void stet__story_add(struct stet__story *story, struct stet_span *to,
                                                           const char *format, ...);

/* Adds a line to the notes. */
__attribute__((format(printf, 2, 3))) void stet__story_note(struct stet__story *story, const char *format,
                                                            ...);

/* Whoever is told: `trace` goes into the messages. */
struct stet__gatherer {
    struct stet_trace trace;
    struct stet__story *story;
    struct stet__chapter *part;
    /* Where field values may come from, so that those of several lines are shown joined. */
    const struct stet_fields *fields[4];
};

struct stet__gatherer stet__gatherer_of(struct stet__story *story, struct stet__chapter *part);

/* Leaves the steps of a rule out that are no matter of this part. */
void stet__chapter_drop(struct stet__chapter *part, enum stet_rule rule);

/* Whether a step is worth a line: it found something, and not only that nothing stands against it. */
bool stet__told_matters(const struct stet__told *told);

/* "3600 s (1 h)": in static storage of the caller. */
#define STET__DURATION_LEN 64
const char *stet__duration(int64_t seconds, char out[STET__DURATION_LEN]);

/* The story as text. `width`: columns; `all`: also the steps that do not matter. */
struct stet__story_look {
    unsigned width;
    bool colour, all;
};

void stet__story_write(const struct stet__story *story, const struct stet__story_look *look,
                       struct stet__buffer *out);

struct json_t;

/* The story as JSON; NULL if there is no memory. */
struct json_t *stet__story_json(const struct stet__story *story);

#endif
