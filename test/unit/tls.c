/* SPDX-License-Identifier: MIT */
/*
 * src/net/tls.c over a pair of sockets: the other side is OpenSSL on memory, and the test carries its octets,
 * in whatever pieces.
 */
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls_config.h"

#include <cmocka.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define ANSWER "HTTP/1.1 304 Not Modified\r\n\r\n"
#define LARGE 1000000

struct world {
    struct stet__tls_config *config;
    struct stet__tls_io *io;
    struct stet__loop *loop;
    SSL_CTX *clients;
    struct stet__watch watch;
    struct stet__tls *tls;
    int near, far; /* the server's socket, the client's */
    SSL *client;
    bool ran;
    char large[LARGE], got[LARGE + 1];
};

static struct world world;

static int prepare(void **state)
{
    char error[256];
    struct stet__tls_settings settings = {.self_signed = true, .ticket_interval_s = 60};
    world.config = stet__tls_config_new(&settings, 1800000000, error, sizeof error);
    world.io = stet__tls_io_new();
    world.loop = stet__loop_new();
    world.clients = SSL_CTX_new(TLS_client_method());
    for (size_t i = 0; i < LARGE; i++)
        world.large[i] = (char)(i * 2654435761u >> 13);
    return world.config && world.io && world.loop && world.clients ? 0 : -1;
}

static int clean_up(void **state)
{
    stet__loop_free(world.loop);
    stet__tls_io_free(world.io);
    stet__tls_config_free(world.config);
    SSL_CTX_free(world.clients);
    return 0;
}

static void run(struct stet__watch *watch, uint32_t events)
{
    world.ran = true;
    stet__loop_stop(world.loop);
}

static void open_both(void)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    world.near = pair[0];
    world.far = pair[1];
    world.watch = (struct stet__watch){.ready = run, .fd = world.near};
    world.tls = stet__tls_new(stet__tls_config_accept(world.config), world.io, world.loop, &world.watch);
    assert_non_null(world.tls);
    world.client = SSL_new(world.clients);
    SSL_set_bio(world.client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(world.client);
}

static void close_both(bool orderly)
{
    stet__tls_free(world.tls, world.near, orderly);
    close(world.near);
    close(world.far);
    SSL_free(world.client);
    ERR_clear_error();
}

/* What the client has written so far. */
static size_t written(char *to, size_t room)
{
    int n = BIO_read(SSL_get_wbio(world.client), to, (int)room);
    return n > 0 ? (size_t)n : 0;
}

static void carry_to_server(const char *octets, size_t len)
{
    assert_int_equal(send(world.far, octets, len, 0), (ssize_t)len);
}

/* What the server has sent goes to the client. */
static void carry_to_client(void)
{
    char octets[65536];
    ssize_t n;
    while ((n = recv(world.far, octets, sizeof octets, 0)) > 0)
        assert_int_equal(BIO_write(SSL_get_rbio(world.client), octets, (int)n), n);
    if (n == 0)
        BIO_set_mem_eof_return(SSL_get_rbio(world.client), 0);
}

/* The handshake, with the client's octets in pieces of `piece`. */
static void shake_hands(size_t piece)
{
    char octets[65536], nothing[16];
    for (int i = 0; i < 4 && !world.tls->established; i++) {
        (void)SSL_do_handshake(world.client);
        ERR_clear_error();
        size_t len = written(octets, sizeof octets);
        for (size_t at = 0; at < len; at += piece) {
            carry_to_server(octets + at, len - at < piece ? len - at : piece);
            assert_int_equal(stet__tls_recv(world.tls, world.near, nothing, sizeof nothing), -1);
            assert_int_equal(errno, EAGAIN);
        }
        carry_to_client();
    }
    assert_true(world.tls->established);
    assert_int_equal(SSL_do_handshake(world.client), 1);
}

static void open_and_shake(void)
{
    open_both();
    shake_hands(65536);
}

/* Octets of the application, as the client encrypts them. */
static size_t encrypt(const char *octets, size_t len, char *to, size_t room)
{
    assert_int_equal(SSL_write(world.client, octets, (int)len), (int)len);
    return written(to, room);
}

static size_t decrypt_all(char *to, size_t room)
{
    size_t got = 0;
    int n;
    while (got < room && (n = SSL_read(world.client, to + got, (int)(room - got))) > 0)
        got += (size_t)n;
    ERR_clear_error();
    return got;
}

static void a_handshake_in_any_pieces(void **state)
{
    for (size_t piece = 1; piece < 600; piece += piece < 8 ? 1 : 61) {
        open_both();
        shake_hands(piece);
        close_both(true);
    }
}

static void a_request_cut_anywhere(void **state)
{
    char cipher[1000], got[100];
    open_and_shake();
    for (size_t cut = 1, len = 2; cut < len; cut++) {
        len = encrypt(REQUEST, strlen(REQUEST), cipher, sizeof cipher);
        carry_to_server(cipher, cut);
        assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), -1);
        assert_int_equal(errno, EAGAIN);
        carry_to_server(cipher + cut, len - cut);
        assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), strlen(REQUEST));
        assert_memory_equal(got, REQUEST, strlen(REQUEST));
    }
    close_both(true);
}

static void one_recv_brings_many_records(void **state)
{
    char cipher[10000], got[1000];
    size_t len = 0;
    open_and_shake();
    for (int i = 0; i < 10; i++)
        len += encrypt(REQUEST, strlen(REQUEST), cipher + len, sizeof cipher - len);
    carry_to_server(cipher, len);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), 10 * strlen(REQUEST));
    assert_int_equal(world.tls->in.room, 0);
    close_both(true);
}

/* Epoll will not tell of what is in memory already. */
static void a_reader_with_little_room_is_told_of_the_rest(void **state)
{
    static char cipher[50000];
    open_and_shake();
    for (size_t room = 1; room <= 20000; room = room * 3 + 1) {
        size_t len = 0, total = 0;
        for (int i = 0; i < 3; i++)
            len += encrypt(world.large + i * 5000, 5000, cipher + len, sizeof cipher - len);
        carry_to_server(cipher, len);
        for (;;) {
            ssize_t n = stet__tls_recv(world.tls, world.near, world.got + total, room);
            int cause = errno;
            char more;
            bool epoll_tells = recv(world.near, &more, 1, MSG_PEEK) == 1;
            assert_true(n > 0 || (cause == EAGAIN && epoll_tells));
            total += n > 0 ? (size_t)n : 0;
            if (total == 15000)
                break;
            stet__tls_go_on(world.tls);
            if (epoll_tells)
                continue;
            world.ran = false;
            stet__loop_run(world.loop);
            assert_true(world.ran);
        }
        assert_memory_equal(world.got, world.large, 15000);
        assert_int_equal(stet__tls_recv(world.tls, world.near, world.got, room), -1);
        assert_int_equal(errno, EAGAIN);
        stet__tls_go_on(world.tls);
        assert_true(stet__list_empty(&world.tls->soon.node));
    }
    close_both(true);
}

static void small_octets_that_lie_apart_are_one_record(void **state)
{
    char got[200];
    struct iovec vectors[] = {
        {(char[]){"HTTP/1.1 200 OK\r\n\r\n"}, 19}, {(char[]){"hello, "}, 7}, {(char[]){"world"}, 5}};
    open_and_shake();
    assert_int_equal(stet__tls_send(world.tls, world.near, vectors, 3, false), 31);
    ssize_t n = recv(world.far, got, sizeof got, MSG_PEEK);
    assert_int_equal(n, 5 + 31 + 1 + 16); /* one head, one type, one tag: RFC 8446 section 5.2 */
    carry_to_client();
    assert_int_equal(decrypt_all(got, sizeof got), 31);
    assert_memory_equal(got, "HTTP/1.1 200 OK\r\n\r\nhello, world", 31);
    close_both(true);
}

static void shrink(void)
{
    int bytes = 1;
    assert_int_equal(setsockopt(world.near, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
}

/* What is told as sent is sent, what is not comes again from another place. */
static void a_socket_that_is_full(void **state)
{
    size_t told = 0, got = 0;
    open_and_shake();
    shrink();
    while (told < LARGE) {
        size_t first = (LARGE - told) / 3;
        char *copy = malloc(LARGE - told);
        memcpy(copy, world.large + told, LARGE - told);
        struct iovec vectors[] = {{copy, first}, {copy + first, LARGE - told - first}};
        ssize_t n = stet__tls_send(world.tls, world.near, vectors, 2, false);
        memset(copy, 0, LARGE - told);
        free(copy);
        assert_true(n > 0 || errno == EAGAIN);
        told += n > 0 ? (size_t)n : 0;
        assert_true(told < LARGE || !stet__tls_blocked(world.tls));
        assert_true(world.tls->out.len < 300000);
        carry_to_client();
        got += decrypt_all(world.got + got, LARGE + 1 - got);
    }
    assert_int_equal(got, LARGE);
    assert_memory_equal(world.got, world.large, LARGE);
    assert_int_equal(world.tls->out.room, 0);
    close_both(true);
}

static void a_file_through_a_socket_that_is_full(void **state)
{
    size_t told = 0, got = 0;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(world.large, 1, LARGE, file), LARGE);
    assert_int_equal(fflush(file), 0);
    open_and_shake();
    shrink();
    while (told < LARGE) {
        ssize_t n = stet__tls_sendfile(world.tls, world.near, fileno(file), (off_t)told, LARGE - told);
        assert_true(n > 0 || errno == EAGAIN);
        told += n > 0 ? (size_t)n : 0;
        carry_to_client();
        got += decrypt_all(world.got + got, LARGE + 1 - got);
    }
    assert_int_equal(got, LARGE);
    assert_memory_equal(world.got, world.large, LARGE);
    assert_int_equal(stet__tls_sendfile(world.tls, world.near, fileno(file), LARGE, 10), 0);
    fclose(file);
    close_both(true);
}

/* RFC 8446 section 6.1: close_notify is the end, the end of the connection alone is not. */
static void an_end_and_a_cut(void **state)
{
    char cipher[100], got[100];
    open_and_shake();
    SSL_shutdown(world.client);
    size_t len = written(cipher, sizeof cipher);
    carry_to_server(cipher, len);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), 0);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), 0);
    close_both(true);

    open_and_shake();
    shutdown(world.far, SHUT_WR);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), -1);
    assert_int_equal(errno, ECONNRESET);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), -1);
    assert_int_not_equal(errno, EAGAIN);
    close_both(true);
}

/* A request, and its client's end in the same octets. */
static void an_end_behind_octets(void **state)
{
    char cipher[1000], got[100];
    open_and_shake();
    size_t len = encrypt(REQUEST, strlen(REQUEST), cipher, sizeof cipher);
    SSL_shutdown(world.client);
    len += written(cipher + len, sizeof cipher - len);
    carry_to_server(cipher, len);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), strlen(REQUEST));
    stet__tls_go_on(world.tls);
    assert_false(stet__list_empty(&world.tls->soon.node));
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), 0);
    close_both(true);
}

static int client_sees_end(bool orderly)
{
    char got[100];
    struct iovec vector = {(char[]){ANSWER}, strlen(ANSWER)};
    open_and_shake();
    assert_int_equal(stet__tls_send(world.tls, world.near, &vector, 1, false), strlen(ANSWER));
    stet__tls_free(world.tls, world.near, orderly);
    close(world.near);
    carry_to_client();
    assert_int_equal(SSL_read(world.client, got, sizeof got), strlen(ANSWER));
    int error = SSL_get_error(world.client, SSL_read(world.client, got, sizeof got));
    close(world.far);
    SSL_free(world.client);
    ERR_clear_error();
    return error;
}

static void the_client_can_tell_an_end_from_a_cut(void **state)
{
    assert_int_equal(client_sees_end(true), SSL_ERROR_ZERO_RETURN);
    assert_int_equal(client_sees_end(false), SSL_ERROR_SSL);
}

static void http_without_tls_is_known(void **state)
{
    char got[100];
    open_both();
    carry_to_server(REQUEST, strlen(REQUEST));
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), -1);
    assert_int_equal(errno, EPROTO);
    assert_true(world.tls->plain);
    assert_int_equal(recv(world.far, got, sizeof got, 0), -1);
    close_both(true);
}

static void garbage_gets_an_alert(void **state)
{
    char got[100];
    open_both();
    carry_to_server("\x16\x03\x01\x00\x05\xff\xff\xff\xff\xff", 10);
    assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), -1);
    assert_int_equal(errno, EPROTO);
    assert_false(world.tls->plain);
    assert_true(recv(world.far, got, sizeof got, 0) == 7 && got[0] == 21);
    close_both(true);
}

/* RFC 8446 section 4.6.3: each is answered, and the answers may not pile up. */
static void key_updates_are_answered(void **state)
{
    char cipher[1000], got[100];
    struct iovec vector = {(char[]){ANSWER}, strlen(ANSWER)};
    open_and_shake();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(world.client, SSL_KEY_UPDATE_REQUESTED), 1);
        size_t len = encrypt(REQUEST, strlen(REQUEST), cipher, sizeof cipher);
        carry_to_server(cipher, len);
        assert_int_equal(stet__tls_recv(world.tls, world.near, got, sizeof got), strlen(REQUEST));
        assert_int_equal(stet__tls_send(world.tls, world.near, &vector, 1, false), strlen(ANSWER));
        carry_to_client();
        assert_int_equal(decrypt_all(got, sizeof got), strlen(ANSWER));
    }
    close_both(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_in_any_pieces),
        cmocka_unit_test(a_request_cut_anywhere),
        cmocka_unit_test(one_recv_brings_many_records),
        cmocka_unit_test(a_reader_with_little_room_is_told_of_the_rest),
        cmocka_unit_test(small_octets_that_lie_apart_are_one_record),
        cmocka_unit_test(a_socket_that_is_full),
        cmocka_unit_test(a_file_through_a_socket_that_is_full),
        cmocka_unit_test(an_end_and_a_cut),
        cmocka_unit_test(an_end_behind_octets),
        cmocka_unit_test(the_client_can_tell_an_end_from_a_cut),
        cmocka_unit_test(http_without_tls_is_known),
        cmocka_unit_test(garbage_gets_an_alert),
        cmocka_unit_test(key_updates_are_answered),
    };
    return cmocka_run_group_tests_name("tls", tests, prepare, clean_up);
}
