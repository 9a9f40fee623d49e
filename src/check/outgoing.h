/*
 * outgoing.h -- what an instruction set sends to where others can read it: prompts, agents, the url and body of http, a
 * command's arguments, a tool's arguments unless a trusted server says that the tool's world is closed.
 */
#pragma once
#include "check/options.h"

/* One read of a text that leaves. */
typedef struct ctn_outgoing {
    const ctn_work *work;
    const char *where; /* "a prompt", "the body of an http call" */
    uint32_t call;     /* results of the set's calls before this one can be read */
    ctn_read read;
    struct ctn_outgoing *next;
} ctn_outgoing;

/* In the order of the file, without texts for which the set's file allows sensitive-flow; NULL: nothing leaves. */
const ctn_outgoing *ctn_outgoing_of(const ctn_instruction_set *set, const ctn_check_options *options, ctn_arena *arena);
/* A step's `release` names it: secret.CRM may be named as secret.CRM or as CRM. */
bool ctn_outgoing_is_released(const ctn_json *release, ctn_str name);
