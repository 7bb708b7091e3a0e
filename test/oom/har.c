/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails while a recording is read and its report is written as JSON.
 *
 * What has to hold: no crash, no leak (with the address sanitizer). There is no report, and it is said why,
 * or it is the one that there would be with more memory. What is written is all of it, or it is said that it
 * is not. Nothing lasts from one play to the next. jansson is told to take what stet takes.
 */
#include <fcntl.h>

#include "folder.h"
#include "reports.h"
#include "sweep.h"

static char folder[FOLDER_ROOM], har_path[96];

static const char har[] =
    "{\"log\":{\"entries\":[{\"startedDateTime\":\"2026-11-21T09:30:00Z\",\"time\":1,"
    "\"request\":{\"method\":\"GET\",\"url\":\"https://h/a\",\"headers\":[{\"name\":\"Cookie\",\"value\":"
    "\"a\"}]},"
    "\"response\":{\"status\":200,\"headers\":[{\"name\":\"ETag\",\"value\":\"a\"}],"
    "\"content\":{\"size\":5,\"text\":\"aGVsbG8=\",\"encoding\":\"base64\"}}},"
    "{\"request\":{\"method\":\"GET\",\"url\":\"https://h/b\",\"headers\":[]},"
    "\"response\":{\"status\":200,\"headers\":[{\"name\":\"Set-Cookie\",\"value\":\"a=1\\nb=2\"}]}},"
    "{\"request\":{\"method\":\"GET\",\"url\":\"https://h/a\",\"headers\":[{\"name\":\"If-None-Match\","
    "\"value\":\"a\"}]},\"response\":{\"status\":304,\"headers\":[]}}]}}";

static const char *use(bool memory_is_enough)
{
    static struct known known;
    static const char *const only[] = {"etag-unquoted", "set-cookie-storable", "not-modified-without-etag"};
    const struct stet__check_settings settings = {.choice = {.only = only, .only_count = 3},
                                                  .content_max = 100000};
    const char *cause = NULL;
    struct stet__check_report *report = stet__check_har(&settings, har_path, &cause);
    if (!report && !cause)
        return "it is not read, and nobody says why";
    return look(report, &known, 1, memory_is_enough);
}

static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    failing_arm(n, all_after);
    const char *problem = use(n == 0);
    *calls = failing_calls();
    failing_arm(0, false);
    return !problem && leaks() ? "a leak" : problem;
}

static bool write_har(void)
{
    int fd = open(har_path, O_WRONLY | O_CREAT, 0644);
    bool good = fd >= 0 && write(fd, har, sizeof har - 1) == (ssize_t)sizeof har - 1;
    if (fd >= 0)
        close(fd);
    return good;
}

int main(void)
{
    json_set_alloc_funcs(malloc, free);
    bool made = folder_make(folder);
    if (made)
        snprintf(har_path, sizeof har_path, "%s/har", folder);
    if (!made || !write_har()) {
        printf("Bail out! no folder\n");
        return 1;
    }
    int code = sweep(play);
    folder_remove(folder);
    return code;
}
