/* SPDX-License-Identifier: MIT */
#include "net/tls_pair.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>

#define OCSP_MAX 65536 /* octets of a response; one of a responder has a few thousand */
#define SENTENCE_MAX 512

bool stet__tls_fail(const struct stet__tls_report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->text, report->room, format, arguments);
    va_end(arguments);
    ERR_clear_error();
    return false;
}

void stet__tls_warn(const struct stet__tls_report *report, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list arguments;
    if (!report->tell)
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    report->tell(sentence);
}

static BIO *open_file(const char *path, const struct stet__tls_report *report)
{
    BIO *file = BIO_new_file(path, "r");
    if (!file)
        stet__tls_fail(report, "cannot read %s: %s", path, strerrordesc_np(errno));
    return file;
}

/* No question at a terminal. */
static int no_password(char *to, int room, int writes, void *asked)
{
    *(bool *)asked = true;
    return -1;
}

/* The certificates behind the first. */
static bool load_chain(BIO *file, struct stet__tls_loaded *loaded)
{
    X509 *next;
    bool asked = false;
    loaded->chain = sk_X509_new_null();
    while (loaded->chain && (next = PEM_read_bio_X509(file, NULL, no_password, &asked)))
        if (sk_X509_push(loaded->chain, next) <= 0) {
            X509_free(next);
            return false;
        }
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return loaded->chain && end;
}

static bool load_certificate(const char *path, struct stet__tls_loaded *loaded,
                             const struct stet__tls_report *report)
{
    bool asked = false;
    BIO *file = open_file(path, report);
    if (!file)
        return false;
    loaded->certificate = PEM_read_bio_X509(file, NULL, no_password, &asked);
    bool good = loaded->certificate && load_chain(file, loaded);
    BIO_free(file);
    return good ||
           stet__tls_fail(report, "%s: not a certificate in PEM form, with its chain behind it", path);
}

static bool load_key(const char *path, struct stet__tls_loaded *loaded, const struct stet__tls_report *report)
{
    bool asked = false;
    struct stat status;
    BIO *file = open_file(path, report);
    if (!file)
        return false;
    loaded->key = PEM_read_bio_PrivateKey(file, NULL, no_password, &asked);
    BIO_free(file);
    if (!loaded->key && asked)
        return stet__tls_fail(report, "%s: the key needs a passphrase; give one that needs none", path);
    if (!loaded->key)
        return stet__tls_fail(report, "%s: not a private key in PEM form", path);
    if (stat(path, &status) == 0 && (status.st_mode & S_IROTH))
        stet__tls_warn(report, "%s: everybody on this machine can read this private key", path);
    return true;
}

/* Unix seconds; `otherwise` if there is no such time. */
static int64_t seconds_of(const ASN1_TIME *time, int64_t otherwise)
{
    int days, seconds;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool good = time && epoch && ASN1_TIME_diff(&days, &seconds, epoch, time);
    ASN1_TIME_free(epoch);
    return good ? (int64_t)days * 86400 + seconds : otherwise;
}

static void warn_of_dates(const char *path, const struct stet__tls_loaded *loaded,
                          const struct stet__tls_report *report)
{
    if (seconds_of(X509_get0_notAfter(loaded->certificate), INT64_MAX) < report->now)
        stet__tls_warn(report, "%s: the certificate has expired", path);
    if (seconds_of(X509_get0_notBefore(loaded->certificate), INT64_MIN) > report->now)
        stet__tls_warn(report, "%s: the certificate is not valid yet", path);
}

/* What the response says of the certificate: until when it may be sent. False if nothing. */
static bool find_single(OCSP_BASICRESP *basic, const X509 *certificate, int64_t *until)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        ASN1_INTEGER *serial = NULL;
        ASN1_GENERALIZEDTIME *next = NULL;
        (void)OCSP_id_get0_info(NULL, NULL, NULL, &serial,
                                (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single));
        if (!serial || ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0)
            continue;
        (void)OCSP_single_get0_status(single, NULL, NULL, NULL, &next);
        *until = seconds_of(next, INT64_MAX);
        return true;
    }
    return false;
}

/* Takes `octets` over. */
static bool take_ocsp(const char *path, unsigned char *octets, size_t len, struct stet__tls_loaded *loaded)
{
    const unsigned char *at = octets;
    loaded->ocsp = octets;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)len);
    OCSP_BASICRESP *basic = NULL;
    if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        basic = OCSP_response_get1_basic(response);
    bool good = basic && find_single(basic, loaded->certificate, &loaded->ocsp_until);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    if (good)
        loaded->ocsp_len = len;
    return good;
}

/* A response that is of no use is told and not sent: the certificate is good without. */
static bool load_ocsp(const char *path, struct stet__tls_loaded *loaded,
                      const struct stet__tls_report *report)
{
    BIO *file = open_file(path, report);
    if (!file)
        return false;
    unsigned char *octets = OPENSSL_malloc(OCSP_MAX);
    int n = octets ? BIO_read(file, octets, OCSP_MAX) : -1;
    BIO_free(file);
    if (n <= 0 || n == OCSP_MAX) {
        OPENSSL_free(octets);
        return stet__tls_fail(report, "%s: not the answer of an OCSP responder in DER form", path);
    }
    if (!take_ocsp(path, octets, (size_t)n, loaded))
        return stet__tls_fail(
            report, "%s: not the answer of an OCSP responder in DER form for this certificate", path);
    if (loaded->ocsp_until <= report->now)
        stet__tls_warn(report, "%s: this answer of an OCSP responder has expired and is not sent", path);
    return true;
}

bool stet__tls_load(const struct stet__tls_pair *pair, struct stet__tls_loaded *loaded,
                    const struct stet__tls_report *report)
{
    const char *key = pair->key ? pair->key : pair->certificate;
    if (!load_certificate(pair->certificate, loaded, report) || !load_key(key, loaded, report))
        return false;
    if (X509_check_private_key(loaded->certificate, loaded->key) != 1)
        return stet__tls_fail(report, "%s is not the key of the certificate %s", key, pair->certificate);
    warn_of_dates(pair->certificate, loaded, report);
    return !pair->ocsp || load_ocsp(pair->ocsp, loaded, report);
}

void stet__tls_loaded_release(struct stet__tls_loaded *loaded)
{
    X509_free(loaded->certificate);
    sk_X509_pop_free(loaded->chain, X509_free);
    EVP_PKEY_free(loaded->key);
    OPENSSL_free(loaded->ocsp);
    *loaded = (struct stet__tls_loaded){0};
}

enum stet__tls_match stet__tls_match(const struct stet__tls_loaded *loaded, struct stet_span host)
{
    char *name = NULL;
    enum stet__tls_match match = STET__TLS_MATCH_NONE;
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (X509_check_host(loaded->certificate, host.ptr, host.len, flags, &name) == 1)
        match = name && name[0] == '*' ? STET__TLS_MATCH_WILDCARD : STET__TLS_MATCH_EXACT;
    OPENSSL_free(name);
    return match;
}

struct stet__tls_stamp stet__tls_stamp(const char *path)
{
    struct stat status;
    if (!path || stat(path, &status) != 0)
        return (struct stet__tls_stamp){0};
    return (struct stet__tls_stamp){status.st_dev, status.st_ino, status.st_size, status.st_mtim,
                                    status.st_ctim};
}
