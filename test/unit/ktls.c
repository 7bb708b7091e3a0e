/* SPDX-License-Identifier: MIT */
/*
 * src/net/ktls.c without such a kernel: what it would be told is right if a record that is sealed with just
 * that, the way the kernel does it, is the next one that a client takes. A socket that is not TCP refuses to
 * be handed over, and OpenSSL goes on.
 */
#include "net/ktls.h"

#include <errno.h>
#include <linux/tls.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls.h"
#include "net/tls_config.h"
#include "net/tls_io.h"

#include <cmocka.h>

#define TEXT "from the kernel"
#define LARGE 200000

struct world {
    struct stet__tls_config *config;
    struct stet__tls_io *io;
    struct stet__loop *loop;
    struct stet__watch watch;
    SSL_CTX *clients;
    struct stet__tls *tls;
    int near, far; /* the server's socket, the client's */
    SSL *client;
};

static struct world world;

static int prepare(void **state)
{
    static char error[256];
    struct stet__tls_settings settings = {.self_signed = true, .ticket_interval_s = 60, .ktls = true};
    world.config = stet__tls_config_new(&settings, 1800000000, error, sizeof error);
    world.loop = stet__loop_new();
    return world.config && world.loop ? 0 : -1;
}

static int clean_up(void **state)
{
    stet__loop_free(world.loop);
    stet__tls_config_free(world.config);
    return 0;
}

static void carry(void)
{
    char octets[65536];
    ssize_t n;
    int len;
    while ((len = BIO_read(SSL_get_wbio(world.client), octets, sizeof octets)) > 0)
        assert_int_equal(send(world.far, octets, (size_t)len, 0), len);
    assert_int_equal(stet__tls_recv(world.tls, world.near, octets, sizeof octets), -1);
    assert_int_equal(errno, EAGAIN);
    while ((n = recv(world.far, octets, sizeof octets, 0)) > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(world.client), octets, (int)n), n);
}

static void open_both(int version, const char *suite)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    world.near = pair[0];
    world.far = pair[1];
    world.io = stet__tls_io_new();
    world.tls = stet__tls_new(stet__tls_config_accept(world.config), world.io, world.loop, &world.watch);
    world.clients = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(world.clients, version);
    SSL_CTX_set_max_proto_version(world.clients, version);
    if (version == TLS1_3_VERSION)
        assert_int_equal(SSL_CTX_set_ciphersuites(world.clients, suite), 1);
    else
        assert_int_equal(SSL_CTX_set_cipher_list(world.clients, suite), 1);
    world.client = SSL_new(world.clients);
    SSL_set_bio(world.client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    for (int i = 0; i < 3 && SSL_connect(world.client) != 1; i++)
        carry();
    carry();
    assert_true(world.tls->established && SSL_is_init_finished(world.client));
    ERR_clear_error();
}

static void close_both(void)
{
    stet__tls_free(world.tls, world.near, false);
    stet__tls_io_free(world.io);
    SSL_free(world.client);
    SSL_CTX_free(world.clients);
    close(world.near);
    close(world.far);
    ERR_clear_error();
}

static void client_gets(const char *text, size_t len)
{
    static char got[LARGE + 1];
    size_t total = 0;
    carry();
    for (int n; total < len && (n = SSL_read(world.client, got + total, (int)(sizeof got - total))) > 0;)
        total += (size_t)n;
    assert_int_equal(total, len);
    assert_memory_equal(got, text, len);
}

static void send_small(size_t len)
{
    static char text[40000];
    memset(text, 'a', sizeof text);
    struct iovec vector = {text, len};
    assert_int_equal(stet__tls_send(world.tls, world.near, &vector, 1, false), len);
    client_gets(text, len);
}

/* The parts of what the kernel is told. */
struct told {
    unsigned short version;
    const EVP_CIPHER *cipher;
    const unsigned char *iv, *key, *salt, *sequence;
    size_t iv_len, salt_len;
};

#define TOLD(name, kind)                                                                             \
    static struct told name(const struct kind *info, const EVP_CIPHER *cipher)                       \
    {                                                                                                \
        return (struct told){info->info.version, cipher,        info->iv,        info->key,          \
                             info->salt,         info->rec_seq, sizeof info->iv, sizeof info->salt}; \
    }
TOLD(told_128, tls12_crypto_info_aes_gcm_128)
TOLD(told_256, tls12_crypto_info_aes_gcm_256)
TOLD(told_chacha, tls12_crypto_info_chacha20_poly1305)

static struct told read_told(const unsigned char *info, size_t len)
{
    static union {
        struct tls_crypto_info begin;
        struct tls12_crypto_info_aes_gcm_128 gcm_128;
        struct tls12_crypto_info_aes_gcm_256 gcm_256;
        struct tls12_crypto_info_chacha20_poly1305 chacha;
    } all;
    assert_true(len <= sizeof all);
    memcpy(&all, info, len);
    if (all.begin.cipher_type == TLS_CIPHER_AES_GCM_128)
        return told_128(&all.gcm_128, EVP_aes_128_gcm());
    if (all.begin.cipher_type == TLS_CIPHER_AES_GCM_256)
        return told_256(&all.gcm_256, EVP_aes_256_gcm());
    assert_int_equal(all.begin.cipher_type, TLS_CIPHER_CHACHA20_POLY1305);
    return told_chacha(&all.chacha, EVP_chacha20_poly1305());
}

/* RFC 8446 sections 5.2 and 5.3; RFC 5288 section 3; RFC 7905 section 2. */
static size_t make_nonce(const struct told *told, unsigned char *nonce)
{
    bool counted = told->version == TLS_1_2_VERSION && told->iv_len == 8;
    memcpy(nonce, told->salt, told->salt_len);
    memcpy(nonce + told->salt_len, told->iv, told->iv_len);
    for (size_t i = 0; i < 8 && !counted; i++)
        nonce[4 + i] ^= told->sequence[i];
    return counted ? 8 : 0;
}

static size_t additional(const struct told *told, size_t len, unsigned char *data)
{
    size_t at = 0;
    if (told->version == TLS_1_2_VERSION) {
        memcpy(data, told->sequence, 8);
        at = 8;
    } else {
        len += 16;
    }
    memcpy(data + at, "\x17\x03\x03", 3);
    data[at + 3] = (unsigned char)(len >> 8);
    data[at + 4] = (unsigned char)len;
    return at + 5;
}

/* One record with `text`, as the kernel makes it. */
static size_t seal(const struct told *told, const char *text, unsigned char *record)
{
    unsigned char nonce[12], data[16], plain[100];
    size_t len = strlen(text), explicit_len = make_nonce(told, nonce);
    int n;
    memcpy(plain, text, len);
    if (told->version == TLS_1_3_VERSION)
        plain[len++] = 23;
    size_t data_len = additional(told, len, data), all = explicit_len + len + 16;
    memcpy(record, "\x17\x03\x03", 3);
    record[3] = 0;
    record[4] = (unsigned char)all;
    memcpy(record + 5, nonce + 4, explicit_len);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(context, told->cipher, NULL, told->key, nonce), 1);
    assert_int_equal(EVP_EncryptUpdate(context, NULL, &n, data, (int)data_len), 1);
    assert_int_equal(EVP_EncryptUpdate(context, record + 5 + explicit_len, &n, plain, (int)len), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, record + 5 + explicit_len + len, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, record + 5 + explicit_len + len),
                     1);
    EVP_CIPHER_CTX_free(context);
    return 5 + all;
}

static void next_record_is_right(int version, const char *suite, int before)
{
    unsigned char info[STET__KTLS_INFO_ROOM], record[200];
    open_both(version, suite);
    for (int i = 0; i < before; i++)
        send_small(i % 3 == 2 ? 40000 : 10);
    assert_int_equal(world.tls->ktls.state, STET__KTLS_KNOWN);
    struct told told = read_told(info, stet__ktls_next(&world.tls->ktls, info));
    size_t len = seal(&told, TEXT, record);
    assert_int_equal(BIO_write(SSL_get_rbio(world.client), record, (int)len), (int)len);
    client_gets(TEXT, strlen(TEXT));
    close_both();
}

static void the_kernel_is_told_of_the_next_record(void **state)
{
    for (int before = 0; before < 300; before = before * 4 + 1) {
        next_record_is_right(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", before);
        next_record_is_right(TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", before);
        next_record_is_right(TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", before);
        next_record_is_right(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", before);
        next_record_is_right(TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", before);
        next_record_is_right(TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", before);
    }
}

/* RFC 8446 section 4.6.3: the kernel would have the keys of before. */
static void a_key_update_is_in_the_way(void **state)
{
    char got[100];
    open_both(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    assert_int_equal(SSL_key_update(world.client, SSL_KEY_UPDATE_REQUESTED), 1);
    assert_int_equal(SSL_write(world.client, "x", 1), 1);
    int len = BIO_read(SSL_get_wbio(world.client), got, sizeof got);
    assert_int_equal(send(world.far, got, (size_t)len, 0), len);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), 1);
    assert_int_equal(world.tls->ktls.state, STET__KTLS_KNOWN);
    struct stet__ktls copy = world.tls->ktls;
    assert_int_equal(stet__ktls_begin(&copy, world.tls->ssl, world.near), STET__KTLS_NOT_HERE);
    send_small(10);
    assert_int_equal(world.tls->ktls.state, STET__KTLS_NONE);
    close_both();
}

static void a_socket_that_refuses_goes_on_with_openssl(void **state)
{
    static char large[LARGE];
    memset(large, 'b', sizeof large);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(large, 1, LARGE, file), LARGE);
    assert_int_equal(fflush(file), 0);
    open_both(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256");
    ssize_t n = stet__tls_sendfile(world.tls, world.near, fileno(file), 0, STET__KTLS_MIN - 1);
    assert_int_equal(n, STET__KTLS_MIN - 1);
    assert_int_equal(world.tls->ktls.state, STET__KTLS_KNOWN);
    client_gets(large, STET__KTLS_MIN - 1);
    n = stet__tls_sendfile(world.tls, world.near, fileno(file), 0, STET__KTLS_MIN);
    assert_int_equal(n, STET__KTLS_MIN);
    assert_int_equal(world.tls->ktls.state, STET__KTLS_NONE);
    client_gets(large, STET__KTLS_MIN);
    send_small(10);
    fclose(file);
    close_both();
}

static void what_is_unknown_is_not_learned(void **state)
{
    struct stet__ktls ktls = {.state = STET__KTLS_NONE};
    unsigned char info[STET__KTLS_INFO_ROOM] = {0};
    struct tls_crypto_info begin = {.version = TLS_1_3_VERSION, .cipher_type = 53}; /* AES-CCM */
    memcpy(info, &begin, sizeof begin);
    stet__ktls_learn(&ktls, info);
    assert_int_equal(ktls.state, STET__KTLS_NONE);
    begin = (struct tls_crypto_info){.version = 0x0302, .cipher_type = TLS_CIPHER_AES_GCM_128};
    memcpy(info, &begin, sizeof begin);
    stet__ktls_learn(&ktls, info);
    assert_int_equal(ktls.state, STET__KTLS_NONE);
}

/* Once the kernel has the keys, whatever OpenSSL offers changes nothing; what it has to say is kept. */
static void the_kernel_gets_keys_once(void **state)
{
    struct stet__ktls ktls = {.state = STET__KTLS_ON};
    unsigned char info[STET__KTLS_INFO_ROOM] = {0};
    struct tls_crypto_info begin = {.version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128};
    memcpy(info, &begin, sizeof begin);
    stet__ktls_learn(&ktls, info);
    stet__ktls_count(&ktls, SSL3_RT_HANDSHAKE, "\x18", 1);
    stet__ktls_release(&ktls);
    assert_int_equal(ktls.state, STET__KTLS_ON);
    assert_int_equal(ktls.info_len, 0);
    stet__ktls_count(&ktls, SSL3_RT_ALERT, "\x01\x00", 2);
    assert_true(ktls.has_alert && ktls.alert[0] == 1 && ktls.alert[1] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_is_told_of_the_next_record),
        cmocka_unit_test(a_key_update_is_in_the_way),
        cmocka_unit_test(a_socket_that_refuses_goes_on_with_openssl),
        cmocka_unit_test(what_is_unknown_is_not_learned),
        cmocka_unit_test(the_kernel_gets_keys_once),
    };
    return cmocka_run_group_tests_name("ktls", tests, prepare, clean_up);
}
