/* SPDX-License-Identifier: MIT */
/*
 * lookup: from the path of a request to the selected representation (RFC 9110 section 3.2), the slow way:
 * decode, cover, open.
 *
 * A folder is covered before the file is opened, so that no change between the two goes unseen (watch.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "serve/worker.h"

struct target {
    struct stet_span key; /* under which it is kept */
    struct stet__path path;
    int64_t now;
};

static struct stet__found refuse(unsigned status, enum stet_reason reason)
{
    return (struct stet__found){NULL, status, reason};
}

/* What a failure to open says to the client. Names outside of the root and names that are not there look the
 * same. */
static struct stet__found refuse_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ENXIO: /* neither file nor folder, or a socket */
    case ENODEV:
    case ELOOP:
        return refuse(404, STET_REASON_NOT_FOUND);
    case EXDEV:
        return refuse(404, STET_REASON_OUTSIDE_ROOT);
    case EACCES:
    case EPERM:
        return refuse(403, STET_REASON_UNREADABLE);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return refuse(503, STET_REASON_OVERLOADED);
    default:
        return refuse(500, STET_REASON_INTERNAL);
    }
}

/* Opens; if there are no descriptors left, those of the cache are given up first. */
static int open_file(struct stet__serve_worker *worker, const struct stet__path *path,
                     struct stet__opened *out)
{
    int status = stet__open_beneath(worker->root, stet__path_name(path), out);
    if (status != -EMFILE && status != -ENFILE)
        return status;
    stet__files_drop_all(worker->files);
    return stet__open_beneath(worker->root, stet__path_name(path), out);
}

/* Makes the entry, keeps it. `file` is taken over. */
static struct stet__found take(struct stet__serve_worker *worker, const struct target *target,
                               struct stet__folder *folder, struct stet__opened *file, bool index)
{
    bool by_stat = !folder || file->via_symlink || file->stat.st_nlink != 1 || !stet__watch_sees(file->fd);
    struct stet__entry *entry =
        stet__representation_of_file(worker, target->key, stet__path_span(&target->path), file, target->now);
    if (!entry)
        return refuse(503, STET_REASON_OVERLOADED);
    entry->by_stat = by_stat;
    entry->watched.name = stet__path_last(entry->path);
    entry->watched.new_names = index;
    stet__files_add(worker->files, entry);
    if (entry->cached && !by_stat)
        stet__folder_add(folder, &entry->watched);
    if (entry->cached && folder && entry->copies)
        stet__file_copies_watch(entry->copies, folder);
    return (struct stet__found){entry, 200, STET_REASON_OK};
}

/* A page of the folder's names. It is never kept: what it says may change with every name. */
static struct stet__found list(struct stet__serve_worker *worker, const struct target *target, int folder_fd)
{
    struct stet_span path = stet__path_span(&target->path);
    struct stet__buffer page;
    if (!stet__listing_make(folder_fd, path, worker->configuration->dotfiles, &page))
        return refuse(503, STET_REASON_OVERLOADED);
    struct stet__entry *entry =
        stet__representation_of_page(worker, path, STET_SPAN("text/html; charset=utf-8"), &page);
    if (!entry)
        return refuse(503, STET_REASON_OVERLOADED);
    return (struct stet__found){entry, 200, STET_REASON_LISTING};
}

/* A folder that is asked for with its slash: the first index file there is. */
static struct stet__found find_index(struct stet__serve_worker *worker, struct target *target, int folder_fd)
{
    const struct stet__serve_configuration *configuration = worker->configuration;
    size_t len = target->path.len;
    for (size_t i = 0; i < configuration->index_count; i++) {
        const char *name = configuration->index_names[i];
        struct stet__opened file;
        target->path.len = len;
        if (!stet__path_append(&target->path, stet_span_of(name, strlen(name))))
            continue;
        struct stet__folder *folder = stet__watcher_cover(worker->watcher, stet__path_span(&target->path));
        int status = open_file(worker, &target->path, &file);
        if (status == -ENOENT)
            continue;
        if (status < 0)
            return refuse_errno(-status);
        if (S_ISREG(file.stat.st_mode))
            return take(worker, target, folder, &file, true);
        close(file.fd);
    }
    target->path.len = len;
    target->path.text[len] = '\0';
    return configuration->listing ? list(worker, target, folder_fd) : refuse(403, STET_REASON_NO_INDEX);
}

static struct stet__found find(struct stet__serve_worker *worker, struct target *target)
{
    struct stet__opened file;
    struct stet__folder *folder = stet__watcher_cover(worker->watcher, stet__path_span(&target->path));
    int status = open_file(worker, &target->path, &file);
    if (status < 0)
        return refuse_errno(-status);
    if (S_ISREG(file.stat.st_mode)) {
        if (!target->path.slash)
            return take(worker, target, folder, &file, false);
        close(file.fd); /* "/file.txt/" names nothing */
        return refuse(404, STET_REASON_NOT_FOUND);
    }
    struct stet__found found = target->path.slash ? find_index(worker, target, file.fd)
                                                  : refuse(301, STET_REASON_DIRECTORY_REDIRECT);
    close(file.fd);
    return found;
}

/* With --spa: what a program in the browser may have made up, unlike the name of a file. */
static bool is_spa_path(const struct stet__path *path)
{
    struct stet_span last = stet__path_last(stet__path_span(path));
    return last.len == 0 || !memchr(last.ptr, '.', last.len);
}

struct stet__found stet__look_up(struct stet__serve_worker *worker, struct stet_span key, int64_t now)
{
    struct target target = {.key = key, .now = now};
    enum stet_reason reason = stet__path_decode(key, worker->configuration->dotfiles, &target.path);
    if (reason != STET_REASON_OK)
        return refuse(reason == STET_REASON_BAD_PATH ? 400 : 404, reason);
    struct stet__found found = find(worker, &target);
    if (found.reason != STET_REASON_NOT_FOUND || !worker->configuration->spa || !is_spa_path(&target.path))
        return found;
    struct stet__found page = stet__look_up_page(worker, worker->configuration->spa, now);
    if (!page.entry)
        return found;
    page.reason = STET_REASON_SPA;
    return page;
}

struct stet__found stet__look_up_page(struct stet__serve_worker *worker, const char *path, int64_t now)
{
    /* Keys of requests begin with a slash, so this one stands for no request. */
    char text[STET__PATH_ROOM + 1];
    struct target target = {.now = now};
    if (stet__path_set(stet_span_of(path, strlen(path)), &target.path) != STET_REASON_OK)
        return refuse(404, STET_REASON_NOT_FOUND);
    text[0] = ':';
    memcpy(text + 1, target.path.text, target.path.len);
    target.key = stet_span_of(text, target.path.len + 1);
    struct stet__entry *entry = stet__files_find(worker->files, target.key);
    if (entry && stet__entry_current(worker, entry, now)) {
        stet__entry_hold(entry);
        return (struct stet__found){entry, 200, STET_REASON_OK};
    }
    target.path.slash = false;
    return find(worker, &target);
}

/* The file behind the name is the one that the entry was made of, and nothing can have changed without a
 * trace. */
static bool unchanged(struct stet__serve_worker *worker, const struct stet__entry *entry)
{
    struct stet__path path;
    struct stet__opened file;
    struct stet__identity identity;
    const struct stet__serve_configuration *configuration = worker->configuration;
    if (entry->racy || stet__path_set(entry->path, &path) != STET_REASON_OK)
        return false;
    /* Another index file that goes before this one may be there now. */
    if (entry->watched.new_names &&
        !stet_span_equal(entry->watched.name,
                         stet_span_of(configuration->index_names[0], strlen(configuration->index_names[0]))))
        return false;
    if (stet__open_beneath(worker->root, stet__path_name(&path), &file) < 0)
        return false;
    close(file.fd);
    stet__identity_of(&file.stat, &identity);
    return stet__identity_equal(&identity, &entry->identity);
}

/* One system call: the watch has told all that is about names and links on the way. */
static bool looks_the_same(void *arg, const struct stet__entry *entry)
{
    const struct stet__serve_worker *worker = arg;
    struct stet__path path;
    struct stat stat;
    struct stet__identity identity;
    if (entry->by_stat)
        return true;
    if (stet__path_set(entry->path, &path) != STET_REASON_OK ||
        fstatat(worker->root, stet__path_name(&path), &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    stet__identity_of(&stat, &identity);
    return stet__identity_equal(&identity, &entry->identity);
}

void stet__look_again(struct stet__serve_worker *worker)
{
    stet__files_sweep(worker->files, looks_the_same, worker);
}

bool stet__entry_current(struct stet__serve_worker *worker, struct stet__entry *entry, int64_t now)
{
    if (now < entry->review_at && (!entry->by_stat || unchanged(worker, entry)))
        return true;
    stet__files_drop(worker->files, entry);
    return false;
}
