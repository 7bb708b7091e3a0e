/* SPDX-License-Identifier: MIT */
#include "serve/cache_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_ROOM 64
#define TEMPORARY_ROOM 32
#define TEMPORARY "new-"
#define UNUSED_S (30 * 86400)
#define LEFT_BEHIND_S 3600 /* by a process that was killed while it wrote */

/* Whether `name` is one of ours, and has not been used for long. */
static bool is_old(int folder, const char *name, int64_t now)
{
    struct stat stat;
    bool temporary = strncmp(name, TEMPORARY, sizeof TEMPORARY - 1) == 0;
    bool copy = strlen(name) > STET__DIGEST_TAG_LEN && name[STET__DIGEST_TAG_LEN] == '-';
    if ((!temporary && !copy) || fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(stat.st_mode))
        return false;
    return stat.st_mtim.tv_sec < now - (temporary ? LEFT_BEHIND_S : UNUSED_S);
}

static void tidy(int folder)
{
    struct timespec now;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
    if (!names) {
        if (fd >= 0)
            close(fd);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    const struct dirent *name;
    while ((name = readdir(names)) != NULL)
        if (is_old(folder, name->d_name, now.tv_sec))
            unlinkat(folder, name->d_name, 0);
    closedir(names);
}

int stet__cache_dir_open_folder(const char *path, unsigned user)
{
    struct stat stat;
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    bool given = !made || user == geteuid() || fchown(fd, user, (gid_t)-1) == 0;
    if (given && fstat(fd, &stat) == 0 && stat.st_uid == user && (stat.st_mode & 077) == 0) {
        tidy(fd);
        return fd;
    }
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
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        (void)futimens(fd, NULL); /* it is used */
    return fd;
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
    snprintf(temporary, sizeof temporary, TEMPORARY "%016llx", (unsigned long long)random);
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    name_of(order, name);
    bool good = write_whole(fd, whole);
    good = close(fd) == 0 && good;
    if (!good || renameat(folder, temporary, folder, name) != 0)
        unlinkat(folder, temporary, 0);
}
