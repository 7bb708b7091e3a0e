/* SPDX-License-Identifier: MIT */
/*
 * What is asked, as libcurl wants it: texts with a terminator, and field lines in a list, all in the arena of
 * the transfer.
 */
#include <unistd.h>

#include <stet/uri.h>

#include "core/http1_head.h"
#include "transfer/group.h"

static char *copy_text(struct stet__arena *arena, struct stet_span text)
{
    char *to = stet__arena_alloc(arena, text.len + 1);
    if (to) {
        memcpy(to, text.ptr, text.len);
        to[text.len] = '\0';
    }
    return to;
}

static bool is_token(struct stet_span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!stet__h1_is(name.ptr[i], STET__H1_TCHAR))
            return false;
    return name.len > 0;
}

/* A line that could end early, or begin another one, is not sent: RFC 9110 section 5.5. */
static bool can_be_sent(const struct stet_field *field)
{
    const char *end = field->value.ptr + field->value.len;
    return is_token(field->name) &&
           (field->value.len == 0 || stet__find_control(field->value.ptr, end) == end);
}

/* "Name: value", or "Name;" for an empty value: "Name:" would tell libcurl to leave its own line out. */
static char *write_field(struct stet__arena *arena, const struct stet_field *field)
{
    struct stet_span value = stet_span_trim(field->value);
    size_t name_len = field->name.len;
    char *line = stet__arena_alloc(arena, name_len + value.len + 3);
    if (!line)
        return NULL;
    memcpy(line, field->name.ptr, name_len);
    char *at = line + name_len;
    if (value.len == 0) {
        *at++ = ';';
    } else {
        *at++ = ':';
        *at++ = ' ';
        memcpy(at, value.ptr, value.len);
        at += value.len;
    }
    *at = '\0';
    return line;
}

static struct curl_slist **append(struct stet__arena *arena, struct curl_slist **end, char *line)
{
    struct curl_slist *node = line ? stet__arena_alloc(arena, sizeof *node) : NULL;
    if (!node)
        return NULL;
    *node = (struct curl_slist){.data = line};
    *end = node;
    return &node->next;
}

/* The lines given, and those that keep libcurl from adding its own. */
static bool copy_fields(struct stet__transfer *transfer, const struct stet_fields *fields)
{
    static char no_accept[] = "Accept:", no_expect[] = "Expect:";
    struct stet__arena *arena = &transfer->arena;
    struct curl_slist **end = &transfer->fields;
    bool accept = false, expect = false;
    *end = NULL;
    for (size_t i = 0; fields && i < fields->count; i++) {
        const struct stet_field *field = &fields->at[i];
        if (!can_be_sent(field))
            return false;
        if (field->id == STET_FIELD_CONTENT_LENGTH || field->id == STET_FIELD_TRANSFER_ENCODING)
            continue;
        accept |= stet_span_equal_nocase(field->name, STET_SPAN("Accept"));
        expect |= stet_span_equal_nocase(field->name, STET_SPAN("Expect"));
        end = append(arena, end, write_field(arena, field));
        if (!end)
            return false;
    }
    if (!accept && !(end = append(arena, end, no_accept)))
        return false;
    return expect || append(arena, end, no_expect);
}

/* RFC 9110 section 8.6: methods for which content means something say so when they have none. */
static bool expects_content(enum stet_method method)
{
    return method == STET_METHOD_POST || method == STET_METHOD_PUT || method == STET_METHOD_PATCH ||
           method == STET_METHOD_QUERY;
}

static void copy_content(struct stet__transfer *transfer, const struct stet__transfer_request *request)
{
    transfer->content = request->content;
    transfer->content_at = 0;
    transfer->from_fd = request->has_content_fd && !request->content.ptr;
    transfer->content_length = transfer->from_fd ? request->content_length : request->content.len;
    transfer->has_content = transfer->method != STET_METHOD_HEAD &&
                            (transfer->from_fd || request->content.ptr || expects_content(transfer->method));
    transfer->fd = request->content_fd;
    transfer->fd_begin = transfer->from_fd ? lseek(request->content_fd, 0, SEEK_CUR) : -1;
}

static bool copy_address(struct stet__transfer *transfer, const char *address)
{
    transfer->address = (struct curl_slist){0};
    if (!address)
        return true;
    size_t room = strlen(address) + sizeof "::[]:";
    transfer->address.data = stet__arena_alloc(&transfer->arena, room);
    return transfer->address.data && stet__handle_write_address(address, transfer->address.data, room) > 0;
}

bool stet__request_copy(struct stet__transfer *transfer, const struct stet__transfer_request *request)
{
    struct stet_uri uri;
    struct stet_span text = stet_span_of(request->uri, strlen(request->uri));
    struct stet_span method = stet_span_of(request->method, strlen(request->method));
    if (stet_uri_parse(text, &uri) != STET_OK || !is_token(method))
        return false;
    transfer->uri = copy_text(&transfer->arena, text);
    transfer->method_name = copy_text(&transfer->arena, method);
    if (!transfer->uri || !transfer->method_name)
        return false;
    transfer->method = stet_method_id(method);
    transfer->secure = uri.scheme.len == sizeof "https" - 1;
    transfer->host = stet_span_of(transfer->uri + (uri.host.ptr - request->uri), uri.host.len);
    transfer->port = uri.port;
    transfer->fresh = request->fresh_connection;
    transfer->keep_credentials = request->keep_credentials;
    copy_content(transfer, request);
    return copy_address(transfer, request->address) && copy_fields(transfer, request->fields);
}
