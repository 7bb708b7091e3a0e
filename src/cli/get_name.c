/* SPDX-License-Identifier: MIT */
/*
 * get_name: see get_name.h. Names that a server could choose are not looked at at all (Content-Disposition),
 * so none of them can lead anywhere.
 */
#include "cli/get_name.h"

#include <stdlib.h>

#include <stet/uri.h>

static bool has_scheme(struct stet_span typed)
{
    for (size_t i = 0; i + 2 < typed.len; i++) {
        char c = typed.ptr[i];
        if (c == ':')
            return typed.ptr[i + 1] == '/' && typed.ptr[i + 2] == '/';
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
            return false;
    }
    return false;
}

/* Appends `typed` to `out`; what no URI has is percent-encoded (RFC 3986 section 2.1). */
static size_t encode(struct stet_span typed, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0;
    for (size_t i = 0; i < typed.len && typed.ptr[i] != '#'; i++) {
        unsigned char c = (unsigned char)typed.ptr[i];
        if (c > ' ' && c < 0x7F && c != '"' && c != '<' && c != '>') {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '%';
        out[len++] = hex[c >> 4];
        out[len++] = hex[c & 15];
    }
    return len;
}

/* `uri` has a terminator. Its authority ends at the first of "/" and "?": RFC 3986 section 3.2. */
static const char *judge(struct stet_span uri)
{
    static const struct stet_span schemes[] = {{"http://", 7}, {"https://", 8}};
    struct stet_uri parts;
    size_t begin = 0;
    for (size_t i = 0; i < 2; i++)
        if (stet_span_starts(uri, schemes[i]))
            begin = schemes[i].len;
    if (begin == 0)
        return "only http and https are spoken here";
    if (memchr(uri.ptr + begin, '@', strcspn(uri.ptr + begin, "/?")))
        return "a name and password are not for a URL; -u NAME:PASSWORD has them";
    return stet_uri_parse(uri, &parts) == STET_OK ? NULL : "not a URL";
}

char *stet__get_uri(struct stet_span typed, const char **wrong)
{
    static const char http[] = "http://";
    size_t len = 0;
    char *out = malloc(3 * typed.len + sizeof http);
    *wrong = "out of memory";
    if (!out)
        return NULL;
    if (!has_scheme(typed)) {
        memcpy(out, http, sizeof http - 1);
        len = sizeof http - 1;
    }
    len += encode(typed, out + len);
    for (size_t i = 0; i < len && out[i] != ':'; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] + 'a' - 'A');
    out[len] = '\0';
    *wrong = judge(stet_span_of(out, len));
    if (!*wrong)
        return out;
    free(out);
    return NULL;
}

struct stet_span stet__get_remote_name(const char *uri)
{
    struct stet_uri parts;
    if (stet_uri_parse(stet_span_of(uri, strlen(uri)), &parts) != STET_OK)
        return STET_SPAN_NONE;
    struct stet_span name = parts.path;
    for (size_t i = parts.path.len; i > 0; i--)
        if (parts.path.ptr[i - 1] == '/') {
            name = stet_span_skip(parts.path, i);
            break;
        }
    bool is_folder = stet_span_equal(name, STET_SPAN(".")) || stet_span_equal(name, STET_SPAN(".."));
    return name.len == 0 || is_folder ? STET_SPAN_NONE : name;
}

struct stet__get_line stet__get_line_read(struct stet_span line)
{
    struct stet__get_line out = {STET_SPAN(""), STET_SPAN_NONE};
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n'))
        line.len--;
    line = stet_span_trim(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return out;
    const char *tab = memchr(line.ptr, '\t', line.len);
    out.url = stet_span_trim(stet_span_of(line.ptr, tab ? (size_t)(tab - line.ptr) : line.len));
    if (tab)
        out.name = stet_span_trim(stet_span_of(tab, line.len - (size_t)(tab - line.ptr)));
    return out;
}

void stet__get_tidy(char *text)
{
    for (; text && *text; text++) {
        const unsigned char *c = (const unsigned char *)text;
        if (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0)
            *text++ = '?', *text = '?';
        else if (*c < ' ' || *c == 0x7F)
            *text = '?';
    }
}

char *stet__get_path(const char *folder, struct stet_span name)
{
    size_t folder_len = folder && name.ptr[0] != '/' ? strlen(folder) : 0;
    char *out = malloc(folder_len + 1 + name.len + 1), *at = out;
    if (!out)
        return NULL;
    if (folder_len > 0) {
        memcpy(at, folder, folder_len);
        at += folder_len;
        *at++ = '/';
    }
    memcpy(at, name.ptr, name.len);
    at[name.len] = '\0';
    return out;
}
