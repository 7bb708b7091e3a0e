/* SPDX-License-Identifier: MIT */
/*
 * get_file: where the content of one URL goes. A file is written beside its place and put there when it is
 * complete, so what was there before is never harmed by what fails.
 *
 *   stet__get_place_find --> stet__get_file_open --> write ... --> [commit] --> drop
 *
 * A regular file is replaced by a rename in its folder. It keeps its mode and its owner, a symbolic link to
 * it stays one. Where the folder may not be written to, and where content waits to be shown in one go
 * (several URLs at once on standard output), it is gathered in a file without a name and copied at the end.
 * Devices, pipes and standard output get the octets as they come.
 */
#ifndef STET_CLI_GET_FILE_H
#define STET_CLI_GET_FILE_H

#include <stet/span.h>

#include <sys/stat.h>

enum stet__get_file_kind {
    STET__GET_FILE_NONE,    /* not open */
    STET__GET_FILE_REPLACE, /* a regular file, or nothing yet */
    STET__GET_FILE_DIRECT,  /* a device, a pipe, standard output */
    STET__GET_FILE_GATHER,  /* copied at the end */
};

struct stet__get_file {
    enum stet__get_file_kind kind;
    char *path;      /* absolute, without symbolic links; NULL for standard output */
    char *temporary; /* the name of what is being written, if it has one */
    int fd;          /* what is written to */
    int target_fd;   /* GATHER: what is copied to in the end; -1: `path` */
    mode_t mode;     /* of what is there, and whose it is */
    uid_t uid;
    gid_t gid;
    bool exists;
    uint64_t written; /* octets */
};

/* Where `path` leads; opens nothing. NULL, or what is wrong. With `folders` they are made. */
const char *stet__get_place_find(struct stet__get_file *file, const char *path, bool folders);

/* Opens what stet__get_place_find has found, or standard output if it was not called. `gather`: nothing is to
 * be seen before all of it is there. */
const char *stet__get_file_open(struct stet__get_file *file, bool gather);

bool stet__get_file_write(struct stet__get_file *file, struct stet_span octets); /* false: errno says why */

/* Complete: it is in its place now, `path` stays known. `last_modified` becomes its time, unless it is
 * STET_NO_DATE. NULL, or what is wrong; errno has the number. */
const char *stet__get_file_commit(struct stet__get_file *file, int64_t last_modified);

/* Releases all; what was not committed is gone. Harmless twice. */
void stet__get_file_drop(struct stet__get_file *file);

/* Sets the time of a file that has its content already; false if it had that time, too. */
bool stet__get_file_set_time(const struct stet__get_file *file, int64_t last_modified);

#endif
