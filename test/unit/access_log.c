/* SPDX-License-Identifier: MIT */
/*
 * access_log: the lines, that none is lost while the writer keeps up, and that the lost ones are counted when
 * it does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/access_log.h"
#include "net/access_log_line.h"

static struct stet__log_record sample(void)
{
    return (struct stet__log_record){.when = 1795253400, /* Sat, 21 Nov 2026 09:30:00 GMT */
                                     .duration_us = 1500,
                                     .status = 304,
                                     .reason = "if-none-match-matches",
                                     .peer = {[10] = 0xff, 0xff, 192, 0, 2, 1},
                                     .method = STET_SPAN("GET"),
                                     .target = STET_SPAN("/a?b"),
                                     .referer = STET_SPAN("http://x/\"\\"),
                                     .user_agent = STET_SPAN("a\tb\x7f\xc3\xa9"),
                                     .major = 1,
                                     .minor = 1};
}

static void assert_line(enum stet__log_format format, const struct stet__log_record *record, const char *line)
{
    struct stet__buffer out;
    stet__buffer_init(&out, 4096);
    stet__log_line(format, record, &out);
    assert_true(stet__buffer_append(&out, stet_span_of("", 1)));
    assert_string_equal(out.ptr, line);
    stet__buffer_release(&out);
}

static void test_common(void **state)
{
    struct stet__log_record record = sample();
    assert_line(
        STET__LOG_COMMON, &record,
        "192.0.2.1 - - [21/Nov/2026:09:30:00 +0000] \"GET /a?b HTTP/1.1\" 304 0 if-none-match-matches\n");
    record.minor = 0;
    record.aborted = true;
    record.status = 200;
    record.body_bytes = 12345;
    record.reason = "ok";
    memset(record.peer, 0, sizeof record.peer);
    record.target = STET_SPAN("/\r\n\"");
    record.cache = STET_SPAN("stet; hit"); /* in JSON alone */
    assert_line(
        STET__LOG_COMMON, &record,
        "unix: - - [21/Nov/2026:09:30:00 +0000] \"GET /\\x0d\\x0a\\x22 HTTP/1.0\" 200 12345 ok aborted\n");
}

static void test_combined(void **state)
{
    struct stet__log_record record = sample();
    assert_line(
        STET__LOG_COMBINED, &record,
        "192.0.2.1 - - [21/Nov/2026:09:30:00 +0000] \"GET /a?b HTTP/1.1\" 304 0 \"http://x/\\x22\\x5c\" "
        "\"a\\x09b\\x7f\\xc3\\xa9\" if-none-match-matches\n");
    /* A request that did not parse. */
    record = (struct stet__log_record){.status = 400, .reason = "bare-lf", .peer = {[15] = 1}};
    assert_line(STET__LOG_COMBINED, &record,
                "::1 - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 0 \"-\" \"-\" bare-lf\n");
}

static void test_json(void **state)
{
    struct stet__log_record record = sample();
    assert_line(
        STET__LOG_JSON, &record,
        "{\"time\":\"2026-11-21T09:30:00Z\",\"peer\":\"192.0.2.1\",\"method\":\"GET\",\"target\":\"/a?b\","
        "\"version\":\"1.1\",\"status\":304,\"bytes\":0,\"duration_us\":1500,"
        "\"reason\":\"if-none-match-matches\",\"referer\":\"http://x/\\u0022\\u005c\","
        "\"user_agent\":\"a\\u0009b\\u007f\\u00c3\\u00a9\"}\n");
    record =
        (struct stet__log_record){.status = 200, .reason = "ok", .aborted = true, .major = 1, .minor = 1};
    record.cache = STET_SPAN("stet; key=\"k\"");
    assert_line(STET__LOG_JSON, &record,
                "{\"time\":\"1970-01-01T00:00:00Z\",\"peer\":\"unix:\",\"version\":\"1.1\",\"status\":200,"
                "\"bytes\":0,\"duration_us\":0,\"reason\":\"ok\","
                "\"cache\":\"stet; key=\\u0022k\\u0022\",\"aborted\":true}\n");
}

static void test_copy(void **state)
{
    char target[] = "/target";
    struct stet__log_record record = sample();
    record.target = stet_span_of(target, 7);
    record.referer = STET_SPAN_NONE;
    struct stet__log_record *copy = stet__log_record_copy(&record);
    assert_non_null(copy);
    target[1] = '?';
    assert_true(stet_span_equal(copy->target, STET_SPAN("/target")));
    assert_true(stet_span_equal(copy->user_agent, record.user_agent));
    assert_null(copy->referer.ptr);
    free(copy);
}

/* A folder for the files of a test. */
static char folder[] = "/tmp/stet-access-log-XXXXXX";
static char path[64], moved[64];

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(moved, sizeof moved, "%s/moved", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)unlink(path);
    (void)unlink(moved);
    return rmdir(folder);
}

/* What a log says in all. */
struct tally {
    uint64_t records, dropped;
};

static void count_line(struct tally *tally, const char *line)
{
    static const char begin[] = "log: ";
    if (strncmp(line, begin, sizeof begin - 1) == 0)
        tally->dropped += strtoull(line + sizeof begin - 1, NULL, 10);
    else if (strstr(line, "\"GET /a?b HTTP/1.1\" 304 0 if-none-match-matches\n"))
        tally->records++;
    else
        fail_msg("a line that nobody wrote: %s", line);
}

static struct tally count_lines(FILE *file)
{
    struct tally tally = {0};
    char line[1024];
    while (fgets(line, sizeof line, file))
        count_line(&tally, line);
    fclose(file);
    return tally;
}

#define RECORDS 20000u

struct adder {
    pthread_t thread;
    struct stet__access_log *log;
    unsigned ring;
};

static void *add_records(void *arg)
{
    const struct adder *adder = arg;
    struct stet__log_record record = sample();
    for (unsigned i = 0; i < RECORDS; i++)
        stet__access_log_add(adder->log, adder->ring, &record);
    return NULL;
}

static void test_two_rings(void **state)
{
    struct stet__access_log *log = stet__access_log_open(path, STET__LOG_COMMON, 2);
    assert_non_null(log);
    struct adder adders[2];
    for (unsigned i = 0; i < 2; i++) {
        adders[i] = (struct adder){.log = log, .ring = i};
        assert_int_equal(pthread_create(&adders[i].thread, NULL, add_records, &adders[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(adders[i].thread, NULL);
    stet__access_log_close(log);
    struct tally tally = count_lines(fopen(path, "r"));
    assert_int_equal(tally.records + tally.dropped, 2 * RECORDS);
    assert_true(tally.records > 0);
    assert_int_equal(unlink(path), 0);
}

/* What was added before is in the file that was moved away, or in the new one; nothing is lost. */
static void test_reopen(void **state)
{
    struct stet__access_log *log = stet__access_log_open(path, STET__LOG_COMMON, 1);
    struct stet__log_record record = sample();
    assert_non_null(log);
    stet__access_log_add(log, 0, &record);
    assert_int_equal(rename(path, moved), 0);
    stet__access_log_reopen(log);
    while (access(path, F_OK) != 0)
        sched_yield();
    stet__access_log_add(log, 0, &record);
    stet__access_log_close(log);
    assert_int_equal(count_lines(fopen(moved, "r")).records, 1);
    assert_int_equal(count_lines(fopen(path, "r")).records, 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(moved), 0);
}

static void *close_log(void *arg)
{
    stet__access_log_close(arg);
    return NULL;
}

/* Nobody reads the pipe until all is added: adding does not wait, and what had no room is counted. */
static void test_dropped(void **state)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    struct stet__access_log *log = stet__access_log_open(path, STET__LOG_COMMON, 1);
    assert_non_null(log);
    struct adder adder = {.log = log};
    add_records(&adder);
    pthread_t closer;
    assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
    assert_int_equal(pthread_create(&closer, NULL, close_log, log), 0);
    struct tally tally = count_lines(fdopen(reader, "r"));
    pthread_join(closer, NULL);
    assert_true(tally.records > 0);
    assert_true(tally.dropped > 0);
    assert_int_equal(tally.records + tally.dropped, RECORDS);
    assert_int_equal(unlink(path), 0);
}

static void test_no_such_folder(void **state)
{
    assert_null(stet__access_log_open("/nonexistent/log", STET__LOG_COMMON, 1));
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_common),  cmocka_unit_test(test_combined),       cmocka_unit_test(test_json),
        cmocka_unit_test(test_copy),    cmocka_unit_test(test_two_rings),      cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_dropped), cmocka_unit_test(test_no_such_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
