/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz harness over the files of its corpus, without a fuzzer: every input that was ever found stays a
 * test. Prints TAP, a line for each file, and one for the empty input. A harness that finds something wrong
 * traps.
 *
 * Each input is handed over in memory that ends exactly where it ends, so a sanitizer sees any octet read
 * beyond.
 */
#include <dirent.h>

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1u << 20)

static unsigned tests, failures;

static void run(const char *name, const uint8_t *octets, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact) {
        memcpy(exact, octets, len);
        LLVMFuzzerTestOneInput(len > 0 ? exact : exact + 1, len);
    }
    free(exact);
    failures += !exact;
    printf("%s %u - %s\n", exact ? "ok" : "not ok", ++tests, name);
    fflush(stdout);
}

static void run_file(const char *folder, const char *name)
{
    static uint8_t octets[INPUT_MAX];
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *in = fopen(path, "rb");
    if (!in) {
        failures++;
        printf("not ok %u - %s cannot be read\n", ++tests, path);
        return;
    }
    size_t len = fread(octets, 1, sizeof(octets), in);
    fclose(in);
    run(name, octets, len);
}

int main(int argc, char **argv)
{
    static const uint8_t none[1];
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        printf("1..1\nnot ok 1 - usage: replay CORPUS-FOLDER, which has to exist\n");
        return 1;
    }
    run("the empty input", none, 0);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            run_file(argv[1], entry->d_name);
    closedir(folder);
    printf("1..%u\n", tests);
    return failures > 0;
}
