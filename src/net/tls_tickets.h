/* SPDX-License-Identifier: MIT */
/*
 * tls_tickets: the keys of session tickets (RFC 5077, RFC 8446 section 4.6.1), the same for all workers, in
 * memory only.
 *
 * One key seals new tickets for an interval; for one more it still opens those that it sealed. So a ticket is
 * good for at least one interval, and who steals the memory of the process can open what was recorded in the
 * last two.
 */
#ifndef STET_NET_TLS_TICKETS_H
#define STET_NET_TLS_TICKETS_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct stet__tls_ticket_key {
    unsigned char name[16], cipher[32], mac[32];
};

struct stet__tls_tickets {
    pthread_mutex_t lock;
    struct stet__tls_ticket_key current, previous;
    bool has_previous;
    int64_t made; /* the current one: Unix seconds */
    unsigned interval_s;
    EVP_CIPHER *cipher;
};

/* False if the system gives no random octets or no memory. */
bool stet__tls_tickets_init(struct stet__tls_tickets *tickets, unsigned interval_s, int64_t now);
void stet__tls_tickets_release(struct stet__tls_tickets *tickets);

/* Makes a new key if it is time. */
void stet__tls_tickets_look(struct stet__tls_tickets *tickets, int64_t now);

/* For SSL_CTX_set_tlsext_ticket_key_evp_cb: the callback of the library, with the tickets found. */
struct stet__tls_ticket {
    unsigned char *name, *iv;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    bool seal;
};
int stet__tls_tickets_key(struct stet__tls_tickets *tickets, const struct stet__tls_ticket *ticket);

#endif
