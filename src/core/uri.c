/* SPDX-License-Identifier: MIT */
/*
 * http and https URIs: RFC 9110 sections 4.2 and 4.3.1, RFC 3986 sections 3 and 5.2.
 *
 * What is a host is settled in http1_host.c and which octets a path may have in http1_head.c, so that a URI
 * is one here if and only if it can be asked for. Only what no origin can tell apart is made the same
 * (RFC 9110 section 4.2.3): the case of scheme and host, the port that is the default, dots at the end of the
 * host, an empty path. Percent-encoding stays as it is: "%41" and "A" are equivalent by the RFC, but some
 * origins answer them differently, and a second entry costs less than a wrong one.
 */
#include "core/uri.h"

#include "core/http1_head.h"
#include "core/text.h"

static bool is_https(struct stet_span scheme)
{
    return scheme.len == 5;
}

static bool is_scheme(struct stet_span scheme)
{
    return stet_span_equal_nocase(scheme, STET_SPAN("http")) ||
           stet_span_equal_nocase(scheme, STET_SPAN("https"));
}

static unsigned default_port(struct stet_span scheme)
{
    return is_https(scheme) ? 443 : 80;
}

/* Any digits, also none, which is the default (RFC 3986 section 3.2.3). */
static bool read_port(struct stet_span digits, struct stet_span scheme, unsigned *out)
{
    unsigned port = 0;
    for (size_t i = 0; i < digits.len; i++) {
        port = port * 10 + (unsigned)(digits.ptr[i] - '0');
        if (port > 65535)
            return false;
    }
    *out = digits.len > 0 ? port : default_port(scheme);
    return true;
}

/* `out->scheme` is set. User information has an at sign, which no host has. */
static bool read_authority(struct stet_span authority, struct stet_uri *out)
{
    size_t len;
    if (authority.len == 0 || !stet__host_valid(authority, &len))
        return false;
    struct stet_span port = len < authority.len ? stet_span_skip(authority, len + 1) : STET_SPAN_NONE;
    while (len > 0 && authority.ptr[len - 1] == '.')
        len--;
    out->host = stet_span_of(authority.ptr, len);
    return len > 0 && read_port(port, out->scheme, &out->port);
}

static struct stet_span without_fragment(struct stet_span text)
{
    const char *hash = text.len > 0 ? memchr(text.ptr, '#', text.len) : NULL;
    return hash ? stet_span_of(text.ptr, (size_t)(hash - text.ptr)) : text;
}

static bool octets_valid(struct stet_span text)
{
    return text.len > 0 && stet__find_target_end(text.ptr, text.ptr + text.len) == text.ptr + text.len;
}

static void split_query(struct stet_span text, struct stet_span *path, struct stet_span *query)
{
    const char *mark = text.len > 0 ? memchr(text.ptr, '?', text.len) : NULL;
    size_t len = mark ? (size_t)(mark - text.ptr) : text.len;
    *path = stet_span_of(text.ptr, len);
    *query = mark ? stet_span_skip(text, len + 1) : STET_SPAN_NONE;
}

/* The length of `text` before the first of `a`, `b` and `c`. */
static size_t before(struct stet_span text, char a, char b, char c)
{
    size_t i = 0;
    while (i < text.len && text.ptr[i] != a && text.ptr[i] != b && text.ptr[i] != c)
        i++;
    return i;
}

/* What follows "http:": "//" authority path-abempty [ "?" query ]. */
static bool read_hierarchy(struct stet_span text, struct stet_uri *out)
{
    if (!stet_span_starts(text, STET_SPAN("//")))
        return false;
    text = stet_span_skip(text, 2);
    size_t len = before(text, '/', '?', '?');
    split_query(stet_span_skip(text, len), &out->path, &out->query);
    return read_authority(stet_span_of(text.ptr, len), out);
}

int stet_uri_parse(struct stet_span text, struct stet_uri *out)
{
    text = without_fragment(text);
    if (!octets_valid(text))
        return STET_E_SYNTAX;
    size_t len = before(text, ':', ':', ':');
    struct stet_uri uri = {.scheme = stet_span_of(text.ptr, len)};
    if (len == text.len || !is_scheme(uri.scheme) || !read_hierarchy(stet_span_skip(text, len + 1), &uri))
        return STET_E_SYNTAX;
    *out = uri;
    return STET_OK;
}

bool stet_uri_same_origin(const struct stet_uri *a, const struct stet_uri *b)
{
    return a->port == b->port && a->scheme.len == b->scheme.len && stet_span_equal_nocase(a->host, b->host);
}

static void put_origin(struct stet__text *text, const struct stet_uri *uri)
{
    stet__text_put(text, is_https(uri->scheme) ? STET_SPAN("https://") : STET_SPAN("http://"));
    stet__text_put_lower(text, uri->host);
    if (uri->port != default_port(uri->scheme)) {
        stet__text_put_octet(text, ':');
        stet__text_put_u64(text, uri->port);
    }
}

static void put_query(struct stet__text *text, struct stet_span query)
{
    if (!query.ptr)
        return;
    stet__text_put_octet(text, '?');
    stet__text_put(text, query);
}

size_t stet_uri_write(const struct stet_uri *uri, char *out, size_t room)
{
    struct stet__text text = {.out = out, .room = room};
    put_origin(&text, uri);
    stet__text_put(&text, uri->path.len > 0 ? uri->path : STET_SPAN("/"));
    put_query(&text, uri->query);
    return stet__text_end(&text);
}

size_t stet_uri_write_target(struct stet_span scheme, struct stet_span authority, struct stet_span path_query,
                             char *out, size_t room)
{
    struct stet_uri uri = {.scheme = scheme};
    struct stet__text text = {.out = out, .room = room};
    if (!is_scheme(scheme) || !read_authority(authority, &uri))
        return 0;
    put_origin(&text, &uri);
    if (path_query.len == 0 || path_query.ptr[0] != '/')
        stet__text_put_octet(&text, '/');
    stet__text_put(&text, path_query);
    return stet__text_end(&text);
}

/* `path` is not empty and begins with a slash, or the URI has none at all. */
static struct stet_span directory_of(struct stet_span path)
{
    size_t len = path.len;
    while (len > 0 && path.ptr[len - 1] != '/')
        len--;
    return stet_span_of(path.ptr, len > 0 ? len - 1 : 0);
}

/* A reference without a scheme and an authority of its own. */
static void refer_within(const struct stet_uri *base, struct stet_span text, struct stet__reference *out)
{
    struct stet_span path, query;
    split_query(text, &path, &query);
    *out = (struct stet__reference){.uri = *base, .dots = path.len > 0};
    if (path.len > 0 || query.ptr)
        out->uri.query = query;
    if (path.len == 0)
        return;
    out->uri.path = path;
    if (path.ptr[0] != '/')
        out->directory = directory_of(base->path);
}

int stet__uri_refer(const struct stet_uri *base, struct stet_span reference, struct stet__reference *out)
{
    struct stet_span text = without_fragment(reference);
    if (text.len > 0 && !octets_valid(text))
        return STET_E_SYNTAX;
    /* "a path segment that contains a colon [...] cannot be used as the first segment of a relative-path
     * reference" (section 4.2): a colon there always ends a scheme. */
    size_t len = before(text, ':', '/', '?');
    struct stet_uri uri = {.scheme = base->scheme};
    if (len < text.len && text.ptr[len] == ':') {
        if (stet_uri_parse(text, &uri) != STET_OK)
            return STET_E_SYNTAX;
    } else if (!stet_span_starts(text, STET_SPAN("//"))) {
        refer_within(base, text, out);
        return STET_OK;
    } else if (!read_hierarchy(text, &uri)) {
        return STET_E_SYNTAX;
    }
    *out = (struct stet__reference){.uri = uri, .dots = true};
    return STET_OK;
}

/* Removes the last segment of the path that begins at `begin`, and the slash before it. */
static void pop_segment(struct stet__text *text, size_t begin)
{
    while (text->len > begin && text->out[--text->len] != '/')
        continue;
}

/*
 * RFC 3986 section 5.2.4 for the segments of `path`, which has no slash at its front. After `last`, a dot
 * segment leaves its slash.
 */
static void put_segments(struct stet__text *text, size_t begin, struct stet_span path, bool last)
{
    for (bool more = true; more;) {
        size_t len = before(path, '/', '/', '/');
        struct stet_span segment = stet_span_of(path.ptr, len);
        bool up = stet_span_equal(segment, STET_SPAN(".."));
        more = len < path.len;
        if (up)
            pop_segment(text, begin);
        if (!up && !stet_span_equal(segment, STET_SPAN("."))) {
            stet__text_put_octet(text, '/');
            stet__text_put(text, segment);
        } else if (last && !more) {
            stet__text_put_octet(text, '/');
        }
        if (more)
            path = stet_span_skip(path, len + 1);
    }
}

size_t stet__uri_write_reference(const struct stet__reference *reference, char *out, size_t room)
{
    struct stet__text text = {.out = out, .room = room};
    struct stet_span path = reference->uri.path;
    if (!reference->dots)
        return stet_uri_write(&reference->uri, out, room);
    put_origin(&text, &reference->uri);
    size_t begin = text.len;
    if (reference->directory.len > 0)
        put_segments(&text, begin, stet_span_skip(reference->directory, 1), false);
    put_segments(&text, begin, path.len > 0 && path.ptr[0] == '/' ? stet_span_skip(path, 1) : path, true);
    put_query(&text, reference->uri.query);
    return stet__text_end(&text);
}

size_t stet_uri_resolve(const struct stet_uri *base, struct stet_span reference, char *out, size_t room)
{
    struct stet__reference resolved;
    if (stet__uri_refer(base, reference, &resolved) != STET_OK)
        return 0;
    return stet__uri_write_reference(&resolved, out, room);
}
