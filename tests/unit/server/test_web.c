/*
 * The listener by itself, over real sockets: the hostile list, TLS from files that change, ten thousand streams at
 * once, who does not read, and what is said when it is about to close.
 *
 * The server is a child of the test; the tests are plain blocking clients.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/memory.h"
#include "server/web.h"
#include "support/cmocka.h"
#include "unit/server/visitor.h"

#define STREAMS_MAX 12000
#ifdef __SANITIZE_ADDRESS__ /* which has an allocator of its own */
#define EACH_BYTES_MAX 65536
#else
#define EACH_BYTES_MAX 20480
#endif
#define BODY_40 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

static char folder[64]; /* of this test's files */

/* ---- the server: /stream opens one, /tell tells all of them so many bytes, /drain, /open counts ---- */

typedef struct server {
    ctn_loop *loop;
    ctn_web *web;
    ctn_web_request *streams[STREAMS_MAX];
    size_t count, gone;
} server;

typedef struct streaming {
    server *s;
    size_t at;
} streaming;

static void on_gone(void *ctx)
{
    streaming *x = ctx;
    x->s->streams[x->at] = NULL;
    x->s->gone++;
}

static void take(void *ctx, ctn_web_request *r)
{
    server *s = ctx;
    const ctn_web_ask *ask = ctn_web_ask_of(r);
    ctn_str answer = ask->body;
    if (ctn_str_is(ask->path, "/stream")) {
        streaming *x = CTN_NEW(ctn_web_arena(r), streaming);
        *x = (streaming){s, s->count};
        s->streams[s->count++] = r;
        ctn_web_when_gone(r, on_gone, x);
        ctn_web_stream(r, 200, NULL, 0);
        (void) ctn_web_send(r, CTN_STR("hello\n"));
        return;
    }
    if (ctn_str_is(ask->path, "/tell")) {
        int64_t bytes = 0;
        (void) ctn_str_to_int64(ctn_web_header_of(ask->query, ask->query_count, "bytes"), &bytes);
        char *text = ctn_calloc((size_t) bytes + 1, 1);
        memset(text, 'x', (size_t) bytes);
        for (size_t i = 0; i < s->count; i++)
            if (s->streams[i])
                (void) ctn_web_send(s->streams[i], (ctn_str){text, (size_t) bytes});
        free(text);
    }
    if (ctn_str_is(ask->path, "/drain"))
        ctn_web_drain(s->web);
    if (ctn_str_is(ask->path, "/open"))
        answer = ctn_arena_printf(ctn_web_arena(r), "open=%zu gone=%zu.", ctn_web_open_count(s->web), s->gone);
    ctn_web_answer(r, 200, NULL, 0, answer);
}

static void serve(int report, const ctn_web_options *options)
{
    static server s;
    ctn_err err = {0};
    ctn_web_options of = *options;
    of.loop = s.loop = ctn_loop_new();
    of.take = take;
    of.ctx = &s;
    if (ctn_web_open(&of, CTN_STR("127.0.0.1:0"), &s.web, &err)) {
        fprintf(stderr, "%s\n", err.message);
        _exit(1);
    }
    ctn_str address = ctn_web_address(s.web);
    int port = atoi(strrchr(ctn_arena_str(ctn_arena_new(64), address).ptr, ':') + 1);
    if (write(report, &port, sizeof port) != sizeof port)
        _exit(1);
    ctn_loop_run(s.loop);
    _exit(0);
}

static place *begin(const ctn_web_options *options)
{
    place *p = calloc(1, sizeof *p);
    int report[2];
    assert_non_null(p);
    assert_int_equal(pipe(report), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        (void) signal(SIGPIPE, SIG_IGN);
        serve(report[1], options);
    }
    close(report[1]);
    assert_int_equal(read(report[0], &p->port, sizeof p->port), sizeof p->port);
    close(report[0]);
    return p;
}

static void end(place *p)
{
    int status = 0;
    (void) kill(p->pid, SIGTERM);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM); /* and no assertion before */
    free(p);
}

static int get(place *p, const char *target)
{
    char text[256];
    (void) snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", target, p->port);
    return ask(p, text);
}

static int open_stream(place *p)
{
    char text[256];
    int fd = connect_to(p);
    (void) snprintf(text, sizeof text, "GET /stream HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", p->port);
    put(fd, text);
    return fd;
}

/* ---- tests ---- */

static void requests_with_two_meanings_are_refused(void **state)
{
    (void) state;
    place *p = begin(&(ctn_web_options){0});
    hostile_requests(p, "/", BODY_40);
    end(p);
}

static long cpu_ticks(const place *p)
{
    char path[64];
    long user = 0, system = 0;
    (void) snprintf(path, sizeof path, "/proc/%ld/stat", (long) p->pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system), 2);
    assert_int_equal(fclose(f), 0);
    return user + system;
}

/* As many as there are descriptors for, in two processes; ten thousand where the system lets us. */
static void thousands_of_streams_wait_for_little(void **state)
{
    (void) state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int count = limit.rlim_max > 11000 ? 10000 : (int) limit.rlim_max - 600;
    int *fds = calloc((size_t) count, sizeof *fds);
    assert_non_null(fds);
    place *p = begin(&(ctn_web_options){0});
    assert_int_equal(get(p, "/open"), 200);
    size_t before_kib = resident_kib(p);
    for (int i = 0; i < count; i++)
        fds[i] = open_stream(p);
    for (int i = 0; i < count; i++) {
        p->len = 0;
        assert_true(read_until(p, fds[i], "hello"));
    }
    size_t each = (resident_kib(p) - before_kib) * 1024 / (size_t) count;
    if (each > EACH_BYTES_MAX)
        fail_msg("%zu bytes for each of %d streams", each, count);
    long ticks = cpu_ticks(p);
    (void) usleep(500000);
    assert_in_range(cpu_ticks(p) - ticks, 0, 5); /* of a hundred a second: who waits costs nothing */
    assert_int_equal(get(p, "/tell?bytes=300"), 200);
    for (int i = 0; i < count; i++) {
        p->len = 0;
        assert_true(read_until(p, fds[i], "xxx"));
        close(fds[i]);
    }
    print_message("%d streams, %zu bytes each\n", count, each);
    end(p);
    free(fds);
}

static void more_connections_than_descriptors_are_no_promise(void **state)
{
    (void) state;
    struct rlimit old, few = {1024, 1024};
    pid_t pid = fork(); /* what is lowered stays so */
    assert_true(pid >= 0);
    if (pid == 0) {
        ctn_web *web = NULL;
        ctn_err err = {0};
        ctn_web_options of = {.loop = ctn_loop_new(), .connections_max = 10000};
        bool is_right = getrlimit(RLIMIT_NOFILE, &old) == 0 && setrlimit(RLIMIT_NOFILE, &few) == 0 &&
                        ctn_web_open(&of, CTN_STR("127.0.0.1:0"), &web, &err) == CTN_E_LIMIT &&
                        strstr(err.message, "may have 1024");
        of.connections_max = 0; /* nobody has asked for a number */
        is_right = is_right && ctn_web_open(&of, CTN_STR("127.0.0.1:0"), &web, &err) == CTN_OK;
        _exit(is_right ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void who_does_not_read_is_dropped_and_the_others_are_not(void **state)
{
    (void) state;
    place *p = begin(&(ctn_web_options){.stream_bytes_max = 100000});
    int slow = open_stream(p), quick = open_stream(p), small = 4096;
    (void) setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    p->len = 0;
    assert_true(read_until(p, slow, "hello"));
    p->len = 0;
    assert_true(read_until(p, quick, "hello"));
    for (int i = 0; i < 400 && (get(p, "/open") != 200 || !strstr(p->text, "gone=1.")); i++) {
        assert_int_equal(get(p, "/tell?bytes=40000"), 200);
        for (size_t got = 0; got < 40000;) {
            ssize_t n = recv(quick, p->text, sizeof p->text, 0);
            assert_true(n > 0);
            got += (size_t) n;
        }
    }
    assert_non_null(strstr(p->text, "gone=1."));
    close(slow);
    close(quick);
    end(p);
}

static void who_is_told_to_go_may_finish(void **state)
{
    (void) state;
    place *p = begin(&(ctn_web_options){0});
    int idle = connect_to(p), stream = open_stream(p);
    p->len = 0;
    assert_true(read_until(p, stream, "hello"));
    assert_int_equal(get(p, "/open"), 200);
    assert_non_null(strstr(p->text, "open=2")); /* and this one */
    assert_int_equal(get(p, "/drain"), 200);
    char byte;
    assert_int_equal(recv(idle, &byte, 1, 0), 0); /* nothing was under way on it */
    assert_int_equal(get(p, "/tell?bytes=10"), 200);
    assert_non_null(strstr(p->text, "Connection: close"));
    p->len = 0;
    assert_true(read_until(p, stream, "xxxxxxxxxx"));
    close(idle);
    close(stream);
    end(p);
}

/* ---- TLS ---- */

static void write_pair(const char *name, const char *cert_path, const char *key_path)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *cert = X509_new();
    assert_non_null(key);
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    (void) X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    (void) X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void) X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *) name, -1,
                                      -1, 0);
    (void) X509_set_issuer_name(cert, X509_get_subject_name(cert));
    (void) X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *f = fopen(cert_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    assert_int_equal(fclose(f), 0);
    f = fopen(key_path, "w");
    assert_non_null(f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(f), 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Whose certificate is shown, over at most this version; false: no handshake. */
static bool shown_name(const place *p, int version, char name[64], char answer[512])
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    int fd = connect_to(p), n = 0;
    (void) SSL_set_max_proto_version(ssl, version);
    SSL_set_security_level(ssl, 0);
    (void) SSL_set_fd(ssl, fd);
    bool is_up = SSL_connect(ssl) == 1;
    if (is_up) {
        X509 *cert = SSL_get1_peer_certificate(ssl);
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, 64);
        X509_free(cert);
        static const char ask_text[] = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi";
        assert_int_equal(SSL_write(ssl, ask_text, sizeof ask_text - 1), sizeof ask_text - 1);
        n = SSL_read(ssl, answer, 511);
    }
    answer[n > 0 ? n : 0] = '\0';
    close(fd);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return is_up;
}

static void a_certificate_is_read_again_when_it_has_changed(void **state)
{
    (void) state;
    char cert[128], key[128], name[64], answer[512];
    (void) snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    (void) snprintf(key, sizeof key, "%s/key.pem", folder);
    write_pair("first.example.com", cert, key);
    place *p = begin(&(ctn_web_options){.tls_cert_file = cert, .tls_key_file = key});
    assert_true(shown_name(p, TLS1_3_VERSION, name, answer));
    assert_string_equal(name, "first.example.com");
    assert_non_null(strstr(answer, "200 OK"));
    assert_true(shown_name(p, TLS1_2_VERSION, name, answer));
    assert_false(shown_name(p, TLS1_1_VERSION, name, answer));
    write_pair("second.example.com", cert, key);
    (void) usleep(1100000);
    assert_true(shown_name(p, TLS1_3_VERSION, name, answer));
    assert_string_equal(name, "second.example.com");
    FILE *f = fopen(key, "w"); /* half a renewal */
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    (void) usleep(1100000);
    assert_true(shown_name(p, TLS1_3_VERSION, name, answer));
    assert_string_equal(name, "second.example.com");
    assert_int_equal(get(p, "/open"), 0); /* no HTTP without TLS on it */
    int silent = connect_to(p);           /* and who says nothing harms nobody */
    assert_true(shown_name(p, TLS1_3_VERSION, name, answer));
    close(silent);
    end(p);
}

static void a_key_that_others_read_is_none(void **state)
{
    (void) state;
    char cert[128], key[128], other[128];
    ctn_loop *loop = ctn_loop_new();
    (void) snprintf(cert, sizeof cert, "%s/cert.pem", folder);
    (void) snprintf(key, sizeof key, "%s/key.pem", folder);
    (void) snprintf(other, sizeof other, "%s/other.pem", folder);
    write_pair("a.example.com", cert, key);
    ctn_web_options of = {.loop = loop, .tls_cert_file = cert, .tls_key_file = key};
    ctn_web *web = NULL;
    ctn_err err = {0};
    assert_int_equal(chmod(key, 0644), 0);
    assert_int_equal(ctn_web_open(&of, CTN_STR("127.0.0.1:0"), &web, &err), CTN_E_DENIED);
    assert_non_null(strstr(err.message, "chmod 640"));
    assert_int_equal(chmod(key, 0600), 0);
    write_pair("b.example.com", other, key);
    assert_int_equal(ctn_web_open(&of, CTN_STR("127.0.0.1:0"), &web, &err), CTN_E_INVALID); /* of another certificate */
    assert_int_equal(unlink(key), 0);
    assert_int_equal(ctn_web_open(&of, CTN_STR("127.0.0.1:0"), &web, &err), CTN_E_IO);
    ctn_loop_free(loop);
}

static int make_folder(void **state)
{
    (void) state;
    (void) snprintf(folder, sizeof folder, "/tmp/catena-web-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"cert.pem", "key.pem", "other.pem"};
    char path[128];
    (void) state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void) snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void) unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_with_two_meanings_are_refused),
        cmocka_unit_test(thousands_of_streams_wait_for_little),
        cmocka_unit_test(more_connections_than_descriptors_are_no_promise),
        cmocka_unit_test(who_does_not_read_is_dropped_and_the_others_are_not),
        cmocka_unit_test(who_is_told_to_go_may_finish),
        cmocka_unit_test(a_certificate_is_read_again_when_it_has_changed),
        cmocka_unit_test(a_key_that_others_read_is_none),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
