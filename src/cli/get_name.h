/* SPDX-License-Identifier: MIT */
/*
 * get_name: URLs as people write them, and the names of files that are made from them. Pure.
 */
#ifndef STET_CLI_GET_NAME_H
#define STET_CLI_GET_NAME_H

#include <stet/span.h>

/*
 * The absolute URI that `typed` stands for, on the heap: without a scheme it is http, as curl has it; a
 * fragment goes (RFC 9110 section 4.2.5); spaces and octets beyond ASCII are percent-encoded, as browsers do
 * in what is typed there. NULL: `*wrong` says why, in static storage.
 */
char *stet__get_uri(struct stet_span typed, const char **wrong);

/*
 * What -O calls the content of `uri`: the last segment of its path, as it stands there. Absent if there is
 * none, or if it would lead to another folder or to none.
 */
struct stet_span stet__get_remote_name(const char *uri);

/* One line of --input. */
struct stet__get_line {
    struct stet_span url;  /* empty: a comment, or nothing */
    struct stet_span name; /* of the file, behind a tab; absent if there is none */
};

/* `line` with or without its line end. A '#' at its begin makes it a comment. */
struct stet__get_line stet__get_line_read(struct stet_span line);

/* Control octets become question marks: what is told on a terminal must not command it. NULL does nothing. */
void stet__get_tidy(char *text);

/* `name` within `folder` (NULL: the current one, or `name` is absolute), on the heap. NULL: no memory. */
char *stet__get_path(const char *folder, struct stet_span name);

#endif
