/* SPDX-License-Identifier: MIT */
/*
 * An exchange, taken down as lint.h wants to see it.
 *
 * Heads are made once, as text, and parsed by core: what is judged is what was sent and what came. The text
 * is in the arena, so that nothing points into a buffer that a connection uses for its next answer.
 */
#include <openssl/evp.h>

#include <stet/http1.h>

#include "check/gather.h"
#include "check/taken.h"
#include "coding/coder.h"

enum { FIELDS_MAX = STET__TAKEN_FIELDS_MAX, HEAD_MAX = STET__TAKEN_HEAD_MAX };

/* Fields that outlive the array they were parsed to. */
static bool keep_fields(struct stet__arena *arena, const struct stet_fields *fields, struct stet_fields *out)
{
    struct stet_field *at = stet__arena_alloc(arena, fields->count * sizeof *at + 1);
    if (!at)
        return false;
    if (fields->count > 0)
        memcpy(at, fields->at, fields->count * sizeof *at);
    *out = (struct stet_fields){at, fields->count, fields->present};
    return true;
}

/* The head as it may be shown: without what lets others in. */
static struct stet_span shown(struct stet__arena *arena, const struct stet_http1_request *request,
                              struct stet_span head)
{
    struct stet__buffer out;
    stet__buffer_init(&out, 2 * HEAD_MAX); /* "(not shown)" may be longer than what it stands for */
    const char *line = memchr(head.ptr, '\n', head.len);
    stet__buffer_append(&out, stet_span_of(head.ptr, line ? (size_t)(line - head.ptr) + 1 : 0));
    for (size_t i = 0; i < request->head.fields.count; i++) {
        const struct stet_field *field = &request->head.fields.at[i];
        bool secret = field->id == STET_FIELD_AUTHORIZATION || field->id == STET_FIELD_COOKIE ||
                      field->id == STET_FIELD_PROXY_AUTHORIZATION;
        stet__buffer_append(&out, field->name);
        stet__buffer_append_text(&out, ": ");
        if (secret)
            stet__buffer_append_text(&out, "(not shown)");
        else
            stet__buffer_append(&out, field->value);
        stet__buffer_append_text(&out, "\r\n");
    }
    stet__buffer_append_text(&out, "\r\n");
    struct stet_span kept = out.failed ? STET_SPAN_NONE : stet__arena_copy(arena, stet__buffer_span(&out));
    stet__buffer_release(&out);
    return kept;
}

bool stet__taken_request(struct stet__arena *arena, const char *uri, struct stet_span octets,
                         struct stet__taken *out)
{
    struct stet_field room[FIELDS_MAX];
    const struct stet_http1_limits limits = {HEAD_MAX, HEAD_MAX, FIELDS_MAX};
    struct stet_http1_request request;
    struct stet_span head = stet__arena_copy(arena, octets);
    if (!head.ptr)
        return false;
    out->lint.uri = stet_span_of(uri, strlen(uri));
    out->lint.secure = stet_span_starts(out->lint.uri, STET_SPAN("https:"));
    if (stet_http1_request_parse(head, 0, &limits, room, &request) != STET_OK) {
        out->record.failure = "The request cannot be made: a field or the target is malformed.";
        return true;
    }
    out->record.request = shown(arena, &request, head);
    out->lint.request = request.head;
    return keep_fields(arena, &request.head.fields, &out->lint.request.fields) && out->record.request.ptr;
}

bool stet__taken_answer(struct stet__arena *arena, struct stet_span octets, struct stet__taken *out)
{
    struct stet_field room[FIELDS_MAX];
    const struct stet_http1_limits limits = {HEAD_MAX, HEAD_MAX, FIELDS_MAX};
    struct stet_http1_response answer;
    struct stet_span head = stet__arena_copy(arena, octets);
    if (!head.ptr)
        return false;
    int status = stet_http1_response_parse(head, out->lint.request.method, &limits, room, &answer);
    if (status != STET_OK) {
        out->record.failure = stet_status_row(status)->sentence;
        return true;
    }
    out->record.response = head;
    out->record.status = answer.head.status;
    out->lint.response = answer.head;
    out->lint.minor = answer.minor;
    return keep_fields(arena, &answer.head.fields, &out->lint.response.fields);
}

void stet__taken_release(struct stet__taken *taken)
{
    stet__buffer_release(&taken->content);
}

static bool digest(struct stet_span octets, unsigned char out[STET_LINT_DIGEST_BYTES])
{
    return EVP_Digest(octets.ptr ? octets.ptr : "", octets.len, out, NULL, EVP_sha256(), NULL) == 1;
}

/* Takes the coding off; STET_OK, or why not. */
static int decode(struct stet_span input, enum stet_coding coding, size_t max, struct stet__buffer *out)
{
    const struct stet__coder_options options = {.coding = coding, .decode = true, .output_max = max};
    struct stet__coder *coder = stet__coder_new(&options);
    int status = coder ? STET_MORE : STET_E_CODED_MEMORY;
    while (status == STET_MORE) {
        enum { STEP = 65536 };
        struct stet__coder_output output = {stet__buffer_reserve(out, STEP), STEP, 0};
        if (!output.ptr) {
            status = STET_E_CODED_TOO_LARGE;
            break;
        }
        status = stet__coder_run(coder, &input, STET__CODER_FINISH, &output);
        out->len += output.len;
    }
    stet__coder_free(coder);
    return status;
}

static void take_identity(struct stet_span content, size_t max, struct stet__taken *out)
{
    enum stet_coding coding = stet_coding_of(&out->lint.response.fields);
    struct stet_lint_exchange *lint = &out->lint;
    if (coding == STET_CODING_UNKNOWN || lint->response.status == 206)
        return;
    if (coding == STET_CODING_IDENTITY) {
        memcpy(lint->identity_digest, lint->digest, sizeof lint->digest);
        lint->identity_length = content.len;
        lint->identity_known = true;
        return;
    }
    struct stet__buffer plain;
    stet__buffer_init(&plain, max + 65536);
    int status = decode(content, coding, max, &plain);
    if (status == STET_OK) {
        lint->identity_known = digest(stet__buffer_span(&plain), lint->identity_digest);
        lint->identity_length = plain.len;
    } else if (status == STET_E_CODED_TOO_LARGE || status == STET_E_CODED_MEMORY ||
               status == STET_E_CODED_WINDOW) {
        lint->content_known = false; /* not looked at to its end, so nothing is known to be damaged */
    }
    stet__buffer_release(&plain);
}

void stet__taken_content(struct stet__taken *taken, struct stet_span content, size_t max)
{
    struct stet_lint_exchange *lint = &taken->lint;
    taken->record.content_length = content.len;
    lint->content_length = content.len;
    lint->content_known = digest(content, lint->digest);
    if (lint->content_known)
        take_identity(content, max, taken);
}

void stet__taken_decoded(struct stet__taken *taken, struct stet_span content, bool coded)
{
    struct stet_lint_exchange *lint = &taken->lint;
    taken->record.content_length = content.len;
    lint->identity_length = content.len;
    lint->identity_known = digest(content, lint->identity_digest);
    if (coded || !lint->identity_known)
        return;
    lint->content_known = true;
    lint->content_length = content.len;
    memcpy(lint->digest, lint->identity_digest, sizeof lint->digest);
}
