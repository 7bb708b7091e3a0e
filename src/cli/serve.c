/* SPDX-License-Identifier: MIT */
/*
 * serve: the command `stet serve`, from the command line to the last signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/run.h"
#include "cli/serve_options.h"
#include "serve/cache_dir.h"

enum { ERROR_ROOM = 512 };

void stet__cli_serve_help(FILE *out)
{
    struct stet__serve_settings settings;
    stet__serve_settings_init(&settings);
    fputs("Usage: stet serve [OPTION]... [DIR]\n\n"
          "Serves the files below DIR (the current folder) over HTTP/1.1 and HTTP/2, with entity tags\n"
          "made from their content, and answers 304 to clients that have them already. Defaults are\n"
          "in brackets.\n",
          out);
    stet__options_print(&stet__serve_options, &settings, out);
    fputs("\nSIGTERM and SIGINT: finish what is in flight, then end; a second one ends at once. SIGHUP:\n"
          "open the log file again, load changed certificates. Exit codes: 0 stopped by a signal,\n"
          "1 failure, 2 wrong command line, 3 cannot listen, 4 no such folder. More: man stet-serve\n",
          out);
    stet__serve_settings_release(&settings);
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

static void tell(const struct stet__run *run, const struct stet__server *server,
                 const struct stet__server *second, FILE *out)
{
    const struct stet__serve_settings *settings = (const void *)run->settings;
    for (size_t i = 0; i < run->settings->server.address_count; i++) {
        const char *address = stet__server_address(server, i);
        fprintf(out, "stet: serving %s at %s%s%s\n", settings->serve.root, stet__run_scheme(run, i, address),
                address, strncmp(address, "unix:", 5) == 0 ? "" : "/");
    }
}

/* Before the process is confined: the folder may have to be made. */
static bool open_cache(struct stet__serve_settings *settings)
{
    const struct passwd *user = settings->common.user ? getpwnam(settings->common.user) : NULL;
    if (!settings->cache_dir || settings->serve.coding.made == 0)
        return true;
    settings->serve.cache_folder =
        stet__cache_dir_open_folder(settings->cache_dir, user ? user->pw_uid : geteuid());
    if (settings->serve.cache_folder >= 0)
        return true;
    if (errno == EPERM)
        stet__cli_complain("--cache-dir %s: others can get at it; it has to be the user's own, with mode 700",
                           settings->cache_dir);
    else
        stet__cli_complain("--cache-dir %s: %s", settings->cache_dir, strerrordesc_np(errno));
    return false;
}

static int run(struct stet__serve_settings *settings)
{
    struct stet__run run = {.settings = &settings->common, .tell = tell};
    char error[ERROR_ROOM];
    if (!folder_is_there(settings->serve.root))
        return STET__EXIT_FOLDER;
    if (!stet__run_begin(&run))
        return STET__EXIT_USAGE;
    if (!open_cache(settings))
        return STET__EXIT_FAILURE;
    if (!settings->common.no_confine)
        stet__confine_serve(settings);
    if (!stet__serve_prepare(&settings->serve, error, sizeof error)) {
        stet__cli_complain("%s", error);
        return STET__EXIT_FAILURE;
    }
    int code = stet__run(&run);
    stet__serve_finish();
    return code;
}

int stet__cli_serve(int argc, char **argv)
{
    struct stet__serve_settings settings;
    stet__serve_settings_init(&settings);
    int code = STET__EXIT_USAGE;
    if (stet__serve_settings_parse(&settings, argc, argv)) {
        if (settings.common.help) {
            stet__cli_serve_help(stdout);
            code = stet__cli_told();
        } else {
            code = run(&settings);
        }
    }
    stet__serve_settings_release(&settings);
    return code;
}
