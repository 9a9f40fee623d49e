/*
 * planted.c -- see planted.h.
 */
#include "planted.h"
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/memory.h"
#include "support/cmocka.h"

#define STRING_MAX 64

static bool holds(const char *bytes, size_t count, const char *part, size_t part_count)
{
    return memmem(bytes, count, part, part_count) != NULL;
}

/* The part of a base64 text that the planted bytes alone decide, when they begin so many bytes into a group. */
static bool holds_base64(const char *bytes, size_t count, const char *string, size_t before, int variant)
{
    char raw[STRING_MAX + 2] = "xx", text[2 * STRING_MAX];
    size_t length = strlen(string);
    memcpy(raw + before, string, length);
    sodium_bin2base64(text, sizeof text, (const unsigned char *) raw, before + length, variant);
    size_t from = before == 0 ? 0 : before == 1 ? 2 : 3;
    size_t to = (before + length) * 8 / 6;
    return holds(bytes, count, text + from, to - from);
}

/* Each byte in hexadecimal, behind this. */
static bool holds_escaped(const char *bytes, size_t count, const char *string, const char *before, bool is_upper)
{
    char text[8 * STRING_MAX] = "";
    size_t len = 0;
    for (size_t i = 0; string[i]; i++) {
        unsigned byte = (unsigned char) string[i];
        len += (size_t) snprintf(text + len, sizeof text - len, is_upper ? "%s%02X" : "%s%02x", before, byte);
    }
    return holds(bytes, count, text, len);
}

static bool holds_planted(const char *bytes, size_t count, const char *string)
{
    static const char *const ESCAPES[] = {"", "%", "\\u00"};
    assert_in_range(strlen(string), 12, STRING_MAX);
    bool found = holds(bytes, count, string, strlen(string));
    for (size_t i = 0; i < 3 && !found; i++)
        found = holds_escaped(bytes, count, string, ESCAPES[i], false) ||
                holds_escaped(bytes, count, string, ESCAPES[i], true);
    for (size_t before = 0; before < 3 && !found; before++)
        found = holds_base64(bytes, count, string, before, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) ||
                holds_base64(bytes, count, string, before, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return found;
}

const char *planted_in(const planted *p, const char *bytes, size_t count)
{
    for (size_t i = 0; i < p->count; i++)
        if (holds_planted(bytes, count, p->strings[i]))
            return p->strings[i];
    return NULL;
}

const char *planted_in_file(planted *p, const char *path)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return NULL;
    size_t count = 0, capacity = 1 << 20;
    char *bytes = ctn_malloc(capacity);
    for (size_t n; (n = fread(bytes + count, 1, capacity - count, file)) > 0;) {
        count += n;
        if (count == capacity)
            bytes = ctn_realloc(bytes, capacity *= 2);
    }
    (void) fclose(file);
    const char *found = planted_in(p, bytes, count);
    p->searched_files++;
    p->searched_bytes += count;
    free(bytes);
    return found;
}

void planted_search_folder(planted *p, const char *folder)
{
    DIR *open = opendir(folder);
    assert_non_null(open);
    for (struct dirent *d; (d = readdir(open));) {
        char path[600];
        struct stat st;
        bool is_ours = d->d_name[0] == '.';
        for (size_t i = 0; p->ours[i]; i++)
            is_ours = is_ours || strcmp(d->d_name, p->ours[i]) == 0;
        snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
        if (is_ours || lstat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            planted_search_folder(p, path);
        const char *found = S_ISREG(st.st_mode) ? planted_in_file(p, path) : NULL;
        if (found)
            fail_msg("%s is in %s", found, path);
    }
    (void) closedir(open);
}

void planted_search(planted *p, const char *what, const char *bytes, size_t count)
{
    const char *found = planted_in(p, bytes, count);
    if (found)
        fail_msg("%s is in %s:\n%.*s", found, what, (int) count, bytes);
    p->searched_bytes += count;
}
