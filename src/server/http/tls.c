/*
 * tls.c -- see tls.h.
 *
 * The library's own credentials are those of the start; each new connection is given the newest instead, before its
 * handshake. Credentials are kept until the end, for a connection may live longer than its certificate: a few KiB for
 * each change.
 */
#include "server/http/tls.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/memory.h"

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"
#define LOOK_MS    1000

/* What says that a file is another one. */
typedef struct stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed;
} stamp;

typedef struct pair {
    gnutls_certificate_credentials_t credentials;
    gnutls_datum_t cert, key; /* PEM, with a NUL behind it */
    struct pair *next;
} pair;

struct ctn_web_tls {
    const char *cert_file, *key_file;
    const ctn_log *log;
    pair *pairs; /* the newest first */
    stamp cert_stamp, key_stamp;
    int64_t looked_at_ms;
};

static stamp stamp_of(const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return (stamp){0};
    return (stamp){st.st_dev, st.st_ino, st.st_size, st.st_ctim};
}

static bool is_same(stamp a, stamp b)
{
    return a.device == b.device && a.inode == b.inode && a.bytes == b.bytes && a.changed.tv_sec == b.changed.tv_sec &&
           a.changed.tv_nsec == b.changed.tv_nsec;
}

static void free_pair(pair *p)
{
    if (p->credentials)
        gnutls_certificate_free_credentials(p->credentials);
    if (p->key.data)
        explicit_bzero(p->key.data, p->key.size);
    gnutls_free(p->cert.data);
    gnutls_free(p->key.data);
    free(p);
}

static int read_pem(const char *path, gnutls_datum_t *ret, ctn_err *err)
{
    int failed = gnutls_load_file(path, ret); /* a NUL behind it is GnuTLS's promise */
    return failed ? ctn_fail(err, CTN_E_IO, "%s cannot be read: %s", path, strerror(errno)) : CTN_OK;
}

static int check_owner(const char *path, ctn_err *err)
{
    struct stat st;
    if (stat(path, &st))
        return ctn_fail(err, CTN_E_IO, "%s cannot be read: %s", path, strerror(errno));
    if (st.st_mode & (S_IRWXO | S_IWGRP))
        return ctn_fail(err, CTN_E_DENIED, "the key %s can be read by others: chmod 640 %s", path, path);
    return CTN_OK;
}

static int load(ctn_web_tls *tls, ctn_err *err)
{
    pair *p = ctn_calloc(1, sizeof *p);
    int rc = check_owner(tls->key_file, err);
    if (rc == CTN_OK)
        rc = read_pem(tls->cert_file, &p->cert, err);
    if (rc == CTN_OK)
        rc = read_pem(tls->key_file, &p->key, err);
    int failed = rc == CTN_OK ? gnutls_certificate_allocate_credentials(&p->credentials) : 0;
    if (rc == CTN_OK && !failed)
        failed = gnutls_certificate_set_x509_key_mem(p->credentials, &p->cert, &p->key, GNUTLS_X509_FMT_PEM);
    if (rc == CTN_OK && failed < 0)
        rc = ctn_fail(err, CTN_E_INVALID, "%s and %s are no certificate and its key: %s", tls->cert_file, tls->key_file,
                      gnutls_strerror(failed));
    if (rc) {
        free_pair(p);
        return rc;
    }
    p->next = tls->pairs;
    tls->pairs = p;
    return CTN_OK;
}

int ctn_web_tls_open(const char *cert_file, const char *key_file, const ctn_log *log, ctn_web_tls **ret_tls,
                     ctn_err *err)
{
    ctn_web_tls *tls = ctn_malloc(sizeof *tls);
    *tls = (ctn_web_tls){.cert_file = cert_file,
                         .key_file = key_file,
                         .log = log,
                         .cert_stamp = stamp_of(cert_file),
                         .key_stamp = stamp_of(key_file)};
    int rc = load(tls, err);
    if (rc)
        ctn_web_tls_close(tls);
    else
        *ret_tls = tls;
    return rc;
}

void ctn_web_tls_close(ctn_web_tls *tls)
{
    if (!tls)
        return;
    while (tls->pairs) {
        pair *p = tls->pairs;
        tls->pairs = p->next;
        free_pair(p);
    }
    free(tls);
}

void ctn_web_tls_options(ctn_web_tls *tls, struct MHD_OptionItem options[CTN_WEB_TLS_OPTIONS + 1])
{
    options[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, tls->pairs->cert.data};
    options[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, tls->pairs->key.data};
    options[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) PRIORITIES};
    options[3] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static void look_again(ctn_web_tls *tls, int64_t now_ms)
{
    ctn_err err = {0};
    if (now_ms >= tls->looked_at_ms && now_ms - tls->looked_at_ms < LOOK_MS)
        return;
    tls->looked_at_ms = now_ms;
    stamp cert = stamp_of(tls->cert_file), key = stamp_of(tls->key_file);
    if (is_same(cert, tls->cert_stamp) && is_same(key, tls->key_stamp))
        return;
    tls->cert_stamp = cert;
    tls->key_stamp = key;
    if (load(tls, &err))
        ctn_log_line(tls->log, CTN_LOG_WARN, "the changed certificate is not used", "why", err.message, NULL);
    else
        ctn_log_line(tls->log, CTN_LOG_INFO, "the certificate was read again", "file", tls->cert_file, NULL);
}

void ctn_web_tls_greet(ctn_web_tls *tls, struct MHD_Connection *connection, int64_t now_ms)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    look_again(tls, now_ms);
    if (info)
        (void) gnutls_credentials_set(info->tls_session, GNUTLS_CRD_CERTIFICATE, tls->pairs->credentials);
}
