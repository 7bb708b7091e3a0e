/* SPDX-License-Identifier: MIT */
/*
 * asker: who asks, and on which way, as far as that may make a difference to the answer.
 *
 * Who: Authorization, Cookie, -u, .netrc and the client's certificate. RFC 9111 lets a private cache give
 * what it has stored to its one user, whatever credentials he shows this time, and servers that send private,
 * max-age=60 to a session seldom say Vary: Cookie. But who gives other credentials wants to see what those
 * bring. So what was fetched with some answers only the same, and what was fetched without any only a request
 * without any, unless it says public.
 *
 * Which way: --insecure, --resolve and --unix-socket. What somebody said whose certificate was not verified,
 * or who only goes by that name, must not be taken for the origin's afterwards: RFC 9111 section 4.1 wants
 * the target URI to be the same, and here it only looks so. That holds for what is public, too.
 *
 * What is stored is 32 bits of a digest of each: too few to tell a password by.
 */
#include <openssl/evp.h>

#include "get/task.h"

#define WAY UINT64_C(0xffffffff) /* the other bits are who */

/* Adds up what there is; none of it is 0. */
struct sum {
    EVP_MD_CTX *context; /* NULL as long as there is nothing */
    bool failed;
};

static void add(struct sum *sum, char kind, struct stet_span value)
{
    if (!sum->context && !sum->failed) {
        sum->context = EVP_MD_CTX_new();
        sum->failed = !sum->context || EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL) != 1;
    }
    if (!sum->failed)
        sum->failed = EVP_DigestUpdate(sum->context, &kind, 1) != 1 ||
                      EVP_DigestUpdate(sum->context, &value.len, sizeof value.len) != 1 ||
                      EVP_DigestUpdate(sum->context, value.ptr, value.len) != 1;
}

static void add_text(struct sum *sum, char kind, const char *text)
{
    if (text)
        add(sum, kind, stet_span_of(text, strlen(text)));
}

/* Frees it. False if there was no memory. */
static bool total(struct sum *sum, uint32_t *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    *out = 0;
    if (!sum->context)
        return !sum->failed;
    if (!sum->failed && EVP_DigestFinal_ex(sum->context, digest, NULL) == 1)
        memcpy(out, digest, sizeof *out);
    else
        sum->failed = true;
    if (*out == 0)
        *out = 1;
    EVP_MD_CTX_free(sum->context);
    return !sum->failed;
}

static bool find_who(const struct stet__task *task, uint32_t *out)
{
    const struct stet__transfer_settings *transfer = task->get->settings.transfer;
    const struct stet_fields *fields = &task->hop.request.fields;
    struct sum who = {NULL, false};
    for (size_t i = 0; i < fields->count; i++) {
        const struct stet_field *field = &fields->at[i];
        if (field->id == STET_FIELD_AUTHORIZATION || field->id == STET_FIELD_COOKIE)
            add(&who, field->id == STET_FIELD_COOKIE ? 'c' : 'a', field->value);
    }
    if (stet_uri_same_origin(&task->first, &task->uri)) {
        add_text(&who, 'u', transfer->user);
        add_text(&who, 'n', transfer->netrc ? "" : NULL);
    }
    add_text(&who, 'x', transfer->certificate);
    return total(&who, out);
}

static bool find_way(const struct stet__task *task, uint32_t *out)
{
    const struct stet__transfer_settings *transfer = task->get->settings.transfer;
    struct sum way = {NULL, false};
    add_text(&way, 's', transfer->unix_socket);
    for (const char *const *at = transfer->resolve; at && *at; at++)
        add_text(&way, 'r', *at);
    if (transfer->insecure && stet_span_equal_nocase(task->uri.scheme, STET_SPAN("https")))
        add_text(&way, 'k', "");
    return total(&way, out);
}

bool stet__asker_find(const struct stet__task *task, uint64_t *out)
{
    uint32_t who, way;
    *out = 0;
    if (!find_who(task, &who) || !find_way(task, &way))
        return false;
    *out = (uint64_t)who << 32 | way;
    return true;
}

bool stet__asker_may(uint64_t asker, const struct stet__disk_entry *entry)
{
    const struct stet_cache_control *control = &entry->stored.control;
    bool public =
        stet_cache_control_has(control, STET_CC_PUBLIC) && !stet_cache_control_has(control, STET_CC_PRIVATE);
    uint64_t differs = entry->asker ^ asker;
    return differs == 0 || ((differs & WAY) == 0 && public);
}
