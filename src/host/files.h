/*
 * files.h -- reading files and putting paths together.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

#define CTN_FILE_BYTES_MAX ((size_t) 64 << 20)
#define CTN_PIPE_BYTES_MAX ((size_t) 8 << 20) /* of what does not say how large it is */

/* The whole of a file, or of standard input ("-"); one that is too large is not begun to be read. CTN_E_NOT_FOUND,
 * CTN_E_DENIED, CTN_E_INVALID (a folder), CTN_E_LIMIT, CTN_E_IO. A missing file's sentence names the nearest one of its
 * folder. */
int ctn_file_read(ctn_arena *arena, ctn_str path, ctn_str *ret_text, ctn_err *err);
/* Texts that stand in place of files while something is tried out. */
typedef struct ctn_overlay {
    const ctn_str *paths; /* real ones */
    const ctn_str *texts;
    size_t count;
} ctn_overlay;
/* overlay NULL: the file itself. */
int ctn_file_read_over(ctn_arena *arena, const ctn_overlay *overlay, ctn_str path, ctn_str *ret_text, ctn_err *err);
/* At once and whole, or not at all: CTN_E_BUSY when the file does not hold `old_text` any more. Its mode stays. */
int ctn_file_replace(ctn_arena *arena, ctn_str path, ctn_str old_text, ctn_str new_text, ctn_err *err);
/* All of the text, and on disk; 0, or -1 with errno. */
int ctn_file_write_all(int fd, ctn_str text);
/* A file beside `path`, whole and on disk, to be renamed to it: its name; NULL with errno, and nothing is left behind.
 */
const char *ctn_file_write_beside(ctn_arena *arena, ctn_str path, unsigned mode, ctn_str text);
/* That a name of its folder leads to it is on disk; 0, or -1 with errno. */
int ctn_file_sync_folder(ctn_arena *arena, ctn_str path);
bool ctn_file_is_there(ctn_arena *arena, ctn_str path);
bool ctn_file_is_folder(ctn_arena *arena, ctn_str path);
/* "a/b.yaml" -> "a"; "b.yaml" -> ".". */
ctn_str ctn_path_folder(ctn_arena *arena, ctn_str path);
/* path, seen from folder; an absolute one stays as it is, and so does one seen from ".". */
ctn_str ctn_path_join(ctn_arena *arena, ctn_str folder, ctn_str path);
/* Where a shell finds a command; empty: nowhere. */
ctn_str ctn_path_in_path(ctn_arena *arena, ctn_str command);
/* Where a command is: in PATH, else beside this program; one with a slash is seen from `folder`. Empty: nowhere. */
ctn_str ctn_path_of_command(ctn_arena *arena, ctn_str folder, ctn_str command);
/* The folder that this program's binary is in; empty when nobody knows. */
ctn_str ctn_path_of_program_folder(ctn_arena *arena);
/* The real path without links, of a file that need not be there (its folder must); empty otherwise. */
ctn_str ctn_path_real(ctn_arena *arena, ctn_str path);
