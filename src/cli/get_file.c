/* SPDX-License-Identifier: MIT */
/*
 * get_file: see get_file.h. Nothing is flushed to the disk by force: after a loss of power a file may be an
 * old one, as with any program that downloads; after a crash of this one it is the old one or the new one.
 */
#include "cli/get_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <stet/date.h>

#include "cli/get_name.h"

enum { COPY_OCTETS = 1 << 16, TRIES = 100 };

/* The folder of `path` that ends where its name begins. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static const char *make_folders(const char *path)
{
    char folder[PATH_MAX];
    size_t len = folder_len(path);
    if (len >= sizeof folder)
        return strerrordesc_np(ENAMETOOLONG);
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/')
            continue;
        memcpy(folder, path, i);
        folder[i] = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST)
            return strerrordesc_np(errno);
    }
    return NULL;
}

/* `path` with its folder made absolute; the last part need not be there. */
static char *absolute(const char *path)
{
    char folder[PATH_MAX], real[PATH_MAX];
    size_t len = folder_len(path);
    if (len >= sizeof folder) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    if (!realpath(len > 0 ? folder : ".", real))
        return NULL;
    return stet__get_path(strcmp(real, "/") == 0 ? "" : real, stet_span_of(path + len, strlen(path + len)));
}

const char *stet__get_place_find(struct stet__get_file *file, const char *path, bool folders)
{
    struct stat seen;
    *file = (struct stet__get_file){.fd = -1, .target_fd = -1, .kind = STET__GET_FILE_NONE};
    const char *wrong = folders ? make_folders(path) : NULL;
    if (wrong)
        return wrong;
    if (!path[folder_len(path)])
        return strerrordesc_np(EISDIR);
    file->path = absolute(path);
    if (!file->path)
        return strerrordesc_np(errno);
    file->kind = STET__GET_FILE_REPLACE;
    if (lstat(file->path, &seen) != 0)
        return errno == ENOENT ? NULL : strerrordesc_np(errno);
    if (S_ISLNK(seen.st_mode)) {
        /* stat fails where the kernel does not want us to follow (a link that somebody else put into /tmp).
         */
        char *real = stat(file->path, &seen) == 0 ? realpath(file->path, NULL) : NULL;
        if (!real)
            return strerrordesc_np(errno);
        free(file->path);
        file->path = real;
    }
    file->exists = true;
    file->mode = seen.st_mode & 07777;
    file->uid = seen.st_uid;
    file->gid = seen.st_gid;
    if (S_ISDIR(seen.st_mode))
        return strerrordesc_np(EISDIR);
    if (!S_ISREG(seen.st_mode))
        file->kind = STET__GET_FILE_DIRECT;
    else if (access(file->path, W_OK) != 0)
        return strerrordesc_np(errno);
    return NULL;
}

/* A file without a name in the folder of `path`; -1 if its file system has no such thing, for lack of rights,
 * or if there is no /proc by which it could get a name. */
static int open_nameless(const char *path)
{
    char folder[PATH_MAX];
    size_t len = folder_len(path);
    if (len == 0 || len >= sizeof folder || access("/proc/self/fd", F_OK) != 0)
        return -1;
    memcpy(folder, path, len);
    folder[len] = '\0';
    return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
}

/* A name beside `path` that nobody has; on the heap. */
static char *name_beside(const char *path, unsigned try)
{
    size_t len = folder_len(path), room = strlen(path) + 48;
    char *out = malloc(room);
    if (out)
        snprintf(out, room, "%.*s.%.200s.stet-%ld-%u", (int)len, path, path + len, (long)getpid(), try);
    return out;
}

static int open_named(struct stet__get_file *file)
{
    for (unsigned try = 0; try < TRIES; try++) {
        free(file->temporary);
        file->temporary = name_beside(file->path, try);
        int fd = file->temporary ? open(file->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
        if (fd >= 0)
            return fd;
        if (!file->temporary || errno != EEXIST)
            break;
    }
    int cause = errno;
    free(file->temporary);
    file->temporary = NULL;
    errno = cause;
    return -1;
}

static int open_gathered(void)
{
    char name[PATH_MAX];
    const char *folder = getenv("TMPDIR");
    folder = folder && *folder ? folder : "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || snprintf(name, sizeof name, "%s/stet-XXXXXX", folder) >= (int)sizeof name)
        return fd;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* Gives what is to replace the file its owner and mode. The owner first: to change it takes setuid off. */
static bool resemble(const struct stet__get_file *file)
{
    struct stat made;
    if (fstat(file->fd, &made) != 0)
        return false;
    bool others = made.st_uid != file->uid || made.st_gid != file->gid;
    return (!others || fchown(file->fd, file->uid, file->gid) == 0) && fchmod(file->fd, file->mode) == 0;
}

/* What has no name yet, or one beside the file, goes. */
static void discard(struct stet__get_file *file)
{
    if (file->temporary)
        unlink(file->temporary);
    free(file->temporary);
    file->temporary = NULL;
    close(file->fd);
    file->fd = -1;
}

static const char *open_replacement(struct stet__get_file *file)
{
    file->fd = open_nameless(file->path);
    if (file->fd < 0)
        file->fd = open_named(file);
    if (file->fd >= 0 && file->exists && !resemble(file))
        discard(file);
    if (file->fd < 0 && file->exists) {
        /* The file may be written to, but its folder not, or it is somebody else's and has to stay that. */
        file->kind = STET__GET_FILE_GATHER;
        file->target_fd = open(file->path, O_WRONLY | O_CLOEXEC);
        if (file->target_fd >= 0)
            file->fd = open_gathered();
    }
    return file->fd < 0 ? strerrordesc_np(errno) : NULL;
}

const char *stet__get_file_open(struct stet__get_file *file, bool gather)
{
    file->written = 0;
    if (file->path && file->kind == STET__GET_FILE_REPLACE)
        return open_replacement(file);
    if (file->path) {
        file->fd = open(file->path, O_WRONLY | O_CLOEXEC);
        return file->fd < 0 ? strerrordesc_np(errno) : NULL;
    }
    *file = (struct stet__get_file){.kind = gather ? STET__GET_FILE_GATHER : STET__GET_FILE_DIRECT,
                                    .fd = gather ? open_gathered() : STDOUT_FILENO,
                                    .target_fd = STDOUT_FILENO};
    return file->fd < 0 ? strerrordesc_np(errno) : NULL;
}

static bool write_all(int fd, struct stet_span octets)
{
    while (octets.len > 0) {
        ssize_t wrote = write(fd, octets.ptr, octets.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        octets = stet_span_skip(octets, (size_t)wrote);
    }
    return true;
}

bool stet__get_file_write(struct stet__get_file *file, struct stet_span octets)
{
    file->written += octets.len;
    return write_all(file->fd, octets);
}

static bool copy(int from, int to)
{
    char room[COPY_OCTETS];
    ssize_t got;
    if (lseek(from, 0, SEEK_SET) != 0)
        return false;
    while ((got = read(from, room, sizeof room)) > 0)
        if (!write_all(to, stet_span_of(room, (size_t)got)))
            return false;
    return got == 0;
}

static bool set_time(int fd, int64_t last_modified)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = last_modified}};
    return last_modified == STET_NO_DATE || futimens(fd, times) == 0;
}

/* Gives the file without a name one: its own, or if that is taken one beside it, to be renamed. */
static bool link_nameless(struct stet__get_file *file, bool *placed)
{
    char here[64];
    snprintf(here, sizeof here, "/proc/self/fd/%d", file->fd);
    if (!file->exists && linkat(AT_FDCWD, here, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) == 0) {
        *placed = true;
        return true;
    }
    for (unsigned try = 0; try < TRIES; try++) {
        file->temporary = name_beside(file->path, try);
        if (!file->temporary)
            return false;
        if (linkat(AT_FDCWD, here, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) == 0)
            return true;
        free(file->temporary);
        file->temporary = NULL;
        if (errno != EEXIST)
            break;
    }
    return false;
}

static bool replace(struct stet__get_file *file)
{
    bool placed = false;
    if (file->temporary) {
        /* Some file systems tell only now that there is no room (NFS). */
        int fd = file->fd;
        file->fd = -1;
        if (close(fd) != 0)
            return false;
    }
    if (!file->temporary && !link_nameless(file, &placed))
        return false;
    if (!placed && rename(file->temporary, file->path) != 0)
        return false;
    free(file->temporary);
    file->temporary = NULL;
    return true;
}

const char *stet__get_file_commit(struct stet__get_file *file, int64_t last_modified)
{
    bool done = true;
    if (file->kind == STET__GET_FILE_REPLACE)
        done = set_time(file->fd, last_modified) && replace(file);
    if (file->kind == STET__GET_FILE_GATHER)
        done = (file->target_fd == STDOUT_FILENO || ftruncate(file->target_fd, 0) == 0) &&
               copy(file->fd, file->target_fd) &&
               (file->target_fd == STDOUT_FILENO || set_time(file->target_fd, last_modified));
    file->kind = STET__GET_FILE_NONE;
    return done ? NULL : strerrordesc_np(errno);
}

void stet__get_file_drop(struct stet__get_file *file)
{
    if (file->temporary)
        unlink(file->temporary);
    if (file->fd >= 0 && file->fd != STDOUT_FILENO)
        close(file->fd);
    if (file->target_fd >= 0 && file->target_fd != STDOUT_FILENO)
        close(file->target_fd);
    free(file->temporary);
    free(file->path);
    *file = (struct stet__get_file){.fd = -1, .target_fd = -1};
}

bool stet__get_file_set_time(const struct stet__get_file *file, int64_t last_modified)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = last_modified}};
    struct stat seen;
    if (last_modified == STET_NO_DATE || stat(file->path, &seen) != 0 || seen.st_mtim.tv_sec == last_modified)
        return false;
    return utimensat(AT_FDCWD, file->path, times, 0) == 0;
}
