/* SPDX-License-Identifier: MIT */
/*
 * dcz: RFC 9842 section 5.
 *
 * The first octet says how the rest is cut. The dictionary is fixed, and the 40 octets of the head are put in
 * front of every input but those whose first octet is odd, or nothing would get behind it. What must hold:
 * however it is cut, the status and the octets are the same, and never more than the limit.
 */
#include <openssl/evp.h>
#include <stdlib.h>

#include <stet/status.h>

#include "coding/coder.h"

#define OUTPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
    "A dictionary is content that both sides have, so that only what is new is sent.\n";

static void require(bool holds)
{
    if (!holds)
        abort();
}

struct result {
    int status;
    size_t len;
    char octets[OUTPUT_MAX + 1];
};

static void add(struct stet__coder *coder, struct stet_span octets, enum stet__coder_step step,
                struct result *out)
{
    if (out->status != STET_OK)
        return;
    struct stet__coder_output output = {out->octets, sizeof out->octets, out->len};
    out->status = stet__coder_run(coder, &octets, step, &output);
    out->len = output.len;
    require(out->len <= OUTPUT_MAX && out->status != STET_MORE);
}

static void decode(bool with_head, struct stet_span octets, size_t at_a_time, struct result *out)
{
    static const char magic[8] = {0x5e, 0x2a, 0x4d, 0x18, 0x20};
    struct stet__coder_dictionary dictionary = {.octets = stet_span_of(text, sizeof text - 1)};
    require(EVP_Digest(text, sizeof text - 1, dictionary.digest, NULL, EVP_sha256(), NULL) == 1);
    const struct stet__coder_options options = {
        .coding = STET_CODING_ZSTD, .decode = true, .output_max = OUTPUT_MAX, .dictionary = &dictionary};
    struct stet__coder *coder = stet__coder_new(&options);
    require(coder != NULL);
    out->status = STET_OK;
    out->len = 0;
    if (with_head) {
        add(coder, stet_span_of(magic, sizeof magic), STET__CODER_FEED, out);
        add(coder, stet_span_of((const char *)dictionary.digest, sizeof dictionary.digest), STET__CODER_FEED,
            out);
    }
    for (; octets.len > 0; octets = stet_span_skip(octets, at_a_time < octets.len ? at_a_time : octets.len))
        add(coder, stet_span_of(octets.ptr, at_a_time < octets.len ? at_a_time : octets.len),
            STET__CODER_FEED, out);
    add(coder, STET_SPAN(""), STET__CODER_FINISH, out);
    stet__coder_free(coder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, cut;
    if (size == 0)
        return 0;
    struct stet_span octets = stet_span_of((const char *)data + 1, size - 1);
    bool with_head = (data[0] & 1) == 0;
    decode(with_head, octets, SIZE_MAX, &whole);
    decode(with_head, octets, 1 + (data[0] >> 1), &cut);
    require(whole.status == cut.status && whole.len <= OUTPUT_MAX);
    if (whole.status == STET_OK)
        require(whole.len == cut.len && memcmp(whole.octets, cut.octets, whole.len) == 0);
    return 0;
}
