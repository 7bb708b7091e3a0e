/* SPDX-License-Identifier: MIT */
/*
 * serve: the command `stet serve`, from the command line to the last signal.
 *
 * The order matters. Signals are blocked and the process is confined before the first thread exists, because
 * threads inherit both. The user is changed after listening, because ports below 1024 are root's.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/serve_options.h"
#include "net/confine.h"

enum { ERROR_ROOM = 512 };

void stet__cli_serve_help(FILE *out)
{
    struct stet__serve_settings settings;
    stet__serve_settings_init(&settings);
    fputs("Usage: stet serve [OPTION]... [DIR]\n\n"
          "Serves the files below DIR (the current folder) over HTTP/1.1, with entity tags made from\n"
          "their content, and answers 304 to clients that have them already. Defaults are in brackets.\n",
          out);
    stet__options_print(&stet__serve_options, &settings, out);
    fputs("\nSIGTERM and SIGINT: finish what is in flight, then end; a second one ends at once. SIGHUP:\n"
          "open the log file again. Exit codes: 0 stopped by a signal, 1 failure, 2 wrong command line,\n"
          "3 cannot listen, 4 no such folder. More: man stet-serve\n",
          out);
    stet__serve_settings_release(&settings);
}

/* Those that `wait_for_end` takes: blocked here, so in every thread that is started later. */
static void block_signals(sigset_t *set)
{
    struct sigaction interrupt;
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    /* A shell that starts us in the background has SIGINT ignored, and that is meant so. */
    if (sigaction(SIGINT, NULL, &interrupt) == 0 && interrupt.sa_handler != SIG_IGN)
        sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* One descriptor per connection and per open file: take what the system grants. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool folder_is_there(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        stet__cli_complain("cannot serve %s: %s", path, strerrordesc_np(errno));
        return false;
    }
    close(fd);
    return true;
}

/* Also has the C library load what it needs to look users up, while it still can. */
static bool user_is_there(const char *name)
{
    if (!name || getpwnam(name))
        return true;
    stet__cli_complain("serve: --user %s: there is no such user", name);
    return false;
}

static void print_start(const struct stet__serve_settings *settings, const struct stet__server *server)
{
    bool log_there = settings->log && strcmp(settings->log, "-") == 0;
    FILE *out = log_there ? stderr : stdout;
    for (size_t i = 0; i < settings->server.address_count && !settings->quiet; i++) {
        const char *address = stet__server_address(server, i);
        bool local = strncmp(address, "unix:", 5) == 0;
        fprintf(out, "stet: serving %s at %s%s%s\n", settings->serve.root, local ? "" : "http://", address,
                local ? "" : "/");
    }
    fflush(out);
}

static void wait_for_end(const sigset_t *set, struct stet__access_log *log)
{
    int signal_number;
    while (sigwait(set, &signal_number) != 0 || signal_number == SIGHUP)
        if (log)
            stet__access_log_reopen(log);
    /* From now on the signals do what they do by default: the second one ends the process. */
    pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

static int become_user(const char *name)
{
    int status = name ? stet__become_user(name) : 0;
    if (status != 0)
        stet__cli_complain("cannot become user %s: %s", name, strerrordesc_np(-status));
    return status;
}

/* With everything prepared: listens, serves, waits. */
static int run_server(struct stet__serve_settings *settings, const sigset_t *signals)
{
    char error[ERROR_ROOM];
    struct stet__server *server = stet__server_start(&settings->server, error, sizeof error);
    if (!server) {
        stet__cli_complain("%s", error);
        return STET__EXIT_LISTEN;
    }
    int code = STET__EXIT_FAILURE;
    if (become_user(settings->user) == 0) {
        print_start(settings, server);
        wait_for_end(signals, settings->server.log);
        code = STET__EXIT_OK;
    }
    stet__server_stop(server);
    return code;
}

static int run(struct stet__serve_settings *settings)
{
    sigset_t signals;
    char error[ERROR_ROOM];
    block_signals(&signals);
    raise_descriptor_limit();
    if (!folder_is_there(settings->serve.root))
        return STET__EXIT_FOLDER;
    if (!user_is_there(settings->user))
        return STET__EXIT_USAGE;
    if (!settings->no_confine)
        stet__cli_confine(settings);
    if (!stet__serve_prepare(&settings->serve, error, sizeof error)) {
        stet__cli_complain("%s", error);
        return STET__EXIT_FAILURE;
    }
    int code = STET__EXIT_FAILURE;
    if (settings->log)
        settings->server.log =
            stet__access_log_open(settings->log, settings->log_format, settings->server.workers);
    if (settings->log && !settings->server.log)
        stet__cli_complain("cannot write the log %s: %s", settings->log, strerrordesc_np(errno));
    else
        code = run_server(settings, &signals);
    if (settings->server.log)
        stet__access_log_close(settings->server.log);
    stet__serve_finish();
    return code;
}

int stet__cli_serve(int argc, char **argv)
{
    struct stet__serve_settings settings;
    stet__serve_settings_init(&settings);
    int code = STET__EXIT_USAGE;
    if (stet__serve_settings_parse(&settings, argc, argv)) {
        if (settings.help) {
            stet__cli_serve_help(stdout);
            code = stet__cli_told();
        } else {
            code = run(&settings);
        }
    }
    stet__serve_settings_release(&settings);
    return code;
}
