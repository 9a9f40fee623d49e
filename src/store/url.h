/*
 * url.h -- what a store's URL says: which backend, where, and how. Private to store/.
 *
 *     sqlite:FILE[?synchronous=full|normal][&checkpoint=PAGES]      memory:NAME      FILE
 */
#pragma once
#include "store/backend.h"

typedef enum ctn_url_kind { CTN_URL_SQLITE, CTN_URL_MEMORY } ctn_url_kind;

typedef struct ctn_url {
    ctn_url_kind kind;
    char name[4096]; /* the file, or the name */
    size_t name_at;  /* where that begins in the URL */
    ctn_sqlite_options sqlite;
} ctn_url;

/* CTN_E_INVALID, CTN_E_UNSUPPORTED with a sentence that names the nearest right thing. */
int ctn_url_parse(const char *url, ctn_url *ret_url, ctn_err *err);
