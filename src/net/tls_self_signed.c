/* SPDX-License-Identifier: MIT */
/*
 * A certificate for development, made in memory at the start: ECDSA with P-256, for this machine's names. No
 * client trusts it unless its user says so.
 */
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "base/buffer.h"
#include "net/tls_pair.h"

#define VALID_S (397L * 86400) /* browsers take no longer ones */
#define EARLIER_S (-86400L)    /* clocks differ */

/* "DNS:localhost,IP:127.0.0.1": what is an address goes as one. */
static void add_name(struct stet__buffer *names, const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    stet__buffer_append_text(names, names->len > 0 ? "," : "");
    stet__buffer_append_text(names, address ? "IP:" : "DNS:");
    stet__buffer_append_text(names, name);
    ASN1_OCTET_STRING_free(address);
}

static bool add_extension(X509 *certificate, int id, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, id, value);
    bool good = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool add_names(X509 *certificate, const char *const *names, size_t count)
{
    char host[HOST_NAME_MAX + 1] = "";
    struct stet__buffer text;
    stet__buffer_init(&text, 65536);
    add_name(&text, "localhost");
    add_name(&text, "127.0.0.1");
    add_name(&text, "::1");
    if (gethostname(host, sizeof host - 1) == 0 && host[0])
        add_name(&text, host);
    for (size_t i = 0; i < count; i++)
        add_name(&text, names[i]);
    stet__buffer_append(&text, stet_span_of("", 1));
    bool good = !text.failed && add_extension(certificate, NID_subject_alt_name, text.ptr);
    stet__buffer_release(&text);
    return good;
}

static bool set_serial(X509 *certificate)
{
    uint64_t serial;
    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *const *names, size_t count, time_t now)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    const unsigned char *name = (const unsigned char *)"stet development";
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_time_adj(X509_getm_notBefore(certificate), EARLIER_S, &now) &&
           X509_time_adj(X509_getm_notAfter(certificate), VALID_S, &now) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, subject) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_names(certificate, names, count) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

bool stet__tls_self_sign(const char *const *names, size_t name_count, struct stet__tls_loaded *loaded,
                         const struct stet__tls_report *report)
{
    loaded->key = EVP_EC_gen("P-256");
    loaded->certificate = X509_new();
    if (loaded->key && loaded->certificate &&
        fill(loaded->certificate, loaded->key, names, name_count, (time_t)report->now))
        return true;
    return stet__tls_fail(report, "no certificate can be made for --tls-self-signed");
}
