/* SPDX-License-Identifier: MIT */
/*
 * RFC 9113 sections 8.1.1, 8.2.2 and 8.3.1. A request that HTTP/1.1 would have refused is refused for the
 * same reason; what a version of HTTP lets pass would otherwise be let pass by all of them behind a proxy.
 */
#include "core/http2_request.h"

#include "core/http1_head.h"

/* No method in use is half as long; the same as in http1_request.c. */
#define METHOD_MAX 32

#define BIT(id) (UINT64_C(1) << (id))

/* RFC 9113 section 8.2.2. */
#define CONNECTION_FIELDS                                                                         \
    (BIT(STET_FIELD_CONNECTION) | BIT(STET_FIELD_PROXY_CONNECTION) | BIT(STET_FIELD_KEEP_ALIVE) | \
     BIT(STET_FIELD_TRANSFER_ENCODING) | BIT(STET_FIELD_UPGRADE))

static int judge_method(struct stet_span method)
{
    if (method.len > METHOD_MAX)
        return STET_E_METHOD_TOO_LONG;
    for (size_t i = 0; i < method.len; i++)
        if (!stet__h1_is(method.ptr[i], STET__H1_TCHAR))
            return STET_E_METHOD;
    return method.len > 0 ? STET_OK : STET_E_METHOD;
}

/* "http" or "https": of others stet has no resources, as a target in absolute form would have shown. */
static bool knows_scheme(struct stet_span scheme)
{
    return stet_span_equal_nocase(scheme, STET_SPAN("http")) ||
           stet_span_equal_nocase(scheme, STET_SPAN("https"));
}

static int judge_connect(const struct stet__http2_pseudo *pseudo, struct stet_http1_request *out)
{
    size_t host_len;
    out->form = STET_TARGET_AUTHORITY;
    out->head.target = pseudo->authority;
    out->path_query = STET_SPAN_NONE;
    if (!pseudo->authority.ptr || !stet__host_valid(pseudo->authority, &host_len) || host_len == 0 ||
        pseudo->authority.len - host_len < 2)
        return STET_E_TARGET;
    return STET_OK;
}

static int judge_target(const struct stet__http2_pseudo *pseudo, struct stet_http1_request *out)
{
    struct stet_span path = pseudo->path;
    if (out->head.method == STET_METHOD_CONNECT)
        return judge_connect(pseudo, out);
    out->head.target = path;
    out->path_query = path;
    out->form = STET_TARGET_ORIGIN;
    if (!knows_scheme(pseudo->scheme) || path.len == 0 ||
        stet__find_target_end(path.ptr, path.ptr + path.len) != path.ptr + path.len)
        return STET_E_TARGET;
    if (path.ptr[0] == '/')
        return STET_OK;
    if (out->head.method != STET_METHOD_OPTIONS || !stet_span_equal(path, STET_SPAN("*")))
        return STET_E_TARGET;
    out->form = STET_TARGET_ASTERISK;
    out->path_query = STET_SPAN_NONE;
    return STET_OK;
}

/* One of the lines behind room[0]; `*again` if there is another. */
static struct stet_field *find(struct stet_field *room, size_t count, enum stet_field_id id, bool *again)
{
    struct stet_field *found = NULL;
    *again = false;
    for (size_t i = count; i > 0; i--) {
        if (room[i].id != id)
            continue;
        *again = found != NULL;
        found = &room[i];
    }
    return found;
}

/*
 * RFC 9113 section 8.3.1: "The recipient [...] SHOULD treat a request as malformed if it contains a Host
 * header field that identifies an entity that differs from the entity in the ':authority' pseudo-header
 * field."
 */
static int judge_host(const struct stet__http2_pseudo *pseudo, struct stet_field *room, size_t count,
                      struct stet_http1_request *out)
{
    struct stet_fields *fields = &out->head.fields;
    bool again, has_host = (fields->present & BIT(STET_FIELD_HOST)) != 0;
    struct stet_field *host = has_host ? find(room, count, STET_FIELD_HOST, &again) : NULL;
    size_t host_len;
    if (host && again)
        return STET_E_HOST_REPEATED;
    if (!pseudo->authority.ptr && !host)
        return STET_E_HOST_MISSING;
    if (host && pseudo->authority.ptr && !stet_span_equal_nocase(host->value, pseudo->authority))
        return STET_E_HOST;
    out->authority = pseudo->authority.ptr ? pseudo->authority : host->value;
    if (!stet__host_valid(out->authority, &host_len))
        return STET_E_HOST;
    fields->at = host ? room + 1 : room;
    fields->count = host ? count : count + 1;
    if (!host)
        room[0] = (struct stet_field){.name = STET_SPAN("Host"), .id = STET_FIELD_HOST};
    (host ? host : room)->value = out->authority;
    fields->present |= BIT(STET_FIELD_HOST);
    return STET_OK;
}

static int judge_length(bool ended, struct stet_http1_request *out)
{
    const struct stet_fields *fields = &out->head.fields;
    out->content_length = 0;
    out->body = ended ? STET_BODY_NONE : STET_BODY_CHUNKED;
    if (!stet_fields_have(fields, STET_FIELD_CONTENT_LENGTH))
        return STET_OK;
    if (stet_fields_count(fields, STET_FIELD_CONTENT_LENGTH) > 1)
        return STET_E_CONTENT_LENGTH_CONFLICT;
    const struct stet_field *length = stet_fields_find(fields, STET_FIELD_CONTENT_LENGTH, 0);
    if (stet_span_to_u64(length->value, &out->content_length) != STET_OK)
        return STET_E_CONTENT_LENGTH;
    out->body = STET_BODY_LENGTH;
    return STET_OK;
}

int stet__http2_request_make(const struct stet__http2_pseudo *pseudo, struct stet_field *room, size_t count,
                             bool ended, struct stet_http1_request *out)
{
    *out = (struct stet_http1_request){.major = 2, .minor = 1, .keep_alive = true};
    struct stet_request *head = &out->head;
    head->method_name = pseudo->method;
    head->method = stet_method_id(pseudo->method);
    for (size_t i = 1; i <= count; i++)
        head->fields.present |= BIT(room[i].id);
    int status = judge_method(pseudo->method);
    int target = judge_target(pseudo, out);
    if (status == STET_OK)
        status = target;
    if (status == STET_OK && (head->fields.present & CONNECTION_FIELDS) != 0)
        status = STET_E_CONNECTION_FIELD;
    if (status == STET_OK)
        status = judge_host(pseudo, room, count, out);
    if (status == STET_OK)
        status = judge_length(ended, out);
    if (status != STET_OK)
        return status;
    stet__head_judge_expect(&head->fields, out);
    return STET_OK;
}
