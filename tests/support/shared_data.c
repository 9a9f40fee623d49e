/* shared_data.c -- see shared_data.h. */
#include "support/shared_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool ctn_shared_data(const char *name, char *ret_path, size_t path_bytes)
{
    const char *folder = getenv("CATENA_SHARED");
    int length = snprintf(ret_path, path_bytes, "%s/%s", folder && *folder ? folder : "../shared/data", name);
    if (length > 0 && (size_t) length < path_bytes && access(ret_path, R_OK) == 0)
        return true;
    printf("SKIP REASON: no official suite at %s (set CATENA_SHARED to the folder that holds it)\n", ret_path);
    return false;
}

bool ctn_read_file(const char *path, ctn_buf *out)
{
    ctn_buf_clear(out);
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    char piece[65536];
    size_t got;
    while ((got = fread(piece, 1, sizeof piece, file)) > 0)
        ctn_buf_append(out, (ctn_str){piece, got});
    bool whole = !ferror(file) && !out->overflowed;
    fclose(file);
    return whole;
}
