/* SPDX-License-Identifier: MIT */
/*
 * path: from the path of a request target to the name of a file below the root.
 *
 * Decoding (RFC 3986 section 2.1) is strict, because two programs on the way that read a path differently are
 * how access rules are walked around. Refused with 400: a malformed percent-encoding, NUL, a slash or
 * backslash that is encoded, a backslash that is not, "." and ".." segments in any spelling (a client removes
 * them before it asks, RFC 3986 section 5.2.4). Empty segments are dropped: "//a" names what "/a" names, as
 * in the file system.
 */
#ifndef STET_SERVE_PATH_H
#define STET_SERVE_PATH_H

#include <stet/reason.h>
#include <stet/span.h>

#define STET__PATH_ROOM 4096 /* PATH_MAX of Linux, with the terminator */

struct stet__path {
    char
        text[STET__PATH_ROOM]; /* with a leading slash and a terminator: "/docs/a b.html"; "/" for the root */
    size_t len;
    bool slash; /* the path as received ends in a slash: it asks for a folder */
};

/* The part of a target before its query; "/" if there is only a query (RFC 9110 section 4.2.3). */
struct stet_span stet__path_of_target(struct stet_span path_query);

/*
 * Decodes `path`, which has no query. STET_REASON_OK, or why there is no such file: BAD_PATH, NOT_FOUND if it
 * is longer than a name can be, or DOTFILE for a segment that begins with a dot, unless `dotfiles`;
 * "/.well-known/" (RFC 8615) is for the public and always allowed.
 */
enum stet_reason stet__path_decode(struct stet_span path, bool dotfiles, struct stet__path *out);

/* The same for a path that is already decoded, such as one of the command line. */
enum stet_reason stet__path_set(struct stet_span path, struct stet__path *out);

/* Appends a segment; false if there is no room. */
bool stet__path_append(struct stet__path *path, struct stet_span segment);

/* The name below the root, for openat: "docs/a b.html", "." for the root. Borrows. */
const char *stet__path_name(const struct stet__path *path);

static inline struct stet_span stet__path_span(const struct stet__path *path)
{
    return (struct stet_span){path->text, path->len};
}

/* The last segment, "" for the root. */
struct stet_span stet__path_last(struct stet_span path);

/* Writes `text` percent-encoded for use in a path (unreserved octets stay); `out` has 3 * text.len octets. */
size_t stet__path_encode(struct stet_span text, char *out);

#endif
