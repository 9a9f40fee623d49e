/*
 * fix.h -- the text of a file, mended where findings say how (ctn_finding.wrong and .right).
 *
 * Mending is editing the text: a name is written in place of another, spaces in place of tabs that indent; comments,
 * quotes and order stay. Whether the result is better is for the caller to find out, by checking it.
 *
 * Ownership  Everything given back lives in the arena.
 */
#pragma once
#include "chain/finding.h"

typedef struct ctn_fix {
    uint32_t line, column;
    const char *rule;
    ctn_str wrong, right; /* "\t" in wrong: `count` lines were indented by tabs */
    size_t count;
} ctn_fix;

typedef struct ctn_fixes {
    ctn_fix *items;
    size_t count;
} ctn_fixes;

/* How many findings of this file say how they are mended. */
size_t ctn_fix_count(const ctn_findings *findings, ctn_str file_name);
/* number: the one of them that is to be mended, from 0; SIZE_MAX: all. What cannot be found in the text is passed by.
 */
ctn_str ctn_fix_text(ctn_arena *arena, ctn_str file_name, ctn_str text, const ctn_findings *findings, size_t number,
                     ctn_fixes *ret_fixes);
