/*
 * sqlite_file.h -- the file of a fixture's store, seen from outside: as an analyst sees it, or somebody clumsy.
 */
#pragma once
#include "suite.h"

const char *file_path(const suite_fixture *f);
void file_close(suite_fixture *f); /* both handles */
bool file_exists(const char *path, const char *suffix);
/* What the sqlite3 shell would say: the first column of the first row. */
const char *file_shell(const char *path, const char *sql, char ret_text[512]);
int64_t file_ask(const char *path, const char *sql); /* a number */
/* Opening this URL fails with this code, and says these words. */
void file_open_fails(const char *url, ctn_store_mode mode, int code, const char *words);
