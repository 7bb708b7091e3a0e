/* SPDX-License-Identifier: MIT */
/*
 * Recordings of browsers: stet__check_har of check/check.h, and all that is written of them.
 *
 * What must hold: whatever the octets are, there is a report, or a cause in words; no resource stands there
 * twice; the report commands no terminal, and is JSON, SARIF and XML.
 */
#include <jansson.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void look_at_json(bool (*write)(const struct stet__check_report *, struct stet__buffer *),
                         const struct stet__check_report *report)
{
    struct stet__buffer out;
    stet__buffer_init(&out, 64u << 20);
    require(write(report, &out));
    json_t *json = json_loadb(out.ptr, out.len, JSON_REJECT_DUPLICATES, NULL);
    require(json != NULL);
    json_decref(json);
    stet__buffer_release(&out);
}

static void look_at_xml(const struct stet__check_report *report)
{
    struct stet__buffer out;
    stet__buffer_init(&out, 64u << 20);
    require(stet__check_write_junit(report, &out));
    xmlDocPtr document = xmlReadMemory(out.ptr, (int)out.len, NULL, NULL,
                                       XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET);
    require(document != NULL);
    xmlFreeDoc(document);
    stet__buffer_clear(&out);
    require(stet__check_write_html(report, &out));
    stet__buffer_release(&out);
}

static void look_at_text(const struct stet__check_report *report)
{
    const struct stet__check_style style = {.verbose = true, .width = 60};
    struct stet__buffer out;
    stet__buffer_init(&out, 64u << 20);
    require(stet__check_write_terminal(report, &style, &out));
    for (size_t i = 0; i < out.len; i++) {
        const unsigned char c = (unsigned char)out.ptr[i];
        require(c == '\n' || (c >= 0x20 && c != 0x7f));
        require(c != 0xc2 || (unsigned char)out.ptr[i + 1] >= 0xa0); /* C1 controls */
    }
    json_t *utf8 = json_stringn(out.ptr, out.len);
    require(utf8 != NULL);
    json_decref(utf8);
    stet__buffer_release(&out);
}

static void look(const struct stet__check_report *report)
{
    for (size_t i = 0; i < report->resource_count; i++)
        for (size_t k = 0; k < i; k++)
            require(strcmp(report->resources[i].uri, report->resources[k].uri) != 0);
    look_at_json(stet__check_write_json, report);
    look_at_json(stet__check_write_sarif, report);
    look_at_xml(report);
    look_at_text(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct stet__check_settings settings = {.content_max = 4096};
    const char *cause = NULL;
    char path[64];
    int fd = memfd_create("har", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct stet__check_report *report = stet__check_har(&settings, path, &cause);
    require(report || cause);
    if (report)
        look(report);
    stet__check_free(report);
    close(fd);
    return 0;
}
