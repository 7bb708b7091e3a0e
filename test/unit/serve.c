/* SPDX-License-Identifier: MIT */
/*
 * serve: the origin role on a real folder with real inotify, but with a loop and a clock that the test plays.
 * What goes over the wire is the business of test/vtc.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "played.h"
#include "serve/worker.h"

#define OLD 1714979289 /* Mon, 06 May 2024 07:08:09 GMT */

/* The test's own */

static char root[64];
static struct stet__serve_configuration configuration;
static void *worker;
static int64_t now;
static const char *const two_indexes[] = {"index.html", "index.htm"};

static const char *in_root(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    return path;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat, (void)type, (void)place;
    return remove(path);
}

static int remove_tree(const char *path)
{
    return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *name, const char *content, int64_t mtime)
{
    int fd = open(in_root(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    struct timespec times[2] = {{mtime, 0}, {mtime, 0}};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

/* `text` is a method, a target and field lines. */
static __attribute__((format(printf, 1, 2))) void ask(const char *format, ...)
{
    char text[2048];
    va_list arguments;
    struct stet_field room[32];
    struct stet_http1_request request;
    struct stet_http1_limits limits = {sizeof(text), 1024, 32};
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is the line above */
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    char *line_end = strchr(text, '|');
    char head[4096];
    int len = snprintf(head, sizeof(head), "%.*s HTTP/1.1\r\nHost: h\r\n%s%s\r\n",
                       line_end ? (int)(line_end - text) : (int)strlen(text), text,
                       line_end ? line_end + 1 : "", line_end ? "\r\n" : "");
    assert_int_equal(stet_http1_request_parse(stet_span_of(head, (size_t)len), 0, &limits, room, &request),
                     STET_OK);
    struct stet__arena arena;
    stet__arena_init(&arena, 1 << 20);
    struct stet__exchange exchange = {
        .driver = &played_driver, .request = &request, .arena = &arena, .now = now};
    wake_up();
    answer.status = 0;
    stet__serve_role.request(worker, &exchange);
    assert_int_not_equal(answer.status, 0);
    stet__arena_release(&arena);
}

static const char *field(const char *name)
{
    static char value[8][256];
    static unsigned turn;
    char *out = value[turn++ % 8], start[64];
    snprintf(start, sizeof(start), "\r\n%s: ", name);
    const char *at = strstr(answer.head, start);
    if (!at)
        return NULL;
    at += strlen(start);
    snprintf(out, sizeof(value[0]), "%.*s", (int)strcspn(at, "\r"), at);
    return out;
}

static void assert_body(const char *body)
{
    assert_int_equal(answer.body_len, strlen(body));
    assert_memory_equal(answer.body, body, answer.body_len);
}

static int start(void **state)
{
    (void)state;
    char error[256];
    static const char *sentence;
    if (!stet__serve_prepare(&configuration, error, sizeof(error)))
        fail_msg("%s", error);
    worker = stet__serve_role.start(&configuration, NULL, &sentence);
    return worker ? 0 : -1;
}

static int set_up(void **state)
{
    now = OLD + 1000000;
    snprintf(root, sizeof(root), "/tmp/stet-serve-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    stet__serve_configuration_default(&configuration);
    configuration.root = root;
    put_file("ten.txt", "0123456789", OLD);
    put_file("index.html", "home", OLD);
    assert_int_equal(mkdir(in_root("sub"), 0755), 0);
    put_file("sub/index.html", "sub", OLD);
    return start(state);
}

static int tear_down(void **state)
{
    (void)state;
    stet__serve_role.stop(worker);
    stet__serve_finish();
    return remove_tree(root);
}

static void answers_200_then_304(void **state)
{
    (void)state;
    ask("GET /ten.txt");
    assert_int_equal(answer.status, 200);
    assert_body("0123456789");
    assert_string_equal(field("ETag"), "\"hNiYd_DUBB77a_kaFvAkjw\"");
    assert_string_equal(field("Last-Modified"), "Mon, 06 May 2024 07:08:09 GMT");
    assert_string_equal(field("Content-Length"), "10");
    ask("GET /ten.txt?query|If-None-Match: \"hNiYd_DUBB77a_kaFvAkjw\"");
    assert_int_equal(answer.status, 304);
    assert_int_equal(answer.reason, STET_REASON_IF_NONE_MATCH_MATCHES);
    assert_string_equal(field("ETag"), "\"hNiYd_DUBB77a_kaFvAkjw\"");
    assert_null(field("Content-Length"));
    assert_null(field("Content-Type"));
    assert_null(field("Last-Modified"));
    assert_int_equal(answer.body_len, 0);
}

/* Same size, same mtime: only the octets tell. */
static void sees_every_change(void **state)
{
    (void)state;
    char content[16];
    ask("GET /ten.txt");
    char *tag = strdup(field("ETag"));
    for (unsigned i = 0; i < 50; i++) {
        snprintf(content, sizeof(content), "%010u", i);
        if (i % 2) {
            put_file("ten.txt", content, OLD);
        } else {
            put_file("ten.tmp", content, OLD);
            char from[256];
            snprintf(from, sizeof(from), "%s", in_root("ten.tmp"));
            assert_int_equal(rename(from, in_root("ten.txt")), 0);
        }
        ask("GET /ten.txt|If-None-Match: %s", tag);
        assert_int_equal(answer.status, 200);
        assert_body(content);
        free(tag);
        tag = strdup(field("ETag"));
        ask("GET /ten.txt|If-None-Match: %s", tag);
        assert_int_equal(answer.status, 304);
    }
    free(tag);
    assert_int_equal(unlink(in_root("ten.txt")), 0);
    ask("GET /ten.txt|If-None-Match: *");
    assert_int_equal(answer.status, 404);
}

static void sees_folders_move(void **state)
{
    (void)state;
    char from[256];
    ask("GET /sub/index.html");
    assert_body("sub");
    snprintf(from, sizeof(from), "%s", in_root("sub"));
    assert_int_equal(rename(from, in_root("other")), 0);
    ask("GET /sub/index.html");
    assert_int_equal(answer.status, 404);
    assert_int_equal(mkdir(from, 0755), 0);
    put_file("sub/index.html", "new", OLD);
    ask("GET /sub/index.html");
    assert_body("new");
    ask("GET /other/");
    assert_body("sub");
}

/* Another name for the octets: inotify is silent, stat is not. */
static void sees_through_links(void **state)
{
    (void)state;
    struct stet__opened opened;
    int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(symlink("ten.txt", in_root("link")), 0);
    int status = stet__open_beneath(folder, "link", &opened);
    close(folder);
    if (status == -ELOOP) { /* no openat2, as under valgrind: no link is followed (open.h) */
        print_message("# links are not followed here\n");
        return;
    }
    assert_int_equal(status, 0);
    close(opened.fd);
    ask("GET /link");
    assert_body("0123456789");
    put_file("ten.txt", "changed", OLD);
    ask("GET /link");
    assert_body("changed");
    assert_int_equal(symlink("/etc/passwd", in_root("out")), 0);
    ask("GET /out");
    assert_int_equal(answer.status, 404);
    assert_int_equal(answer.reason, STET_REASON_OUTSIDE_ROOT);
}

static void sees_through_hard_links(void **state)
{
    (void)state;
    char index[256];
    snprintf(index, sizeof(index), "%s", in_root("sub/index.html"));
    assert_int_equal(link(index, in_root("hard")), 0);
    ask("GET /hard");
    assert_body("sub");
    put_file("sub/index.html", "SUB", OLD);
    ask("GET /hard");
    assert_body("SUB");
}

static void prefers_the_first_index(void **state)
{
    (void)state;
    stet__serve_role.stop(worker);
    stet__serve_finish();
    configuration.index_names = two_indexes;
    configuration.index_count = 2;
    assert_int_equal(unlink(in_root("index.html")), 0);
    put_file("index.htm", "second", OLD);
    assert_int_equal(start(state), 0);
    ask("GET /");
    assert_body("second");
    put_file("index.html", "first", OLD);
    ask("GET /");
    assert_body("first");
}

static void dates_are_modest(void **state)
{
    (void)state;
    put_file("future", "x", now + 10);
    put_file("epoch", "x", 1);
    put_file("zip", "x", 315532800);
    ask("GET /future");
    assert_null(field("Last-Modified"));
    assert_non_null(field("ETag"));
    ask("GET /epoch");
    assert_null(field("Last-Modified"));
    ask("GET /zip|If-Modified-Since: Tue, 21 Nov 2050 08:00:00 GMT");
    assert_int_equal(answer.status, 200);
    now += 10;
    ask("GET /future");
    assert_non_null(field("Last-Modified"));
}

/* RFC 9110 section 8.8.2.2. */
static void dates_become_strong(void **state)
{
    (void)state;
    put_file("fresh", "0123456789", now);
    for (int i = 0; i < 4; i++, now++) {
        ask("GET /fresh");
        const char *date = field("Last-Modified");
        assert_non_null(date);
        ask("GET /fresh|Range: bytes=0-1\r\nIf-Range: %s", date);
        assert_int_equal(answer.status, i < 2 ? 200 : 206);
    }
}

static void sends_ranges(void **state)
{
    (void)state;
    ask("GET /ten.txt|Range: bytes=2-5");
    assert_int_equal(answer.status, 206);
    assert_string_equal(field("Content-Range"), "bytes 2-5/10");
    assert_string_equal(field("Content-Length"), "4");
    assert_non_null(field("Content-Type"));
    assert_non_null(field("Last-Modified"));
    assert_body("2345");
    ask("GET /ten.txt|Range: bytes=2-5\r\nIf-Range: \"hNiYd_DUBB77a_kaFvAkjw\"");
    assert_int_equal(answer.status, 206);
    assert_null(field("Content-Type"));
    assert_null(field("Last-Modified"));
    assert_non_null(field("ETag"));
    ask("GET /ten.txt|Range: bytes=0-0,-1");
    assert_int_equal(answer.status, 206);
    assert_null(field("Content-Range"));
    assert_int_equal(strtoul(field("Content-Length"), NULL, 10), answer.body_len);
    assert_non_null(strstr(field("Content-Type"), "multipart/byteranges; boundary="));
    ask("GET /ten.txt|Range: bytes=10-");
    assert_int_equal(answer.status, 416);
    assert_string_equal(field("Content-Range"), "bytes */10");
    ask("HEAD /ten.txt|Range: bytes=2-5");
    assert_int_equal(answer.status, 200);
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        unsigned status;
        enum stet_reason reason;
    } cases[] = {
        {"DELETE /ten.txt|If-Match: \"x\"", 405, STET_REASON_METHOD_NOT_ALLOWED},
        {"FROB /ten.txt|If-Match: \"x\"", 501, STET_REASON_METHOD_UNKNOWN},
        {"get /ten.txt", 501, STET_REASON_METHOD_UNKNOWN},
        {"GET /no|If-Match: \"x\"", 404, STET_REASON_NOT_FOUND},
        {"GET /ten.txt/", 404, STET_REASON_NOT_FOUND},
        {"GET /ten.txt/x", 404, STET_REASON_NOT_FOUND},
        {"GET /.ten", 404, STET_REASON_DOTFILE},
        {"GET /sub/%2e%2e/ten.txt", 400, STET_REASON_BAD_PATH},
        {"GET /ten.txt|If-Match: \"x\"", 412, STET_REASON_IF_MATCH_DIFFERS},
        {"OPTIONS *", 204, STET_REASON_OPTIONS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask("%s", cases[i].request);
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(stet_reason_row(answer.reason)->name, stet_reason_row(cases[i].reason)->name);
        assert_null(field("ETag"));
        assert_null(field("Cache-Control"));
    }
    ask("DELETE /ten.txt");
    assert_string_equal(field("Allow"), "GET, HEAD, OPTIONS");
    assert_int_equal(mkfifo(in_root("fifo"), 0644), 0);
    ask("GET /fifo");
    assert_int_equal(answer.status, 404);
    assert_int_equal(unlink(in_root("sub/index.html")), 0);
    ask("GET /sub/");
    assert_int_equal(answer.status, 403);
}

static void redirects_within(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"GET /sub", "/sub/"},
                                           {"GET /sub?a=/b", "/sub/?a=/b"},
                                           {"GET //sub", "/sub/"},
                                           {"GET /%73ub", "/%73ub/"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask("%s", cases[i][0]);
        assert_int_equal(answer.status, 301);
        assert_string_equal(field("Location"), cases[i][1]);
    }
}

/* In place: not what the head says any more. By rename: the old octets are all there. */
static void knows_what_is_intact(void **state)
{
    (void)state;
    char big[70001];
    memset(big, 'a', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    configuration.tag_at_once_bytes = 10; /* so that it is sent from the file */
    big[60000] = '\0';
    put_file("big", big, OLD);
    hold_next = true;
    ask("GET /big");
    assert_true(answer.held && answer.intact(answer.owner));
    char from[256];
    put_file("other", "replaced", OLD);
    snprintf(from, sizeof(from), "%s", in_root("other"));
    assert_int_equal(rename(from, in_root("big")), 0);
    wake_up();
    assert_true(answer.intact(answer.owner));
    answer.release(answer.owner);
    put_file("big", big, OLD);
    hold_next = true;
    ask("GET /big");
    big[10] = 'b';
    put_file("big", big, OLD + 1);
    assert_false(answer.intact(answer.owner));
    wake_up();
    assert_false(answer.intact(answer.owner));
    answer.release(answer.owner);
    ask("GET /big");
    assert_body(big);
}

static void follows_a_deploy(void **state)
{
    char first[64], second[64], name[80], next[96];
    stet__serve_role.stop(worker);
    stet__serve_finish();
    snprintf(first, sizeof(first), "%s", root);
    snprintf(name, sizeof(name), "%s-current", root);
    snprintf(next, sizeof(next), "%s-next", root);
    assert_int_equal(symlink(first, name), 0);
    configuration.root = name;
    assert_int_equal(start(state), 0);
    ask("GET /ten.txt");
    assert_body("0123456789");
    snprintf(root, sizeof(root), "/tmp/stet-serve-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(second, sizeof(second), "%s", root);
    put_file("ten.txt", "second", OLD);
    assert_int_equal(symlink(second, next), 0);
    assert_int_equal(rename(next, name), 0);
    ask("GET /ten.txt");
    assert_body("second");
    /* And where nothing is told: within a second. */
    assert_int_equal(symlink(first, next), 0);
    assert_int_equal(rename(next, name), 0);
    tick->run(tick);
    ask("GET /ten.txt");
    assert_body("0123456789");
    unlink(name);
    put_file("x", "", OLD);
    assert_int_equal(remove_tree(second), 0);
    snprintf(root, sizeof(root), "%s", first);
}

/* A file that is long there, as most large ones are. */
static void tags_large_files_later(void **state)
{
    stet__serve_role.stop(worker);
    stet__serve_finish();
    configuration.root = "/usr/bin";
    configuration.tag_at_once_bytes = 1000;
    now = INT64_C(4000000000);
    assert_int_equal(start(state), 0);
    ask("GET /true");
    assert_int_equal(answer.status, 200);
    assert_null(field("ETag"));
    assert_non_null(field("Last-Modified"));
    run_post();
    ask("GET /true");
    assert_non_null(field("ETag"));
    ask("GET /true|If-None-Match: %s", field("ETag"));
    assert_int_equal(answer.status, 304);
}

static void lists(void **state)
{
    (void)state;
    configuration.listing = true;
    assert_int_equal(unlink(in_root("sub/index.html")), 0);
    put_file("sub/a<b&\"c", "x", OLD);
    put_file("sub/.hidden", "x", OLD);
    ask("GET /sub/");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.reason, STET_REASON_LISTING);
    answer.body[answer.body_len] = '\0';
    assert_non_null(strstr(answer.body, "<a href=\"./a%3Cb%26%22c\">a&lt;b&amp;&quot;c</a>"));
    assert_null(strstr(answer.body, "hidden"));
    const char *tag = field("ETag");
    ask("GET /sub/|If-None-Match: %s", tag);
    assert_int_equal(answer.status, 304);
    put_file("sub/new", "x", OLD);
    ask("GET /sub/|If-None-Match: %s", tag);
    assert_int_equal(answer.status, 200);
}

static void follows_the_rules(void **state)
{
    struct stet__rule rules[5];
    stet__serve_role.stop(worker);
    stet__serve_finish();
    stet__rule_parse_cache(STET_SPAN("*.txt=max-age=60"), &rules[0]);
    stet__rule_parse_header(STET_SPAN("*.txt: Vary: Origin"), &rules[1]);
    stet__rule_parse_header(STET_SPAN("*.txt: Content-Type: text/x-ten"), &rules[2]);
    stet__rule_parse_header(STET_SPAN("*.txt: X-A: b"), &rules[3]);
    stet__rule_parse_cache(STET_SPAN("no*=max-age=5"), &rules[4]);
    struct stet__error_page page = {404, "index.html"};
    configuration.rules = rules;
    configuration.rule_count = 5;
    configuration.immutable = true;
    configuration.spa = "/sub/index.html";
    configuration.error_pages = &page;
    configuration.error_page_count = 1;
    assert_int_equal(start(state), 0);
    ask("GET /ten.txt");
    assert_string_equal(field("Cache-Control"), "max-age=60");
    assert_string_equal(field("Content-Type"), "text/x-ten");
    assert_int_equal(answer.expires_after_s, 60);
    ask("GET /ten.txt|If-None-Match: *");
    assert_int_equal(answer.status, 304);
    assert_string_equal(field("Cache-Control"), "max-age=60");
    assert_string_equal(field("Vary"), "Origin");
    assert_string_equal(field("X-A"), "b");
    assert_int_equal(answer.expires_after_s, 60);
    ask("GET /ten.txt|Range: bytes=0-0");
    assert_int_equal(answer.expires_after_s, 60);
    ask("GET /no.txt|If-Match: \"x\"");
    assert_int_equal(answer.status, 404);
    assert_body("home");
    assert_string_equal(field("X-A"), "b");
    assert_null(field("Cache-Control"));
    assert_int_equal(answer.expires_after_s, -1);
    ask("GET /route/in/the/program");
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.reason, STET_REASON_SPA);
    assert_body("sub");
    put_file("app.3f9a1c2b.js", "x", OLD);
    ask("GET /app.3f9a1c2b.js");
    assert_string_equal(field("Cache-Control"), "public, max-age=31536000, immutable");
    assert_int_equal(answer.expires_after_s, 31536000);
    put_file("application-migrations.js", "x", OLD);
    ask("GET /application-migrations.js");
    assert_null(field("Cache-Control"));
}

static void knows_names_with_a_hash(void **state)
{
    (void)state;
    static const char *const yes[] = {"app.3f9a1c2b.js", "index-Bx92kQ3z.css", "main-5NTXGVLX.js",
                                      "a.b.0123456789abcdef.js.map"};
    static const char *const no[] = {"app.js",
                                     "3f9a1c2b.js",
                                     "report-20240501.pdf",
                                     "jquery-migrations.js",
                                     "x-FY2024Q1.pdf",
                                     "a.3f9a1c2.js",
                                     "facade00-a.js",
                                     "",
                                     "deadbeef-face.js",
                                     "a-v1.2.3.min.js",
                                     "3f9a1c2b"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(stet__name_has_hash(stet_span_of(yes[i], strlen(yes[i]))));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(stet__name_has_hash(stet_span_of(no[i], strlen(no[i]))));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(answers_200_then_304),
        CASE(sees_every_change),
        CASE(sees_folders_move),
        CASE(sees_through_links),
        CASE(sees_through_hard_links),
        CASE(dates_are_modest),
        CASE(dates_become_strong),
        CASE(sends_ranges),
        CASE(refuses),
        CASE(redirects_within),
        CASE(knows_what_is_intact),
        CASE(follows_a_deploy),
        CASE(tags_large_files_later),
        CASE(lists),
        CASE(follows_the_rules),
        CASE(prefers_the_first_index),
        cmocka_unit_test(knows_names_with_a_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
