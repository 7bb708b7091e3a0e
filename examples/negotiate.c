/* SPDX-License-Identifier: MIT */
/*
 * negotiate: reads the head of a request from standard input, and says which copy answers it of a file with
 * the entity tag "v2" that is there as it is, in brotli and in gzip; what the status is, under which tag; and
 * why. A client that holds any of them gets its 304.
 *
 *   $ ask() { printf "GET / HTTP/1.1\r\nHost: a\r\n$1\r\n\r\n" | ./negotiate; }
 *   $ ask 'Accept-Encoding: gzip, br'
 *   200 br "v2;br-5f3a9c02": coding-preferred (RFC 9110 12.5.3)
 *   $ ask 'Accept-Encoding: gzip, br\r\nIf-None-Match: "v2;gzip-0badcafe"'
 *   304 gzip "v2;gzip-0badcafe": coding-held (RFC 9110 12.1)
 *   $ ask 'Accept-Encoding: gzip, br\r\nIf-None-Match: "v1-gzip"'
 *   200 br "v2;br-5f3a9c02": coding-preferred (RFC 9110 12.5.3)
 *   $ ask 'If-None-Match: "v2"'
 *   304 identity "v2": coding-held (RFC 9110 12.1)
 */
#include <stdio.h>

#include <stet/stet.h>

#define FIELDS 100
#define HEAD_BYTES 16384
#define TAG_BYTES 64

/* The fingerprint of the octets of each copy: a part of their hash. */
static const uint64_t fingerprints[STET_CODING_COUNT] = {
    [STET_CODING_BR] = 0x5f3a9c02,
    [STET_CODING_GZIP] = 0x0badcafe,
};

static struct stet_etag tag_of(struct stet_etag base, enum stet_coding coding, char text[TAG_BYTES])
{
    struct stet_coded_tag parts = {base, STET_CODED_TAG_KEPT, coding, fingerprints[coding]};
    struct stet_etag tag = base;
    if (coding == STET_CODING_IDENTITY)
        return base;
    (void)stet_etag_parse(stet_span_of(text, stet_coded_tag_write(&parts, text, TAG_BYTES)), &tag);
    return tag;
}

static void negotiate(const struct stet_request *request)
{
    struct stet_representation file = {.exists = true, .etag = {STET_SPAN("v2"), false}, .length = 1000};
    struct stet_coded_offer offer = {.base = file.etag,
                                     .own = STET_CODING_IDENTITY,
                                     .kept =
                                         stet_coding_bit(STET_CODING_BR) | stet_coding_bit(STET_CODING_GZIP)};
    struct stet_coded_choice choice;
    struct stet_answer answer;
    char text[TAG_BYTES];

    stet_coded_select(request, &offer, &choice);
    struct stet_etag tag = tag_of(file.etag, choice.coding, text);
    struct stet_representation selected = stet_coded_selected(&file, &choice, tag, 300);
    stet_answer_decide(request, &selected, 0, &answer);

    struct stet_span coding = stet_coding_name(choice.coding);
    const struct stet_reason_row *row = stet_reason_row(choice.reason);
    printf("%u %.*s \"%.*s\": %s (%s)\n", answer.status, (int)coding.len, coding.ptr, (int)tag.opaque.len,
           tag.opaque.ptr, row->name, row->clause);
}

int main(void)
{
    static char input[HEAD_BYTES];
    static struct stet_field room[FIELDS];
    struct stet_http1_limits limits = {.head_bytes = HEAD_BYTES, .target_bytes = 8000, .fields = FIELDS};
    struct stet_http1_request request;
    size_t len = fread(input, 1, sizeof input, stdin);
    int status = stet_http1_request_parse(stet_span_of(input, len), 0, &limits, room, &request);
    if (status != STET_OK) {
        puts(status == STET_MORE ? "the input ends before the head does" : stet_status_row(status)->sentence);
        return 1;
    }
    negotiate(&request.head);
    return 0;
}
