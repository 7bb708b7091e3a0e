/* SPDX-License-Identifier: MIT */
/*
 * run: a role that listens, from the first signal mask to the last signal.
 *
 * The order matters. Signals are blocked and the process is confined before the first thread exists, because
 * threads inherit both. The user is changed after listening, because ports below 1024 are root's.
 *
 *   stet__run_begin --> (the role prepares, confines) --> stet__run
 */
#ifndef STET_CLI_RUN_H
#define STET_CLI_RUN_H

#include <signal.h>

#include "cli/server_options.h"

struct stet__run {
    struct stet__server_settings *settings;
    const struct stet__server_configuration *second; /* another server of the process: the admin's; or NULL */
    /* The start lines: what is at the addresses of the servers (`second` NULL if there is none). */
    void (*tell)(const struct stet__run *run, const struct stet__server *server,
                 const struct stet__server *second, FILE *out);
    sigset_t signals;
};

/* Blocks signals, raises the limit of descriptors, looks the user up. False after a complaint:
 * STET__EXIT_USAGE. */
bool stet__run_begin(struct stet__run *run);

/* What stands before address `i` for a user: "http://", or "" for a Unix socket ("https:" with TLS). */
const char *stet__run_scheme(const struct stet__run *run, size_t i, const char *address);

/* Opens the log, listens, becomes the user, tells, waits for the end. An exit code. */
int stet__run(struct stet__run *run);

#endif
