/*
 * options.h -- what a check is told beside the files, and what it can ask about an instruction set with that.
 *
 * Nothing here has to be known: whoever is not asked, or does not know, makes check say less.
 */
#pragma once
#include "chain/library.h"

/* What is known of a tool, from the server that has it. */
typedef struct ctn_check_tool {
    ctn_str fault; /* why it cannot be called: no such server, no such tool, with the nearest; empty: it can */
    ctn_str meant; /* with a fault: the "server/tool" that is surely meant; empty: none */
    const ctn_json *input_schema, *output_schema; /* NULL: not declared */
    bool is_closed_world;                         /* a trusted server says that openWorldHint is false */
    const ctn_json *observed;       /* a list of results that earlier executions got from it; NULL: none */
    const ctn_json *observed_parts; /* a list of objects with some of a result's members; NULL: none */
} ctn_check_tool;

typedef struct ctn_check_options {
    /* What the operator, or a trusted server's annotations, say of a call: UNKNOWN when nobody said. kind is the key,
     * "tool" or "native". NULL: nobody is asked. */
    ctn_effect (*effect)(void *ctx, const char *kind, ctn_str target);
    void *effect_ctx;
    /* Is there such a time zone? NULL: nobody is asked. */
    bool (*has_timezone)(ctn_str name);
    /* Compiles the jq program of a transform. CTN_E_INVALID: jq's sentence is in err, and it becomes a finding; with
     * any other code nothing is known and nothing is said. NULL: nobody is asked. */
    int (*compile)(void *ctx, ctn_str program, ctn_err *err);
    void *compile_ctx;
    /* "server/tool"; false: nobody knows, and nothing is said of it. NULL: no server is asked. */
    bool (*tool)(void *ctx, ctn_str target, ctn_check_tool *ret_tool);
    void *tool_ctx;
    /* Is there such a secret? CTN_E_NOT_FOUND with the sentence that says so. NULL: nobody is asked. */
    int (*secret)(void *ctx, ctn_arena *arena, ctn_str name, ctn_err *err);
    void *secret_ctx;
    /* Is there such a model? No: *ret_advice says which one is meant, or which there are. NULL: nobody is asked. */
    bool (*has_model)(void *ctx, ctn_arena *arena, ctn_str name, ctn_str *ret_advice);
    void *has_model_ctx;
} ctn_check_options;

/* The effect of a set's work as far as it is known here: its own word, then options, then the kind of the most
 * careful call. *ret_is_assumed (may be NULL): it is write only because nobody said otherwise. options may be NULL. */
ctn_effect ctn_check_effect(const ctn_instruction_set *set, const ctn_check_options *options, bool *ret_is_assumed);
/* What is known of the tool "server/tool"; false: nothing. options may be NULL. */
bool ctn_check_ask_tool(const ctn_check_options *options, ctn_str target, ctn_check_tool *ret_tool);
/* The most careful effect of what a chain may do on its way to its end: its steps, their fallbacks, and the chains that
 * it calls (as far as the library has them; one that is not there is assumed to write). What would undo a step does not
 * count. *ret_step (may be NULL): the step that it is the effect of; NULL for a chain that touches nothing. */
ctn_effect ctn_check_chain_effect(const ctn_library *library, const ctn_chain *chain, const ctn_check_options *options,
                                  bool *ret_is_assumed, const ctn_chain_step **ret_step);
