/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails in the linter: a page and what it links are asked for and judged, and the report
 * is written in every form.
 *
 * What has to hold: no crash, no hang, no leak (with the address sanitizer). There is no report, or it says
 * of a resource why it could not be checked, or it is the one that there would be with more memory. What is
 * written is all of it, or it is said that it is not. Nothing lasts from one play to the next.
 *
 * libcurl, libxml2, libcrypto and jansson allocate by themselves; har.c has jansson.
 */
#include <signal.h>
#include <sys/wait.h>

#include "folder.h"
#include "origin.h"
#include "reports.h"
#include "sweep.h"

static char folder[FOLDER_ROOM], socket_path[96];

static const char *use(bool memory_is_enough)
{
    static struct known known;
    static const char *const only[] = {"get", "head", "coding", "inm"};
    static const char *const uris[] = {"http://a.example/page"};
    const struct stet__transfer_settings how = {.unix_socket = socket_path, .proxy = ""};
    const struct stet__check_settings settings = {.transfer = &how,
                                                  .choice = {.only = only, .only_count = 4},
                                                  .user_agent = "test",
                                                  .assets_max = 1,
                                                  .repeat = 2,
                                                  .content_max = 100000,
                                                  .redirects_max = 2};
    return look(stet__check_run(&settings, uris, 1), &known, 4, memory_is_enough);
}

static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    failing_arm(n, all_after);
    const char *problem = use(n == 0);
    *calls = failing_calls();
    failing_arm(0, false);
    return !problem && leaks() ? "a leak" : problem;
}

int main(void)
{
    pid_t origin = -1;
    if (folder_make(folder)) {
        snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
        origin = origin_start(socket_path);
    }
    if (origin < 0) {
        printf("Bail out! no folder, or no origin\n");
        return 1;
    }
    int code = sweep(play);
    kill(origin, SIGKILL);
    waitpid(origin, NULL, 0);
    folder_remove(folder);
    return code;
}
