/* tls.c -- see tls.h. */
#include "tls.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/cmocka.h"

struct tls {
    SSL_CTX *ctx;
    char ca_file[64], certificate_file[64], key_file[64];
};

static void extend(X509 *certificate, int what, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, what, value);
    assert_non_null(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/* `issuer` NULL: by itself. */
static X509 *certify(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key)
{
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *) name, -1,
                               -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    extend(certificate, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (issuer)
        extend(certificate, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    assert_true(X509_sign(certificate, issuer ? issuer_key : key, EVP_sha256()) > 0);
    return certificate;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_bytes, const unsigned char *in,
                           unsigned in_bytes, void *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void) ssl, (void) ctx;
    return SSL_select_next_proto((unsigned char **) (uintptr_t) out, out_bytes, ours, sizeof ours - 1, in, in_bytes) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static FILE *open_file(char path[64])
{
    snprintf(path, 64, "/tmp/catena-tls-XXXXXX");
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    return file;
}

static void write_certificate(char path[64], X509 *certificate)
{
    FILE *file = open_file(path);
    PEM_write_X509(file, certificate);
    fclose(file);
}

tls *tls_new(void)
{
    tls *t = calloc(1, sizeof *t);
    assert_non_null(t);
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = certify(ca_key, "a test's authority", NULL, NULL);
    X509 *certificate = certify(key, "localhost", ca, ca_key);
    write_certificate(t->ca_file, ca);
    write_certificate(t->certificate_file, certificate);
    FILE *file = open_file(t->key_file);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    t->ctx = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(t->ctx, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(t->ctx, key), 1);
    SSL_CTX_set_alpn_select_cb(t->ctx, choose_protocol, NULL);
    X509_free(ca);
    X509_free(certificate);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    return t;
}

void tls_free(tls *t)
{
    unlink(t->ca_file);
    unlink(t->certificate_file);
    unlink(t->key_file);
    SSL_CTX_free(t->ctx);
    free(t);
}

const char *tls_ca_file(const tls *t)
{
    return t->ca_file;
}

const char *tls_certificate_file(const tls *t)
{
    return t->certificate_file;
}

const char *tls_key_file(const tls *t)
{
    return t->key_file;
}

void tls_serve(void *ctx, int fd)
{
    const tls_script *script = ctx;
    SSL *ssl = SSL_new(script->tls->ctx);
    SSL_set_fd(ssl, fd);
    char text[8192];
    size_t have = 0;
    if (SSL_accept(ssl) == 1)
        for (int got; (got = SSL_read(ssl, text + have, (int) (sizeof text - 1 - have))) > 0;) {
            have += (size_t) got;
            text[have] = '\0';
            if (!strstr(text, "\r\n\r\n")) /* requests of these tests have no body */
                continue;
            have = 0;
            SSL_write(ssl, script->answer, (int) strlen(script->answer));
        }
    SSL_free(ssl);
}
