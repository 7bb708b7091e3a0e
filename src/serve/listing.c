/* SPDX-License-Identifier: MIT */
/*
 * listing: an HTML page of the names in a folder: folders first, then in the order of their octets, which is
 * the same on every node. Names are escaped twice over: percent-encoded in links, as character references in
 * text. No script.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "serve/worker.h"

#define NAMES_MAX 10000 /* of one page */
#define PAGE_MAX (16u << 20)

struct item {
    uint64_t size;
    int64_t mtime;
    bool folder;
    char name[256];
};

struct items {
    struct item *at;
    size_t count, room;
};

static const char style[] =
    "<style>:root{color-scheme:light dark}body{font:16px/1.5 "
    "system-ui,sans-serif;max-width:60rem;margin:2rem "
    "auto;padding:0 "
    "1rem}h1{font-size:1.3rem;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%}"
    "td,th{padding:.2rem .5rem;text-align:left;overflow-wrap:anywhere}td+td,th+th{white-space:nowrap}"
    "td:nth-child(2),th:nth-child(2){text-align:right;font-variant-numeric:tabular-nums}"
    "tr:hover td{background:#8881}a{text-decoration:none}a:hover{text-decoration:underline}</style>\n";

static bool grow(struct items *items)
{
    if (items->count < items->room)
        return true;
    size_t room = items->room ? items->room * 2 : 64;
    struct item *larger = realloc(items->at, room * sizeof *larger);
    if (!larger)
        return false;
    items->at = larger;
    items->room = room;
    return true;
}

/* Links are shown as what they lead to within the folder's file system; the server decides when they are
 * asked for. */
static bool add(struct items *items, int folder, const char *name)
{
    struct stat stat;
    size_t len = strlen(name);
    if (fstatat(folder, name, &stat, 0) != 0 || (!S_ISREG(stat.st_mode) && !S_ISDIR(stat.st_mode)))
        return true;
    if (len >= sizeof(items->at->name))
        return true;
    if (!grow(items))
        return false;
    struct item *item = &items->at[items->count++];
    item->size = (uint64_t)stat.st_size;
    item->mtime = stat.st_mtime;
    item->folder = S_ISDIR(stat.st_mode);
    memcpy(item->name, name, len + 1);
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return x->folder != y->folder ? y->folder - x->folder : strcmp(x->name, y->name);
}

/* A backslash cannot be asked for (path.h), so it is not offered. */
static bool is_shown(const char *name, bool dotfiles)
{
    bool self = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    return !self && (dotfiles || name[0] != '.') && !strchr(name, '\\');
}

static bool collect(struct items *items, int folder, bool dotfiles)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool good = true;
    const struct dirent *entry;
    while (good && items->count < NAMES_MAX && (entry = readdir(dir)) != NULL)
        if (is_shown(entry->d_name, dotfiles))
            good = add(items, folder, entry->d_name);
    closedir(dir);
    if (items->count > 1)
        qsort(items->at, items->count, sizeof(struct item), compare);
    return good;
}

static void put_escaped(struct stet__buffer *page, struct stet_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            stet__buffer_append_text(page, "&amp;");
            break;
        case '<':
            stet__buffer_append_text(page, "&lt;");
            break;
        case '>':
            stet__buffer_append_text(page, "&gt;");
            break;
        case '"':
            stet__buffer_append_text(page, "&quot;");
            break;
        default:
            stet__buffer_append(page, stet_span_of(text.ptr + i, 1));
        }
    }
}

static void put_item(struct stet__buffer *page, const struct item *item)
{
    char href[3 * sizeof(item->name)], date[STET_DATE_LEN];
    struct stet_span name = {item->name, strlen(item->name)};
    stet_date_format(item->mtime, date);
    /* "./" keeps a name with a colon from being read as a scheme. */
    stet__buffer_append_text(page, "<tr><td><a href=\"./");
    stet__buffer_append(page, stet_span_of(href, stet__path_encode(name, href)));
    stet__buffer_append_text(page, item->folder ? "/\">" : "\">");
    put_escaped(page, name);
    stet__buffer_append_text(page, item->folder ? "/</a><td><td>" : "</a><td>");
    if (!item->folder) {
        stet__buffer_append_u64(page, item->size);
        stet__buffer_append_text(page, "<td>");
    }
    stet__buffer_append(page, stet_span_of(date, sizeof(date)));
    stet__buffer_append_text(page, "\n");
}

static void put_page(struct stet__buffer *page, const struct items *items, struct stet_span path)
{
    stet__buffer_append_text(page, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                                   "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    put_escaped(page, path);
    stet__buffer_append_text(page, "</title>\n");
    stet__buffer_append_text(page, style);
    stet__buffer_append_text(page, "<h1>");
    put_escaped(page, path);
    stet__buffer_append_text(page, "</h1>\n<table>\n<tr><th>Name<th>Size<th>Modified\n");
    if (path.len > 1)
        stet__buffer_append_text(page, "<tr><td><a href=\"../\">../</a><td><td>\n");
    for (size_t i = 0; i < items->count; i++)
        put_item(page, &items->at[i]);
    stet__buffer_append_text(page, "</table>\n");
    if (items->count >= NAMES_MAX)
        stet__buffer_append_text(page, "<p>There are more names; these are some of them.</p>\n");
}

bool stet__listing_make(int folder, struct stet_span path, bool dotfiles, struct stet__buffer *page)
{
    struct items items = {NULL, 0, 0};
    stet__buffer_init(page, PAGE_MAX);
    if (collect(&items, folder, dotfiles))
        put_page(page, &items, path);
    free(items.at);
    if (page->len > 0 && !page->failed)
        return true;
    stet__buffer_release(page);
    return false;
}
