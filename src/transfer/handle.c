/* SPDX-License-Identifier: MIT */
#include "transfer/handle.h"

#define CONNECT_MS 30000u

/* TLS: whom to believe, and who we are. */
static CURLcode setup_tls(CURL *easy, const struct stet__transfer_settings *settings)
{
    CURLcode code = CURLE_OK;
    if (settings->insecure) {
        code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        if (!code)
            code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!code && settings->ca_file)
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
    if (!code && settings->certificate)
        code = curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->certificate);
    if (!code && settings->key)
        code = curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->key);
    return code;
}

bool stet__handle_setup(CURL *easy, const struct stet__transfer_settings *settings)
{
    unsigned connect_ms = settings->connect_ms ? settings->connect_ms : CONNECT_MS;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (!code)
        code = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    /* What the URI says is what is asked for: RFC 9110 section 7.1. */
    if (!code)
        code = curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    if (!code && settings->proxy)
        code = curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy);
    if (!code && settings->unix_socket)
        code = curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, settings->unix_socket);
    return code == CURLE_OK && setup_tls(easy, settings) == CURLE_OK;
}

size_t stet__handle_write_address(const char *address, char *out, size_t room)
{
    bool brackets = strchr(address, ':') && address[0] != '[';
    int len = snprintf(out, room, brackets ? "::[%s]:" : "::%s:", address);
    return len > 0 && (size_t)len < room ? (size_t)len : 0;
}

bool stet__handle_resolve(const struct stet__transfer_settings *settings, struct curl_slist **out)
{
    struct curl_slist *list = NULL;
    for (const char *const *at = settings->resolve; at && *at; at++) {
        struct curl_slist *longer = curl_slist_append(list, *at);
        if (!longer) {
            curl_slist_free_all(list);
            return false;
        }
        list = longer;
    }
    *out = list;
    return true;
}
