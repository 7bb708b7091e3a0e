/* SPDX-License-Identifier: MIT */
#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static bool make_key(struct stet__tls_ticket_key *key)
{
    return RAND_bytes(key->name, sizeof key->name) == 1 &&
           RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1 &&
           RAND_priv_bytes(key->mac, sizeof key->mac) == 1;
}

bool stet__tls_tickets_init(struct stet__tls_tickets *tickets, unsigned interval_s, int64_t now)
{
    *tickets = (struct stet__tls_tickets){.interval_s = interval_s, .made = now};
    pthread_mutex_init(&tickets->lock, NULL);
    tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    return tickets->cipher && make_key(&tickets->current);
}

void stet__tls_tickets_release(struct stet__tls_tickets *tickets)
{
    EVP_CIPHER_free(tickets->cipher);
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets, sizeof *tickets);
}

void stet__tls_tickets_look(struct stet__tls_tickets *tickets, int64_t now)
{
    struct stet__tls_ticket_key key;
    if (now - tickets->made < (int64_t)tickets->interval_s || !make_key(&key))
        return;
    pthread_mutex_lock(&tickets->lock);
    /* Nobody looked for more than two intervals: the tickets of then are too old. */
    tickets->has_previous = now - tickets->made < 2 * (int64_t)tickets->interval_s;
    tickets->previous = tickets->current;
    tickets->current = key;
    tickets->made = now;
    pthread_mutex_unlock(&tickets->lock);
    OPENSSL_cleanse(&key, sizeof key);
}

static bool set_mac(EVP_MAC_CTX *mac, struct stet__tls_ticket_key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int seal(struct stet__tls_tickets *tickets, const struct stet__tls_ticket *ticket)
{
    struct stet__tls_ticket_key *key = &tickets->current;
    memcpy(ticket->name, key->name, sizeof key->name);
    bool good = RAND_bytes(ticket->iv, EVP_CIPHER_get_iv_length(tickets->cipher)) == 1 &&
                EVP_EncryptInit_ex2(ticket->cipher, tickets->cipher, key->cipher, ticket->iv, NULL) == 1 &&
                set_mac(ticket->mac, key);
    return good ? 1 : -1;
}

/* 1: opened, 2: opened and a new one is to be sent, 0: not ours. */
static int unseal(struct stet__tls_tickets *tickets, const struct stet__tls_ticket *ticket)
{
    struct stet__tls_ticket_key *key = NULL;
    if (memcmp(ticket->name, tickets->current.name, sizeof tickets->current.name) == 0)
        key = &tickets->current;
    else if (tickets->has_previous &&
             memcmp(ticket->name, tickets->previous.name, sizeof tickets->previous.name) == 0)
        key = &tickets->previous;
    if (!key)
        return 0;
    if (EVP_DecryptInit_ex2(ticket->cipher, tickets->cipher, key->cipher, ticket->iv, NULL) != 1 ||
        !set_mac(ticket->mac, key))
        return -1;
    return key == &tickets->current ? 1 : 2;
}

int stet__tls_tickets_key(struct stet__tls_tickets *tickets, const struct stet__tls_ticket *ticket)
{
    pthread_mutex_lock(&tickets->lock);
    int result = ticket->seal ? seal(tickets, ticket) : unseal(tickets, ticket);
    pthread_mutex_unlock(&tickets->lock);
    return result;
}
