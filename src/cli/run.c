/* SPDX-License-Identifier: MIT */
#include "cli/run.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "net/confine.h"

enum { ERROR_ROOM = 512 };

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

bool stet__run_begin(struct stet__run *run)
{
    const char *user = run->settings->user;
    block_signals(&run->signals);
    stet__cli_raise_descriptors();
    /* Also has the C library load what it needs to look users up, while it still can. */
    if (!user || getpwnam(user))
        return true;
    stet__cli_complain("--user %s: there is no such user", user);
    return false;
}

static void tell_start(const struct stet__run *run, const struct stet__server *server,
                       const struct stet__server *second)
{
    bool log_there = run->settings->log && strcmp(run->settings->log, "-") == 0;
    FILE *out = log_there ? stderr : stdout;
    if (!run->settings->quiet)
        run->tell(run, server, second, out);
    fflush(out);
}

/* With TLS, its files are looked at each second. */
static void wait_for_end(const sigset_t *set, struct stet__access_log *log, struct stet__tls_config *tls)
{
    const struct timespec second = {.tv_sec = 1};
    for (;;) {
        int signal_number = tls ? sigtimedwait(set, NULL, &second) : sigwaitinfo(set, NULL);
        if (signal_number > 0 && signal_number != SIGHUP)
            break;
        if (signal_number == SIGHUP && log)
            stet__access_log_reopen(log);
        if (tls)
            stet__tls_config_look(tls, time(NULL), signal_number == SIGHUP);
    }
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

static struct stet__server *start(const struct stet__server_configuration *configuration)
{
    char error[ERROR_ROOM];
    struct stet__server *server = stet__server_start(configuration, error, sizeof error);
    if (!server)
        stet__cli_complain("%s", error);
    return server;
}

/* With everything prepared: listens, serves, waits. */
static int run_servers(struct stet__run *run)
{
    struct stet__server *second = NULL, *server = start(&run->settings->server);
    int code = STET__EXIT_LISTEN;
    if (server && run->second)
        second = start(run->second);
    if (server && (second || !run->second)) {
        code = STET__EXIT_FAILURE;
        if (become_user(run->settings->user) == 0) {
            tell_start(run, server, second);
            wait_for_end(&run->signals, run->settings->server.log, run->settings->server.tls);
            code = STET__EXIT_OK;
        }
    }
    if (server)
        stet__server_stop(server);
    if (second)
        stet__server_stop(second);
    return code;
}

const char *stet__run_scheme(const struct stet__run *run, size_t i, const char *address)
{
    bool secure = run->settings->server.secure[i], local = strncmp(address, "unix:", strlen("unix:")) == 0;
    if (local)
        return secure ? "https:" : "";
    return secure ? "https://" : "http://";
}

static bool begin_tls(struct stet__server_settings *settings)
{
    char error[ERROR_ROOM];
    bool any = false;
    for (size_t i = 0; i < settings->secure.count; i++)
        any |= settings->server.secure[i];
    if (!any)
        return true;
    settings->server.tls = stet__tls_config_new(&settings->tls, time(NULL), error, sizeof error);
    if (!settings->server.tls)
        stet__cli_complain("%s", error);
    return settings->server.tls != NULL;
}

/* --redirect-https */
static void go_before_role(struct stet__server_settings *settings)
{
    struct stet__server_configuration *server = &settings->server;
    stet__redirect_init(&settings->redirect, server->role, server->role_configuration,
                        settings->redirect_port);
    server->role = &settings->redirect.role;
    server->role_configuration = &settings->redirect;
}

int stet__run(struct stet__run *run)
{
    struct stet__server_settings *settings = run->settings;
    if (!begin_tls(settings))
        return STET__EXIT_FAILURE;
    if (settings->redirect_port > 0)
        go_before_role(settings);
    if (settings->log)
        settings->server.log =
            stet__access_log_open(settings->log, settings->log_format, settings->server.workers);
    if (settings->log && !settings->server.log) {
        stet__cli_complain("cannot write the log %s: %s", settings->log, strerrordesc_np(errno));
        stet__tls_config_free(settings->server.tls);
        return STET__EXIT_FAILURE;
    }
    int code = run_servers(run);
    if (settings->server.log)
        stet__access_log_close(settings->server.log);
    stet__tls_config_free(settings->server.tls);
    return code;
}
