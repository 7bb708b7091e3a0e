/* SPDX-License-Identifier: MIT */
/*
 * serve: the origin role, a folder of files. serve.c reads top to bottom as the life of a request.
 *
 * A path names a file below the root (path.h says how it is decoded). A folder without its slash is
 * redirected to (301); with it, the first index file there is answers, else a listing if that is on, else
 * 403. What is hidden, neither file nor folder, outside of the root or not there is 404. GET and HEAD are
 * answered, OPTIONS tells so, known methods get 405, others 501.
 *
 * Every representation has the SHA-256 of its octets, cut to 128 bits, as its strong ETag, at once or, if
 * large, soon. Last-Modified is its mtime, unless that says nothing: up to 2 January 1980, or in the future.
 */
#ifndef STET_SERVE_SERVE_H
#define STET_SERVE_SERVE_H

#include "coding/settings.h"
#include "net/exchange.h"
#include "serve/rules.h"

struct stet__error_page {
    unsigned status;  /* 400 to 599 */
    const char *path; /* of a file below the root, "/404.html" */
};

/* What the command line says; outlives the server and is not changed while it runs. */
struct stet__serve_configuration {
    const char *root;
    const char *const *index_names; /* tried in order in a folder: "index.html" */
    size_t index_count;
    const char *spa; /* path below the root, sent with 200 where no file is; NULL: 404 */
    const struct stet__error_page *error_pages;
    size_t error_page_count;
    const struct stet__rule *rules; /* of --header and --cache, in the order given */
    size_t rule_count;
    const char *mime_types; /* NULL: /etc/mime.types and what stet itself knows */
    const char *charset;    /* added to text types: "utf-8"; "" adds none */
    bool listing;
    bool dotfiles;
    bool immutable;        /* files named by their content hash get Cache-Control: immutable and a year */
    unsigned open_files;   /* files kept open, for each worker */
    uint64_t memory_bytes; /* of file contents kept in memory, for each worker */
    struct stet__coding_settings coding; /* which files are sent in other codings; `made` 0: none */
    int cache_folder;                    /* of cache_dir.h; -1: none */
    uint64_t tag_at_once_bytes;          /* larger files are hashed in the background: 1 MiB, at most 16 */
};

void stet__serve_configuration_default(struct stet__serve_configuration *configuration);

/*
 * Checks what can be checked before a worker starts (the root is a folder that can be read, the pages exist)
 * and starts what the workers share: the memory of hashes and the thread that hashes large files. False with
 * one line in `error`.
 */
bool stet__serve_prepare(const struct stet__serve_configuration *configuration, char *error,
                         size_t error_len);

/* After the workers have ended. */
void stet__serve_finish(void);

extern const struct stet__role stet__serve_role;

#endif
