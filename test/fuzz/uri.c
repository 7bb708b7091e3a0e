/* SPDX-License-Identifier: MIT */
/*
 * URIs and references: RFC 9110 section 4 and RFC 3986 section 5.
 *
 * The input is a base and a reference, LF between them. What must hold: what parses has a normal form, within
 * the room that uri.h promises, which parses again to the same origin and is its own normal form; no room is
 * overrun; what a reference resolves to is a normal form too, without dot segments if the reference has a
 * path; and resolving it once more changes nothing.
 */
#include <stdlib.h>

#include <stet/uri.h>

#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_normal(struct stet_span text)
{
    static char out[2 * INPUT_MAX + 32];
    struct stet_uri uri;
    if (stet_uri_parse(text, &uri) != STET_OK)
        return false;
    size_t len = stet_uri_write(&uri, out, text.len);
    return stet_span_equal(text, stet_span_of(out, len));
}

static void check_uri(struct stet_span text, const struct stet_uri *uri)
{
    static char out[INPUT_MAX + 16], again[INPUT_MAX + 16];
    struct stet_uri parsed;
    size_t parts = uri->scheme.len + uri->host.len + uri->path.len + uri->query.len;
    size_t len = stet_uri_write(uri, out, parts + 16);
    require(parts <= text.len && uri->host.len > 0 && uri->port <= 65535);
    require(len > 0 && is_normal(stet_span_of(out, len)));
    require(stet_uri_parse(stet_span_of(out, len), &parsed) == STET_OK && stet_uri_same_origin(uri, &parsed));
    require(stet_uri_write(uri, again, len) == len && memcmp(out, again, len) == 0);
    require(stet_uri_write(uri, again, len - 1) == 0);
}

/* Whether the path of a normal form has a segment "." or "..". */
static bool has_dots(struct stet_span text)
{
    struct stet_uri uri;
    require(stet_uri_parse(text, &uri) == STET_OK);
    for (size_t from = 0, i = 0; i <= uri.path.len; i++) {
        if (i < uri.path.len && uri.path.ptr[i] != '/')
            continue;
        struct stet_span segment = stet_span_of(uri.path.ptr + from, i - from);
        if (stet_span_equal(segment, STET_SPAN(".")) || stet_span_equal(segment, STET_SPAN("..")))
            return true;
        from = i + 1;
    }
    return false;
}

static bool has_path(struct stet_span reference)
{
    return reference.len > 0 && reference.ptr[0] != '?' && reference.ptr[0] != '#';
}

static void check_reference(const struct stet_uri *base, struct stet_span reference, size_t room)
{
    static char out[2 * INPUT_MAX + 32], again[2 * INPUT_MAX + 32];
    size_t len = stet_uri_resolve(base, reference, out, room);
    if (len == 0)
        return;
    struct stet_span resolved = stet_span_of(out, len);
    require(len <= room && is_normal(resolved));
    require(!has_path(reference) || !has_dots(resolved));
    if (has_path(reference))
        require(stet_uri_resolve(base, resolved, again, len) == len && memcmp(out, again, len) == 0);
    require(stet_uri_resolve(base, reference, again, len - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet_uri base = {.port = 0};
    if (size > INPUT_MAX)
        return 0;
    const uint8_t *lf = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = lf ? (size_t)(lf - data) : size;
    struct stet_span text = stet_span_of((const char *)data, first);
    struct stet_span reference =
        stet_span_of((const char *)data + first + (lf != NULL), size - first - (lf != NULL));
    if (stet_uri_parse(text, &base) != STET_OK) {
        require(!base.host.ptr && stet_uri_parse(STET_SPAN("http://base/a/b?c"), &base) == STET_OK);
        text = STET_SPAN("http://base/a/b?c");
    }
    check_uri(text, &base);
    check_reference(&base, reference, text.len + reference.len + 16);
    check_reference(&base, reference, reference.len);
    return 0;
}
