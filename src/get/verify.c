/* SPDX-License-Identifier: MIT */
/*
 * verify: RFC 9530. What is stored is the content of a complete answer, as coded, so its SHA-256 is what both
 * Repr-Digest (section 3: of the whole representation) and the Content-Digest of a 200 (section 2) are about.
 * Other algorithms are not looked at.
 */
#include <openssl/evp.h>
#include <stet/sf.h>

#include "base/file.h"
#include "get/task.h"

#define PIECE 16384

/* A field that does not parse, or has something else than octets there, says nothing. */
static enum stet__digest_verdict judge(const struct stet_fields *fields, enum stet_field_id id,
                                       const unsigned char *digest)
{
    enum stet__digest_verdict verdict = STET__DIGEST_UNTOLD;
    struct stet_sf sf;
    struct stet_sf_member member;
    char octets[64];
    if (!stet_fields_have(fields, id))
        return verdict;
    stet_sf_begin(&sf, STET_SF_DICTIONARY, fields, id, STET_SPAN_NONE);
    if (stet_sf_check(&sf) != STET_OK)
        return verdict;
    while (stet_sf_next(&sf, &member) == STET_OK) {
        if (!stet_span_equal(member.key, STET_SPAN("sha-256")))
            continue;
        verdict = STET__DIGEST_UNTOLD; /* the last one of a name counts: RFC 9651 section 3.2 */
        if (member.item.type != STET_SF_BYTES)
            continue;
        bool same = member.item.text.len <= sizeof octets &&
                    stet_sf_decode(&member.item, octets) == STET__DISK_DIGEST_BYTES &&
                    memcmp(octets, digest, STET__DISK_DIGEST_BYTES) == 0;
        verdict = same ? STET__DIGEST_AGREES : STET__DIGEST_DIFFERS;
    }
    return verdict;
}

enum stet__digest_verdict stet__digest_judge(const struct stet_fields *fields, const unsigned char *digest)
{
    enum stet__digest_verdict whole = judge(fields, STET_FIELD_REPR_DIGEST, digest);
    enum stet__digest_verdict content = judge(fields, STET_FIELD_CONTENT_DIGEST, digest);
    if (whole == STET__DIGEST_DIFFERS || content == STET__DIGEST_UNTOLD)
        return whole;
    return content;
}

static bool read_all(int fd, EVP_MD_CTX *context)
{
    char piece[PIECE];
    off_t offset = 0;
    ssize_t len;
    while ((len = stet__read_at(fd, piece, PIECE, offset)) > 0) {
        if (EVP_DigestUpdate(context, piece, (size_t)len) != 1)
            return false;
        offset += len;
    }
    return len == 0;
}

bool stet__digest_verify(int fd, const unsigned char *digest)
{
    unsigned char found[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool read = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 && read_all(fd, context) &&
                EVP_DigestFinal_ex(context, found, NULL) == 1;
    EVP_MD_CTX_free(context);
    return read && memcmp(found, digest, STET__DISK_DIGEST_BYTES) == 0;
}
