/* SPDX-License-Identifier: MIT */
/*
 * Paths of requests, which decide what file is opened: serve/path.h.
 *
 * The first octet chooses whether dotfiles are served, the rest is a path as received. What must hold of one
 * that is taken: it begins with one slash and has no empty, "." or ".." segment, no NUL and no backslash; no
 * segment begins with a dot unless dotfiles are served, or it is "/.well-known"; written percent-encoded it
 * reads as the same path again; and a path that is refused without dotfiles, but taken with them, has such a
 * segment.
 */
#include <stdlib.h>

#include "serve/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Checks one segment; true if it begins with a dot and is not the first one of "/.well-known". */
static bool check_segment(struct stet_span segment, bool first)
{
    require(segment.len > 0 && !memchr(segment.ptr, '\0', segment.len) &&
            !memchr(segment.ptr, '\\', segment.len));
    require(!stet_span_equal(segment, STET_SPAN(".")) && !stet_span_equal(segment, STET_SPAN("..")));
    return segment.ptr[0] == '.' && !(first && stet_span_equal(segment, STET_SPAN(".well-known")));
}

/* Checks all segments; true if one of them is a dotfile. */
static bool check_path(const struct stet__path *path)
{
    struct stet_span rest = stet__path_span(path);
    bool dotfile = false;
    require(rest.len > 0 && rest.len < STET__PATH_ROOM && rest.ptr[0] == '/' && rest.ptr[rest.len] == '\0');
    if (rest.len == 1)
        return false;
    for (bool first = true; rest.len > 0; first = false) {
        require(rest.ptr[0] == '/');
        rest = stet_span_skip(rest, 1);
        const char *end = memchr(rest.ptr, '/', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        dotfile |= check_segment(stet_span_of(rest.ptr, len), first);
        rest = stet_span_skip(rest, len);
    }
    return dotfile;
}

static void check_written_anew(const struct stet__path *path)
{
    static char text[3 * STET__PATH_ROOM];
    static struct stet__path again;
    size_t len = 0;
    for (size_t i = 0; i < path->len; i++) {
        if (path->text[i] == '/')
            text[len++] = '/';
        else
            len += stet__path_encode(stet_span_of(path->text + i, 1), text + len);
    }
    require(stet__path_decode(stet_span_of(text, len), true, &again) == STET_REASON_OK);
    require(stet_span_equal(stet__path_span(path), stet__path_span(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stet__path path, other;
    if (size == 0)
        return 0;
    bool dotfiles = (data[0] & 1) != 0;
    /* A copy of its own length, so that the sanitizer sees a read beyond its end. */
    char *copy = malloc(size);
    require(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    struct stet_span received = stet__path_of_target(stet_span_of(copy, size - 1));
    require(received.len == 0 || !memchr(received.ptr, '?', received.len));
    enum stet_reason reason = stet__path_decode(received, dotfiles, &path);
    enum stet_reason with = stet__path_decode(received, true, &other);
    if (reason == STET_REASON_OK) {
        bool dotfile = check_path(&path);
        require(dotfiles || !dotfile);
        require(with == STET_REASON_OK && stet_span_equal(stet__path_span(&path), stet__path_span(&other)));
        check_written_anew(&path);
    } else if (with == STET_REASON_OK) {
        require(!dotfiles && reason == STET_REASON_DOTFILE && check_path(&other));
    }
    free(copy);
    return 0;
}
