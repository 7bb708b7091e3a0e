/* SPDX-License-Identifier: MIT */
/*
 * cli: what the commands share. Each command is a function of its arguments that returns the exit code;
 * main.c has the table of them.
 */
#ifndef STET_CLI_CLI_H
#define STET_CLI_CLI_H

#include <stddef.h>
#include <stdio.h>

/* Exit codes, told in docs/man/stet.1.md. Never renumber. */
enum stet__exit {
    STET__EXIT_OK = 0,
    STET__EXIT_FAILURE = 1,       /* at run time */
    STET__EXIT_USAGE = 2,         /* the command line is wrong */
    STET__EXIT_LISTEN = 3,        /* an address cannot be listened on */
    STET__EXIT_FOLDER = 4,        /* the folder to serve cannot be used */
    STET__EXIT_NETWORK = 5,       /* get, check: no answer from the server, or not all of it */
    STET__EXIT_MIXED = 6,         /* get: of several URLs some failed, or all in different ways */
    STET__EXIT_NOT_STORED = 7,    /* get --offline: the cache has nothing that may be used */
    STET__EXIT_UNCHANGED = 10,    /* get --changed: the content is that of last time */
    STET__EXIT_HTTP = 22,         /* get -f: a status code of 400 or above; as curl */
    STET__EXIT_INTERRUPTED = 130, /* by SIGINT; as a shell tells it */
};

/* One line to standard error, "stet: " before it. */
__attribute__((format(printf, 1, 2))) void stet__cli_complain(const char *format, ...);

/* After the last of standard output: an exit code. What cannot be written (a full disk, a closed pipe) was
 * not told. */
int stet__cli_told(void);

/* One descriptor per connection, open file, large stored body: takes what the system grants. */
void stet__cli_raise_descriptors(void);

/* `argv` are the arguments after the command's name. */
int stet__cli_serve(int argc, char **argv);
void stet__cli_serve_help(FILE *out);
int stet__cli_proxy(int argc, char **argv);
void stet__cli_proxy_help(FILE *out);
int stet__cli_purge(int argc, char **argv);
void stet__cli_purge_help(FILE *out);
int stet__cli_get(int argc, char **argv);
void stet__cli_get_help(FILE *out);
int stet__cli_cache(int argc, char **argv);
void stet__cli_cache_help(FILE *out);
int stet__cli_check(int argc, char **argv);
void stet__cli_check_help(FILE *out);
int stet__cli_explain(int argc, char **argv);
void stet__cli_explain_help(FILE *out);

#endif
