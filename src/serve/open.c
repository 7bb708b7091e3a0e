/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "serve/open.h"

/* O_NONBLOCK: a FIFO or device below the root does not stop the worker. O_NOCTTY: a terminal does not become
 * its. */
#define FILE_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* The kernel gives EAGAIN when a rename elsewhere races with the look-up of a beneath-only name. */
#define ATTEMPTS 16

static int64_t nanoseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void stet__identity_of(const struct stat *stat, struct stet__identity *out)
{
    *out = (struct stet__identity){.device = stat->st_dev,
                                   .inode = stat->st_ino,
                                   .size = (uint64_t)stat->st_size,
                                   .mtime_ns = nanoseconds(stat->st_mtim),
                                   .ctime_ns = nanoseconds(stat->st_ctim)};
}

bool stet__identity_equal(const struct stet__identity *a, const struct stet__identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static int open_resolved(int root, const char *name, uint64_t resolve)
{
    struct open_how how = {.flags = FILE_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve};
    for (int i = 0; i < ATTEMPTS; i++) {
        long fd = syscall(SYS_openat2, root, name, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

int stet__open_walk(int root, const char *name)
{
    int at = root;
    for (;;) {
        const char *end = strchrnul(name, '/');
        char segment[256];
        size_t len = (size_t)(end - name);
        int fd = -ENAMETOOLONG;
        if (len < sizeof(segment)) {
            memcpy(segment, name, len);
            segment[len] = '\0';
            int flags = *end ? O_PATH | O_DIRECTORY | O_CLOEXEC : FILE_FLAGS;
            fd = strcmp(segment, "..") == 0 ? -EXDEV : openat(at, segment, flags | O_NOFOLLOW);
            if (fd == -1)
                fd = -errno;
        }
        if (at != root)
            close(at);
        if (fd < 0 || !*end)
            return fd;
        at = fd;
        name = end + 1;
    }
}

static int open_any(int root, const char *name, bool *via_symlink)
{
    *via_symlink = false;
    int fd = open_resolved(root, name, RESOLVE_NO_SYMLINKS);
    if (fd == -ELOOP) {
        *via_symlink = true;
        return open_resolved(root, name, 0);
    }
    /* EPERM: what older container run-times answer for a system call that they do not know. */
    return fd == -ENOSYS || fd == -EPERM ? stet__open_walk(root, name) : fd;
}

int stet__open_beneath(int root, const char *name, struct stet__opened *out)
{
    struct stet__opened opened;
    opened.fd = open_any(root, name, &opened.via_symlink);
    if (opened.fd < 0)
        return opened.fd;
    int status = fstat(opened.fd, &opened.stat) == 0 ? 0 : -errno;
    if (status == 0 && !S_ISREG(opened.stat.st_mode) && !S_ISDIR(opened.stat.st_mode))
        status = -ENXIO;
    if (status < 0) {
        close(opened.fd);
        return status;
    }
    *out = opened;
    return 0;
}
