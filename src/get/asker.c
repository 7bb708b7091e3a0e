/* SPDX-License-Identifier: MIT */
/*
 * asker: who asks, as far as that may make a difference: Authorization, Cookie, -u, .netrc and the client's
 * certificate.
 *
 * RFC 9111 lets a private cache give what it has stored to its one user, whatever credentials he shows this
 * time, and servers that send private, max-age=60 to a session seldom say Vary: Cookie. But who gives other
 * credentials wants to see what those bring. So what was fetched with some answers only the same, and what
 * was fetched without any only a request without any, unless it says public.
 *
 * What is stored is 32 bits of a digest: too few to tell a password by.
 */
#include <openssl/evp.h>

#include "get/task.h"

struct asker {
    EVP_MD_CTX *context; /* NULL as long as there are no credentials */
    bool failed;
};

static void add(struct asker *asker, char kind, struct stet_span value)
{
    if (!asker->context) {
        asker->context = EVP_MD_CTX_new();
        asker->failed = !asker->context || EVP_DigestInit_ex(asker->context, EVP_sha256(), NULL) != 1;
    }
    if (asker->failed)
        return;
    asker->failed = EVP_DigestUpdate(asker->context, &kind, 1) != 1 ||
                    EVP_DigestUpdate(asker->context, &value.len, sizeof value.len) != 1 ||
                    EVP_DigestUpdate(asker->context, value.ptr, value.len) != 1;
}

static void add_text(struct asker *asker, char kind, const char *text)
{
    if (text)
        add(asker, kind, stet_span_of(text, strlen(text)));
}

static void add_fields(struct asker *asker, const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct stet_field *field = &fields->at[i];
        if (field->id == STET_FIELD_AUTHORIZATION)
            add(asker, 'a', field->value);
        if (field->id == STET_FIELD_COOKIE)
            add(asker, 'c', field->value);
    }
}

bool stet__asker_find(const struct stet__task *task, uint32_t *out)
{
    const struct stet__get_settings *settings = &task->get->settings;
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct asker asker = {NULL, false};
    *out = 0;
    if (stet_uri_same_origin(&task->first, &task->uri)) {
        add_fields(&asker, &task->hop.request.fields);
        add_text(&asker, 'u', settings->user);
        add_text(&asker, 'n', settings->netrc ? "" : NULL);
    }
    add_text(&asker, 'x', settings->certificate);
    if (!asker.context)
        return !asker.failed;
    if (!asker.failed && EVP_DigestFinal_ex(asker.context, digest, NULL) == 1)
        memcpy(out, digest, sizeof *out);
    else
        asker.failed = true;
    if (*out == 0) /* nobody's number */
        *out = 1;
    EVP_MD_CTX_free(asker.context);
    return !asker.failed;
}

bool stet__asker_may(uint32_t asker, const struct stet__disk_entry *entry)
{
    const struct stet_cache_control *control = &entry->stored.control;
    bool public =
        stet_cache_control_has(control, STET_CC_PUBLIC) && !stet_cache_control_has(control, STET_CC_PRIVATE);
    return entry->asker == asker || public;
}
