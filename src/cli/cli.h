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
    STET__EXIT_FAILURE = 1, /* at run time */
    STET__EXIT_USAGE = 2,   /* the command line is wrong */
    STET__EXIT_LISTEN = 3,  /* an address cannot be listened on */
    STET__EXIT_FOLDER = 4,  /* the folder to serve cannot be used */
};

/* One line to standard error, "stet: " before it. */
__attribute__((format(printf, 1, 2))) void stet__cli_complain(const char *format, ...);

/* After the last of standard output: an exit code. What cannot be written (a full disk, a closed pipe) was
 * not told. */
int stet__cli_told(void);

/* `argv` are the arguments after the command's name. */
int stet__cli_serve(int argc, char **argv);
void stet__cli_serve_help(FILE *out);
int stet__cli_proxy(int argc, char **argv);
void stet__cli_proxy_help(FILE *out);
int stet__cli_purge(int argc, char **argv);
void stet__cli_purge_help(FILE *out);

#endif
