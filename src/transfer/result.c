/* SPDX-License-Identifier: MIT */
/*
 * What is told of a transfer at its end: libcurl's codes and figures in our terms.
 */
#include <errno.h>

#include "transfer/group.h"

const char *stet__transfer_failure_name(int status)
{
    switch (status) {
#define X(symbol, value, name) \
    case symbol:               \
        return name;
#include "transfer/failure.def"
#undef X
    default:
        return stet_status_row(status)->name;
    }
}

/* Codes of libcurl that mean the same to us; those of TLS are many. */
static int status_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return STET_OK;
    case CURLE_URL_MALFORMAT:
        return STET__TRANSFER_E_URI;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return STET__TRANSFER_E_RESOLVE;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return STET__TRANSFER_E_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return STET__TRANSFER_E_TIME;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return STET__TRANSFER_E_CUT;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9; the scheme was looked at before */
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_BAD_FUNCTION_ARGUMENT: /* a head that begins with a folded line */
        return STET__TRANSFER_E_PROTOCOL;
    case CURLE_READ_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        return STET__TRANSFER_E_CONTENT;
    case CURLE_OUT_OF_MEMORY:
        return STET__TRANSFER_E_MEMORY;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_SHUTDOWN_FAILED:
        return STET__TRANSFER_E_TLS;
    default:
        return STET__TRANSFER_E_OTHER;
    }
}

/* A failure of our own, in words. */
static const char *words_of(struct stet__transfer *transfer, int status)
{
    switch (status) {
    case STET__TRANSFER_E_STOPPED:
        return "It was stopped.";
    case STET__TRANSFER_E_CONTENT:
        return "The content of the request cannot be read, or is shorter than was said.";
    case STET__TRANSFER_E_PROTOCOL:
        return "What came is no answer to what was asked.";
    case STET__TRANSFER_E_MEMORY:
        return "There is no memory left.";
    case STET__TRANSFER_E_URI:
        return "It is no URI that libcurl takes.";
    case STET__TRANSFER_E_OTHER:
        return "libcurl does not take the request.";
    case STET__TRANSFER_E_TIME:
        snprintf(transfer->words, sizeof transfer->words, "Nothing came or went for %lld ms.",
                 (long long)transfer->group->silence_ms);
        return transfer->words;
    default:
        snprintf(transfer->words, sizeof transfer->words, "The head of the answer is malformed: %s",
                 stet_status_row(status)->sentence);
        return transfer->words;
    }
}

static void measure(struct stet__transfer *transfer, struct stet__transfer_result *out)
{
    CURL *easy = transfer->handle->easy;
    curl_off_t connected = 0, secured = 0, first = 0, whole = 0, uploaded = 0;
    long request_octets = 0, port = 0, made = 0;
    const char *address = NULL;
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made);
    if (made > 0) {
        curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
        curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured);
    }
    curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &whole);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_octets);
    if (transfer->has_content)
        curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
    out->connected_us = secured > 0 ? secured : connected;
    out->first_octet_us = transfer->answer.head_octets > 0 ? first : 0;
    out->whole_us = whole;
    out->sent_octets = transfer->asked ? (uint64_t)request_octets + (uint64_t)uploaded : 0;
    out->port = (unsigned)port;
    if (address)
        snprintf(out->address, sizeof out->address, "%s", address);
}

static void describe(struct stet__transfer *transfer, int status, struct stet__transfer_result *out)
{
    const struct stet__answer *answer = &transfer->answer;
    *out = (struct stet__transfer_result){.status = status, .cause = "", .secure = transfer->secure};
    out->timed_out = status == STET__TRANSFER_E_TIME;
    out->cut = answer->final && status != STET_OK;
    out->head_octets = answer->head_octets;
    out->content_octets = transfer->content_octets;
    out->major = answer->major;
    out->minor = answer->minor;
    if (transfer->handle)
        measure(transfer, out);
}

void stet__result_make(struct stet__transfer *transfer, CURLcode code, struct stet__transfer_result *out)
{
    if (transfer->failure != STET_OK) {
        stet__result_make_stopped(transfer, transfer->failure, out);
        return;
    }
    int status = transfer->again ? STET_OK : status_of(code);
    bool lacking = status == STET_OK && !transfer->answer.final;
    describe(transfer, lacking ? STET__TRANSFER_E_CUT : status, out);
    if (lacking) /* libcurl minds it no more than a close-delimited end */
        out->cause = "The connection ended within the head of the answer.";
    if (lacking || status == STET_OK)
        return;
    long reason = 0;
    curl_easy_getinfo(transfer->handle->easy, CURLINFO_OS_ERRNO, &reason);
    out->refused = out->status == STET__TRANSFER_E_CONNECT && reason == ECONNREFUSED;
    out->cause = transfer->handle->words[0] ? transfer->handle->words : curl_easy_strerror(code);
    if (code == CURLE_OUT_OF_MEMORY && transfer->asked && !transfer->answer.final)
        out->cause = "A line of the head is longer than libcurl takes, or there is no memory left.";
}

void stet__result_make_stopped(struct stet__transfer *transfer, int status, struct stet__transfer_result *out)
{
    describe(transfer, status, out);
    out->cause = words_of(transfer, status);
}
