/* SPDX-License-Identifier: MIT */
/*
 * disk_folder: folders and files of the store, their names, identity and digests.
 *
 * All that is below the folder is opened relative to it, and never through a symbolic link. CACHEDIR.TAG
 * tells backup programs that nothing here is worth a copy (the Cache Directory Tagging Specification).
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <unistd.h>

#include "store/disk_inside.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define READ_BYTES 131072

static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                          "# What stet get has stored. It can be fetched again: stet cache rm --all.\n";

/* The folder with all above it; those of the user's cache are his alone (XDG Base Directory). */
static bool make_folders(const char *folder)
{
    size_t len = strlen(folder);
    char *path = malloc(len + 1);
    if (!path)
        return false;
    memcpy(path, folder, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/')
            continue;
        path[i] = 0;
        (void)mkdir(path, 0700);
        path[i] = '/';
    }
    int made = mkdir(path, 0700);
    free(path);
    return made == 0 || errno == EEXIST;
}

static int open_below(int folder, const char *name)
{
    if (mkdirat(folder, name, 0700) != 0 && errno != EEXIST)
        return -1;
    return openat(folder, name, DIRECTORY | O_NOFOLLOW);
}

static void write_tag(int folder)
{
    int fd = openat(folder, "CACHEDIR.TAG", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    (void)stet__disk_write_all(fd, stet_span_of(tag, sizeof tag - 1), 0);
    close(fd);
}

int stet__disk_folder_open(struct stet__disk *disk, const char **cause)
{
    disk->folder = disk->bodies = disk->parts = -1;
    if (!make_folders(disk->settings.folder)) {
        *cause = "the folder of the cache cannot be made";
        return STET_E_STORE_FOLDER;
    }
    disk->folder = open(disk->settings.folder, DIRECTORY);
    if (disk->folder >= 0) {
        disk->bodies = open_below(disk->folder, "bodies");
        disk->parts = open_below(disk->folder, "parts");
    }
    if (disk->bodies < 0 || disk->parts < 0 || faccessat(disk->folder, ".", W_OK, 0) != 0) {
        *cause = "the folder of the cache cannot be written to";
        return STET_E_STORE_FOLDER;
    }
    write_tag(disk->folder);
    return STET_OK;
}

void stet__disk_folder_close(struct stet__disk *disk)
{
    const int all[] = {disk->folder, disk->bodies, disk->parts, disk->lock, disk->writer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i] >= 0)
            close(all[i]);
    }
}

uint64_t stet__disk_boot(void)
{
    char text[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        close(fd);
    return got > 0 ? XXH3_64bits(text, (size_t)got) : 0;
}

uint64_t stet__disk_random(void)
{
    uint64_t n = 0;
    while (n == 0) {
        if (getrandom(&n, sizeof n, 0) != (ssize_t)sizeof n)
            n = 0;
    }
    return n;
}

static void hex(const unsigned char *octets, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[octets[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[octets[i] & 15];
    }
    out[2 * n] = 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void stet__disk_digest_name(const unsigned char digest[STET__DISK_DIGEST_BYTES],
                            char out[STET__DISK_NAME_BYTES])
{
    hex(digest, STET__DISK_DIGEST_BYTES, out + 3);
    out[0] = out[3];
    out[1] = out[4];
    out[2] = '/';
}

bool stet__disk_digest_read(const char *text, unsigned char digest[STET__DISK_DIGEST_BYTES])
{
    if (strlen(text) != (size_t)2 * STET__DISK_DIGEST_BYTES)
        return false;
    for (size_t i = 0; i < STET__DISK_DIGEST_BYTES; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void stet__disk_part_name(uint64_t part, char out[STET__DISK_NAME_BYTES])
{
    unsigned char octets[8];
    stet__disk_big_endian(part, octets);
    hex(octets, sizeof octets, out);
}

static int64_t ns(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void stet__disk_identify(const struct stet__disk *disk, const struct stat *state,
                         struct stet__disk_identity *out)
{
    *out = (struct stet__disk_identity){
        .ino = state->st_ino,
        .mtime_ns = ns(state->st_mtim),
        .boot = disk->boot,
    };
}

uint64_t stet__disk_charge(const struct stat *state)
{
    uint64_t blocks = (uint64_t)state->st_blocks * 512, size = (uint64_t)state->st_size;
    /* What was just written may have no blocks yet (delayed allocation). */
    return blocks > size ? blocks : (size + 4095) & ~UINT64_C(4095);
}

bool stet__disk_file_hash(int fd, unsigned char digest[STET__DISK_DIGEST_BYTES])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    char *room = malloc(READ_BYTES);
    bool good = context && room && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    off_t at = 0;
    while (good) {
        ssize_t got = pread(fd, room, READ_BYTES, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            good = got == 0;
            break;
        }
        good = EVP_DigestUpdate(context, room, (size_t)got) == 1;
        at += got;
    }
    good = good && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    free(room);
    return good;
}

bool stet__disk_write_all(int fd, struct stet_span octets, uint64_t offset)
{
    while (octets.len > 0) {
        ssize_t written = pwrite(fd, octets.ptr, octets.len, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        octets = stet_span_skip(octets, (size_t)written);
        offset += (uint64_t)written;
    }
    return true;
}
