/* SPDX-License-Identifier: MIT */
/*
 * get_options: what the command line of `stet get` says. Letters and names are curl's where curl has the
 * option; what curl has and stet has not is told with what to do instead.
 */
#ifndef STET_CLI_GET_OPTIONS_H
#define STET_CLI_GET_OPTIONS_H

#include "base/buffer.h"
#include "cli/server_options.h"
#include "get/get.h"

/* One -o or -O. The n-th is of the n-th URL, as curl has it. */
struct stet__get_place {
    const char *path; /* NULL: -O, the name that the URL ends in */
};

/* Texts borrow from argv, but for what a buffer holds. */
struct stet__get_options {
    struct stet__cli_list places; /* struct stet__get_place */
    bool all_remote_names;        /* -O for each URL that has no name of its own */
    const char *folder;           /* --output-dir */
    bool create_folders, remote_time;
    bool include, head_only;
    bool json;
    const char *write_out;
    struct stet__buffer write_out_file; /* -w @FILE */

    const char *input; /* --input */
    const char *method, *user_agent, *referer;
    struct stet__cli_list headers; /* const char *: lines of -H, well-formed */
    struct stet__cli_list texts;   /* char *, owned: the files that lines of -H stand in */
    struct stet__buffer content;   /* of all -d */
    uint64_t content_max;
    bool has_content, content_as_query;

    bool follow, fail, silent, show_error, progress, no_progress;
    bool changed;
    bool parallel, no_compressed, compressed, no_dictionary;
    unsigned parallel_max, redirects_max, retries;

    enum stet__get_mode mode;
    const char *mode_option; /* that chose it, NULL: none */
    int64_t max_stale_s;
    bool no_store;
    const char *cache_folder; /* NULL: the default one */
    uint64_t cache_octets_max, object_octets_max;
    uint64_t file_octets_max; /* 0: as large as it is */

    struct stet__transfer_settings transfer;
    struct stet__cli_list resolve; /* const char * */
    bool help;
};

void stet__get_options_init(struct stet__get_options *options);
void stet__get_options_release(struct stet__get_options *options);

/* False after a complaint. URLs are moved to the front of `argv`. */
bool stet__get_options_parse(struct stet__get_options *options, int argc, char **argv, int *urls);

/* The options of the help, with the defaults of `options`. */
void stet__get_options_print(const struct stet__get_options *options, FILE *out);

#endif
