/* SPDX-License-Identifier: MIT */
#include "serve/cache_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_ROOM 64
#define TEMPORARY_ROOM 32

int stet__cache_dir_open_folder(const char *path, unsigned user)
{
    struct stat stat;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &stat) == 0 && stat.st_uid == user && (stat.st_mode & 077) == 0)
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

static void name_of(const struct stet__octets_order *order, char name[NAME_ROOM])
{
    char tag[STET__DIGEST_TAG_LEN];
    struct stet_span coding = stet_coding_name(order->coding);
    stet__digest_tag(&order->base, tag);
    snprintf(name, NAME_ROOM, "%.*s-%.*s-%d", (int)sizeof tag, tag, (int)coding.len, coding.ptr,
             order->level);
}

int stet__cache_dir_open(int folder, const struct stet__octets_order *order)
{
    char name[NAME_ROOM];
    if (folder < 0)
        return -1;
    name_of(order, name);
    return openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static bool write_whole(int fd, const struct stet__whole *whole)
{
    uint64_t done = 0;
    off_t offset = 0;
    while (done < whole->length) {
        size_t left = (size_t)(whole->length - done);
        ssize_t n =
            whole->memory ? write(fd, whole->memory + done, left) : sendfile(fd, whole->fd, &offset, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (uint64_t)n;
    }
    return true;
}

void stet__cache_dir_put(int folder, const struct stet__octets_order *order, const struct stet__whole *whole)
{
    char name[NAME_ROOM], temporary[TEMPORARY_ROOM];
    uint64_t random;
    if (folder < 0 || getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return;
    snprintf(temporary, sizeof temporary, "new-%016llx", (unsigned long long)random);
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    name_of(order, name);
    bool good = write_whole(fd, whole);
    good = close(fd) == 0 && good;
    if (!good || renameat(folder, temporary, folder, name) != 0)
        unlinkat(folder, temporary, 0);
}
