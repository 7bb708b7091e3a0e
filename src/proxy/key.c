/* SPDX-License-Identifier: MIT */
/*
 * key: what a request is for: its target URI (RFC 9110 section 7.1), whether this proxy passes it on, and
 * under which key its answers stand. The normal form is uri.h's; nothing else about the URI is changed.
 *
 * What an origin may answer by has to be in the key, or must not reach it. So the origin is asked for the
 * host in the normal form that the key has; with --trust-forwarded scheme and host are those that the client
 * used (stet_forwarded_read), and whatever else such fields say has to agree with the key; and a GET that
 * asks for more than its URI names is for the origin alone (stet_cache_exceeds_key). Of a proxy with origins
 * and --forward only what the origins say is cached: one key would stand for two servers.
 *
 * Refused: another server's URI without --forward (RFC 9110 section 15.5.20), a message that has been here
 * (section 7.6.3), and TRACE and OPTIONS that may go no further (section 7.6.2), which are answered here.
 */
#include <stet/field.h>
#include <stet/forward.h>

#include "proxy/worker.h"

static bool refuse(struct stet__refused *refused, unsigned status, enum stet_reason reason)
{
    *refused = (struct stet__refused){status, reason};
    return false;
}

static bool is_bypassed(const struct stet__proxy_configuration *configuration, struct stet_span path)
{
    for (size_t i = 0; i < configuration->bypass_count; i++)
        if (stet_span_starts(path, configuration->bypass[i]))
            return true;
    return false;
}

bool stet__upgrade_next(struct stet_list *list, struct stet_span *protocol)
{
    while (stet_list_next(list, protocol) == STET_OK)
        if (!stet_span_equal_nocase(*protocol, STET_SPAN("h2c")))
            return true;
    return false;
}

static bool lists(const struct stet_fields *fields, enum stet_field_id id, struct stet_span wanted)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, fields, id);
    while (stet_list_next(&list, &member) == STET_OK)
        if (stet_span_equal_nocase(member, wanted))
            return true;
    return false;
}

/*
 * Upgrade goes on, and with it the request goes to the origin whatever is stored. An offer of HTTP/2 does
 * not: within such a tunnel requests would reach the origin that nobody has looked at. RFC 9113 section 3.1
 * has dropped it, and a server may decline by being silent. Without the option in Connection (RFC 9110
 * section 7.8) it is from before another proxy, not from the client of this connection.
 */
static bool is_upgrade(const struct stet_http1_request *request)
{
    const struct stet_fields *fields = &request->head.fields;
    struct stet_list list;
    struct stet_span protocol;
    if (request->minor == 0 || !stet_fields_have(fields, STET_FIELD_UPGRADE) ||
        !stet_fields_have(fields, STET_FIELD_CONNECTION))
        return false;
    stet_list_begin(&list, fields, STET_FIELD_UPGRADE);
    return stet__upgrade_next(&list, &protocol) && lists(fields, STET_FIELD_CONNECTION, STET_SPAN("upgrade"));
}

static bool exceeds_key(const struct stet_http1_request *request)
{
    return stet_cache_exceeds_key(&request->head.fields,
                                  request->body == STET_BODY_CHUNKED || request->content_length > 0);
}

static struct stet_span host_field(const struct stet_http1_request *request)
{
    const struct stet_field *host = stet_fields_find(&request->head.fields, STET_FIELD_HOST, 0);
    return host ? host->value : STET_SPAN_NONE;
}

/* The absolute form: whether it is for us or, with --forward, for its authority. */
static bool read_absolute(struct stet__proxy_worker *worker, const struct stet_http1_request *request,
                          struct stet__target *target, struct stet__refused *refused)
{
    struct stet_uri uri;
    if (stet_uri_parse(request->head.target, &uri) != STET_OK)
        return refuse(refused, 400, STET_REASON_BAD_PATH);
    bool plain = stet_span_equal_nocase(uri.scheme, STET_SPAN("http"));
    if (worker->configuration->forward) {
        target->elsewhere = true;
        target->scheme = STET_SPAN("http"); /* however the client came to us */
        return plain || refuse(refused, 502, STET_REASON_UPSTREAM_UNREACHABLE);
    }
    /*
     * A server has to accept this form (RFC 9112 section 3.2.2), and a reverse proxy does not know all names
     * of its site; but a Host that says something else shows a client that takes this for a proxy. RFC 9110
     * section 7.4: a resource of https is not asked for without TLS.
     */
    bool ours = plain || stet_span_equal_nocase(uri.scheme, target->scheme);
    struct stet_span host = host_field(request);
    if (!ours || (host.ptr && !stet_span_equal_nocase(host, request->authority)))
        return refuse(refused, 421, STET_REASON_NOT_A_PROXY);
    return true;
}

static struct stet_span own_authority(const struct stet__proxy_configuration *configuration)
{
    if (configuration->origin_count > 0 && configuration->origins[0].authority.len > 0)
        return configuration->origins[0].authority;
    return STET_SPAN("localhost");
}

/* "?a=b" of an absolute form has the path "/". */
static bool set_path(struct stet__exchange *exchange, struct stet__target *target)
{
    struct stet_span path = exchange->request->path_query;
    target->path_query = path;
    if (path.len > 0 && path.ptr[0] == '/')
        return true;
    char *text = stet__arena_alloc(exchange->arena, path.len + 1);
    if (!text)
        return false;
    text[0] = '/';
    if (path.len > 0)
        memcpy(text + 1, path.ptr, path.len);
    target->path_query = stet_span_of(text, path.len + 1);
    return true;
}

static void remember(struct stet__key_front *front, struct stet_span scheme, struct stet_span authority,
                     struct stet_span text)
{
    if (scheme.len > sizeof front->scheme || authority.len > sizeof front->authority ||
        text.len > sizeof front->text)
        return;
    memcpy(front->scheme, scheme.ptr, scheme.len);
    memcpy(front->authority, authority.ptr, authority.len);
    memcpy(front->text, text.ptr, text.len);
    front->scheme_len = scheme.len;
    front->authority_len = authority.len;
    front->len = text.len;
}

/* Most requests are for the host of the one before, whose normal form is known. */
static struct stet_span write_uri(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                                  const struct stet__target *target, struct stet_span authority)
{
    struct stet__key_front *front = &worker->key_front;
    struct stet_span scheme = target->scheme, path = target->path_query; /* which begins with a slash */
    size_t room = scheme.len + authority.len + path.len + 32;
    char *text = stet__arena_alloc(exchange->arena, room);
    if (!text)
        return STET_SPAN_NONE;
    if (front->len > 0 && stet_span_equal(stet_span_of(front->scheme, front->scheme_len), scheme) &&
        stet_span_equal(stet_span_of(front->authority, front->authority_len), authority)) {
        memcpy(text, front->text, front->len);
        memcpy(text + front->len, path.ptr, path.len);
        return stet_span_of(text, front->len + path.len);
    }
    size_t len = stet_uri_write_target(scheme, authority, path, text, room);
    if (len == 0)
        return STET_SPAN_NONE;
    remember(front, scheme, authority, stet_span_of(text, len - path.len));
    return stet_span_of(text, len);
}

/* The authority in normal form: what the key has between scheme and path, which are as long as they came. */
static struct stet_span key_authority(const struct stet__target *target)
{
    size_t before = target->scheme.len + sizeof "://" - 1;
    return stet_span_of(target->key.ptr + before, target->key.len - before - target->path_query.len);
}

static bool read_forwarded(struct stet__arena *arena, const struct stet_fields *fields,
                           struct stet_forwarded *told)
{
    size_t octets = 0;
    const struct stet_field *line = stet_fields_find(fields, STET_FIELD_FORWARDED, 0);
    for (; line; line = stet_fields_find(fields, STET_FIELD_FORWARDED, (size_t)(line - fields->at) + 1))
        octets += line->value.len;
    char *room = octets > 0 ? stet__arena_alloc(arena, octets) : NULL;
    return (room || octets == 0) && stet_forwarded_read(fields, room, told);
}

/*
 * With --trust-forwarded the scheme and host that the client used. A forward proxy leaves such fields alone:
 * they go on, so whoever sends one is answered by the origin.
 */
static void judge_forwarded(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                            struct stet__target *target, struct stet_forwarded *told)
{
    const struct stet_fields *fields = &exchange->request->head.fields;
    if (!worker->configuration->trust_forwarded && !target->elsewhere)
        return;
    target->bypassed |= !read_forwarded(exchange->arena, fields, told);
    if (!target->elsewhere)
        return;
    target->bypassed |=
        told->scheme.ptr || told->authority.ptr || !stet_forwarded_agrees(fields, STET_SPAN_NONE);
    *told = (struct stet_forwarded){.scheme = STET_SPAN_NONE};
}

/* The key, and the host in its normal form. */
static bool set_key(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                    struct stet__target *target)
{
    struct stet_forwarded told = {.scheme = STET_SPAN_NONE};
    judge_forwarded(worker, exchange, target, &told);
    if (told.scheme.ptr)
        target->scheme = told.scheme;
    target->key = write_uri(worker, exchange, target, target->authority);
    if (!target->key.ptr)
        return false;
    target->authority = key_authority(target);
    if (told.authority.ptr) {
        struct stet_span key = write_uri(worker, exchange, target, told.authority);
        target->bypassed |= !key.ptr;
        target->key = key.ptr ? key : target->key;
    }
    if (worker->configuration->trust_forwarded && !target->elsewhere)
        target->bypassed |= !stet_forwarded_agrees(&exchange->request->head.fields, target->key);
    target->hash = stet__store_hash(worker->proxy->store, target->key);
    return true;
}

/* RFC 9110 sections 7.6.2 and 7.6.3. */
static bool may_go_on(struct stet__proxy_worker *worker, const struct stet_request *request,
                      struct stet__target *target, struct stet__refused *refused)
{
    if (stet_fields_have(&request->fields, STET_FIELD_VIA) &&
        stet_via_names(&request->fields, worker->proxy->pseudonym))
        return refuse(refused, 502, STET_REASON_LOOP);
    if (request->method != STET_METHOD_OPTIONS && request->method != STET_METHOD_TRACE)
        return true;
    switch (stet_max_forwards(request, &target->max_forwards)) {
    case STET_OK:
        target->replace_max_forwards = true;
        return true;
    case STET_END:
        return refuse(refused, 200,
                      request->method == STET_METHOD_OPTIONS ? STET_REASON_OPTIONS : STET_REASON_TRACED);
    default:
        return true;
    }
}

bool stet__target_read(struct stet__proxy_worker *worker, struct stet__exchange *exchange,
                       struct stet__target *target, struct stet__refused *refused)
{
    const struct stet_http1_request *request = exchange->request;
    *target = (struct stet__target){.scheme = exchange->scheme, .authority = request->authority};
    if (target->authority.len == 0)
        target->authority = own_authority(worker->configuration);
    if (request->form == STET_TARGET_ABSOLUTE && !read_absolute(worker, request, target, refused))
        return false;
    if (!target->elsewhere && worker->configuration->origin_count == 0)
        return refuse(refused, 421, STET_REASON_NOT_A_PROXY);
    if (!may_go_on(worker, &request->head, target, refused))
        return false;
    target->upgrade = is_upgrade(request);
    if (request->form == STET_TARGET_ASTERISK) {
        target->path_query = STET_SPAN("*");
        target->bypassed = true;
        return true;
    }
    if (!set_path(exchange, target) || !set_key(worker, exchange, target))
        return refuse(refused, 400, STET_REASON_BAD_PATH);
    bool reads = request->head.method == STET_METHOD_GET || request->head.method == STET_METHOD_HEAD;
    target->bypassed |= is_bypassed(worker->configuration, target->path_query) ||
                        (target->elsewhere && worker->configuration->origin_count > 0) ||
                        (reads && exceeds_key(request));
    target->cacheable = !target->bypassed && !target->upgrade && reads;
    return true;
}
