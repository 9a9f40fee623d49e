/*
 * sqlite_file.c -- see sqlite_file.h.
 */
#include "sqlite_file.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

const char *file_path(const suite_fixture *f)
{
    return ctn_store_url_file(f->url).ptr;
}

void file_close(suite_fixture *f)
{
    ctn_store_close(f->st);
    ctn_store_close(f->second);
    f->st = f->second = NULL;
}

bool file_exists(const char *path, const char *suffix)
{
    char name[400];
    struct stat info;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &info) == 0;
}

const char *file_shell(const char *path, const char *sql, char ret_text[512])
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    const char *tail = sql;
    ret_text[0] = '\0';
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    while (tail && *tail) {
        if (sqlite3_prepare_v2(db, tail, -1, &stmt, &tail) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        int step = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
        if (step == SQLITE_ROW)
            snprintf(ret_text, 512, "%s",
                     sqlite3_column_text(stmt, 0) ? (const char *) sqlite3_column_text(stmt, 0) : "(null)");
        while (step == SQLITE_ROW)
            step = sqlite3_step(stmt);
        if (step != SQLITE_DONE)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_finalize(stmt);
    }
    sqlite3_close(db);
    return ret_text;
}

int64_t file_ask(const char *path, const char *sql)
{
    char text[512];
    return strtoll(file_shell(path, sql, text), NULL, 10);
}

void file_open_fails(const char *url, ctn_store_mode mode, int code, const char *words)
{
    ctn_store *st = NULL;
    ctn_err err = {0};
    int rc = ctn_store_open(url, mode, &st, &err);
    if (rc != code)
        fail_msg("%s: %d instead of %d: %s", url, rc, code, err.message);
    assert_null(st);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}
