/* SPDX-License-Identifier: MIT */
/*
 * root: the folder that is served, by its name. A deploy often exchanges a symbolic link ("current"), or
 * renames a new folder into place; the descriptor would stay with the old one for ever. So the name is looked
 * at when the folder that holds it changes, and once a second for links further up.
 */
#include <fcntl.h>
#include <unistd.h>

#include "serve/worker.h"

bool stet__root_open(struct stet__serve_worker *worker)
{
    struct stat stat;
    int fd = open(worker->configuration->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &stat) != 0) {
        close(fd);
        return false;
    }
    if (worker->root >= 0)
        close(worker->root);
    worker->root = fd;
    worker->root_stat = stat;
    stet__watcher_start(worker->watcher, fd, worker->configuration->root);
    return true;
}

bool stet__root_check(struct stet__serve_worker *worker)
{
    struct stat now;
    if (stat(worker->configuration->root, &now) != 0)
        return false; /* between two renames; what was served goes on */
    if (now.st_dev == worker->root_stat.st_dev && now.st_ino == worker->root_stat.st_ino)
        return false;
    stet__files_drop_all(worker->files);
    return stet__root_open(worker);
}

void stet__root_restart(struct stet__serve_worker *worker)
{
    stet__files_drop_all(worker->files);
    stet__watcher_start(worker->watcher, worker->root, worker->configuration->root);
}
