/*
 * work.h -- a piece of work, as it stands in a file: of an instruction set, of one of its `calls`, or of its `check`
 * (chain language, section 7). The three are the same thing seen at three sizes.
 *
 * A kind of work is one row of the lists below. From it come the key that names it and what check, the plan, the
 * pictures, simulate and why say of it; what a kind needs beyond that is told where it differs (a switch with a
 * default). What is read here is everything the language allows, also what this version does not run yet.
 *
 * Ownership  A ctn_work borrows the source's tree; its compiled parts live in the reader's arena.
 * Errors     What a file says wrongly becomes findings (keys.h); the work is then of the kind UNKNOWN, or lacks the
 * part.
 */
#pragma once
#include "chain/effect.h"
#include "chain/keys.h"

/* clang-format off */

/* The kinds that a driver does (engine/driver.h, which goes by the same name).
 *
 *   what     a piece of such work, in a sentence
 *   holds    what the key holds: NAME, text that says what is called (a driver's `target`); OBJECT, keys of its own
 *   sends    what the driver is given, rendered: the work's ARGUMENTS (and the object beside them, as it stands), or
 *            that object itself, its DETAIL
 *   subject  the member of the object that says what is called, for a word in a picture; a name says it itself
 *   effect   on the world when nobody says; UNKNOWN: the driver is asked, and without a word it is taken for a write
 *   runs     false: this version checks it and does not run it yet
 */
#define CTN_CALL_KINDS(KIND)                                                                                            \
    /*   kind       key          what            holds   sends      subject  effect   runs   for editors */             \
    KIND(TOOL,      "tool",      "a tool",       NAME,   ARGUMENTS, NULL,    UNKNOWN, true,  "A tool of an MCP server: server/tool.") \
    KIND(NATIVE,    "native",    "a function",   NAME,   ARGUMENTS, NULL,    UNKNOWN, true,  "A C function of the program.") \
    KIND(PROMPT,    "prompt",    "a prompt",     OBJECT, ARGUMENTS, "model", READ,    true,  "A call of a language model, with a structured answer or a text.") \
    KIND(TRANSFORM, "transform", "a transform",  NAME,   ARGUMENTS, NULL,    NONE,    true,  "A jq program; the arguments are its input.") \
    KIND(HTTP,      "http",      "an http call", OBJECT, DETAIL,    "url",   WRITE,   true,  "An HTTP call.")           \
    KIND(COMMAND,   "command",   "a command",    OBJECT, DETAIL,    "argv",  UNKNOWN, true,  "A program that is started.")

/* The kinds that the engine does itself; they stand in a set only. */
#define CTN_ENGINE_KINDS(KIND)                                                                                          \
    KIND(WAIT,      "wait",      "a wait",       OBJECT, NOTHING,   NULL,    NONE,    true,  "Time passes; an answer ends it early.") \
    KIND(APPROVAL,  "approval",  "an approval",  OBJECT, NOTHING,   NULL,    NONE,    true,  "Somebody says yes or no.") \
    KIND(AGENT,     "agent",     "an agent",     OBJECT, ARGUMENTS, "instructions", NONE, true, "Whoever drives the execution does the work and gives the answer.") \
    KIND(CHAIN,     "chain",     "a chain",      NAME,   ARGUMENTS, NULL,    NONE,    true,  "The id of a chain that does the work; the arguments are its inputs.")

/* Several of the first kinds, by name. */
#define CTN_SEVERAL_KIND(KIND)                                                                                          \
    KIND(CALLS,     "calls",     "calls",        OBJECT, NOTHING,   NULL,    WRITE,   true,  "Several calls, in turn or at once; the result is an object of their results.")

typedef enum ctn_work_kind {
#define KIND(kind, ...) CTN_WORK_##kind,
    CTN_CALL_KINDS(KIND)
    CTN_ENGINE_KINDS(KIND)
    CTN_SEVERAL_KIND(KIND)
#undef KIND
    CTN_WORK_KIND_COUNT,
    CTN_WORK_UNKNOWN = CTN_WORK_KIND_COUNT, /* the file does not say it rightly */
} ctn_work_kind;
/* clang-format on */

const char *ctn_work_kind_name(ctn_work_kind kind); /* "tool"; "unknown" */
const char *ctn_work_kind_what(ctn_work_kind kind); /* "a tool" */
bool ctn_work_kind_is_call(ctn_work_kind kind);     /* a driver does it */
bool ctn_work_kind_runs(ctn_work_kind kind);
/* What says in a word what is called: the name, or the subject's text (of a list the first item). NULL: nothing does.
 */
const ctn_json *ctn_work_subject(ctn_work_kind kind, const ctn_json *detail);
/* It is given its detail's members, and no arguments. */
bool ctn_work_kind_sends_detail(ctn_work_kind kind);
/* Its key `instructions` may name a file. */
bool ctn_work_kind_has_instructions(ctn_work_kind kind);
#define CTN_PROMPT_TOKENS_MAX    10000000  /* that an answer may be allowed */
#define CTN_PROMPT_MODEL_DEFAULT "default" /* the model of a prompt that names none */

typedef struct ctn_work {
    ctn_work_kind kind;
    ctn_str name; /* in `calls`; else empty */
    const ctn_json *name_node;
    const ctn_json *node;      /* the object */
    const ctn_json *detail;    /* the value of the kind's key */
    ctn_chain_tree arguments;  /* what is sent. Never without a tree: the default is there when nothing was said */
    int64_t timeout_ms;        /* 0: not said */
    ctn_str instructions_text; /* agent, prompt: of the file that `instructions` names; empty: it is the text */
    /* of a wait or an approval */
    int64_t wait_ms; /* -1: not said */
    ctn_chain_template until, message;
    const ctn_json *who;
    int64_t answer_timeout_ms;     /* 0: not said */
    const ctn_json *answer_schema; /* of a wait: what ends it early; NULL: any answer */
    int on_timeout;                /* 0: not said; else as ctn_on_timeout + 1 */
} ctn_work;

/* The value of its kind's key with nothing left outside: the text of the instructions in place of a file's name. */
const ctn_json *ctn_work_whole_detail(const ctn_work *work, ctn_arena *arena);

/* What is called, as drivers, breakers and people know it: "server/tool", a function, a prompt's model, the host of an
 * http call; of any other whose key holds an object the kind. */
ctn_str ctn_work_target(const ctn_work *work);
/* Every path that the work's texts read; the reserved roots are told too. */
void ctn_work_reads(const ctn_work *work, ctn_arena *arena, ctn_reads *reads);
/* By the kind alone, when the set does not say. UNKNOWN: only its driver knows; without a word it is taken for a write.
 */
ctn_effect ctn_work_effect(const ctn_work *work);

/* ---- reading ---- */

/* What the keys of a piece of work are read into: the first member of whatever struct a table of its own fills. */
typedef struct ctn_work_keys {
    const ctn_json *kinds[CTN_WORK_KIND_COUNT];
    ctn_chain_tree arguments;
    int64_t timeout_ms;
} ctn_work_keys;

/* The rows of such a table. */
#define CTN_WORK_KEY(kind, key, what, holds, sends, subject, effect, runs, ...)                                        \
    {.name = key,                                                                                                      \
     .type = CTN_KEY_##holds,                                                                                          \
     .offset = offsetof(ctn_work_keys, kinds) + sizeof(void *) * CTN_WORK_##kind,                                      \
     .is_choice = true,                                                                                                \
     .about = __VA_ARGS__},
#define CTN_WORK_COMMON_KEYS                                                                                           \
    CTN_KEY("arguments", CTN_KEY_TREE_OBJECT, ctn_work_keys, arguments,                                                \
            "What is sent: an object whose texts may hold placeholders. Default: {\"input\": \"{input?}\"}."),         \
        CTN_KEY("timeoutMs", CTN_KEY_INT, ctn_work_keys, timeout_ms, "Milliseconds for one attempt.", .min = 1,        \
                .max = CTN_TEN_YEARS_MS)

/* The tables of keys that pieces of work are read by, those of a set's own excepted. */
extern const ctn_key_table ctn_work_tables[];
extern const size_t ctn_work_table_count;

/* What `arguments` are when nothing is said: {"input": "{input?}"}, what the step's inputTemplate gave, and no member
 * at all when the step has none. */
ctn_chain_tree ctn_work_default_arguments(ctn_reader *reader);
/* Which one of the kinds was said, and its details; a fault when none or two were. `keys` is the table that `read` was
 * read by, `what` names the object in sentences, `arguments` are taken when it says none. */
void ctn_work_of_keys(ctn_reader *reader, const ctn_json *node, const char *what, const ctn_key *keys, size_t count,
                      const ctn_work_keys *read, const ctn_chain_tree *arguments, ctn_work *ret_work);
/* A call or a check, whole. */
void ctn_work_read_call(ctn_reader *reader, const ctn_json *node, const ctn_chain_tree *arguments, ctn_work *ret_work);
void ctn_work_read_check(ctn_reader *reader, const ctn_json *node, const ctn_chain_tree *arguments, ctn_work *ret_work);
