/* SPDX-License-Identifier: MIT */
/*
 * A handle and its transfer: which options make libcurl ask what is to be asked, and what it calls back.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "transfer/group.h"

/* Octets that libcurl reads at a time. */
#define BUFFER_BYTES 65536L

/* A failure of our own ends the transfer; libcurl has an answer of its own for each callback. */
static bool fail(struct stet__transfer *transfer, int status)
{
    if (transfer->failure == STET_OK)
        transfer->failure = status;
    return false;
}

static bool tell_head(struct stet__transfer *transfer)
{
    const struct stet__transfer_events *events = transfer->events;
    struct stet__answer *answer = &transfer->answer;
    if (!answer->final) {
        if (events->interim)
            events->interim(transfer->owner, &answer->response.head);
        return true;
    }
    if (!events->head || events->head(transfer->owner, &answer->response))
        return true;
    return fail(transfer, STET__TRANSFER_E_STOPPED);
}

static size_t on_header(char *octets, size_t size, size_t count, void *owner)
{
    struct stet__handle *handle = owner;
    struct stet__transfer *transfer = handle->transfer;
    size_t len = size * count;
    if (transfer->state != STET__TRANSFER_RUNNING)
        return 0;
    stet__transfer_alive(transfer);
    int status = stet__answer_take(&transfer->answer, &transfer->group->reader, stet_span_of(octets, len),
                                   transfer->method, &transfer->arena);
    if (status < 0)
        return fail(transfer, status);
    if (status == STET_OK && !tell_head(transfer))
        return 0;
    return len;
}

static size_t on_data(char *octets, size_t size, size_t count, void *owner)
{
    struct stet__handle *handle = owner;
    struct stet__transfer *transfer = handle->transfer;
    const struct stet__transfer_events *events = transfer->events;
    size_t len = size * count;
    if (transfer->state != STET__TRANSFER_RUNNING)
        return 0;
    stet__transfer_alive(transfer);
    if (!transfer->answer.final)
        return fail(transfer, STET__TRANSFER_E_PROTOCOL);
    transfer->content_octets += len;
    if (len > 0 && events->data && !events->data(transfer->owner, stet_span_of(octets, len)))
        return fail(transfer, STET__TRANSFER_E_STOPPED);
    return len;
}

static ssize_t read_file(int fd, char *to, size_t room)
{
    for (;;) {
        ssize_t got = read(fd, to, room);
        if (got >= 0 || errno != EINTR)
            return got;
    }
}

static size_t on_read(char *to, size_t size, size_t count, void *owner)
{
    struct stet__handle *handle = owner;
    struct stet__transfer *transfer = handle->transfer;
    uint64_t left = transfer->content_length - transfer->content_at;
    size_t room = size * count < left ? size * count : (size_t)left;
    if (transfer->state != STET__TRANSFER_RUNNING)
        return CURL_READFUNC_ABORT;
    stet__transfer_alive(transfer);
    if (room == 0)
        return 0;
    if (transfer->from_fd) {
        ssize_t got = read_file(transfer->fd, to, room);
        if (got <= 0) {
            fail(transfer, STET__TRANSFER_E_CONTENT);
            return CURL_READFUNC_ABORT;
        }
        room = (size_t)got;
    } else {
        memcpy(to, transfer->content.ptr + transfer->content_at, room);
    }
    transfer->content_at += room;
    return room;
}

/* A kept connection turned out to be closed: libcurl asks again over another one, from the beginning. */
static int on_seek(void *owner, curl_off_t offset, int origin)
{
    struct stet__handle *handle = owner;
    struct stet__transfer *transfer = handle->transfer;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->content_length)
        return CURL_SEEKFUNC_CANTSEEK;
    if (transfer->from_fd &&
        (transfer->fd_begin < 0 || lseek(transfer->fd, transfer->fd_begin + offset, SEEK_SET) < 0))
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->content_at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/*
 * There is a connection, and the request goes out next. libcurl repeats by itself a request whose Expect was
 * answered with 417; what to make of that answer is the caller's business, so it ends there.
 */
static int on_request(void *owner, char *address, char *local_address, int port, int local_port)
{
    struct stet__handle *handle = owner;
    struct stet__transfer *transfer = handle->transfer;
    if (transfer->state != STET__TRANSFER_RUNNING)
        return CURL_PREREQFUNC_ABORT;
    if (transfer->answer.final) {
        transfer->again = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->asked = true;
    stet__transfer_alive(transfer);
    return CURL_PREREQFUNC_OK;
}

/* What may speak HTTP/2 may send at any time. */
static curl_socket_t on_open(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct stet__handle *handle = owner;
    return stet__sockets_open(&handle->transfer->group->sockets, address,
                              handle->version != CURL_HTTP_VERSION_1_1);
}

/* The callbacks, which find the transfer of the day in the handle. */
static bool setup_callbacks(struct stet__handle *handle, struct stet__transfers *group)
{
    CURL *easy = handle->easy;
    return !curl_easy_setopt(easy, CURLOPT_PRIVATE, handle) &&
           !curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->words) &&
           !curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) &&
           !curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data) &&
           !curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle) &&
           !curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) &&
           !curl_easy_setopt(easy, CURLOPT_READDATA, handle) &&
           !curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek) &&
           !curl_easy_setopt(easy, CURLOPT_SEEKDATA, handle) &&
           !curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) &&
           !curl_easy_setopt(easy, CURLOPT_PREREQDATA, handle) &&
           !curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) &&
           !curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, handle) &&
           !curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, stet__sockets_close) &&
           !curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &group->sockets);
}

static bool setup_group(struct stet__handle *handle, struct stet__transfers *group)
{
    static char no_proxy_connection[] = "Proxy-Connection:", no_user_agent[] = "User-Agent:";
    static struct curl_slist no_more = {.data = no_user_agent};
    static struct curl_slist proxy_fields = {.data = no_proxy_connection, .next = &no_more};
    CURL *easy = handle->easy;
    return !curl_easy_setopt(easy, CURLOPT_SHARE, group->share) &&
           !curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES) &&
           !curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_PROXYHEADER, &proxy_fields) &&
           !curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)group->settings.whole_ms) &&
           !curl_easy_setopt(easy, CURLOPT_RESOLVE, group->resolve);
}

struct stet__handle *stet__handle_new(struct stet__transfers *group)
{
    struct stet__handle *handle = calloc(1, sizeof *handle);
    if (!handle)
        return NULL;
    handle->easy = curl_easy_init();
    if (handle->easy && stet__handle_setup(handle->easy, &group->settings) &&
        setup_callbacks(handle, group) && setup_group(handle, group))
        return handle;
    stet__handle_free(handle);
    return NULL;
}

void stet__handle_free(struct stet__handle *handle)
{
    if (handle->easy)
        curl_easy_cleanup(handle->easy);
    free(handle);
}

/* Transfers to a host that may speak HTTP/2 wait for its first connection, instead of having one each. */
static bool attach_version(struct stet__handle *handle, const struct stet__transfer *transfer)
{
    long version = CURL_HTTP_VERSION_1_1;
    enum stet__transfer_version wanted = transfer->group->settings.version;
    if (wanted == STET__TRANSFER_HTTP2)
        version = transfer->secure ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    else if (wanted == STET__TRANSFER_ANY && transfer->secure)
        version = CURL_HTTP_VERSION_2TLS;
    if (handle->version == version)
        return true;
    handle->version = version;
    return !curl_easy_setopt(handle->easy, CURLOPT_HTTP_VERSION, version) &&
           !curl_easy_setopt(handle->easy, CURLOPT_PIPEWAIT, version == CURL_HTTP_VERSION_1_1 ? 0L : 1L);
}

/* UPLOAD is libcurl's word for content of any method. Whichever of it and NOBODY comes last has the say, and
 * unsetting either gives GET, so the old one goes first. */
static bool attach_method(struct stet__handle *handle, const struct stet__transfer *transfer)
{
    CURL *easy = handle->easy;
    bool head = transfer->method == STET_METHOD_HEAD;
    bool named = transfer->has_content || !(head || transfer->method == STET_METHOD_GET);
    bool ok = true;
    if (handle->head && !head)
        ok = !curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    if (handle->upload != transfer->has_content)
        ok = ok && !curl_easy_setopt(easy, CURLOPT_UPLOAD, transfer->has_content ? 1L : 0L);
    if (transfer->has_content)
        ok = ok && !curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->content_length);
    if (head && !handle->head)
        ok = ok && !curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (named || handle->named)
        ok = ok && !curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, named ? transfer->method_name : NULL);
    handle->head = head;
    handle->upload = transfer->has_content;
    handle->named = named;
    return ok;
}

/* Basic goes out with the first request; libcurl keeps what it was told for as long as the handle lives. */
static bool attach_credentials(struct stet__handle *handle, const struct stet__transfer *transfer)
{
    const struct stet__transfer_settings *settings = &transfer->group->settings;
    bool wanted = transfer->keep_credentials && (settings->user || settings->netrc);
    if (handle->credentials == wanted)
        return true;
    handle->credentials = wanted;
    const char *user = wanted ? settings->user : NULL;
    long netrc = wanted && settings->netrc ? CURL_NETRC_OPTIONAL : CURL_NETRC_IGNORED;
    return !curl_easy_setopt(handle->easy, CURLOPT_USERPWD, user) &&
           !curl_easy_setopt(handle->easy, CURLOPT_NETRC, netrc);
}

/* libcurl before 8.0.0 begins HTTP/2 anew on a kept connection if it was known beforehand, and fails
 * (https://github.com/curl/curl/pull/10643): there is none to be kept then. */
static bool can_be_reused(const struct stet__handle *handle)
{
    return handle->version != CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE ||
           curl_version_info(CURLVERSION_NOW)->version_num >= 0x080000;
}

static bool attach_connection(struct stet__handle *handle, struct stet__transfer *transfer)
{
    bool addressed = transfer->address.data, fresh = transfer->fresh || !can_be_reused(handle), ok = true;
    if (addressed || handle->addressed)
        ok = !curl_easy_setopt(handle->easy, CURLOPT_CONNECT_TO, addressed ? &transfer->address : NULL);
    if (handle->fresh != fresh)
        ok = ok && !curl_easy_setopt(handle->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    handle->addressed = addressed;
    handle->fresh = fresh;
    return ok;
}

bool stet__handle_attach(struct stet__handle *handle, struct stet__transfer *transfer)
{
    handle->transfer = transfer;
    handle->words[0] = '\0';
    bool ok = !curl_easy_setopt(handle->easy, CURLOPT_URL, transfer->uri) &&
              !curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, transfer->fields) &&
              attach_version(handle, transfer) && attach_method(handle, transfer) &&
              attach_credentials(handle, transfer) && attach_connection(handle, transfer);
    transfer->answer.beyond_1 = handle->version != CURL_HTTP_VERSION_1_1;
    handle->spoiled = !ok; /* what is set is not known any more */
    return ok;
}
