/* SPDX-License-Identifier: MIT */
/*
 * One inotify instance for each worker. Folders are found by path (to cover) and by watch descriptor (for
 * events). Everything that is not about a single name, such as a folder that goes away, forgets all at once:
 * rare, and simple to get right.
 */
#include "serve/watch.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <xxhash.h>

#include "serve/path.h"

#define MASK                                                                                        \
    (IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define FOLDERS_MAX 16384 /* of one worker; the files of more are asked for with stat */
#define BUCKETS 1024

struct stet__folder {
    struct stet__folder *next; /* of the bucket */
    struct stet__list watched;
    int wd;
    size_t path_len;
    char path[]; /* "/docs"; "" for the root */
};

struct stet__watcher {
    struct stet__watch watch; /* fd -1: no inotify */
    struct stet__loop *loop;
    struct stet__watch_events events;
    int root;
    int parent_wd; /* of the folder that the root's name is in; -1: not watched */
    char root_name[256];
    struct stet__folder *buckets[BUCKETS];
    size_t count;
    struct stet__folder **by_wd;
    size_t by_wd_room;
};

static struct stet__folder **bucket_of(struct stet__watcher *w, struct stet_span path)
{
    return &w->buckets[XXH3_64bits(path.ptr, path.len) % BUCKETS];
}

static struct stet__folder *find(struct stet__watcher *w, struct stet_span path)
{
    struct stet__folder *folder = *bucket_of(w, path);
    while (folder && !stet_span_equal(stet_span_of(folder->path, folder->path_len), path))
        folder = folder->next;
    return folder;
}

static void forget(struct stet__watcher *w)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (w->buckets[i]) {
            struct stet__folder *folder = w->buckets[i];
            w->buckets[i] = folder->next;
            free(folder);
        }
    }
    memset(w->by_wd, 0, w->by_wd_room * sizeof(struct stet__folder *));
    w->count = 0;
    w->parent_wd = -1;
    if (w->watch.fd >= 0) {
        stet__loop_remove(w->loop, &w->watch);
        close(w->watch.fd);
    }
    w->watch.fd = -1;
}

/* A node whose wd has no folder yet. */
static bool add_wd(struct stet__watcher *w, struct stet__folder *folder)
{
    size_t wd = (size_t)folder->wd;
    if (wd >= w->by_wd_room) {
        size_t room = (wd + 1) * 2;
        struct stet__folder **larger = realloc(w->by_wd, room * sizeof(struct stet__folder *));
        if (!larger)
            return false;
        memset(larger + w->by_wd_room, 0, (room - w->by_wd_room) * sizeof(struct stet__folder *));
        w->by_wd = larger;
        w->by_wd_room = room;
    }
    if (w->by_wd[wd])
        return false;
    w->by_wd[wd] = folder;
    return true;
}

/* Symbolic links on the way are for the caller to notice (open.h); the last segment is not followed. */
static int watch_path(struct stet__watcher *w, struct stet_span path)
{
    char name[STET__PATH_ROOM + 64];
    int len = snprintf(name, sizeof(name), "/proc/self/fd/%d/.%.*s", w->root, (int)path.len, path.ptr);
    if (len < 0 || (size_t)len >= sizeof(name))
        return -1;
    return inotify_add_watch(w->watch.fd, name, MASK | IN_DONT_FOLLOW);
}

static struct stet__folder *cover_folder(struct stet__watcher *w, struct stet_span path)
{
    struct stet__folder *folder = find(w, path);
    if (folder || w->count >= FOLDERS_MAX)
        return folder;
    int wd = watch_path(w, path);
    if (wd < 0)
        return NULL;
    folder = malloc(sizeof *folder + path.len);
    if (!folder)
        return NULL;
    folder->wd = wd;
    folder->path_len = path.len;
    if (path.len > 0)
        memcpy(folder->path, path.ptr, path.len);
    stet__list_init(&folder->watched);
    /* One folder under two names (a bind mount): its events could only be told for one of them. */
    if (!add_wd(w, folder)) {
        free(folder);
        return NULL;
    }
    struct stet__folder **bucket = bucket_of(w, path);
    folder->next = *bucket;
    *bucket = folder;
    w->count++;
    return folder;
}

struct stet__folder *stet__watcher_cover(struct stet__watcher *watcher, struct stet_span path)
{
    struct stet__folder *folder = NULL;
    if (watcher->watch.fd < 0)
        return NULL;
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] != '/')
            continue;
        folder = cover_folder(watcher, stet_span_of(path.ptr, i));
        if (!folder)
            return NULL;
    }
    return folder;
}

void stet__folder_add(struct stet__folder *folder, struct stet__watched *watched)
{
    stet__list_append(&folder->watched, &watched->node);
}

static void tell(struct stet__watcher *w, struct stet__folder *folder, const struct inotify_event *event)
{
    struct stet_span name = {event->name, strnlen(event->name, event->len)};
    bool appeared = (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
    bool content = (event->mask & (IN_MODIFY | IN_CLOSE_WRITE)) != 0;
    struct stet__list untold; /* takes the place of the list's head */
    stet__list_append(&folder->watched, &untold);
    stet__list_remove(&folder->watched);
    /* Who is told may remove any of them, not only what it is told of. */
    while (!stet__list_empty(&untold)) {
        struct stet__list *node = untold.next;
        stet__list_remove(node);
        stet__list_append(&folder->watched, node);
        struct stet__watched *watched = stet__list_entry(node, struct stet__watched, node);
        bool same = stet_span_equal(watched->name, name);
        if (same || (appeared && watched->new_names))
            w->events.changed(w->events.arg, watched, same && content);
    }
}

/* False if all was forgotten and `w` has another instance now. */
static bool judge(struct stet__watcher *w, const struct inotify_event *event)
{
    if (event->wd >= 0 && event->wd == w->parent_wd && event->len > 0 &&
        strcmp(event->name, w->root_name) == 0 && w->events.root(w->events.arg))
        return false;
    struct stet__folder *folder =
        event->wd >= 0 && (size_t)event->wd < w->by_wd_room ? w->by_wd[event->wd] : NULL;
    if (!folder && event->wd == w->parent_wd && !(event->mask & IN_IGNORED))
        return true;
    /* A folder that appears has nothing in it that is known; one that goes or changes its rights may have. */
    bool of_folder = (event->mask & IN_ISDIR) && !(event->mask & IN_CREATE);
    if (!folder || event->len == 0 || of_folder || (event->mask & (IN_Q_OVERFLOW | IN_IGNORED))) {
        w->events.all(w->events.arg);
        return false;
    }
    tell(w, folder, event);
    return true;
}

static void ready(struct stet__watch *watch, uint32_t events)
{
    (void)events;
    struct stet__watcher *w = stet__list_entry(watch, struct stet__watcher, watch);
    _Alignas(struct inotify_event) char octets[16384];
    ssize_t len;
    while ((len = read(w->watch.fd, octets, sizeof(octets))) > 0) {
        for (ssize_t at = 0; at < len;) {
            const struct inotify_event *event = (const void *)(octets + at);
            if (!judge(w, event))
                return;
            at += (ssize_t)(sizeof(*event) + event->len);
        }
        if (len < (ssize_t)(sizeof(octets) / 2))
            return;
    }
}

struct stet__watcher *stet__watcher_new(struct stet__loop *loop, const struct stet__watch_events *events)
{
    struct stet__watcher *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->loop = loop;
    w->events = *events;
    w->by_wd_room = 64;
    w->by_wd = calloc(w->by_wd_room, sizeof(struct stet__folder *));
    w->watch = (struct stet__watch){.ready = ready, .fd = -1, .early = true};
    w->parent_wd = -1;
    if (w->by_wd)
        return w;
    free(w);
    return NULL;
}

void stet__watcher_free(struct stet__watcher *watcher)
{
    if (!watcher)
        return;
    forget(watcher);
    free(watcher->by_wd);
    free(watcher);
}

/* Watches the folder that holds the root's name, where a deploy may exchange a symbolic link. */
static void watch_parent(struct stet__watcher *w, const char *root_path)
{
    struct stet_span path = {root_path, strlen(root_path)};
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    struct stet_span name = stet__path_last(path);
    char parent[STET__PATH_ROOM];
    size_t len = path.len - name.len;
    bool fixed =
        name.len == 0 || stet_span_equal(name, STET_SPAN(".")) || stet_span_equal(name, STET_SPAN(".."));
    if (fixed || name.len >= sizeof(w->root_name) || len + 2 > sizeof(parent))
        return;
    memcpy(w->root_name, name.ptr, name.len);
    w->root_name[name.len] = '\0';
    memcpy(parent, len ? path.ptr : ".", len ? len : 1);
    parent[len ? len : 1] = '\0';
    /* Names only; the folder may be one that is served too, and then keeps the whole mask. */
    w->parent_wd = inotify_add_watch(
        w->watch.fd, parent, IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD);
}

void stet__watcher_start(struct stet__watcher *watcher, int root, const char *root_path)
{
    forget(watcher);
    watcher->root = root;
    watcher->watch.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watcher->watch.fd < 0)
        return;
    if (stet__loop_add(watcher->loop, &watcher->watch, EPOLLIN) < 0) {
        close(watcher->watch.fd);
        watcher->watch.fd = -1;
        return;
    }
    watch_parent(watcher, root_path);
}

bool stet__watch_sees(int fd)
{
    /* File systems of this machine alone, by the numbers of statfs(2); a network's, FUSE's and overlays' are
     * not. */
    static const uint32_t local[] = {
        0xEF53,     /* ext2, ext3, ext4 */
        0x58465342, /* xfs */
        0x9123683E, /* btrfs */
        0x01021994, /* tmpfs */
        0x858458F6, /* ramfs */
        0xF2F52010, /* f2fs */
        0x2FC12FC1, /* zfs */
        0xCA451A4E, /* bcachefs */
        0x3153464A, /* jfs */
        0x52654973, /* reiserfs */
        0x73717368, /* squashfs */
        0xE0F5E1E2, /* erofs */
        0x9660,     /* iso9660 */
        0x4D44,     /* fat */
        0x2011BAB0, /* exfat */
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        if ((uint32_t)fs.f_type == local[i])
            return true;
    return false;
}
