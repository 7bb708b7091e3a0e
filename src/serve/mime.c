/* SPDX-License-Identifier: MIT */
#include "serve/mime.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <stet/field.h>

#include "base/arena.h"
#include "base/buffer.h"

#define EXTENSION_MAX 31
#define TABLE_MAX (4u << 20) /* octets of a table, and of what is made of it */

/* RFC 9239 (text/javascript), RFC 8081 (font/woff2), W3C App Manifest; the rest as IANA has it. */
static const char built_in[] = "text/html html htm\n"
                               "text/css css\n"
                               "text/javascript js mjs cjs\n"
                               "text/plain txt text log conf\n"
                               "text/markdown md markdown\n"
                               "text/csv csv\n"
                               "text/xml xml xsl\n"
                               "text/vtt vtt\n"
                               "text/calendar ics\n"
                               "application/json json map\n"
                               "application/ld+json jsonld\n"
                               "application/geo+json geojson\n"
                               "application/manifest+json webmanifest\n"
                               "application/rss+xml rss\n"
                               "application/atom+xml atom\n"
                               "application/xhtml+xml xhtml xht\n"
                               "application/wasm wasm\n"
                               "application/pdf pdf\n"
                               "application/zip zip\n"
                               "application/gzip gz\n"
                               "application/zstd zst\n"
                               "application/x-tar tar\n"
                               "application/yaml yaml yml\n"
                               "image/svg+xml svg\n"
                               "image/png png\n"
                               "image/apng apng\n"
                               "image/jpeg jpg jpeg\n"
                               "image/gif gif\n"
                               "image/webp webp\n"
                               "image/avif avif\n"
                               "image/jxl jxl\n"
                               "image/bmp bmp\n"
                               "image/tiff tif tiff\n"
                               "image/vnd.microsoft.icon ico\n"
                               "font/woff2 woff2\n"
                               "font/woff woff\n"
                               "font/ttf ttf\n"
                               "font/otf otf\n"
                               "audio/mpeg mp3\n"
                               "audio/mp4 m4a\n"
                               "audio/ogg ogg oga opus\n"
                               "audio/flac flac\n"
                               "audio/wav wav\n"
                               "video/mp4 mp4 m4v\n"
                               "video/webm webm\n"
                               "video/ogg ogv\n"
                               "video/quicktime mov\n"
                               "application/vnd.apple.mpegurl m3u8\n"
                               "video/mp2t ts\n";

struct slot {
    struct stet_span extension; /* lower case; absent in a free slot */
    struct stet_span type;      /* with its charset */
};

struct stet__mime {
    struct stet__arena arena;
    struct stet_span charset;
    struct slot *slots; /* open addressing; at most half full */
    size_t slot_count;  /* a power of two */
    size_t used;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* FNV-1a. The table comes from the operator, so nobody can choose extensions that collide. */
static size_t hash(struct stet_span extension)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < extension.len; i++)
        h = (h ^ (unsigned char)lower(extension.ptr[i])) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

static struct slot *find(const struct stet__mime *mime, struct stet_span extension)
{
    size_t i = hash(extension) & (mime->slot_count - 1);
    while (mime->slots[i].extension.ptr && !stet_span_equal_nocase(mime->slots[i].extension, extension))
        i = (i + 1) & (mime->slot_count - 1);
    return &mime->slots[i];
}

static bool grow(struct stet__mime *mime)
{
    if (mime->used * 2 < mime->slot_count)
        return true;
    struct stet__mime larger = *mime;
    larger.slot_count = mime->slot_count * 2;
    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < mime->slot_count; i++)
        if (mime->slots[i].extension.ptr)
            *find(&larger, mime->slots[i].extension) = mime->slots[i];
    free(mime->slots);
    *mime = larger;
    return true;
}

/* Text is what a charset helps: without one, receivers guess. JSON has none (RFC 8259 section 11). */
static bool takes_charset(struct stet_span type)
{
    return stet_span_starts(type, STET_SPAN("text/")) ||
           stet_span_equal(type, STET_SPAN("application/javascript")) ||
           stet_span_equal(type, STET_SPAN("application/xhtml+xml")) ||
           stet_span_equal(type, STET_SPAN("image/svg+xml"));
}

/* `type` as it is sent; absent if there is no memory. */
static struct stet_span full_type(struct stet__mime *mime, struct stet_span type)
{
    static const struct stet_span parameter = {"; charset=", 10};
    if (mime->charset.len == 0 || !takes_charset(type))
        return stet__arena_copy(&mime->arena, type);
    char *text = stet__arena_alloc(&mime->arena, type.len + parameter.len + mime->charset.len);
    if (!text)
        return STET_SPAN_NONE;
    memcpy(text, type.ptr, type.len);
    memcpy(text + type.len, parameter.ptr, parameter.len);
    memcpy(text + type.len + parameter.len, mime->charset.ptr, mime->charset.len);
    return stet_span_of(text, type.len + parameter.len + mime->charset.len);
}

static struct stet_span next_word(struct stet_span *rest)
{
    size_t from = 0, to;
    while (from < rest->len && (stet_is_ows(rest->ptr[from]) || rest->ptr[from] == '\r'))
        from++;
    for (to = from; to < rest->len && !stet_is_ows(rest->ptr[to]) && rest->ptr[to] != '\r';)
        to++;
    struct stet_span word = {rest->ptr + from, to - from};
    *rest = stet_span_skip(*rest, to);
    return word;
}

/* type "/" subtype; a table is the operator's, but its octets go into a field line. */
static bool is_type(struct stet_span word)
{
    const char *slash = word.len ? memchr(word.ptr, '/', word.len) : NULL;
    if (!slash)
        return false;
    size_t len = (size_t)(slash - word.ptr);
    return stet_is_token(stet_span_of(word.ptr, len)) && stet_is_token(stet_span_skip(word, len + 1));
}

static bool add_extension(struct stet__mime *mime, struct stet_span extension, struct stet_span type)
{
    if (extension.len > EXTENSION_MAX || find(mime, extension)->extension.ptr)
        return true;
    if (!grow(mime))
        return false;
    extension = stet__arena_copy(&mime->arena, extension);
    if (!extension.ptr)
        return false;
    *find(mime, extension) = (struct slot){extension, type};
    mime->used++;
    return true;
}

static bool add_line(struct stet__mime *mime, struct stet_span line)
{
    const char *comment = line.len ? memchr(line.ptr, '#', line.len) : NULL;
    if (comment)
        line.len = (size_t)(comment - line.ptr);
    struct stet_span type = next_word(&line), extension = next_word(&line);
    if (extension.len == 0 || !is_type(type))
        return true;
    type = full_type(mime, type);
    if (!type.ptr)
        return false;
    for (; extension.len > 0; extension = next_word(&line))
        if (!add_extension(mime, extension, type))
            return false;
    return true;
}

bool stet__mime_add(struct stet__mime *mime, struct stet_span text)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        struct stet_span line = {text.ptr, end ? (size_t)(end - text.ptr) : text.len};
        if (!add_line(mime, line))
            return false;
        text = stet_span_skip(text, line.len + (end ? 1 : 0));
    }
    return true;
}

static bool read_all(FILE *file, struct stet__buffer *buffer)
{
    char *to;
    while ((to = stet__buffer_reserve(buffer, 4096)) != NULL) {
        size_t n = fread(to, 1, 4096, file);
        buffer->len += n;
        if (n == 0)
            return !ferror(file);
    }
    errno = ENOMEM;
    return false;
}

static bool add_file(struct stet__mime *mime, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    struct stet__buffer buffer;
    stet__buffer_init(&buffer, TABLE_MAX);
    bool good = read_all(file, &buffer) && stet__mime_add(mime, stet__buffer_span(&buffer));
    stet__buffer_release(&buffer);
    fclose(file);
    return good;
}

struct stet__mime *stet__mime_new(const char *path, const char *charset)
{
    struct stet__mime *mime = calloc(1, sizeof *mime);
    if (!mime)
        return NULL;
    stet__arena_init(&mime->arena, TABLE_MAX);
    mime->charset = stet__arena_copy(&mime->arena, stet_span_of(charset, strlen(charset)));
    mime->slot_count = 256;
    mime->slots = calloc(mime->slot_count, sizeof *mime->slots);
    bool good = mime->charset.ptr && mime->slots;
    good = good && (!path || add_file(mime, path));
    good = good && stet__mime_add(mime, stet_span_of(built_in, sizeof(built_in) - 1));
    /* Only the operator's own table has to be there. */
    if (good)
        good = path || access("/etc/mime.types", R_OK) != 0 || add_file(mime, "/etc/mime.types");
    if (good)
        return mime;
    stet__mime_free(mime);
    return NULL;
}

void stet__mime_free(struct stet__mime *mime)
{
    if (!mime)
        return;
    free(mime->slots);
    stet__arena_release(&mime->arena);
    free(mime);
}

struct stet_span stet__mime_type(const struct stet__mime *mime, struct stet_span name)
{
    const char *dot = name.len ? memrchr(name.ptr, '.', name.len) : NULL;
    if (dot) {
        const struct slot *slot = find(mime, stet_span_skip(name, (size_t)(dot - name.ptr) + 1));
        if (slot->extension.ptr)
            return slot->type;
    }
    return STET_SPAN("application/octet-stream");
}
