/* SPDX-License-Identifier: MIT */
/*
 * cache_folder: see cache_folder.h. A relative XDG_CACHE_HOME is no path, says its specification. Without
 * HOME the user database is asked, so cron and systemd units find the same cache.
 */
#include "cli/cache_folder.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    char *out = malloc(a_len + b_len + 1);
    if (!out)
        return NULL;
    memcpy(out, a, a_len);
    memcpy(out + a_len, b, b_len + 1);
    return out;
}

static const char *find_home(void)
{
    const char *home = getenv("HOME");
    if (home && home[0] == '/')
        return home;
    const struct passwd *user = getpwuid(getuid());
    return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

char *stet__cache_folder(const char **wrong)
{
    const char *caches = getenv("XDG_CACHE_HOME");
    bool given = caches && caches[0] == '/';
    const char *base = given ? caches : find_home();
    *wrong = "there is no HOME, and no XDG_CACHE_HOME";
    if (!base)
        return NULL;
    char *folder = join(base, given ? "" : "/.cache"), *out = folder ? join(folder, "/stet") : NULL;
    *wrong = "out of memory";
    if (out && mkdir(folder, 0700) != 0 && errno != EEXIST) {
        *wrong = strerrordesc_np(errno);
        free(out);
        out = NULL;
    }
    free(folder);
    return out;
}
