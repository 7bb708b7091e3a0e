/* SPDX-License-Identifier: MIT */
/*
 * mime: the media type of a file, from the last part of its name (RFC 9110 section 8.3).
 *
 * Three sources, the first that knows wins: the table that the operator names; what stet knows itself of the
 * types the web is made of, so that they are the same on every machine; /etc/mime.types. The tables are in
 * the format of mime.types: a type and its extensions per line, "#" begins a comment. The contents of files
 * are never looked at.
 */
#ifndef STET_SERVE_MIME_H
#define STET_SERVE_MIME_H

#include <stet/span.h>

struct stet__mime;

/*
 * `path` is the operator's table, or NULL for /etc/mime.types, which may be missing. `charset` is added to
 * the types that are text ("; charset=utf-8"); "" adds none. NULL with errno set: no memory, or the
 * operator's table cannot be read.
 */
struct stet__mime *stet__mime_new(const char *path, const char *charset);
void stet__mime_free(struct stet__mime *mime);

/* The Content-Type of a file called `name`; lives with `mime`. An unknown one is application/octet-stream. */
struct stet_span stet__mime_type(const struct stet__mime *mime, struct stet_span name);

/* Adds the lines of `text`; what is known already stays. False if there is no memory. */
bool stet__mime_add(struct stet__mime *mime, struct stet_span text);

#endif
