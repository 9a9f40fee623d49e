/* tls.h -- an authority of certificates of the test's own, and a server that shows one of its certificates. */
#pragma once

typedef struct tls tls;

/* A new authority, and a certificate by it for 127.0.0.1 and localhost. */
tls *tls_new(void);
void tls_free(tls *t);
const char *tls_ca_file(const tls *t); /* PEM; removed by tls_free, and so are: */
const char *tls_certificate_file(const tls *t);
const char *tls_key_file(const tls *t);
/* For http_peer_options.connection: answers one request after the other with `answer`, until the client goes. */
typedef struct tls_script {
    tls *tls;
    const char *answer;
} tls_script;
void tls_serve(void *ctx, int fd); /* ctx: a tls_script */
