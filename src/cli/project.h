/*
 * project.h -- a project to be laid out: its files, and how they come into a folder: all of them or none.
 *
 * What must hold: a file that is there is never touched, not even when somebody makes it between the look and the
 * writing; when writing fails midway, what was written is taken away again.
 *
 * Ownership  Everything lives in the arena.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"

typedef struct ctn_project_file {
    ctn_str path, text; /* path: seen from the project's folder, with slashes */
    bool may_be_there;  /* then the one that is there stays, and is no reason not to begin */
    bool was_there;     /* set by _write */
} ctn_project_file;

typedef struct ctn_project {
    ctn_project_file *files;
    size_t count;
} ctn_project;

/* project_first.c: a configuration, a first chain that needs no server, and its test. */
ctn_project ctn_project_first(ctn_arena *arena);
/* project_travel.c: the travel pack as it is installed. CTN_E_NOT_FOUND: it is not, with where it was looked for. */
int ctn_project_travel(ctn_arena *arena, ctn_project *ret_project, ctn_err *err);

/* The folder is made if it is not there. CTN_E_EXISTS: files are in the way, which the sentence names; CTN_E_IO: it
 * cannot be written. Nothing is new then. */
int ctn_project_write(ctn_arena *arena, ctn_str folder, ctn_project *project, ctn_err *err);
