/* SPDX-License-Identifier: MIT */
/*
 * Running one case: once as it stands, compared with what the file expects, then again with its input cut and
 * placed in every other way, compared with the first outcome.
 */
#include "markdown.h"
#include "spec.h"

/* Above this many octets only some step sizes are tried: the work grows with the square of the length. */
#define EVERY_STEP_MAX 700

struct outcome {
    char *text;
    size_t len;
    bool bad;
};

static struct outcome outcome_of(struct spec_tally *tally, const struct spec_case *c, struct spec_run run)
{
    struct outcome outcome = {NULL, 0, false};
    run.setting = c->setting;
    run.detail = c->detail;
    run.input = c->input;
    run.bare_fields = c->bare_fields;
    run.guard = &tally->guard;
    if (c->subject->input == SPEC_INPUT_ROW)
        run.input = run.at_start ? guard_at_start(run.guard, c->input) : guard_at_end(run.guard, c->input);
    run.out = open_memstream(&outcome.text, &outcome.len);
    c->subject->run(&run);
    fclose(run.out);
    outcome.bad = run.bad;
    tally->outcomes++;
    return outcome;
}

/* All expected lines stand in the outcome in this order, the first one first. */
static bool within(struct stet_span expected, struct stet_span outcome)
{
    struct stet_span want, have;
    bool first = true;
    while (markdown_line(&expected, &want)) {
        bool found = false;
        while (!found && markdown_line(&outcome, &have)) {
            found = stet_span_equal(want, have);
            if (first && !found)
                return false;
            first = false;
        }
        if (!found)
            return false;
    }
    return !first;
}

static void print_lines(const char *what, struct stet_span text)
{
    struct stet_span line;
    printf("#   %s\n", what);
    while (markdown_line(&text, &line))
        printf("#     %.*s\n", (int)line.len, line.ptr);
}

static void complain(const struct spec_case *c, const char *what, struct stet_span expected,
                     struct stet_span got)
{
    printf("# %s:%u: %s\n", c->file, c->line, what);
    print_lines("expected", expected);
    print_lines("got", got);
}

/* True if the outcome is the same. */
static bool same(struct spec_tally *tally, const struct spec_case *c, struct spec_run how,
                 const struct outcome *first)
{
    struct outcome again = outcome_of(tally, c, how);
    bool equal = stet_span_equal(stet_span_of(first->text, first->len), stet_span_of(again.text, again.len));
    if (!equal) {
        char what[120];
        snprintf(what, sizeof(what), "differs if fed %zu octets at a time, cut after %zu, placed at the %s",
                 how.feed, how.cut, how.at_start ? "start" : "end");
        complain(c, what, stet_span_of(first->text, first->len), stet_span_of(again.text, again.len));
    }
    free(again.text);
    return equal;
}

/* The step after `n`: every one for short inputs. */
static size_t next_step(size_t n, size_t len)
{
    return len <= EVERY_STEP_MAX || n < 4 ? n + 1 : n * 2 + 1;
}

static bool same_in_steps(struct spec_tally *tally, const struct spec_case *c, const struct outcome *first)
{
    for (size_t n = 1; n <= c->input.len; n = next_step(n, c->input.len))
        if (!same(tally, c, (struct spec_run){.feed = n}, first))
            return false;
    return true;
}

static bool same_in_two(struct spec_tally *tally, const struct spec_case *c, const struct outcome *first)
{
    for (size_t n = 1; n < c->input.len; n = next_step(n, c->input.len))
        if (!same(tally, c, (struct spec_run){.cut = n}, first))
            return false;
    return true;
}

static bool same_everyhow(struct spec_tally *tally, const struct spec_case *c, const struct outcome *first)
{
    if (!same(tally, c, (struct spec_run){.at_start = true}, first))
        return false;
    if (c->subject->input == SPEC_INPUT_ROW || c->subject->input == SPEC_INPUT_CACHE ||
        c->subject->input == SPEC_INPUT_EXCHANGE || c->bare_fields)
        return true;
    return same_in_steps(tally, c, first) &&
           (c->subject->input != SPEC_INPUT_CHUNKED || same_in_two(tally, c, first));
}

static bool passes(struct spec_tally *tally, const struct spec_case *c, const struct outcome *first)
{
    struct stet_span got = stet_span_of(first->text, first->len);
    if (first->bad) {
        complain(c, "the runner cannot do what the block says", c->expected, got);
        return false;
    }
    if (c->subject->partial ? !within(c->expected, got) : !stet_span_equal(c->expected, got)) {
        complain(c, "wrong", c->expected, got);
        return false;
    }
    return same_everyhow(tally, c, first);
}

void spec_case_run(struct spec_tally *tally, const struct spec_case *c)
{
    struct outcome first = outcome_of(tally, c, (struct spec_run){.feed = 0});
    bool good = passes(tally, c, &first);
    free(first.text);
    tally->run++;
    tally->failed += !good;
    printf("%s %u - %s:%u %.*s", good ? "ok" : "not ok", tally->run, c->file, c->line, (int)c->title.len,
           c->title.ptr);
    if (c->label.len > 0) {
        fputs(": ", stdout);
        for (size_t i = 0; i < c->label.len && i < 60; i++) /* "#" would begin a directive of TAP */
            putchar(c->label.ptr[i] == '#' || c->label.ptr[i] == '\\' ? '.' : c->label.ptr[i]);
    }
    putchar('\n');
    fflush(stdout);
}

void spec_complain(struct spec_tally *tally, const char *file, unsigned line, const char *what)
{
    tally->run++;
    tally->failed++;
    printf("# %s:%u: %s\nnot ok %u - %s:%u %s\n", file, line, what, tally->run, file, line, what);
}
