/* SPDX-License-Identifier: MIT */
/*
 * dictionary: which stored response is offered, and its content: RFC 9842 sections 2.2 and 9.
 *
 * A dictionary is the content without its content codings: that is what the origin has as well, whatever it
 * was sent in. Of what is stored as it is, the digest is known; what is stored coded is decoded once for it.
 *
 * What was fetched with credentials is offered only with the same ones, as it is served (asker.c): section 10
 * wants dictionaries to be kept apart as cookies are.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include <stet/dictionary.h>

#include "base/buffer.h"
#include "base/file.h"
#include "get/task.h"

#define PIECE 16384

/*
 * Section 2.2.1: fresh, or allowed to be served stale: what the cache would answer with if it were asked for
 * the dictionary itself, by a request that selects it and says nothing about freshness.
 */
static bool is_fresh(const struct stet__task *task, const struct stet__disk_entry *entry)
{
    const struct stet_stored *stored = &entry->stored;
    struct stet_uri uri;
    if (stet_uri_parse(entry->uri, &uri) != STET_OK)
        return false;
    const char *path = uri.path.ptr;
    const struct stet_request request = {
        .method = STET_METHOD_GET,
        .method_name = STET_SPAN("GET"),
        .target = stet_span_of(path, (size_t)(entry->uri.ptr + entry->uri.len - path)),
        .fields = stored->selecting,
    };
    const struct stet_cache_question question = {
        .request = &request,
        .target = request.target,
        .stored = &stored,
        .count = 1,
        .invalidated = entry->invalidated,
        .policy = &task->get->settings.policy,
        .now = task->hop.now,
    };
    struct stet_cache_decision decision;
    stet_cache_decide(&question, &decision);
    return decision.action == STET_CACHE_SERVE || decision.action == STET_CACHE_SERVE_AND_REVALIDATE;
}

static bool append(struct stet__buffer *out, struct stet_span piece, struct stet__coder *coder,
                   enum stet__coder_step step)
{
    char room[PIECE];
    int status = STET_MORE;
    if (!coder)
        return stet__buffer_append(out, piece);
    while (status == STET_MORE) {
        struct stet__coder_output output = {room, sizeof room, 0};
        status = stet__coder_run(coder, &piece, step, &output);
        stet__buffer_append(out, stet_span_of(room, output.len));
    }
    return status == STET_OK && !out->failed;
}

static bool read_all(int fd, struct stet__coder *coder, struct stet__buffer *out)
{
    char piece[PIECE];
    off_t offset = 0;
    ssize_t len;
    while ((len = stet__read_at(fd, piece, sizeof piece, offset)) > 0) {
        if (!append(out, stet_span_of(piece, (size_t)len), coder, STET__CODER_FLUSH))
            return false;
        offset += len;
    }
    return len == 0 && append(out, STET_SPAN(""), coder, STET__CODER_FINISH);
}

/* The content of an entry. False if it cannot be had, or is too large. */
static bool read_content(struct stet__task *task, const struct stet__disk_entry *entry,
                         enum stet_coding coding, struct stet__buffer *out)
{
    const struct stet__coder_options options = {
        .coding = coding, .decode = true, .output_max = STET__DELTA_OCTETS_MAX};
    struct stet__coder *coder = NULL;
    if (coding != STET_CODING_IDENTITY && !(coder = stet__coder_new(&options)))
        return false;
    int fd = stet__disk_body(task->get->disk, entry);
    bool read = fd >= 0 && read_all(fd, coder, out);
    if (fd >= 0)
        close(fd);
    stet__coder_free(coder);
    return read;
}

static bool digest_of(const struct stet__buffer *content, unsigned char out[STET__DISK_DIGEST_BYTES])
{
    return EVP_Digest(content->ptr, content->len, out, NULL, EVP_sha256(), NULL) == 1;
}

static const struct stet__delta_known *look_up(const struct stet__get *get,
                                               const struct stet__delta_source *source)
{
    for (size_t i = 0; i < STET__DELTA_KNOWN; i++) {
        const struct stet__delta_known *known = &get->known[i];
        if (known->set && known->coding == source->coding &&
            memcmp(known->body, source->entry.digest, sizeof known->body) == 0)
            return known;
    }
    return NULL;
}

static const struct stet__delta_known *learn(struct stet__task *task, const struct stet__delta_source *source)
{
    struct stet__get *get = task->get;
    struct stet__delta_known *known = &get->known[get->known_next++ % STET__DELTA_KNOWN];
    struct stet__buffer content;
    *known = (struct stet__delta_known){.set = true, .coding = source->coding};
    memcpy(known->body, source->entry.digest, sizeof known->body);
    stet__buffer_init(&content, STET__DELTA_OCTETS_MAX);
    if (read_content(task, &source->entry, source->coding, &content) && digest_of(&content, known->content))
        known->octets = content.len;
    stet__buffer_release(&content);
    return known;
}

/* What the entry decodes to, in `source`. False if it can be nobody's dictionary. */
static bool measure(struct stet__task *task, struct stet__delta_source *source)
{
    const struct stet__disk_entry *entry = &source->entry;
    source->coding = stet_coding_of(&entry->stored.response.fields);
    if (source->coding == STET_CODING_UNKNOWN || entry->octets > STET__DELTA_OCTETS_MAX)
        return false;
    if (source->coding == STET_CODING_IDENTITY) {
        source->octets = entry->octets;
        memcpy(source->digest, entry->digest, sizeof source->digest);
        return source->octets > 0;
    }
    const struct stet__delta_known *known = look_up(task->get, source);
    if (!known)
        known = learn(task, source);
    source->octets = known->octets;
    memcpy(source->digest, known->content, sizeof source->digest);
    return source->octets > 0;
}

/* They come in the order of precedence: section 2.2.3. */
bool stet__delta_choose(struct stet__task *task, struct stet__delta_source *out)
{
    struct stet__get *get = task->get;
    struct stet__disk_entry *found = get->found;
    size_t count =
        stet__disk_dictionaries(get->disk, task->key, &get->settings.policy, &task->hop_arena, found);
    for (size_t i = 0; i < count; i++) {
        if (!stet__asker_may(task->hop.asker, &found[i]) || !is_fresh(task, &found[i]))
            continue;
        out->entry = found[i];
        if (measure(task, out))
            return true;
    }
    return false;
}

char *stet__delta_load(struct stet__task *task, const struct stet__delta_source *source)
{
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    struct stet__buffer content;
    stet__buffer_init(&content, (size_t)source->octets);
    if (read_content(task, &source->entry, source->coding, &content) && content.len == source->octets &&
        digest_of(&content, digest) && memcmp(digest, source->digest, sizeof digest) == 0)
        return content.ptr;
    stet__buffer_release(&content);
    return NULL;
}
