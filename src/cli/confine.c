/* SPDX-License-Identifier: MIT */
/*
 * confine: the list of paths that the kernel lets a role use.
 *
 * A proxy: read what names are resolved with; written: the folders of the log file and of its Unix sockets.
 * Connections are not files: the kernel lets it connect to any origin.
 *
 * A file server: read: the folder that is served, and the two tables (media types, users). Written: the
 * folders of the log file and of Unix sockets. Both: the folder of coded copies.
 *
 * With TLS, read: the folders of certificates and keys, and of what these are links to, as they are loaded
 * again when they change.
 *
 * A deploy may put another folder where DIR was, and a rule of landlock stays with the old one. So the folder
 * that holds DIR's name is readable too, and so is the one that holds what the name stands for now, unless
 * that is "/"; for "." and ".." nothing can be exchanged. What a request can reach is less: serve/open.c.
 */
#include "cli/confine.h"

#include <limits.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "cli/cli.h"
#include "net/confine.h"

enum { PATHS = 512 };

struct reach {
    struct stet__confine_path at[PATHS];
    char *owned[PATHS]; /* the paths, to be freed */
    size_t count;
};

/* Takes `path` over. */
static void add(struct reach *reach, char *path, bool write)
{
    if (!path || reach->count == PATHS) {
        free(path);
        return;
    }
    reach->owned[reach->count] = path;
    reach->at[reach->count] = (struct stet__confine_path){path, write};
    reach->count++;
}

static void add_copy(struct reach *reach, const char *path, bool write)
{
    add(reach, strdup(path), write);
}

/* The folder that holds `path`: "." for "name". */
static void add_folder_of(struct reach *reach, const char *path, bool write)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    char *folder = len ? strndup(path, len) : strdup(".");
    if (folder && strcmp(folder, "/") == 0 && !write) {
        free(folder);
        return;
    }
    add(reach, folder, write);
}

/* Whether the last part of `path` is a name: not "/", ".", "..". */
static bool ends_in_name(const char *path)
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    size_t begin = len;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    size_t dots = strspn(path + begin, ".");
    return len > begin && !(dots == len - begin && dots <= 2);
}

static void add_root(struct reach *reach, const char *root)
{
    add_copy(reach, root, false);
    if (!ends_in_name(root))
        return;
    add_folder_of(reach, root, false);
    char *real = realpath(root, NULL);
    if (real)
        add_folder_of(reach, real, false);
    free(real);
}

static void add_socket(struct reach *reach, const struct stet__listen_address *address)
{
    if (address->at.any.sa_family == AF_UNIX)
        add_folder_of(reach, address->at.local.sun_path, true);
}

/* A file that may be exchanged for another, by rename or by a link that is swung. */
static void add_file(struct reach *reach, const char *path)
{
    if (!path)
        return;
    add_folder_of(reach, path, false);
    char *real = realpath(path, NULL);
    if (real)
        add_folder_of(reach, real, false);
    free(real);
}

/* What every role needs. */
static void add_common(struct reach *reach, const struct stet__server_settings *settings)
{
    if (settings->log && strcmp(settings->log, "-") != 0)
        add_folder_of(reach, settings->log, true);
    if (settings->log)
        add_copy(reach, settings->log, true); /* it may be a link to elsewhere, such as /dev/stdout */
    if (settings->user) {
        add_copy(reach, "/etc/passwd", false);
        add_copy(reach, "/etc/group", false);
        add_copy(reach, "/etc/nsswitch.conf", false);
    }
    for (size_t i = 0; i < settings->tls.pair_count; i++) {
        add_file(reach, settings->tls.pairs[i].certificate);
        add_file(reach, settings->tls.pairs[i].key);
        add_file(reach, settings->tls.pairs[i].ocsp);
    }
    for (size_t i = 0; i < settings->server.address_count; i++)
        add_socket(reach, &settings->server.addresses[i]);
}

/* The leak check of AddressSanitizer, at the end of the process, is a ptrace of its own and reads /proc. */
#if defined(__SANITIZE_ADDRESS__)
enum { CONFINABLE = false };
#else
enum { CONFINABLE = true };
#endif

static void confine(struct reach *reach)
{
    if (CONFINABLE)
        stet__confine(reach->at, reach->count);
    for (size_t i = 0; i < reach->count; i++)
        free(reach->owned[i]);
}

void stet__confine_serve(const struct stet__serve_settings *settings)
{
    struct reach reach = {.count = 0};
    add_root(&reach, settings->serve.root);
    add_copy(&reach, settings->serve.mime_types ? settings->serve.mime_types : "/etc/mime.types", false);
    if (settings->cache_dir) {
        add_copy(&reach, settings->cache_dir, false);
        add_copy(&reach, settings->cache_dir, true);
    }
    add_common(&reach, &settings->common);
    confine(&reach);
}

void stet__confine_proxy(const struct stet__proxy_settings *settings)
{
    static const char *const resolver[] = {"/etc/resolv.conf",    "/etc/hosts",    "/etc/nsswitch.conf",
                                           "/etc/host.conf",      "/etc/gai.conf", "/etc/services",
                                           "/run/systemd/resolve"};
    struct reach reach = {.count = 0};
    for (size_t i = 0; i < sizeof resolver / sizeof *resolver; i++)
        add_copy(&reach, resolver[i], false);
    if (settings->tls_client && !settings->origin_tls.ca) {
        add_copy(&reach, X509_get_default_cert_dir(), false);
        add_copy(&reach, "/usr/share/ca-certificates", false); /* what Debian's are links to */
        add_copy(&reach, "/usr/local/share/ca-certificates", false);
    }
    add_common(&reach, &settings->common);
    if (settings->admin.count > 0)
        add_socket(&reach, settings->admin.at);
    confine(&reach);
}
