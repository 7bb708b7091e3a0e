/* SPDX-License-Identifier: MIT */
/*
 * tls_options: the rows of TLS towards clients, the same for all roles.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/server_options.h"

enum { ADDRESS_ROOM = 128, HTTPS_PORT = 443 };

static const char *set_certificate(void *arg, const char *argument)
{
    struct stet__server_settings *settings = arg;
    struct stet__tls_pair pair = {.certificate = argument};
    return stet__cli_list_append(&settings->pairs, &pair, sizeof pair);
}

static struct stet__tls_pair *last_pair(struct stet__server_settings *settings)
{
    struct stet__tls_pair *pairs = settings->pairs.at;
    return settings->pairs.count > 0 ? &pairs[settings->pairs.count - 1] : NULL;
}

static const char *set_key(void *arg, const char *argument)
{
    struct stet__tls_pair *pair = last_pair(arg);
    if (!pair || pair->key)
        return "a key comes behind its --cert";
    pair->key = argument;
    return NULL;
}

static const char *set_ocsp(void *arg, const char *argument)
{
    struct stet__tls_pair *pair = last_pair(arg);
    if (!pair || pair->ocsp)
        return "the answer of a responder comes behind its --cert";
    pair->ocsp = argument;
    return NULL;
}

static const char *set_profile(void *arg, const char *argument)
{
    struct stet__server_settings *settings = arg;
    bool modern = strcmp(argument, "modern") == 0;
    settings->tls.profile = modern ? STET__TLS_MODERN : STET__TLS_INTERMEDIATE;
    return modern || strcmp(argument, "intermediate") == 0 ? NULL : "not intermediate or modern";
}

static const char *set_ktls(void *arg, const char *argument)
{
    struct stet__server_settings *settings = arg;
    settings->tls.ktls = strcmp(argument, "on") == 0;
    return settings->tls.ktls || strcmp(argument, "off") == 0 ? NULL : "not on or off";
}

#define OWN(member) STET__FIELD(struct stet__server_settings, member)
#define TLS(member) STET__FIELD(struct stet__server_settings, tls.member)

/* clang-format off */
static const struct stet__option tls[] = {
    STET__ROW_HEADING("TLS to clients, for addresses with https:"),
    STET__ROW_CALL("cert", "FILE", NULL, set_certificate, "certificate and chain (PEM); may be repeated:\nthe host name that a client asks for (SNI) chooses"),
    STET__ROW_CALL("key", "FILE", NULL, set_key, "its key (PEM), behind its --cert; else it is in that file, too"),
    STET__ROW_CALL("ocsp", "FILE", NULL, set_ocsp, "what an OCSP responder said of it (DER), to be stapled"),
    STET__ROW_SWITCH("tls-self-signed", TLS(self_signed), "for development: make a certificate for this machine"),
    STET__ROW_CALL("tls-profile", "NAME", "intermediate", set_profile, "intermediate (TLS 1.2 and 1.3) or modern (1.3)"),
    STET__ROW_SWITCH("tls-early-data", TLS(early_data), "take requests before the handshake ends (0-RTT), which can be\nreplayed; read the manual page first"),
    STET__ROW_CALL("ktls", "on|off", "on", set_ktls, "large files are encrypted by the kernel, if it can"),
    {STET__OPTION_PORT, "redirect-https", "[PORT]", OWN(redirect_port), HTTPS_PORT, HTTPS_PORT, "none", NULL, "send who asks without TLS to https (308), at port 443 or this one", 0},
    {STET__OPTION_NUMBER, "hsts", "SECONDS", OWN(server.hsts_s), 1, 4294967295, "none", NULL, "browsers shall use https only, for so long", 0},
    STET__ROW_NUMBER("tls-ticket-interval", "SECONDS", TLS(ticket_interval_s), 60, 7 * STET__DAY_S, "a new key for session tickets"),
};
/* clang-format on */

const struct stet__option_rows stet__rows_tls = STET__ROWS(tls);

static void tell(const char *sentence)
{
    stet__cli_complain("%s", sentence);
}

/* What is listened at is one of the names: the host of an address, without port and brackets. */
static const char *add_name(struct stet__server_settings *settings,
                            const struct stet__listen_address *address)
{
    char text[ADDRESS_ROOM];
    char *begin = text;
    stet__listen_address_format(address, text, sizeof text);
    char *colon = strrchr(text, ':');
    if (address->at.any.sa_family == AF_UNIX || colon == text)
        return NULL;
    *colon = '\0';
    if (*begin == '[') {
        begin++;
        colon[-1] = '\0';
    }
    char *name = strdup(begin);
    return name ? stet__cli_list_append(&settings->names, &name, sizeof name) : "out of memory";
}

/* NULL, or what does not go together. */
static const char *find_wrong(const struct stet__server_settings *settings)
{
    const bool *secure = settings->secure.at;
    bool any = false, identity = settings->pairs.count > 0 || settings->tls.self_signed;
    for (size_t i = 0; i < settings->secure.count; i++)
        any |= secure[i];
    if (any && !identity)
        return "--listen https: needs --cert FILE --key FILE, or --tls-self-signed";
    if (!any && identity)
        return "a certificate is given, but no address with https:, such as --listen https:8443";
    if (!any && settings->server.hsts_s > 0)
        return "--hsts is of use with --listen https: only";
    if (settings->tls.self_signed && settings->pairs.count > 0)
        return "either --cert or --tls-self-signed";
    return NULL;
}

bool stet__tls_settings_finish(struct stet__server_settings *settings)
{
    const struct stet__listen_address *addresses = settings->addresses.at;
    const char *wrong = find_wrong(settings);
    for (size_t i = 0; i < settings->addresses.count && settings->tls.self_signed && !wrong; i++)
        wrong = add_name(settings, &addresses[i]);
    if (wrong) {
        stet__cli_complain("%s", wrong);
        return false;
    }
    settings->server.secure = settings->secure.at;
    settings->tls.pairs = settings->pairs.at;
    settings->tls.pair_count = settings->pairs.count;
    settings->tls.names = settings->names.at;
    settings->tls.name_count = settings->names.count;
    settings->tls.h2 = true;
    settings->tls.tell = tell;
    return true;
}

void stet__tls_settings_release(struct stet__server_settings *settings)
{
    char **names = settings->names.at;
    for (size_t i = 0; i < settings->names.count; i++)
        free(names[i]);
    free(settings->names.at);
    free(settings->pairs.at);
    free(settings->secure.at);
}
