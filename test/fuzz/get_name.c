/* SPDX-License-Identifier: MIT */
/*
 * Lines of --input, URLs as people write them, and the names of files made from them: cli/get_name.h.
 *
 * What must hold: the URL and the name of a line lie within it and have no whitespace at their ends; a URL is
 * refused in words, or is one that core takes, of printable ASCII, and the same when it is typed once more;
 * the name that -O makes of it leads to no other folder.
 */
#include <stdlib.h>

#include <stet/uri.h>

#include "cli/get_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct stet_span span(const char *text)
{
    return stet_span_of(text, strlen(text));
}

static void check_part(struct stet_span part, struct stet_span line)
{
    if (part.len == 0)
        return;
    require(part.ptr >= line.ptr && part.ptr + part.len <= line.ptr + line.len);
    require(stet_span_equal(stet_span_trim(part), part));
}

static void check_name(const char *uri)
{
    struct stet_span name = stet__get_remote_name(uri);
    if (!name.ptr)
        return;
    require(name.len > 0 && !memchr(name.ptr, '/', name.len));
    require(!stet_span_equal(name, STET_SPAN(".")) && !stet_span_equal(name, STET_SPAN("..")));
    char *path = stet__get_path("folder", name);
    require(path && strncmp(path, "folder/", 7) == 0 && stet_span_equal(span(path + 7), name));
    free(path);
}

static void check_uri(struct stet_span typed)
{
    struct stet_uri parts;
    const char *wrong, *again_wrong;
    char *uri = stet__get_uri(typed, &wrong);
    require((uri == NULL) == (wrong != NULL));
    if (!uri)
        return;
    require(stet_uri_parse(span(uri), &parts) == STET_OK);
    for (const char *at = uri; *at; at++)
        require(*at > ' ' && *at < 0x7f && *at != '#');
    char *again = stet__get_uri(span(uri), &again_wrong);
    require(again && strcmp(again, uri) == 0);
    check_name(uri);
    free(again);
    free(uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet_span rest = stet_span_of((const char *)data, size);
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        struct stet_span line = {rest.ptr, end ? (size_t)(end - rest.ptr) + 1 : rest.len};
        struct stet__get_line read = stet__get_line_read(line);
        check_part(read.url, line);
        require(read.url.len > 0 ? !memchr(read.url.ptr, '\t', read.url.len) : !read.name.ptr);
        if (read.name.ptr)
            check_part(read.name, line);
        if (read.url.len > 0)
            check_uri(read.url);
        rest = stet_span_skip(rest, line.len);
    }
    return 0;
}
