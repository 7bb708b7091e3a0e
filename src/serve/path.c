/* SPDX-License-Identifier: MIT */
#include "serve/path.h"

struct stet_span stet__path_of_target(struct stet_span path_query)
{
    struct stet_span path = path_query;
    const char *query = path.len ? memchr(path.ptr, '?', path.len) : NULL;
    if (query)
        path.len = (size_t)(query - path.ptr);
    return query && path.len == 0 ? STET_SPAN("/") : path;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The octet at the front of `*rest`, which is advanced; -1 if it must not be in a segment. */
static int next_octet(struct stet_span *rest)
{
    char c = rest->ptr[0];
    if (c != '%') {
        *rest = stet_span_skip(*rest, 1);
        return c == '\\' || c == '\0' ? -1 : (unsigned char)c;
    }
    if (rest->len < 3)
        return -1;
    int high = hex_value(rest->ptr[1]), low = hex_value(rest->ptr[2]);
    *rest = stet_span_skip(*rest, 3);
    if (high < 0 || low < 0)
        return -1;
    int octet = high * 16 + low;
    return octet == '\0' || octet == '/' || octet == '\\' ? -1 : octet;
}

static bool is_dot_segment(struct stet_span segment)
{
    return stet_span_equal(segment, STET_SPAN(".")) || stet_span_equal(segment, STET_SPAN(".."));
}

/* Decodes one segment from the front of `*rest` to the end of `out`. What is too long is not malformed: it is
 * not there. */
static enum stet_reason decode_segment(struct stet_span *rest, struct stet__path *out)
{
    out->text[out->len++] = '/';
    size_t start = out->len;
    while (rest->len > 0 && rest->ptr[0] != '/') {
        int octet = next_octet(rest);
        if (octet < 0)
            return STET_REASON_BAD_PATH;
        if (out->len + 2 >= STET__PATH_ROOM)
            return STET_REASON_NOT_FOUND;
        out->text[out->len++] = (char)octet;
    }
    bool dots = is_dot_segment(stet_span_of(out->text + start, out->len - start));
    return dots ? STET_REASON_BAD_PATH : STET_REASON_OK;
}

static bool is_hidden(const struct stet__path *path, size_t start)
{
    struct stet_span segment = {path->text + start + 1, path->len - start - 1};
    return segment.ptr[0] == '.' && !(start == 0 && stet_span_equal(segment, STET_SPAN(".well-known")));
}

enum stet_reason stet__path_decode(struct stet_span path, bool dotfiles, struct stet__path *out)
{
    out->len = 0;
    out->slash = path.len > 0 && path.ptr[path.len - 1] == '/';
    bool hidden = false;
    if (path.len == 0 || path.ptr[0] != '/')
        return STET_REASON_BAD_PATH;
    while (path.len > 0) {
        if (path.ptr[0] == '/') {
            path = stet_span_skip(path, 1);
            continue;
        }
        size_t start = out->len;
        enum stet_reason reason = decode_segment(&path, out);
        if (reason != STET_REASON_OK)
            return reason;
        hidden |= is_hidden(out, start);
    }
    if (out->len == 0)
        out->text[out->len++] = '/';
    out->text[out->len] = '\0';
    return hidden && !dotfiles ? STET_REASON_DOTFILE : STET_REASON_OK;
}

enum stet_reason stet__path_set(struct stet_span path, struct stet__path *out)
{
    out->len = 0;
    out->text[0] = '\0';
    out->slash = path.len > 0 && path.ptr[path.len - 1] == '/';
    while (path.len > 0) {
        const char *end = memchr(path.ptr, '/', path.len);
        struct stet_span segment = {path.ptr, end ? (size_t)(end - path.ptr) : path.len};
        path = stet_span_skip(path, segment.len + (end ? 1 : 0));
        if (segment.len == 0)
            continue;
        if (is_dot_segment(segment) || memchr(segment.ptr, '\0', segment.len) ||
            !stet__path_append(out, segment))
            return STET_REASON_BAD_PATH;
    }
    if (out->len == 0)
        out->text[out->len++] = '/';
    out->text[out->len] = '\0';
    return STET_REASON_OK;
}

bool stet__path_append(struct stet__path *path, struct stet_span segment)
{
    size_t len = path->len == 1 && path->text[0] == '/' ? 0 : path->len;
    if (segment.len + 2 > STET__PATH_ROOM - len)
        return false;
    path->text[len] = '/';
    memcpy(path->text + len + 1, segment.ptr, segment.len);
    path->len = len + 1 + segment.len;
    path->text[path->len] = '\0';
    return true;
}

const char *stet__path_name(const struct stet__path *path)
{
    return path->len == 1 ? "." : path->text + 1;
}

struct stet_span stet__path_last(struct stet_span path)
{
    const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
    return slash ? stet_span_skip(path, (size_t)(slash - path.ptr) + 1) : path;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

size_t stet__path_encode(struct stet_span text, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char octet = (unsigned char)text.ptr[i];
        if (is_unreserved(text.ptr[i])) {
            out[len++] = text.ptr[i];
            continue;
        }
        out[len++] = '%';
        out[len++] = digits[octet >> 4];
        out[len++] = digits[octet & 15];
    }
    return len;
}
