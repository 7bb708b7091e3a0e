/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <openssl/evp.h>

struct stet__digester {
    EVP_MD_CTX *context;
    bool failed;
};

static void cut(const unsigned char *full, struct stet__digest *out)
{
    memcpy(out->octets, full, sizeof(out->octets));
}

bool stet__digest_of(struct stet_span octets, struct stet__digest *out)
{
    unsigned char full[EVP_MAX_MD_SIZE];
    if (!EVP_Digest(octets.len ? octets.ptr : "", octets.len, full, NULL, EVP_sha256(), NULL))
        return false;
    cut(full, out);
    return true;
}

void stet__digest_tag(const struct stet__digest *digest, char out[STET__DIGEST_TAG_LEN])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < STET__DIGEST_TAG_LEN; i++) {
        size_t at = i * 6 / 8, shift = i * 6 % 8;
        unsigned two = (unsigned)digest->octets[at] << 8;
        if (at + 1 < STET__DIGEST_BYTES)
            two |= digest->octets[at + 1];
        out[i] = alphabet[two >> (10 - shift) & 63];
    }
}

struct stet__digester *stet__digester_new(void)
{
    struct stet__digester *digester = malloc(sizeof *digester);
    if (!digester)
        return NULL;
    digester->context = EVP_MD_CTX_new();
    digester->failed = !digester->context || !EVP_DigestInit_ex(digester->context, EVP_sha256(), NULL);
    return digester;
}

void stet__digester_add(struct stet__digester *digester, struct stet_span octets)
{
    if (!digester->failed && octets.len > 0)
        digester->failed = !EVP_DigestUpdate(digester->context, octets.ptr, octets.len);
}

bool stet__digester_finish(struct stet__digester *digester, struct stet__digest *out)
{
    unsigned char full[EVP_MAX_MD_SIZE];
    bool good = !digester->failed && EVP_DigestFinal_ex(digester->context, full, NULL);
    if (good)
        cut(full, out);
    stet__digester_free(digester);
    return good;
}

void stet__digester_free(struct stet__digester *digester)
{
    if (!digester)
        return;
    EVP_MD_CTX_free(digester->context);
    free(digester);
}
