/* SPDX-License-Identifier: MIT */
/*
 * get_input: which URLs `stet get` fetches and which file each is for: those of the command line, then the
 * lines of --input. These are read as they are wanted, so a program may go on writing them; but with -Z all
 * at first, because what is under way would come to a halt while a line is waited for.
 */
#ifndef STET_CLI_GET_INPUT_H
#define STET_CLI_GET_INPUT_H

#include "cli/get_options.h"

struct stet__get_input {
    const struct stet__get_options *options;
    char *const *urls; /* of the command line */
    size_t url_count;
    FILE *file;   /* of --input, or NULL */
    size_t taken; /* so far */
    size_t lines; /* read so far */
    size_t count; /* of URLs in all; 0: not known */
    char *line;
    size_t line_room;
};

struct stet__get_item {
    size_t number;     /* from 0 */
    size_t line;       /* of --input, or 0 */
    char *typed;       /* as it was given; owned */
    char *uri;         /* owned; NULL: `wrong` */
    char *path;        /* owned; NULL: standard output */
    bool to_stdout;    /* because -o - says so */
    const char *wrong; /* NULL, or why it cannot be fetched */
};

/* Opens --input. False after a complaint. */
bool stet__get_input_open(struct stet__get_input *input, const struct stet__get_options *options,
                          char *const *urls, size_t url_count);
void stet__get_input_close(struct stet__get_input *input);

/* False: there is none any more. */
bool stet__get_input_next(struct stet__get_input *input, struct stet__get_item *out);
void stet__get_item_release(struct stet__get_item *item);

/* How many there will be; 0 if that is not known yet. */
size_t stet__get_input_count(const struct stet__get_input *input);

#endif
