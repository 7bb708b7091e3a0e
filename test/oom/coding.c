/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails while files are coded: in every coding, from a damaged sibling that gives way, to
 * the folder of --cache-dir and back from it, and through the threads in the background.
 *
 * What has to hold: no crash, no leak (with the address sanitizer); what comes out decodes to the file, or
 * nothing comes out; after a single failure everything works.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

#include "coding/background.h"
#include "serve/octets.h"
#include "sweep.h"

#define LENGTH 60000

static const enum stet_coding codings[] = {STET_CODING_GZIP, STET_CODING_BR, STET_CODING_ZSTD};
static char text[LENGTH], folder[64];
static struct stet__digest base;
static int sibling, cache;

/* Whether it is a coding of the text; true without memory to tell. */
static bool is_right(const struct stet__octets *octets, bool memory_is_enough)
{
    struct stet__coder_options options = {.coding = octets->coding, .decode = true, .output_max = LENGTH};
    struct stet__part part = stet__whole_part(&octets->whole);
    struct stet__whole decoded;
    if (stet__whole_make(&options, &part, STET__WHOLE_KEEP, NULL, &decoded) != 0)
        return !memory_is_enough;
    bool right = decoded.length == LENGTH && memcmp(&decoded.digest, &base, sizeof base) == 0;
    stet__whole_release(&decoded);
    return right;
}

static struct stet__octets_order order_of(struct stet__octets_table *table, enum stet_coding coding)
{
    return (struct stet__octets_order){.table = table,
                                       .base = base,
                                       .coding = coding,
                                       .level = 1,
                                       .max_bytes = LENGTH,
                                       .make_max_bytes = LENGTH,
                                       .from = stet__part_memory(stet_span_of(text, LENGTH)),
                                       .sibling = sibling,
                                       .sibling_identity = {.inode = 1},
                                       .cache = cache};
}

/* Twice: the second table has it from the folder. */
static const char *get_all(bool memory_is_enough)
{
    for (size_t i = 0; i < 6; i++) {
        struct stet__octets_table table;
        stet__octets_table_init(&table, i % 2 ? LENGTH : 0);
        struct stet__octets_order order = order_of(&table, codings[i / 2]);
        struct stet__octets *octets = stet__octets_get(&order, NULL);
        bool right = octets ? is_right(octets, memory_is_enough) : !memory_is_enough;
        if (octets)
            stet__octets_release(&table, octets);
        stet__octets_table_release(&table);
        if (!right)
            return octets ? "what came out is not the file" : "nothing came out";
    }
    return NULL;
}

static sem_t ended;

static int post(void *to, void (*run)(void *arg), void *arg)
{
    (void)to;
    (void)run;
    (void)arg;
    return -1; /* no memory in the loop */
}

static void work(struct stet__job *job)
{
    (void)job;
}

static void drop(struct stet__job *job)
{
    (void)job;
    sem_post(&ended);
}

static const char *use_threads(bool memory_is_enough)
{
    struct stet__job job = {.work = work, .done = drop, .drop = drop, .asker = {post, NULL}};
    struct stet__background *background = stet__background_new(2, 2);
    if (!background)
        return memory_is_enough ? "there is no thread" : NULL;
    bool asked = stet__background_ask(background, &job, false);
    stet__background_free(background);
    if (asked)
        sem_wait(&ended);
    return NULL;
}

static void clear_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s/*", folder);
    if (system(command) != 0)
        abort();
}

static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    clear_folder();
    failing_arm(n, all_after);
    const char *problem = get_all(n == 0), *threads = use_threads(n == 0);
    *calls = failing_calls();
    failing_arm(0, false);
    if (!problem)
        problem = threads;
    if (!problem)
        problem = get_all(true);
    return !problem && leaks() ? "a leak" : problem;
}

int main(void)
{
    snprintf(folder, sizeof folder, "/tmp/stet-oom.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    sem_init(&ended, 0, 0);
    for (size_t i = 0; i < LENGTH; i++)
        text[i] = (char)('a' + i * i % 7);
    stet__digest_of(stet_span_of(text, LENGTH), &base);
    sibling = memfd_create("damaged", MFD_CLOEXEC);
    if (sibling < 0 || write(sibling, "\x1f\x8b\x08 damaged", 11) != 11)
        return 1;
    cache = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = sweep(play);
    clear_folder();
    rmdir(folder);
    return code;
}
