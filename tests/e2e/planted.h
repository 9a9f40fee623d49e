/*
 * planted.h -- strings that exist nowhere else, looked for in whatever a program has written, in every form in which
 * one could have got there: as they are (so also within JSON, HTML or a query, for letters and digits are escaped
 * nowhere), with each byte escaped (%50, \u0050), in hexadecimal, and in base64, wherever in its groups of three they
 * begin.
 *
 * They are letters and digits, at least 12 of them; of others no form is looked for that escapes them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct planted {
    const char *const *strings;
    size_t count;
    const char *const *ours; /* names of files where the test itself has put them; NULL ends them */
    size_t searched_files, searched_bytes;
} planted;

/* The one that is in it; NULL: none. */
const char *planted_in(const planted *p, const char *bytes, size_t count);
const char *planted_in_file(planted *p, const char *path);
/* Fails the test with the file's name. Whatever begins with a dot, and `ours`, is passed over. */
void planted_search_folder(planted *p, const char *folder);
/* Fails the test; `what` says where it was. */
void planted_search(planted *p, const char *what, const char *bytes, size_t count);
