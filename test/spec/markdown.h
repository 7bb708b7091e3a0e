/* SPDX-License-Identifier: MIT */
/*
 * markdown: the little of Markdown that the executed specification uses. README.md in this folder tells the
 * format.
 */
#ifndef STET_TEST_SPEC_MARKDOWN_H
#define STET_TEST_SPEC_MARKDOWN_H

#include <stdio.h>

#include <stet/span.h>
#include <stet/status.h>

enum markdown_event {
    MARKDOWN_SECTION, /* "## title" */
    MARKDOWN_ROWS,    /* "Rows: ids" or "Clause: text" */
    MARKDOWN_BLOCK,   /* a fenced block */
    MARKDOWN_END,
    MARKDOWN_UNCLOSED, /* the file ends inside of a fenced block */
};

struct markdown {
    struct stet_span rest;
    unsigned line; /* of the first line of `rest`, from 1 */
};

struct markdown_item {
    unsigned line;           /* where it begins */
    struct stet_span text;   /* title, ids, or the lines between the fences */
    struct stet_span kind;   /* of a block: the first word after the fence */
    struct stet_span detail; /* of a block: what follows that word */
};

enum markdown_event markdown_next(struct markdown *md, struct markdown_item *out);

/* The next line of `*rest`, without its LF; false at the end. */
bool markdown_line(struct stet_span *rest, struct stet_span *line);

/* The first word of `*rest`, which is advanced past it and the spaces after it; empty if there is none. */
struct stet_span markdown_word(struct stet_span *rest);

/* "<CR>", "<xFF>", "<100*a>" and so on to octets. False if something between angle brackets is not known. */
bool markdown_decode(struct stet_span text, FILE *out);

/* The other direction, for octets that are not printable ASCII. */
void markdown_encode(struct stet_span octets, FILE *out);

/* Splits "input -> expected" at its last arrow. False if there is none. */
bool markdown_row(struct stet_span line, struct stet_span *input, struct stet_span *expected);

#endif
