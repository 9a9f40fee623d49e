/*
 * backup.c -- a copy is PostgreSQL's to make: what `store backup` says instead.
 */
#include "store/postgres/chapters.h"
#include "store/postgres/url.h"

int ctn_pg_backup(const char *url, const ctn_backup_options *options, ctn_backup_report *ret_report, ctn_err *err)
{
    (void) options;
    (void) ret_report;
    char shown[300];
    pg_url read = {0};
    int rc = ctn_pg_url_read(url, &read, err);
    if (rc)
        return rc;
    ctn_pg_url_shown(url, shown, sizeof shown);
    rc =
        ctn_fail(err, CTN_E_UNSUPPORTED,
                 "%s is backed up by PostgreSQL: `pg_dump --format=custom --schema=%s --file=FILE` copies it as of one "
                 "moment, pg_basebackup and an archived log up to any; `catena store copy` makes a file of it",
                 shown, read.schema);
    ctn_pg_url_done(&read);
    return rc;
}
