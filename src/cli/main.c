/* SPDX-License-Identifier: MIT */
/*
 * main: the commands and what is told about them. A new command is a row here and a file of its own.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <stet/stet.h>

#include "cli/cli.h"
#include "cli/suggest.h"

static const struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
    void (*help)(FILE *out);
} commands[] = {
    {"serve", "serve the files of a folder over HTTP", stet__cli_serve, stet__cli_serve_help},
    {"proxy", "cache what a web server says, and answer for it", stet__cli_proxy, stet__cli_proxy_help},
    {"purge", "have a running proxy forget what it has stored", stet__cli_purge, stet__cli_purge_help},
    {"get", "fetch what is not known yet, with a cache of one's own", stet__cli_get, stet__cli_get_help},
    {"check", "find what is wrong with the 304s and the caching of a server", stet__cli_check,
     stet__cli_check_help},
    {"cache", "look after what get has stored", stet__cli_cache, stet__cli_cache_help},
    {"explain", "say why an answer is a 304 or not, stored or not, fresh or not", stet__cli_explain,
     stet__cli_explain_help},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

void stet__cli_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("stet: ", stderr);
    /* clang-tidy 14 does not see through va_start. */
    vfprintf(stderr, format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized) */
    fputc('\n', stderr);
    va_end(arguments);
}

static void print_help(FILE *out)
{
    fputs("stet: HTTP's 304 Not Modified, and everything that makes it correct\n\n", out);
    fputs("Usage: stet COMMAND [ARGUMENT]...\n\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  stet %-16s %s\n", commands[i].name, commands[i].summary);
    fputs("  stet help [COMMAND]   say how a command is used\n"
          "  stet --version        say which version this is\n\n"
          "stet serve . shows this folder at http://127.0.0.1:8304/.\n",
          out);
}

/* The row of a command, or NULL after a complaint. */
static const struct command *find(const char *name)
{
    struct stet__suggestion suggestion = {name, NULL, 0};
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
        stet__suggestion_offer(&suggestion, commands[i].name);
    }
    stet__suggestion_offer(&suggestion, "help");
    if (suggestion.best)
        stet__cli_complain("there is no command '%s'; did you mean '%s'?", name, suggestion.best);
    else
        stet__cli_complain("there is no command '%s'; stet --help names all", name);
    return NULL;
}

int stet__cli_told(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return STET__EXIT_OK;
    stet__cli_complain("standard output cannot be written");
    return STET__EXIT_FAILURE;
}

void stet__cli_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int help(const char *name)
{
    const struct command *command = name ? find(name) : NULL;
    if (name && !command)
        return STET__EXIT_USAGE;
    if (command)
        command->help(stdout);
    else
        print_help(stdout);
    return stet__cli_told();
}

/* What was closed when we began must not become a socket, which would then be printed to. It is opened the
 * wrong way round, so that its use fails as before. */
static void occupy_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    occupy_standard_descriptors();
    if (argc < 2) {
        print_help(stderr);
        return STET__EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(NULL);
    if (strcmp(argv[1], "help") == 0 && argc <= 3)
        return help(argv[2]);
    if (strcmp(argv[1], "--version") == 0) {
        printf("stet %s\n", stet_version());
        return stet__cli_told();
    }
    if (strcmp(argv[1], "help") == 0) {
        stet__cli_complain("help: one command at a time");
        return STET__EXIT_USAGE;
    }
    const struct command *command = find(argv[1]);
    return command ? command->run(argc - 2, argv + 2) : STET__EXIT_USAGE;
}
