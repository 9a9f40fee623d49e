/* timezone.c -- a name is a path below the database's folder; it may not lead out of it. */
#include "cli/timezone.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_well_formed(ctn_str name)
{
    bool is_good = name.len > 0 && name.len < 128 && name.ptr[0] != '/';
    for (size_t i = 0; is_good && i < name.len; i++) {
        char c = name.ptr[i];
        is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
                  c == '-' || c == '/';
    }
    return is_good;
}

bool ctn_timezone_is_known(ctn_str name)
{
    const char *said = getenv("TZDIR"), *folder = said ? said : "/usr/share/zoneinfo";
    char path[1024];
    struct stat st;
    if (!is_well_formed(name))
        return false;
    if (stat(folder, &st) || !S_ISDIR(st.st_mode))
        return true;
    int length = snprintf(path, sizeof path, "%s/%.*s", folder, CTN_STR_ARG(name));
    return length > 0 && (size_t) length < sizeof path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}
