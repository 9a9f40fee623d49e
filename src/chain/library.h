/*
 * library.h -- what is known by name: chains, instruction sets, document templates.
 *
 * A file may hold a chain, or instructionSets, or both (then the sets are no part of the chain: it names them like
 * any other). A name given twice with the same content is one; with other content it is an error
 * (duplicate-key) at the second.
 *
 * Ownership  Everything lives in the arena. Sources are borrowed and must live as long. Text is copied.
 */
#pragma once
#include "base/names.h"
#include "chain/chain.h"
#include "chain/instruction_set.h"
#include "value/mustache.h"

typedef struct ctn_library ctn_library;

typedef struct ctn_document {
    ctn_str name; /* the templateId */
    ctn_str file_name;
    ctn_str text; /* the whole file, front matter included */
    bool is_faulty;
} ctn_document;

ctn_library *ctn_library_new(ctn_arena *arena);
/* One that knows all that `base` knows, and what is added to it, of which `base` hears nothing. It borrows that. */
ctn_library *ctn_library_over(ctn_arena *arena, const ctn_library *base);
/* Reads the file `name`, as seen from the folder of the file `from`: how instructions (of an agent, of a prompt) that stand
 * in a file of their own come in. Without a reader such a name is the text. */
typedef int ctn_library_read_fn(void *ctx, ctn_arena *arena, ctn_str from, ctn_str name, ctn_str *ret_text,
                                ctn_err *err);
void ctn_library_set_reader(ctn_library *library, ctn_library_read_fn *read, void *ctx);
/* A reader for what comes as a text, from somebody elsewhere: no file is beside it, and none of ours is opened for him. */
int ctn_library_read_nothing(void *ctx, ctn_arena *arena, ctn_str from, ctn_str name, ctn_str *ret_text, ctn_err *err);
#define CTN_INSTRUCTIONS_BYTES_MAX 65536

/* Adds the chain and the sets of a file. Faults become findings; CTN_E_INVALID when there was one, and what could be
 * read is there all the same. *ret_chain (may be NULL) is the file's chain, NULL without one. */
int ctn_library_add_source(ctn_library *library, const ctn_source *source, ctn_findings *findings,
                           const ctn_chain **ret_chain);
/* Parses and adds; the source lives in the library's arena. */
int ctn_library_add_text(ctn_library *library, ctn_str file_name, ctn_str text, ctn_findings *findings,
                         const ctn_chain **ret_chain);
/* A template's file, named <templateId>.mustache: the name is taken from the file name when `name` is empty. */
int ctn_library_add_template(ctn_library *library, ctn_str name, ctn_str file_name, ctn_str text,
                             ctn_findings *findings);

/* NULL when there is none. */
const ctn_chain *ctn_library_chain(const ctn_library *library, ctn_str id);
const ctn_instruction_set *ctn_library_set(const ctn_library *library, ctn_str name);
const ctn_document *ctn_library_document(const ctn_library *library, ctn_str name);

size_t ctn_library_chain_count(const ctn_library *library);
const ctn_chain *ctn_library_chain_at(const ctn_library *library, size_t i);
size_t ctn_library_document_count(const ctn_library *library);
const ctn_document *ctn_library_document_at(const ctn_library *library, size_t i);

/* Everything that was read, in order: also what stands in a second file with the same content. */
typedef struct ctn_library_entry {
    const ctn_source *source;
    const ctn_chain *chain; /* one of the two */
    const ctn_instruction_set *set;
} ctn_library_entry;
size_t ctn_library_entry_count(const ctn_library *library);
ctn_library_entry ctn_library_entry_at(const ctn_library *library, size_t i);

/* The chain that was meant; empty when there is one of this name, or none that is near. */
ctn_str ctn_library_nearest_chain(const ctn_library *library, ctn_str id);
/* "did you mean 'x'?", or the names that there are: for a sentence about a name that leads nowhere. */
ctn_str ctn_library_suggest_chain(const ctn_library *library, ctn_arena *arena, ctn_str id);
/* All names, in the order in which they were read. */
const ctn_names *ctn_library_set_names(const ctn_library *library);
const ctn_names *ctn_library_document_names(const ctn_library *library);

typedef struct ctn_partial {
    const ctn_document *document;
    struct ctn_partial *next;
} ctn_partial;
/* A document compiled with its partials, which are documents of the library. ret_partials (NULL at first): each that is
 * named, also by a partial, in the arena; one may stand there twice. What is named at render only ({{>*name}}) is
 * looked up then: the library must live as long. */
int ctn_library_compile_document(const ctn_library *library, ctn_arena *arena, const ctn_document *document,
                                 ctn_partial **ret_partials, ctn_mustache **ret_mustache, ctn_err *err);
