/* SPDX-License-Identifier: MIT */
/*
 * text: octets that a server chose, made fit to be shown. Nothing of them reaches a terminal or a page as
 * anything but text: an escape sequence, a line break, a tag or a mark that turns the direction of reading is
 * shown as what it is, "\x1b" for instance.
 *
 * RFC 9110 section 5.5 lets field values have octets beyond ASCII that mean nothing in particular. If all of
 * a value is UTF-8 it is taken for that, else for Latin-1.
 */
#ifndef STET_CHECK_TEXT_H
#define STET_CHECK_TEXT_H

#include <stet/span.h>

#include "base/buffer.h"

/* The octets as valid UTF-8, nothing escaped: for JSON, which has escapes of its own. */
void stet__text_utf8(struct stet__buffer *out, struct stet_span octets);

/* For a terminal: printable ASCII, and "\xHH" for each other octet, so that what came can be told exactly.
 * At most `columns` (at least 4); "..." stands for what does not fit. Returns the columns it takes. */
size_t stet__text_terminal(struct stet__buffer *out, struct stet_span octets, size_t columns);

/* For the content and the attributes of XML and HTML: the five characters of markup as references, controls
 * (but line feed) and whatever XML does not allow as "\xHH", invisible and direction marks as "\u{HHHH}". */
void stet__text_markup(struct stet__buffer *out, struct stet_span octets);

/* The same of a text with a terminator; NULL is nothing. */
void stet__text_markup_of(struct stet__buffer *out, const char *text);

/* Takes the next line, without its end (LF, with CR or not), off the front of `rest`. False if none is left.
 */
bool stet__text_line(struct stet_span *rest, struct stet_span *line);

/* At most `max` octets of it, not ending within a character of UTF-8. */
struct stet_span stet__text_cut(struct stet_span octets, size_t max);

/* The span of a text with a terminator; absent if it is NULL. */
struct stet_span stet__text_of(const char *text);

#endif
