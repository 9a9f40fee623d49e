/*
 * tls.h -- the certificate that the listener shows, and its key: PEM files, read when it opens and again when they have
 * changed. GnuTLS, which libmicrohttpd speaks TLS with, is in tls.c and nowhere else.
 *
 * A changed pair is noticed at a handshake, looked for at most once a second; one that does not fit is logged, and the
 * old one stays. The key's file must be its owner's alone. TLS 1.2 and 1.3.
 */
#pragma once
#include <microhttpd.h>
#include "base/err.h"
#include "base/log.h"

typedef struct ctn_web_tls ctn_web_tls;

/* CTN_E_INVALID: no pair of certificate and key; CTN_E_DENIED: others may read the key; CTN_E_IO. */
int ctn_web_tls_open(const char *cert_file, const char *key_file, const ctn_log *log, ctn_web_tls **ret_tls,
                     ctn_err *err);
void ctn_web_tls_close(ctn_web_tls *tls); /* NULL is fine; after the daemon */

/* What the daemon is started with, and an end. */
#define CTN_WEB_TLS_OPTIONS 3
void ctn_web_tls_options(ctn_web_tls *tls, struct MHD_OptionItem options[CTN_WEB_TLS_OPTIONS + 1]);
/* A new connection, before its handshake: it is shown the newest certificate. */
void ctn_web_tls_greet(ctn_web_tls *tls, struct MHD_Connection *connection, int64_t now_ms);
