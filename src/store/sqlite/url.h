/*
 * url.h -- what the URL of a store file says: which file, and how it is used. Private to sqlite/.
 */
#pragma once
#include "store/backend.h"

typedef struct sqlite_url {
    char path[4096];
    size_t path_at;       /* where that begins in the URL */
    bool is_normal;       /* PRAGMA synchronous = NORMAL */
    int checkpoint_pages; /* 0: the default */
} sqlite_url;

/* CTN_E_INVALID with a sentence that names the nearest right thing. */
int ctn_sqlite_url_read(const char *url, sqlite_url *ret_url, ctn_err *err);

/* Of ctn_backend. */
int ctn_sqlite_url_check(const char *url, ctn_err *err);
ctn_str ctn_sqlite_url_file(const char *url);
const char *ctn_sqlite_url_caution(const char *url);
