/* SPDX-License-Identifier: MIT */
/*
 * get_download: one URL of a run of `stet get`, from its line to what is told of it: the sink of a job
 * (get/get.h) that writes to a file.
 */
#ifndef STET_CLI_GET_DOWNLOAD_H
#define STET_CLI_GET_DOWNLOAD_H

#include "base/list.h"
#include "cli/cli.h"
#include "cli/get_claim.h"
#include "cli/get_file.h"
#include "cli/get_input.h"
#include "cli/get_progress.h"
#include "cli/get_request.h"

/* What all downloads of a run share. */
struct stet__get_run {
    const struct stet__get_options *options;
    struct stet__get_request request;
    struct stet__get_input input;
    struct stet__disk *disk; /* or NULL */
    struct stet__get_progress progress;
    struct stet__get_tally tally;
    struct stet__get_claims claims;
    bool many;           /* more than one URL, perhaps */
    bool terminal;       /* standard output is one */
    bool reader_is_gone; /* of standard output */
    volatile int stop;
    /* Of the exit code. */
    bool changed; /* some URL has */
    int worst;    /* of those that failed; 0: none */
    bool mixed;   /* they failed in different ways */
    size_t good;
    struct stet__list downloads;
};

struct stet__get_download {
    struct stet__list node;
    struct stet__get_run *run;
    struct stet__get_item item;
    struct stet__get_file file;
    struct stet__get_bar *bar; /* or NULL */
    int64_t started_us;
    uint64_t received; /* as the progress has it */
    uint64_t taken;    /* octets of the content, decoded */
    /* Of the answer. */
    char *uri, *redirect; /* owned */
    struct stet_field *fields;
    size_t field_count;
    char *octets; /* of the fields */
    unsigned code;
    int64_t last_modified;
    bool begun;
    bool refused;      /* -f: an error, whose content nobody wants */
    bool kept;         /* the file has it already */
    bool whole;        /* the file has the content and nothing else */
    const char *wrong; /* NULL, or why it could not be written */
};

/* The next job of a run: stet__get_supply; `owner` is the run. */
bool stet__get_download_next(void *owner, struct stet__get_job *job);

#endif
