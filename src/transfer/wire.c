/* SPDX-License-Identifier: MIT */
/*
 * A connection that libcurl makes and then leaves alone (CURLOPT_CONNECT_ONLY), and one exchange after the
 * other on it. What came is read from the front again whenever more has come: answers to probes are small,
 * and nothing is lost if the head has to be judged twice.
 */
#include "transfer/wire.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include <stet/uri.h>

#include "transfer/handle.h"

#define OCTETS_MAX ((size_t)16 << 20)
#define READ_BYTES 16384u
#define TRAILER_BYTES_MAX 65536u
#define STOP_MS 100

struct stet__wire {
    CURL *easy;
    struct curl_slist *resolve;
    curl_socket_t fd;
    const volatile int *stop;
    bool broken; /* the last answer left it in a state that no request may follow */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* HTTP/1.1 is all that TLS may agree on, and a proxy is a tunnel: the octets are for the server. */
static bool setup(struct stet__wire *wire, const struct stet__transfer_settings *settings, const char *uri)
{
    CURL *easy = wire->easy;
    return stet__handle_setup(easy, settings) && stet__handle_resolve(settings, &wire->resolve) &&
           !curl_easy_setopt(easy, CURLOPT_URL, uri) &&
           !curl_easy_setopt(easy, CURLOPT_RESOLVE, wire->resolve) &&
           !curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           !curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L) &&
           !curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
}

/* False, with words, if there is no connection. */
static bool connect_wire(struct stet__wire *wire, const char *address, char *words)
{
    char to[128];
    struct curl_slist list = {.data = to};
    if (address) {
        if (stet__handle_write_address(address, to, sizeof to) == 0 ||
            curl_easy_setopt(wire->easy, CURLOPT_CONNECT_TO, &list)) {
            snprintf(words, CURL_ERROR_SIZE, "The address to connect to is malformed.");
            return false;
        }
    }
    words[0] = '\0';
    curl_easy_setopt(wire->easy, CURLOPT_ERRORBUFFER, words);
    CURLcode code = curl_easy_perform(wire->easy);
    curl_easy_setopt(wire->easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(wire->easy, CURLOPT_CONNECT_TO, NULL);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(wire->easy, CURLINFO_ACTIVESOCKET, &wire->fd);
    if (code != CURLE_OK && words[0] == '\0')
        snprintf(words, CURL_ERROR_SIZE, "%s", curl_easy_strerror(code));
    return code == CURLE_OK && wire->fd != CURL_SOCKET_BAD;
}

struct stet__wire *stet__wire_open(const struct stet__transfer_settings *settings, const char *uri,
                                   const char *address, const char **cause)
{
    static _Thread_local char words[CURL_ERROR_SIZE];
    struct stet_uri parts;
    *cause = words;
    if (stet_uri_parse(stet_span_of(uri, strlen(uri)), &parts) != STET_OK) {
        *cause = "It is no http or https URI.";
        return NULL;
    }
    struct stet__wire *wire = calloc(1, sizeof *wire);
    if (!wire || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(wire);
        *cause = "There is no memory left.";
        return NULL;
    }
    wire->easy = curl_easy_init();
    if (!wire->easy || !setup(wire, settings, uri))
        *cause = "There is no memory left.";
    else if (connect_wire(wire, address, words))
        return wire;
    stet__wire_close(wire);
    return NULL;
}

void stet__wire_close(struct stet__wire *wire)
{
    if (!wire)
        return;
    if (wire->easy)
        curl_easy_cleanup(wire->easy);
    curl_slist_free_all(wire->resolve);
    curl_global_cleanup();
    free(wire);
}

/* False once `until_ms` has come. */
static bool wait_for(const struct stet__wire *wire, short events, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - now_ms();
        struct pollfd entry = {.fd = wire->fd, .events = events};
        if (left <= 0 || (wire->stop && *wire->stop))
            return false;
        /* A signal that comes just before poll does not end it. */
        int slice_ms = wire->stop ? STOP_MS : 60000;
        int ready = poll(&entry, 1, left > slice_ms ? slice_ms : (int)left);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* A server may answer and close without having read all of a request, so a failure to send is none of the
 * exchange: what came says more. */
static void send_all(struct stet__wire *wire, struct stet_span request, int64_t until_ms)
{
    while (request.len > 0) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(wire->easy, request.ptr, request.len, &sent);
        if (code == CURLE_AGAIN) {
            if (!wait_for(wire, POLLOUT, until_ms))
                return;
            continue;
        }
        if (code != CURLE_OK)
            return;
        request = stet_span_skip(request, sent);
    }
}

/* Where an answer stands in what came; offsets, because the buffer moves. */
struct reading {
    enum stet_method method;
    struct stet_http1_limits limits;
    size_t head;    /* of the message that is read: behind the interim ones */
    size_t content; /* where the content begins */
    size_t end;     /* where it ends, so far */
    size_t raw;     /* what was not looked at yet begins here; behind the message once it is complete */
    struct stet_chunked chunked;
    bool complete;
};

/* Reads once. False at the end of the connection, of the time, or of the room. */
static bool receive(struct stet__wire *wire, struct stet__wire_answer *out, int64_t until_ms)
{
    struct stet__buffer *octets = &out->octets;
    size_t left = octets->max - octets->len, want = left < READ_BYTES ? left : READ_BYTES;
    char *to = want > 0 ? stet__buffer_reserve(octets, want) : NULL;
    if (!to) {
        out->limited = true;
        return false;
    }
    for (;;) {
        size_t got = 0;
        CURLcode code = curl_easy_recv(wire->easy, to, want, &got);
        octets->len += got;
        if (code == CURLE_OK && got > 0)
            return true;
        if (code != CURLE_AGAIN) {
            out->closed = true;
            return false;
        }
        if (!wait_for(wire, POLLIN, until_ms)) {
            out->silent = true;
            return false;
        }
    }
}

static struct stet_span from(const struct stet__wire_answer *out, size_t at)
{
    return stet_span_skip(stet__buffer_span(&out->octets), at);
}

/* Parses the head at reading->head. */
static int parse_head(struct stet__wire_answer *out, const struct reading *reading)
{
    struct stet_span octets = from(out, reading->head);
    int status =
        stet_http1_response_parse(octets, reading->method, &reading->limits, out->fields, &out->head);
    if (status != STET_E_OBS_FOLD)
        return status;
    out->folded = true;
    stet_http1_response_unfold(out->octets.ptr + reading->head, octets.len);
    octets = from(out, reading->head);
    return stet_http1_response_parse(octets, reading->method, &reading->limits, out->fields, &out->head);
}

/* Takes heads from the front until one is final. */
static int read_head(struct stet__wire_answer *out, struct reading *reading)
{
    for (;;) {
        int status = out->octets.len > reading->head ? parse_head(out, reading) : STET_MORE;
        if (status != STET_OK)
            return status;
        if (out->head.head.status > 199 || out->head.head.status == 101)
            break;
        out->interims++;
        reading->head += out->head.head_len;
    }
    out->has_head = true;
    reading->content = reading->end = reading->raw = reading->head + out->head.head_len;
    stet_chunked_begin(&reading->chunked, TRAILER_BYTES_MAX);
    return STET_OK;
}

/* Moves the data of chunks to the front, over the lines between them. */
static int read_chunks(struct stet__wire_answer *out, struct reading *reading)
{
    struct stet_span input = from(out, reading->raw), data;
    int status;
    while ((status = stet_chunked_next(&reading->chunked, &input, &data)) == STET_OK) {
        memmove(out->octets.ptr + reading->end, data.ptr, data.len);
        reading->end += data.len;
    }
    reading->raw = out->octets.len - input.len;
    return status == STET_END ? STET_OK : status;
}

static int read_content(struct stet__wire_answer *out, struct reading *reading)
{
    uint64_t came = out->octets.len - reading->content;
    switch (out->head.body) {
    case STET_BODY_NONE:
        return STET_OK;
    case STET_BODY_LENGTH:
        reading->end = came < out->head.content_length ? out->octets.len
                                                       : reading->content + (size_t)out->head.content_length;
        reading->raw = reading->end;
        return came < out->head.content_length ? STET_MORE : STET_OK;
    case STET_BODY_CHUNKED:
        return read_chunks(out, reading);
    case STET_BODY_CLOSE:
        break;
    }
    reading->end = reading->raw = out->octets.len;
    return out->closed ? STET_OK : STET_MORE;
}

/* What there is to say about what has come so far. */
static int judge(struct stet__wire_answer *out, struct reading *reading)
{
    int status = out->has_head ? STET_OK : read_head(out, reading);
    return status == STET_OK ? read_content(out, reading) : status;
}

/* The spans of the result, now that the buffer moves no more. The head has parsed before. */
static void settle(struct stet__wire_answer *out, const struct reading *reading)
{
    if (!out->has_head)
        return;
    parse_head(out, reading);
    out->content = stet_span_of(out->octets.ptr + reading->content, reading->end - reading->content);
    if (out->status == STET_OK && out->octets.len > reading->raw)
        out->behind = from(out, reading->raw);
}

void stet__wire_ask(struct stet__wire *wire, struct stet_span request, enum stet_method method,
                    const struct stet__wire_limits *limits, struct stet__wire_answer *out)
{
    struct reading reading = {.method = method, .limits = STET_HTTP1_LIMITS_DEFAULT};
    reading.limits.head_bytes = limits->octets_max ? limits->octets_max : OCTETS_MAX;
    reading.limits.fields = STET__WIRE_FIELDS_MAX;
    memset(out, 0, sizeof *out);
    stet__buffer_init(&out->octets, reading.limits.head_bytes);
    int64_t until_ms = now_ms() + limits->patience_ms;
    bool more = !wire->broken;
    wire->stop = limits->stop;
    out->status = STET_MORE;
    send_all(wire, request, until_ms);
    while (more && out->status == STET_MORE) {
        more = receive(wire, out, until_ms);
        out->status = judge(out, &reading);
    }
    until_ms = now_ms() + limits->linger_ms;
    bool silent = out->silent, limited = out->limited;
    while (more && out->status == STET_OK && receive(wire, out, until_ms))
        continue;
    out->silent = silent;
    out->limited = limited || (out->limited && out->octets.len == out->octets.max);
    settle(out, &reading);
    out->reusable = out->status == STET_OK && out->head.keep_alive && !out->closed && !out->limited &&
                    out->behind.len == 0;
    wire->broken = !out->reusable;
}
