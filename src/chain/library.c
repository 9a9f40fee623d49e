/*
 * library.c -- three tables of names. Nothing is ever taken out, so numbers of names are stable.
 */
#include "chain/library.h"
#include "base/names.h"
#include <assert.h>

/* Items are pointers; `names` numbers them. */
typedef struct name_table {
    ctn_names names;
    const void **items;
    size_t capacity;
} name_table;

struct ctn_library {
    ctn_arena *arena;
    name_table chains, sets, documents;
    ctn_library_entry *entries;
    size_t entry_count, entry_capacity;
    ctn_library_read_fn *read; /* NULL: files are not read */
    void *read_ctx;
};

ctn_library *ctn_library_new(ctn_arena *arena)
{
    ctn_library *library = CTN_NEW(arena, ctn_library);
    library->arena = arena;
    ctn_names_init(&library->chains.names, arena);
    ctn_names_init(&library->sets.names, arena);
    ctn_names_init(&library->documents.names, arena);
    return library;
}

void ctn_library_set_reader(ctn_library *library, ctn_library_read_fn *read, void *ctx)
{
    library->read = read;
    library->read_ctx = ctx;
}

int ctn_library_read_nothing(void *ctx, ctn_arena *arena, ctn_str from, ctn_str name, ctn_str *ret_text, ctn_err *err)
{
    (void) ctx, (void) arena, (void) from, (void) ret_text;
    return ctn_fail(err, CTN_E_NOT_FOUND,
                    "no file %.*s is read for a definition that comes as a text; write the "
                    "instructions themselves",
                    CTN_STR_ARG(name));
}

static const void *table_find(const name_table *table, ctn_str name)
{
    uint32_t number = ctn_names_find(&table->names, name);
    return number == CTN_NAMES_NONE ? NULL : table->items[number];
}

/* The name must be new. */
static void table_add(ctn_library *library, name_table *table, ctn_str name, const void *item)
{
    uint32_t number = ctn_names_add(&table->names, name);
    if (number >= table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 16;
        const void **items = CTN_NEW_ARRAY(library->arena, const void *, capacity);
        if (number)
            memcpy(items, table->items, number * sizeof *items);
        table->items = items;
        table->capacity = capacity;
    }
    table->items[number] = item;
}

static void add_fault(ctn_findings *findings, ctn_str file, ctn_position at, const char *what, ctn_str name,
                      ctn_str file_first, ctn_position first)
{
    ctn_findings_add(findings, file, at.line, at.column, CTN_SEVERITY_ERROR, "duplicate-key",
                     "%s '%.*s' is there already, with other content, in %.*s:%u:%u; rename one of them or take it out",
                     what, CTN_STR_ARG(name), CTN_STR_ARG(file_first), first.line, first.column);
}

static void copy_table(ctn_library *library, name_table *to, const name_table *from)
{
    for (uint32_t i = 0; i < from->names.count; i++)
        table_add(library, to, from->names.items[i], from->items[i]);
}

ctn_library *ctn_library_over(ctn_arena *arena, const ctn_library *base)
{
    ctn_library *library = ctn_library_new(arena);
    ctn_library_set_reader(library, base->read, base->read_ctx);
    copy_table(library, &library->chains, &base->chains);
    copy_table(library, &library->sets, &base->sets);
    copy_table(library, &library->documents, &base->documents);
    return library;
}

/* ---- chains and sets ---- */

static void add_entry(ctn_library *library, ctn_library_entry entry)
{
    library->entries = ctn_arena_room(library->arena, library->entries, library->entry_count, &library->entry_capacity,
                                      sizeof *library->entries);
    library->entries[library->entry_count++] = entry;
}

static size_t add_chain(ctn_library *library, const ctn_source *source, ctn_findings *findings,
                        const ctn_chain **ret_chain)
{
    const ctn_chain *chain = ctn_chain_read(library->arena, source, findings);
    *ret_chain = chain;
    add_entry(library, (ctn_library_entry){.source = source, .chain = chain});
    if (!chain->id.len)
        return chain->fault_count;
    const ctn_chain *other = table_find(&library->chains, chain->id);
    if (!other) {
        table_add(library, &library->chains, chain->id, chain);
    } else if (!ctn_json_equal(other->node, chain->node)) {
        add_fault(findings, ctn_source_file_name(source), ctn_source_position(source, chain->id_node), "chain",
                  chain->id, ctn_source_file_name(other->source), ctn_source_position(other->source, other->id_node));
        return chain->fault_count + 1;
    }
    return chain->fault_count;
}

static bool names_a_file(ctn_str instructions)
{
    return instructions.len < 1024 && !memchr(instructions.ptr, '\n', instructions.len) &&
           (ctn_str_ends_with(instructions, CTN_STR(".md")) || ctn_str_ends_with(instructions, CTN_STR(".txt")));
}

static size_t find_control(ctn_str text)
{
    for (size_t at = 0; at < text.len; at++)
        if (ctn_str_control_at(text, at, false))
            return at;
    return SIZE_MAX;
}

static int read_instructions(const ctn_library *library, ctn_str from, ctn_str name, ctn_str *ret_text, ctn_err *err)
{
    int rc = library->read(library->read_ctx, library->arena, from, name, ret_text, err);
    if (rc)
        return rc;
    if (ret_text->len == 0)
        return ctn_fail(err, CTN_E_INVALID, "the file '%.*s' is empty", CTN_STR_ARG(name));
    if (ret_text->len > CTN_INSTRUCTIONS_BYTES_MAX)
        return ctn_fail(err, CTN_E_LIMIT, "the file '%.*s' has %zu bytes, at most %d are allowed", CTN_STR_ARG(name),
                        ret_text->len, CTN_INSTRUCTIONS_BYTES_MAX);
    if (!ctn_str_is_utf8(*ret_text))
        return ctn_fail(err, CTN_E_INVALID, "the file '%.*s' is no UTF-8 text", CTN_STR_ARG(name));
    size_t at = find_control(*ret_text);
    if (at != SIZE_MAX)
        return ctn_fail(err, CTN_E_INVALID, "the file '%.*s' holds a control character at byte %zu", CTN_STR_ARG(name),
                        at + 1);
    return CTN_OK;
}

/* Instructions in a file of their own: its text becomes part of the work. False: the file is at fault. */
static bool take_instructions(ctn_library *library, ctn_instruction_set *set, ctn_work *work, ctn_findings *findings)
{
    const ctn_json *named = ctn_work_kind_has_instructions(work->kind) && ctn_json_is(work->detail, CTN_JSON_OBJECT)
                                ? ctn_json_member_of(work->detail, "instructions")
                                : NULL;
    if (!library->read || !ctn_json_is(named, CTN_JSON_STRING) || !names_a_file(ctn_json_text(named)))
        return true;
    ctn_str file = ctn_source_file_name(set->source);
    ctn_err err = {0};
    int rc = read_instructions(library, file, ctn_json_text(named), &work->instructions_text, &err);
    if (rc == CTN_OK)
        return true;
    work->instructions_text = (ctn_str){0};
    ctn_position at = ctn_source_position(set->source, named);
    if (rc == CTN_E_NOT_FOUND && work->kind == CTN_WORK_AGENT) {
        /* Whoever does the work may know it by its name; what looks mistyped is told. A model knows no files. */
        if (strstr(err.message, "did you mean"))
            ctn_findings_add(findings, file, at.line, at.column, CTN_SEVERITY_WARNING, "unknown-template",
                             "instructions: %s (the agent is handed this name as it stands)", err.message);
        return true;
    }
    ctn_reader reader = {.arena = library->arena, .source = set->source, .findings = findings};
    ctn_reader_fault(&reader, named, "unknown-template", "instructions: %s", err.message);
    set->fault_first = reader.fault_first;
    set->fault_count++;
    return false;
}

/* The set with the texts of the files that its work, or one of its calls, names. */
static const ctn_instruction_set *with_instructions(ctn_library *library, const ctn_instruction_set *set,
                                                    ctn_findings *findings)
{
    ctn_instruction_set *full = CTN_NEW(library->arena, ctn_instruction_set);
    *full = *set;
    bool is_good = take_instructions(library, full, &full->work, findings);
    for (uint32_t i = 0; is_good && i < full->call_count; i++) /* they are the reader's own, made with the set */
        is_good = take_instructions(library, full, &full->calls[i], findings);
    return full;
}

/* The same texts stand in the files that they name. */
static bool have_equal_instructions(const ctn_instruction_set *a, const ctn_instruction_set *b)
{
    if (!ctn_str_equal(a->work.instructions_text, b->work.instructions_text) || a->call_count != b->call_count)
        return false;
    for (uint32_t i = 0; i < a->call_count; i++)
        if (!ctn_str_equal(a->calls[i].instructions_text, b->calls[i].instructions_text))
            return false;
    return true;
}

static size_t add_set(ctn_library *library, const ctn_source *source, const ctn_json_member *member,
                      ctn_findings *findings)
{
    const ctn_instruction_set *set = with_instructions(
        library, ctn_instruction_set_read(library->arena, source, &member->key, &member->value, findings), findings);
    add_entry(library, (ctn_library_entry){.source = source, .set = set});
    const ctn_instruction_set *other = table_find(&library->sets, set->name);
    if (!other) {
        table_add(library, &library->sets, set->name, set);
    } else if (!ctn_json_equal(other->node, set->node) || !have_equal_instructions(other, set)) {
        add_fault(findings, ctn_source_file_name(source), ctn_source_position(source, set->name_node),
                  "instruction set", set->name, ctn_source_file_name(other->source),
                  ctn_source_position(other->source, other->name_node));
        return set->fault_count + 1;
    }
    return set->fault_count;
}

int ctn_library_add_source(ctn_library *library, const ctn_source *source, ctn_findings *findings,
                           const ctn_chain **ret_chain)
{
    const ctn_json *root = ctn_source_root(source);
    const ctn_chain *chain = NULL;
    size_t fault_count = 0;
    bool is_chain = ctn_chain_is_in(root);
    if (is_chain)
        fault_count += add_chain(library, source, findings, &chain);
    const ctn_json *sets = ctn_json_member_of(root, "instructionSets");
    if (ctn_json_is(sets, CTN_JSON_OBJECT)) {
        for (uint32_t i = 0; i < sets->count; i++)
            fault_count += add_set(library, source, &sets->members[i], findings);
    } else if (!is_chain) { /* in a chain it was told as one of its keys */
        ctn_source_error(source, sets, findings, "type",
                         "'instructionSets' must be an object of name: {tool: server/tool} and the like");
        fault_count++;
    }
    if (ret_chain)
        *ret_chain = chain;
    return fault_count ? CTN_E_INVALID : CTN_OK;
}

int ctn_library_add_text(ctn_library *library, ctn_str file_name, ctn_str text, ctn_findings *findings,
                         const ctn_chain **ret_chain)
{
    ctn_source *source = NULL;
    int rc = ctn_source_parse(library->arena, file_name, text, findings, &source);
    return rc ? rc : ctn_library_add_source(library, source, findings, ret_chain);
}

/* ---- documents ---- */

static ctn_str name_of_file(ctn_str file_name)
{
    ctn_str name = file_name;
    for (size_t i = 0; i < file_name.len; i++)
        if (file_name.ptr[i] == '/')
            name = ctn_str_from_offset(file_name, i + 1);
    if (ctn_str_ends_with(name, CTN_STR(".mustache")))
        name.len -= strlen(".mustache");
    return name;
}

int ctn_library_add_template(ctn_library *library, ctn_str name, ctn_str file_name, ctn_str text,
                             ctn_findings *findings)
{
    ctn_document *document = CTN_NEW(library->arena, ctn_document);
    document->file_name = ctn_arena_str(library->arena, file_name);
    document->name = name.len ? ctn_arena_str(library->arena, name) : name_of_file(document->file_name);
    document->text = ctn_arena_str(library->arena, text);
    const ctn_document *other = table_find(&library->documents, document->name);
    if (other && ctn_str_equal(other->text, document->text))
        return CTN_OK;
    if (other) {
        add_fault(findings, document->file_name, (ctn_position){1, 1}, "template", document->name, other->file_name,
                  (ctn_position){1, 1});
        return CTN_E_INVALID;
    }
    ctn_mustache *mustache = NULL;
    ctn_err err = {0};
    int rc = ctn_mustache_compile(library->arena, document->text, NULL, &mustache, &err);
    document->is_faulty = rc != CTN_OK;
    table_add(library, &library->documents, document->name, document);
    if (rc == CTN_OK)
        return CTN_OK;
    ctn_findings_add(findings, document->file_name, err.line ? err.line : 1, err.column ? err.column : 1,
                     CTN_SEVERITY_ERROR, "bad-template", "%s", err.message);
    return CTN_E_INVALID;
}

typedef struct partial_lookup {
    const ctn_library *library;
    ctn_arena *arena;
    ctn_partial **end; /* where the next one is noted; NULL at render */
} partial_lookup;

static ctn_str find_partial(void *ctx, ctn_str name)
{
    partial_lookup *lookup = ctx;
    const ctn_document *document = ctn_library_document(lookup->library, name);
    if (!document)
        return (ctn_str){NULL, 0};
    if (lookup->end) {
        ctn_partial *partial = CTN_NEW(lookup->arena, ctn_partial);
        *partial = (ctn_partial){.document = document};
        *lookup->end = partial;
        lookup->end = &partial->next;
    }
    return document->text.ptr ? document->text : CTN_STR("");
}

int ctn_library_compile_document(const ctn_library *library, ctn_arena *arena, const ctn_document *document,
                                 ctn_partial **ret_partials, ctn_mustache **ret_mustache, ctn_err *err)
{
    partial_lookup *lookup = CTN_NEW(arena, partial_lookup); /* asked again at render, for dynamic partials */
    *lookup = (partial_lookup){library, arena, ret_partials};
    ctn_mustache_options options = {.partial = find_partial, .partial_ctx = lookup};
    int rc = ctn_mustache_compile(arena, document->text, &options, ret_mustache, err);
    lookup->end = NULL;
    return rc;
}

/* ---- look-ups ---- */

const ctn_chain *ctn_library_chain(const ctn_library *library, ctn_str id)
{
    return table_find(&library->chains, id);
}
const ctn_instruction_set *ctn_library_set(const ctn_library *library, ctn_str name)
{
    return table_find(&library->sets, name);
}
const ctn_document *ctn_library_document(const ctn_library *library, ctn_str name)
{
    return table_find(&library->documents, name);
}

size_t ctn_library_chain_count(const ctn_library *library)
{
    return library->chains.names.count;
}
const ctn_chain *ctn_library_chain_at(const ctn_library *library, size_t i)
{
    return library->chains.items[i];
}
size_t ctn_library_document_count(const ctn_library *library)
{
    return library->documents.names.count;
}
const ctn_document *ctn_library_document_at(const ctn_library *library, size_t i)
{
    return library->documents.items[i];
}

size_t ctn_library_entry_count(const ctn_library *library)
{
    return library->entry_count;
}
ctn_library_entry ctn_library_entry_at(const ctn_library *library, size_t i)
{
    assert(i < library->entry_count);
    return library->entries[i];
}

ctn_str ctn_library_nearest_chain(const ctn_library *library, ctn_str id)
{
    if (!id.len || ctn_library_chain(library, id))
        return (ctn_str){0};
    return ctn_str_nearest(id, library->chains.names.items, library->chains.names.count);
}

ctn_str ctn_library_suggest_chain(const ctn_library *library, ctn_arena *arena, ctn_str id)
{
    return ctn_suggest(arena, id, library->chains.names.items, library->chains.names.count);
}

const ctn_names *ctn_library_set_names(const ctn_library *library)
{
    return &library->sets.names;
}

const ctn_names *ctn_library_document_names(const ctn_library *library)
{
    return &library->documents.names;
}
