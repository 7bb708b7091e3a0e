/* SPDX-License-Identifier: MIT */
#include "net/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <unistd.h>

#include "net/tls.h"
#include "net/tls_pair.h"

/* Where systems keep all authorities in one file: read at once, before the process is confined. */
static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                      "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

struct stet__tls_client {
    SSL_CTX *context;
    bool insecure;
};

struct stet__tls_origin {
    struct stet__tls_client *client;
    pthread_mutex_t lock;
    SSL_SESSION *session; /* the newest; NULL: none yet */
    bool address;         /* the name is one in digits */
    char name[];
};

/* OpenSSL has a session to be resumed, and gives it away. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct stet__tls_origin *origin = SSL_get_app_data(ssl);
    pthread_mutex_lock(&origin->lock);
    SSL_SESSION *before = origin->session;
    origin->session = session;
    pthread_mutex_unlock(&origin->lock);
    SSL_SESSION_free(before);
    return 1;
}

static bool trust_system(SSL_CTX *context)
{
    for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
        if (access(bundles[i], R_OK) == 0 && SSL_CTX_load_verify_file(context, bundles[i]) == 1)
            break;
    return SSL_CTX_set_default_verify_paths(context) == 1;
}

static bool trust(SSL_CTX *context, const struct stet__tls_client_settings *settings,
                  const struct stet__tls_report *report)
{
    SSL_CTX_set_verify(context, settings->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    if (settings->ca)
        return SSL_CTX_load_verify_file(context, settings->ca) == 1 ||
               stet__tls_fail(report, "%s: no certificates of authorities in PEM form", settings->ca);
    return trust_system(context) ||
           stet__tls_fail(report, "the system's certificates of authorities cannot be read");
}

static bool use_own(SSL_CTX *context, const struct stet__tls_client_settings *settings,
                    const struct stet__tls_report *report)
{
    struct stet__tls_loaded own = {0};
    struct stet__tls_pair pair = {.certificate = settings->certificate, .key = settings->key};
    if (!settings->certificate)
        return true;
    bool good = stet__tls_load(&pair, &own, report);
    if (good && SSL_CTX_use_cert_and_key(context, own.certificate, own.key, own.chain, 1) != 1)
        good = stet__tls_fail(report, "%s: this certificate cannot be used", pair.certificate);
    stet__tls_loaded_release(&own);
    return good;
}

struct stet__tls_client *stet__tls_client_new(const struct stet__tls_client_settings *settings, char *error,
                                              size_t error_len)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    struct stet__tls_report report = {.text = error, .room = error_len};
    struct stet__tls_client *client = calloc(1, sizeof *client);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!client || !context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1) != 0) {
        stet__tls_fail(&report, "there is no memory for TLS");
    } else if (trust(context, settings, &report) && use_own(context, settings, &report)) {
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep_session);
        client->context = context;
        client->insecure = settings->insecure;
        ERR_clear_error();
        return client;
    }
    SSL_CTX_free(context);
    free(client);
    return NULL;
}

void stet__tls_client_free(struct stet__tls_client *client)
{
    if (!client)
        return;
    SSL_CTX_free(client->context);
    free(client);
}

struct stet__tls_origin *stet__tls_origin_new(struct stet__tls_client *client, struct stet_span name)
{
    struct in6_addr address;
    struct stet__tls_origin *origin = calloc(1, sizeof *origin + name.len + 1);
    if (!origin)
        return NULL;
    origin->client = client;
    pthread_mutex_init(&origin->lock, NULL);
    memcpy(origin->name, name.ptr, name.len);
    origin->address =
        inet_pton(AF_INET, origin->name, &address) == 1 || inet_pton(AF_INET6, origin->name, &address) == 1;
    return origin;
}

void stet__tls_origin_free(struct stet__tls_origin *origin)
{
    if (!origin)
        return;
    SSL_SESSION_free(origin->session);
    pthread_mutex_destroy(&origin->lock);
    free(origin);
}

/* RFC 6066 section 3: addresses are not sent. */
static bool set_name(SSL *ssl, struct stet__tls_origin *origin)
{
    /* RFC 9525 section 2: the common name of the subject is none. */
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (origin->address)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), origin->name) == 1;
    return SSL_set_tlsext_host_name(ssl, origin->name) == 1 && SSL_set1_host(ssl, origin->name) == 1;
}

SSL *stet__tls_origin_connect(struct stet__tls_origin *origin)
{
    SSL *ssl = SSL_new(origin->client->context);
    if (!ssl || !set_name(ssl, origin)) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_app_data(ssl, origin);
    SSL_set_connect_state(ssl);
    pthread_mutex_lock(&origin->lock);
    if (origin->session)
        (void)SSL_set_session(ssl, origin->session);
    pthread_mutex_unlock(&origin->lock);
    ERR_clear_error();
    return ssl;
}

enum stet_reason stet__tls_failure(const struct stet__tls *tls)
{
    switch (SSL_get_verify_result(tls->ssl)) {
    case X509_V_OK:
        return STET_REASON_UPSTREAM_TLS;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return STET_REASON_UPSTREAM_NAME;
    default:
        return STET_REASON_UPSTREAM_CERTIFICATE;
    }
}
