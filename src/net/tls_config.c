/* SPDX-License-Identifier: MIT */
#include "net/tls_config.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>

#include "net/tls_pair.h"
#include "net/tls_tickets.h"

#define FILES_PER_PAIR 3
#define KINDS_MAX 8 /* of keys that are for the same name */
#define ERROR_ROOM 512
#define EARLY_DATA_MAX 16384 /* octets: a few requests */

static const char intermediate_suites[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
/* Not const, because of a macro of the library. */
static char groups[] = "X25519:prime256v1:secp384r1";

/* What was loaded in one go. It belongs to its SSL_CTX, which lives as long as a connection uses it. */
struct set {
    struct stet__tls_config *config;
    SSL_CTX *context;
    size_t count;
    struct stet__tls_loaded loaded[];
};

struct stet__tls_config {
    struct stet__tls_settings settings;
    pthread_mutex_t lock; /* of `current` */
    struct set *current;
    struct stet__tls_tickets tickets;
    _Atomic int64_t now;
    size_t file_count;
    struct stet__tls_stamp *used;    /* of the files: as they were when they were loaded, or could not be */
    struct stet__tls_stamp *seen;    /* as they were a second ago */
    struct stet__tls_stamp *present; /* as they are */
};

/* Certificates for the same name, of different kinds of keys. */
struct choice {
    size_t count;
    const struct stet__tls_loaded *at[KINDS_MAX];
};

static void free_set(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
    struct set *set = ptr;
    for (size_t i = 0; set && i < set->count; i++)
        stet__tls_loaded_release(&set->loaded[i]);
    free(set);
}

static int set_index = -1;
static pthread_once_t set_index_made = PTHREAD_ONCE_INIT;

static void make_set_index(void)
{
    set_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_set);
}

static const struct set *set_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), set_index);
}

static bool has_kind(const struct choice *choice, const struct stet__tls_loaded *loaded)
{
    for (size_t i = 0; i < choice->count; i++)
        if (EVP_PKEY_get_base_id(choice->at[i]->key) == EVP_PKEY_get_base_id(loaded->key))
            return true;
    return false;
}

static void add(struct choice *choice, const struct stet__tls_loaded *loaded)
{
    if (choice->count < KINDS_MAX && !has_kind(choice, loaded))
        choice->at[choice->count++] = loaded;
}

/* Those whose names fit best: an exact one before a wildcard. Without any: the first, with others of its
 * name. */
static struct choice choose(const struct set *set, struct stet_span host)
{
    struct choice choice = {.count = 0};
    enum stet__tls_match best = STET__TLS_MATCH_NONE;
    for (size_t i = 0; i < set->count && host.len > 0; i++) {
        enum stet__tls_match match = stet__tls_match(&set->loaded[i], host);
        if (match == STET__TLS_MATCH_NONE || match < best)
            continue;
        if (match > best)
            choice.count = 0;
        best = match;
        add(&choice, &set->loaded[i]);
    }
    return choice;
}

/* The first name of a certificate, for the default. */
static struct stet_span first_name(const X509 *certificate, GENERAL_NAMES **names)
{
    *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(*names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(*names, i);
        if (name->type == GEN_DNS)
            return stet_span_of((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                (size_t)ASN1_STRING_length(name->d.dNSName));
    }
    return STET_SPAN_NONE;
}

static struct choice choose_default(const struct set *set)
{
    struct choice choice = {.count = 0};
    GENERAL_NAMES *names = NULL;
    struct stet_span name = first_name(set->loaded[0].certificate, &names);
    add(&choice, &set->loaded[0]);
    struct choice others = choose(set, name);
    for (size_t i = 0; i < others.count; i++)
        add(&choice, others.at[i]);
    GENERAL_NAMES_free(names);
    return choice;
}

/* RFC 6066 section 3: the certificates for the host that the client names. */
static int use_certificates(SSL *ssl, void *arg)
{
    const struct set *set = set_of(ssl);
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (set->count == 1 || !host)
        return 1;
    struct choice choice = choose(set, stet_span_of(host, strlen(host)));
    if (choice.count == 0)
        return 1;
    SSL_certs_clear(ssl);
    for (size_t i = 0; i < choice.count; i++)
        if (SSL_use_cert_and_key(ssl, choice.at[i]->certificate, choice.at[i]->key, choice.at[i]->chain, 1) !=
            1)
            return 0;
    return 1;
}

/* RFC 6066 section 8. One that has expired would have the client refuse the connection. */
static int staple(SSL *ssl, void *arg)
{
    const struct set *set = set_of(ssl);
    const X509 *used = SSL_get_certificate(ssl);
    int64_t now = atomic_load_explicit(&set->config->now, memory_order_relaxed);
    for (size_t i = 0; i < set->count; i++) {
        const struct stet__tls_loaded *loaded = &set->loaded[i];
        if (loaded->certificate != used || loaded->ocsp_len == 0 || loaded->ocsp_until <= now)
            continue;
        unsigned char *copy = OPENSSL_memdup(loaded->ocsp, loaded->ocsp_len);
        if (!copy || SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)loaded->ocsp_len) != 1)
            return SSL_TLSEXT_ERR_NOACK;
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

/* RFC 7301 section 3.2: the server's preference; without one in common the client gets HTTP/1.1, as it does
 * without ALPN.
 */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned len, void *arg)
{
    static const unsigned char protocols[] = "\x02h2\x08http/1.1";
    const struct set *set = set_of(ssl);
    unsigned skip = set->config->settings.h2 ? 0 : 3;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, protocols + skip, sizeof protocols - 1 - skip, offered,
                              len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int seal)
{
    struct stet__tls_ticket ticket = {name, iv, cipher, mac, seal == 1};
    return stet__tls_tickets_key(&set_of(ssl)->config->tickets, &ticket);
}

/* The driver of HTTP/2 does not tell early requests from others. */
static int take_early_data(SSL *ssl, void *arg)
{
    const unsigned char *protocol;
    unsigned len;
    SSL_get0_alpn_selected(ssl, &protocol, &len);
    return len != 2;
}

/* OpenSSL keeps these tickets itself, and takes each once: RFC 8446 section 8.1. */
static void set_early_data(SSL_CTX *context)
{
    SSL_CTX_set_max_early_data(context, EARLY_DATA_MAX);
    SSL_CTX_set_recv_max_early_data(context, EARLY_DATA_MAX);
    SSL_CTX_set_allow_early_data_cb(context, take_early_data, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
}

static bool set_profile(SSL_CTX *context, const struct stet__tls_settings *settings)
{
    bool modern = settings->profile == STET__TLS_MODERN;
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, (long)settings->ticket_interval_s);
    if (settings->ktls)
        SSL_CTX_set_options(context, SSL_OP_ENABLE_KTLS);
    if (settings->early_data)
        set_early_data(context);
    return SSL_CTX_set_min_proto_version(context, modern ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, intermediate_suites) == 1 &&
           SSL_CTX_set1_groups_list(context, groups) == 1 &&
           SSL_CTX_set_session_id_context(context, (const unsigned char *)"stet", 4) == 1;
}

static bool set_up(struct set *set)
{
    SSL_CTX *context = set->context;
    struct choice choice = choose_default(set);
    for (size_t i = 0; i < choice.count; i++)
        if (SSL_CTX_use_cert_and_key(context, choice.at[i]->certificate, choice.at[i]->key,
                                     choice.at[i]->chain, 1) != 1)
            return false;
    SSL_CTX_set_cert_cb(context, use_certificates, NULL);
    SSL_CTX_set_tlsext_status_cb(context, staple);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
    return set_profile(context, &set->config->settings);
}

static bool load_all(struct set *set, const struct stet__tls_report *report)
{
    const struct stet__tls_settings *settings = &set->config->settings;
    if (settings->pair_count == 0)
        return stet__tls_self_sign(settings->names, settings->name_count, &set->loaded[0], report);
    for (size_t i = 0; i < settings->pair_count; i++)
        if (!stet__tls_load(&settings->pairs[i], &set->loaded[i], report))
            return false;
    return true;
}

/* NULL after stet__tls_fail. It is freed with its context. */
static struct set *new_set(struct stet__tls_config *config, const struct stet__tls_report *report)
{
    size_t count = config->settings.pair_count > 0 ? config->settings.pair_count : 1;
    struct set *set = calloc(1, sizeof *set + count * sizeof *set->loaded);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!set || !context || SSL_CTX_set_ex_data(context, set_index, set) != 1) {
        stet__tls_fail(report, "there is no memory for TLS");
        SSL_CTX_free(context);
        free(set);
        return NULL;
    }
    set->config = config;
    set->context = context;
    set->count = count;
    if (load_all(set, report)) {
        if (set_up(set))
            return set;
        stet__tls_fail(report,
                       "a certificate or key cannot be used: is it too short, or of an unusual kind?");
    }
    SSL_CTX_free(context);
    return NULL;
}

static void look_at_files(const struct stet__tls_config *config, struct stet__tls_stamp *stamps)
{
    for (size_t i = 0; i < config->settings.pair_count; i++) {
        const struct stet__tls_pair *pair = &config->settings.pairs[i];
        *stamps++ = stet__tls_stamp(pair->certificate);
        *stamps++ = stet__tls_stamp(pair->key);
        *stamps++ = stet__tls_stamp(pair->ocsp);
    }
}

static bool make_stamps(struct stet__tls_config *config)
{
    config->file_count = FILES_PER_PAIR * config->settings.pair_count;
    config->used = calloc(config->file_count + 1, sizeof *config->used);
    config->seen = calloc(config->file_count + 1, sizeof *config->seen);
    config->present = calloc(config->file_count + 1, sizeof *config->present);
    if (!config->used || !config->seen || !config->present)
        return false;
    look_at_files(config, config->used);
    return true;
}

struct stet__tls_config *stet__tls_config_new(const struct stet__tls_settings *settings, int64_t now,
                                              char *error, size_t error_len)
{
    struct stet__tls_report report = {error, error_len, settings->tell, now};
    struct stet__tls_config *config = calloc(1, sizeof *config);
    pthread_once(&set_index_made, make_set_index);
    if (!config) {
        stet__tls_fail(&report, "there is no memory for TLS");
        return NULL;
    }
    config->settings = *settings;
    atomic_store(&config->now, now);
    pthread_mutex_init(&config->lock, NULL);
    if (!stet__tls_tickets_init(&config->tickets, settings->ticket_interval_s, now) || !make_stamps(config))
        stet__tls_fail(&report, "there is no memory, or no random octets, for TLS");
    else
        config->current = new_set(config, &report);
    if (config->current)
        return config;
    stet__tls_config_free(config);
    return NULL;
}

void stet__tls_config_free(struct stet__tls_config *config)
{
    if (!config)
        return;
    if (config->current)
        SSL_CTX_free(config->current->context);
    stet__tls_tickets_release(&config->tickets);
    pthread_mutex_destroy(&config->lock);
    free(config->used);
    free(config->seen);
    free(config->present);
    free(config);
}

static void exchange_set(struct stet__tls_config *config, struct set *set)
{
    pthread_mutex_lock(&config->lock);
    struct set *before = config->current;
    config->current = set;
    pthread_mutex_unlock(&config->lock);
    SSL_CTX_free(before->context);
}

static void load_again(struct stet__tls_config *config, int64_t now)
{
    char error[ERROR_ROOM];
    struct stet__tls_report report = {error, sizeof error, config->settings.tell, now};
    struct set *set = new_set(config, &report);
    if (set)
        exchange_set(config, set);
    else
        stet__tls_warn(&report, "%s; the certificates of before stay in use", error);
}

void stet__tls_config_look(struct stet__tls_config *config, int64_t now, bool force)
{
    size_t bytes = config->file_count * sizeof *config->used;
    atomic_store_explicit(&config->now, now, memory_order_relaxed);
    stet__tls_tickets_look(&config->tickets, now);
    look_at_files(config, config->present);
    /* A certificate and its key are two files: whoever is at it is left to finish. */
    bool settled = force || memcmp(config->present, config->seen, bytes) == 0;
    bool changed = memcmp(config->present, config->used, bytes) != 0;
    memcpy(config->seen, config->present, bytes);
    if (!settled || !changed)
        return;
    memcpy(config->used, config->present, bytes);
    load_again(config, now);
}

SSL *stet__tls_config_accept(struct stet__tls_config *config)
{
    pthread_mutex_lock(&config->lock);
    SSL *ssl = SSL_new(config->current->context);
    pthread_mutex_unlock(&config->lock);
    if (ssl)
        SSL_set_accept_state(ssl);
    ERR_clear_error();
    return ssl;
}

bool stet__tls_config_misdirected(const SSL *ssl, struct stet_span host)
{
    const struct set *set = set_of(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct stet_span named = name ? stet_span_of(name, strlen(name)) : STET_SPAN_NONE;
    if (set->count == 1 || stet_span_equal_nocase(host, named) || choose(set, host).count == 0)
        return false;
    struct choice used = choose(set, named);
    if (used.count == 0)
        used = choose_default(set);
    for (size_t i = 0; i < used.count; i++)
        if (stet__tls_match(used.at[i], host) != STET__TLS_MATCH_NONE)
            return false;
    return true;
}
