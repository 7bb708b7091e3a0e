/* SPDX-License-Identifier: MIT */
/*
 * proxy: the command `stet proxy`: the proxy itself, and beside it the admin's listener if there is one
 * (run.h).
 */
#include <netdb.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/proxy_options.h"
#include "cli/run.h"

void stet__cli_proxy_help(FILE *out)
{
    struct stet__proxy_settings settings;
    stet__proxy_settings_init(&settings);
    fputs("Usage: stet proxy [OPTION]... ORIGIN...\n\n"
          "Caches the answers of ORIGIN (http://HOST[:PORT], https://HOST[:PORT] or unix:PATH) in memory,\n"
          "as a shared cache by RFC 9111, and says in Cache-Status what it did and why. Defaults are in\n"
          "brackets.\n",
          out);
    stet__options_print(&stet__proxy_options, &settings, out);
    fputs("\nSIGTERM and SIGINT: finish what is in flight, then end; a second one ends at once. SIGHUP:\n"
          "open the log file again, load changed certificates. Exit codes: 0 stopped by a signal,\n"
          "1 failure, 2 wrong command line, 3 cannot listen. More: man stet-proxy\n",
          out);
    stet__proxy_settings_release(&settings);
}

static bool is_local(const char *address)
{
    return strncmp(address, "unix:", strlen("unix:")) == 0;
}

/* One line that shows a hit: asked twice, the second answer says so. */
static void tell_try(FILE *out, const struct stet__run *run, const char *address)
{
    bool secure = run->settings->server.secure[0];
    const char *curl = secure ? "curl -skI" : "curl -sI", *scheme = secure ? "https" : "http";
    if (is_local(address))
        fprintf(out, "stet: try twice: %s --unix-socket %s %s://localhost/ | grep -i cache-status\n", curl,
                address + strlen("unix:"), scheme);
    else /* ":8304" is every address of the machine */
        fprintf(out, "stet: try twice: %s %s://%s%s/ | grep -i cache-status\n", curl, scheme,
                address[0] == ':' ? "127.0.0.1" : "", address);
}

static void tell_origins(FILE *out, const struct stet__proxy_configuration *proxy)
{
    for (size_t i = 0; i < proxy->origin_count; i++) {
        struct stet_span text = proxy->origins[i].text;
        fprintf(out, "%s%.*s", i > 0 ? ", " : "", (int)text.len, text.ptr);
    }
    if (proxy->origin_count == 0)
        fputs("whatever is asked for", out);
}

static void tell(const struct stet__run *run, const struct stet__server *server,
                 const struct stet__server *second, FILE *out)
{
    const struct stet__proxy_settings *settings = (const void *)run->settings;
    for (size_t i = 0; i < run->settings->server.address_count; i++) {
        const char *address = stet__server_address(server, i);
        fputs("stet: caching ", out);
        tell_origins(out, &settings->proxy);
        fprintf(out, " at %s%s%s\n", stet__run_scheme(run, i, address), address,
                is_local(address) ? "" : "/");
    }
    if (second)
        fprintf(out, "stet: admin at %s%s\n", is_local(stet__server_address(second, 0)) ? "" : "http://",
                stet__server_address(second, 0));
    if (settings->proxy.origin_count > 0)
        tell_try(out, run, stet__server_address(server, 0));
}

/* Has the C library load what it resolves names with, while it still can. */
static void load_resolver(void)
{
    struct addrinfo *list = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
        freeaddrinfo(list);
}

static int run(struct stet__proxy_settings *settings)
{
    struct stet__run run = {.settings = &settings->common, .tell = tell};
    struct stet__server_configuration admin = {.workers = 1, .role = &stet__admin_role};
    const char *error;
    if (!stet__run_begin(&run))
        return STET__EXIT_USAGE;
    if (!stet__origin_tls_begin(settings))
        return STET__EXIT_FAILURE;
    load_resolver();
    if (!settings->common.no_confine)
        stet__confine_proxy(settings);
    struct stet__proxy *proxy = stet__proxy_new(&settings->proxy, &error);
    if (!proxy) {
        stet__cli_complain("%s", error);
        return STET__EXIT_FAILURE;
    }
    settings->common.server.role_configuration = proxy;
    if (settings->admin.count > 0) {
        stet__limits_default(&admin.limits);
        admin.limits.connections = 64;
        admin.addresses = settings->admin.at;
        admin.address_count = settings->admin.count;
        admin.role_configuration = proxy;
        run.second = &admin;
    }
    int code = stet__run(&run);
    stet__proxy_free(proxy);
    return code;
}

int stet__cli_proxy(int argc, char **argv)
{
    struct stet__proxy_settings settings;
    stet__proxy_settings_init(&settings);
    int code = STET__EXIT_USAGE;
    if (stet__proxy_settings_parse(&settings, argc, argv)) {
        if (settings.common.help) {
            stet__cli_proxy_help(stdout);
            code = stet__cli_told();
        } else {
            code = run(&settings);
            stet__origin_tls_end(&settings);
        }
    }
    stet__proxy_settings_release(&settings);
    return code;
}
