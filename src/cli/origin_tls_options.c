/* SPDX-License-Identifier: MIT */
/*
 * origin_tls_options: the rows of TLS towards origins, and what they lead to.
 */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/proxy_options.h"
#include "net/tls_client.h"

enum { ERROR_ROOM = 512 };

#define OWN(member) STET__FIELD(struct stet__proxy_settings, member)

/* clang-format off */
static const struct stet__option rows[] = {
    STET__ROW_HEADING("TLS to origins, for those with https:"),
    STET__ROW_TEXT("origin-ca", "FILE", OWN(origin_tls.ca), "believe what these authorities (PEM) have signed,\nnot those that the system trusts"),
    STET__ROW_TEXT("origin-sni", "NAME", OWN(origin_sni), "the name (SNI) that certificates have to be for, if not the host"),
    STET__ROW_TEXT("origin-cert", "FILE", OWN(origin_tls.certificate), "certificate to show to origins, with its chain (PEM)"),
    STET__ROW_TEXT("origin-key", "FILE", OWN(origin_tls.key), "its key (PEM); else it is in that file, too"),
    STET__ROW_SWITCH("origin-insecure", OWN(origin_tls.insecure), "believe any certificate of an origin"),
};
/* clang-format on */

const struct stet__option_rows stet__rows_origin_tls = STET__ROWS(rows);

static bool is_used(const struct stet__tls_client_settings *tls)
{
    return tls->ca || tls->certificate || tls->key || tls->insecure;
}

static bool name_origins(struct stet__proxy_settings *settings)
{
    struct stet__proxy_origin *origins = settings->origins.at;
    for (size_t i = 0; i < settings->origins.count; i++) {
        struct stet_span name = settings->origin_sni ? stet__cli_span(settings->origin_sni) : origins[i].host;
        if (!origins[i].secure)
            continue;
        origins[i].tls = stet__tls_origin_new(settings->tls_client, name);
        if (!origins[i].tls)
            return false;
    }
    return true;
}

bool stet__origin_tls_begin(struct stet__proxy_settings *settings)
{
    char error[ERROR_ROOM] = "out of memory";
    const struct stet__proxy_origin *origins = settings->origins.at;
    bool any = false;
    for (size_t i = 0; i < settings->origins.count; i++)
        any |= origins[i].secure;
    if (!any) {
        if (is_used(&settings->origin_tls) || settings->origin_sni)
            stet__cli_complain(
                "proxy: no origin begins with https://, so --origin-ca and its like say nothing");
        return true;
    }
    if (settings->origin_tls.insecure)
        stet__cli_complain(
            "proxy: --origin-insecure: anybody between here and the origins can read and change all");
    settings->tls_client = stet__tls_client_new(&settings->origin_tls, error, sizeof error);
    if (settings->tls_client && name_origins(settings))
        return true;
    stet__cli_complain("proxy: %s", error);
    return false;
}

void stet__origin_tls_end(struct stet__proxy_settings *settings)
{
    struct stet__proxy_origin *origins = settings->origins.at;
    for (size_t i = 0; i < settings->origins.count; i++)
        stet__tls_origin_free(origins[i].tls);
    stet__tls_client_free(settings->tls_client);
}
