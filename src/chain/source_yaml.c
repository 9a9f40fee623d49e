/*
 * source_yaml.c -- libyaml's events as a JSON tree with places.
 *
 * Events, not libyaml's documents: documents accept a key given twice and unknown aliases, expand aliases
 * without a bound, and know YAML 1.1's scalars only.
 *
 * What must hold: a node is placed once its address is final, that is when its parent's table is made, so
 * children wait on one stack until their collection ends. An alias shares the tree it names (trees never
 * change), which costs nothing here; but who walks or copies the tree pays for every use, so the weight of
 * what aliases add is bounded as if it were copied. Depth is bounded with the alias's height counted in.
 *
 * A fault of meaning (a key given twice, a tag) is told and reading goes on, for there may be more to tell; a
 * fault of form ends it.
 */
#include "chain/source_yaml.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>

/* libyaml counts characters, we count bytes: every so many characters we note where we are. */
#define CHARS_PER_CHECKPOINT 256

/* A value that has no final address yet. */
typedef struct built {
    ctn_json value;
    uint32_t offset;
    uint32_t height; /* levels of collections, 0 for a scalar */
    uint64_t weight; /* bytes that a copy would take */
} built;

typedef struct anchor {
    ctn_str name;
    bool is_complete;
    built node;
} anchor;

typedef struct builder {
    ctn_source *source;
    ctn_findings *findings;
    ctn_arena *scratch;
    yaml_parser_t parser;
    uint32_t *checkpoints; /* NULL: all text is ASCII, characters are bytes */
    size_t checkpoint_count;
    built *stack;
    size_t stack_count, stack_capacity;
    anchor *anchors;
    size_t anchor_count;
    uint64_t alias_weight;
    size_t fault_count;
} builder;

/* ---- places ---- */

static void find_checkpoints(builder *b)
{
    ctn_str text = b->source->text;
    bool is_ascii = true;
    for (size_t i = 0; i < text.len && is_ascii; i++)
        is_ascii = (unsigned char) text.ptr[i] < 0x80;
    if (is_ascii)
        return;
    b->checkpoints = CTN_NEW_ARRAY(b->scratch, uint32_t, text.len / CHARS_PER_CHECKPOINT + 1);
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (((unsigned char) text.ptr[i] & 0xC0) == 0x80)
            continue;
        if (chars++ % CHARS_PER_CHECKPOINT == 0)
            b->checkpoints[b->checkpoint_count++] = (uint32_t) i;
    }
}

static size_t offset_of(const builder *b, const yaml_mark_t *mark)
{
    ctn_str text = b->source->text;
    if (!b->checkpoints)
        return mark->index < text.len ? mark->index : text.len;
    size_t checkpoint = mark->index / CHARS_PER_CHECKPOINT;
    if (checkpoint >= b->checkpoint_count)
        return text.len;
    size_t at = b->checkpoints[checkpoint];
    for (size_t left = mark->index % CHARS_PER_CHECKPOINT; left > 0 && at < text.len; left--) {
        at++;
        while (at < text.len && ((unsigned char) text.ptr[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

/* ---- faults ---- */

static void add_fault(builder *b, size_t offset, const char *rule, const char *sentence)
{
    ctn_position p = ctn_source_position_at(b->source, offset);
    ctn_findings_add(b->findings, b->source->file_name, p.line, p.column, CTN_SEVERITY_ERROR, rule, "%s", sentence);
    b->fault_count++;
}

/* Returns false, for functions that end reading. */
static bool fail(builder *b, size_t offset, const char *sentence)
{
    add_fault(b, offset, "syntax", sentence);
    return false;
}

static bool fail_in_parser(builder *b)
{
    const yaml_parser_t *parser = &b->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        ctn_memory_gone(0);
    bool has_mark = parser->error == YAML_SCANNER_ERROR || parser->error == YAML_PARSER_ERROR;
    size_t at = has_mark ? offset_of(b, &parser->problem_mark) : parser->problem_offset;
    uint32_t context_line = 0;
    if (has_mark && parser->context)
        context_line = ctn_source_position_at(b->source, offset_of(b, &parser->context_mark)).line;
    const char *sentence = ctn_yaml_explain(b->source, parser, at, context_line, b->scratch).ptr;
    add_fault(b, at, "syntax", sentence);
    if (sentence == ctn_yaml_tab)
        ctn_findings_mend(b->findings, CTN_STR("\t"), CTN_STR(" "));
    return false;
}

/* An event owns memory of libyaml's: dropped, or cleaned up when reading is abandoned. They nest like the values. */
typedef struct own_event {
    yaml_event_t event;
    ctn_cleanup cleanup;
} own_event;

static void delete_event(void *event)
{
    yaml_event_delete(event);
}

static bool next_event(builder *b, own_event *ret_event)
{
    if (!yaml_parser_parse(&b->parser, &ret_event->event))
        return fail_in_parser(b);
    ctn_cleanup_push(&ret_event->cleanup, delete_event, &ret_event->event);
    return true;
}

static void drop_event(own_event *event)
{
    ctn_cleanup_pop(&event->cleanup);
    yaml_event_delete(&event->event);
}

/* ---- the stack of what waits for its collection to end ---- */

static void push(builder *b, built node)
{
    b->stack = ctn_arena_room(b->scratch, b->stack, b->stack_count, &b->stack_capacity, sizeof *b->stack);
    b->stack[b->stack_count++] = node;
}

static void place(builder *b, const ctn_json *node, const built *from)
{
    ctn_source_put_place(b->source, node, from->offset);
}

/* ---- anchors ---- */

static anchor *find_anchor(builder *b, ctn_str name)
{
    for (size_t i = b->anchor_count; i-- > 0;)
        if (ctn_str_equal(b->anchors[i].name, name))
            return &b->anchors[i];
    return NULL;
}

/* An anchor defined again means the new value from there on. SIZE_MAX: there is none; false: too many. */
static bool open_anchor(builder *b, const yaml_char_t *text, size_t offset, size_t *ret_index)
{
    *ret_index = SIZE_MAX;
    if (!text)
        return true;
    ctn_str name = ctn_str_from((const char *) text);
    anchor *known = find_anchor(b, name);
    if (!known) {
        if (b->anchor_count == CTN_SOURCE_ANCHORS_MAX)
            return fail(b, offset, "too many anchors (&name) in one file");
        if (!b->anchors)
            b->anchors = CTN_NEW_ARRAY(b->scratch, anchor, CTN_SOURCE_ANCHORS_MAX);
        known = &b->anchors[b->anchor_count++];
        known->name = ctn_arena_str(b->scratch, name);
    }
    known->is_complete = false;
    *ret_index = (size_t) (known - b->anchors);
    return true;
}

static void close_anchor(builder *b, size_t index, const built *node)
{
    if (index == SIZE_MAX)
        return;
    b->anchors[index].is_complete = true;
    b->anchors[index].node = *node;
}

static bool build_alias(builder *b, const yaml_event_t *event, uint32_t depth, built *ret_node)
{
    size_t at = offset_of(b, &event->start_mark);
    ctn_str name = ctn_str_from((const char *) event->data.alias.anchor);
    const anchor *named = find_anchor(b, name);
    *ret_node = (built){.value = ctn_json_null, .offset = (uint32_t) at, .weight = CTN_SOURCE_WEIGHT};
    if (!named) {
        add_fault(b, at, "syntax",
                  ctn_arena_printf(b->scratch, "*%.*s names no anchor: no &%.*s stands before it", CTN_STR_ARG(name),
                                   CTN_STR_ARG(name))
                      .ptr);
        return true;
    }
    if (!named->is_complete) {
        add_fault(b, at, "syntax",
                  ctn_arena_printf(b->scratch, "*%.*s stands inside the value that it names", CTN_STR_ARG(name)).ptr);
        return true;
    }
    b->alias_weight += named->node.weight;
    if (b->alias_weight > CTN_SOURCE_ALIAS_BYTES_MAX)
        return fail(b, at, "aliases (*name) blow this file up beyond what is read");
    if (depth + named->node.height > CTN_JSON_DEPTH_MAX)
        return fail(b, at, "values are nested more than 128 levels deep");
    *ret_node = named->node;
    ret_node->offset = (uint32_t) at;
    return true;
}

/* ---- tags ---- */

typedef enum tag_kind { TAG_NONE, TAG_STR, TAG_SCALAR, TAG_SEQ, TAG_MAP, TAG_OTHER } tag_kind;

static tag_kind read_tag(const yaml_char_t *text, ctn_str *ret_name)
{
    const ctn_str prefix = CTN_STR("tag:yaml.org,2002:");
    *ret_name = ctn_str_from((const char *) text);
    if (!text || ret_name->len == 0)
        return TAG_NONE;
    if (ctn_str_is(*ret_name, "!"))
        return TAG_STR;
    if (!ctn_str_starts_with(*ret_name, prefix))
        return TAG_OTHER;
    ctn_str name = ctn_str_from_offset(*ret_name, prefix.len);
    *ret_name = name;
    if (ctn_str_is(name, "str"))
        return TAG_STR;
    if (ctn_str_is(name, "seq"))
        return TAG_SEQ;
    if (ctn_str_is(name, "map"))
        return TAG_MAP;
    bool is_scalar =
        ctn_str_is(name, "int") || ctn_str_is(name, "float") || ctn_str_is(name, "bool") || ctn_str_is(name, "null");
    return is_scalar ? TAG_SCALAR : TAG_OTHER;
}

static void fault_tag(builder *b, size_t at, ctn_str name)
{
    add_fault(b, at, "syntax",
              ctn_arena_printf(b->scratch,
                               "the tag %.*s is not taken here: leave it out, or put text that starts with "
                               "'!' in quotes",
                               CTN_STR_ARG(name))
                  .ptr);
}

/* ---- scalars ---- */

/* With an anchor or tag in front, the mark is theirs; the scalar itself starts behind them. */
static size_t skip_properties(ctn_str text, size_t at)
{
    for (;;) {
        size_t end = at;
        if (end >= text.len || (text.ptr[end] != '&' && text.ptr[end] != '!'))
            return at;
        while (end < text.len && !strchr(" \t\r\n", text.ptr[end]))
            end++;
        while (end < text.len && strchr(" \t\r\n", text.ptr[end]) && text.ptr[end])
            end++;
        at = end;
    }
}

static bool build_scalar(builder *b, const yaml_event_t *event, built *ret_node)
{
    size_t begin = offset_of(b, &event->start_mark), end = offset_of(b, &event->end_mark);
    if (event->data.scalar.anchor || event->data.scalar.tag)
        begin = skip_properties(b->source->text, begin);
    ctn_str text = {(const char *) event->data.scalar.value, event->data.scalar.length};
    *ret_node = (built){.value = ctn_json_null, .offset = (uint32_t) begin, .weight = CTN_SOURCE_WEIGHT + text.len};
    if (event->start_mark.line != event->end_mark.line)
        ctn_source_put_block(b->source, begin, end);
    ctn_str tag_name;
    tag_kind tag = read_tag(event->data.scalar.tag, &tag_name);
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    const char *fault = NULL;
    if (tag == TAG_STR || (tag == TAG_NONE && !is_plain)) {
        ret_node->value = *ctn_json_string(b->source->arena, text);
    } else if (tag == TAG_OTHER || tag == TAG_SEQ || tag == TAG_MAP) {
        fault_tag(b, begin, tag_name);
    } else {
        ctn_yaml_resolve_plain(b->source->arena, text, &ret_node->value, &fault);
        if (!fault && tag == TAG_SCALAR && ret_node->value.kind == CTN_JSON_STRING)
            fault_tag(b, begin, tag_name);
    }
    if (fault)
        add_fault(b, begin, "syntax", ctn_arena_printf(b->scratch, "%.*s: %s", CTN_STR_ARG(text), fault).ptr);
    return true;
}

/* ---- collections ---- */

static bool build_node(builder *b, const yaml_event_t *event, uint32_t depth, built *ret_node);

static bool is_merge_key(const yaml_event_t *event)
{
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.length == 2 &&
           memcmp(event->data.scalar.value, "<<", 2) == 0;
}

/* Keys are text: a plain one as it is written, be it 1 or true. */
static bool build_key(builder *b, const yaml_event_t *event, uint32_t depth, built *ret_key)
{
    size_t at = offset_of(b, &event->start_mark);
    if (event->type == YAML_SCALAR_EVENT) {
        size_t index = SIZE_MAX;
        if (!open_anchor(b, event->data.scalar.anchor, at, &index) || !build_scalar(b, event, ret_key))
            return false;
        ctn_str text = {(const char *) event->data.scalar.value, event->data.scalar.length};
        if (is_merge_key(event))
            add_fault(b, ret_key->offset, "syntax", "merge keys (<<) are not taken: write the members out");
        else if (text.len == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
            add_fault(b, ret_key->offset, "syntax", "a key is missing before ':'");
        ret_key->value = *ctn_json_string(b->source->arena, text);
        close_anchor(b, index, ret_key);
        return true;
    }
    if (event->type == YAML_ALIAS_EVENT) {
        if (!build_alias(b, event, depth, ret_key))
            return false;
        if (ret_key->value.kind == CTN_JSON_STRING)
            return true;
    }
    return fail(b, at, "a key must be text; text that starts with '{' or '[' must stand in quotes");
}

static int compare_keys(const void *left, const void *right)
{
    const built *const *a = left, *const *b = right;
    int order = ctn_str_compare(ctn_json_text(&(*a)->value), ctn_json_text(&(*b)->value));
    return order ? order : (*a > *b) - (*a < *b);
}

/* Tells each key that was given before. Sorted rather than hashed, so that no choice of keys is a slow one. */
static void check_keys(builder *b, size_t base)
{
    size_t count = (b->stack_count - base) / 2;
    if (count < 2)
        return;
    /* Not given back early: the tables of all mappings together are a small multiple of the text. */
    const built **keys = CTN_NEW_ARRAY(b->scratch, const built *, count);
    for (size_t i = 0; i < count; i++)
        keys[i] = &b->stack[base + 2 * i];
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 1, first = 0; i < count; i++) {
        ctn_str text = ctn_json_text(&keys[i]->value);
        if (!ctn_str_equal(text, ctn_json_text(&keys[first]->value))) {
            first = i;
            continue;
        }
        add_fault(b, keys[i]->offset, "duplicate-key",
                  ctn_arena_printf(b->scratch, "the key \"%.*s\" is given twice: first on line %u",
                                   (int) (text.len < 100 ? text.len : 100), text.len ? text.ptr : "",
                                   ctn_source_position_at(b->source, keys[first]->offset).line)
                      .ptr);
        if (b->fault_count >= CTN_SOURCE_FAULTS_MAX)
            return;
    }
}

/* Moves the children from the stack to their final table. */
static void finish_collection(builder *b, size_t base, bool is_mapping, built *ret_node)
{
    size_t slots = b->stack_count - base;
    for (size_t i = base; i < b->stack_count; i++) {
        ret_node->weight += b->stack[i].weight;
        if (b->stack[i].height + 1 > ret_node->height)
            ret_node->height = b->stack[i].height + 1;
    }
    if (is_mapping) {
        ctn_json_member *members = CTN_NEW_ARRAY(b->source->arena, ctn_json_member, slots / 2);
        for (size_t i = 0; i < slots / 2; i++) {
            members[i] = (ctn_json_member){b->stack[base + 2 * i].value, b->stack[base + 2 * i + 1].value};
            place(b, &members[i].key, &b->stack[base + 2 * i]);
            place(b, &members[i].value, &b->stack[base + 2 * i + 1]);
        }
        ret_node->value = (ctn_json){.kind = CTN_JSON_OBJECT, .count = (uint32_t) (slots / 2), .members = members};
    } else {
        ctn_json *items = CTN_NEW_ARRAY(b->source->arena, ctn_json, slots);
        for (size_t i = 0; i < slots; i++) {
            items[i] = b->stack[base + i].value;
            place(b, &items[i], &b->stack[base + i]);
        }
        ret_node->value = (ctn_json){.kind = CTN_JSON_ARRAY, .count = (uint32_t) slots, .items = items};
    }
    b->stack_count = base;
}

/* One item, or one key with its value. *ret_end: the collection is over. */
static bool build_member(builder *b, bool is_mapping, uint32_t depth, bool *ret_end)
{
    own_event own;
    const yaml_event_t *event = &own.event;
    built node;
    if (!next_event(b, &own))
        return false;
    *ret_end = event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT;
    bool ok = true;
    if (!*ret_end)
        ok = is_mapping ? build_key(b, event, depth, &node) : build_node(b, event, depth, &node);
    drop_event(&own);
    if (!ok || *ret_end)
        return ok;
    push(b, node);
    if (!is_mapping)
        return true;
    if (!next_event(b, &own))
        return false;
    ok = build_node(b, event, depth, &node);
    drop_event(&own);
    if (ok)
        push(b, node);
    return ok;
}

static bool build_collection(builder *b, const yaml_event_t *event, uint32_t depth, built *ret_node)
{
    bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
    size_t at = offset_of(b, &event->start_mark), base = b->stack_count;
    if (depth >= CTN_JSON_DEPTH_MAX)
        return fail(b, at, "values are nested more than 128 levels deep");
    ctn_str tag_name;
    tag_kind tag = read_tag(is_mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag, &tag_name);
    if (tag != TAG_NONE && tag != (is_mapping ? TAG_MAP : TAG_SEQ))
        fault_tag(b, at, tag_name);
    *ret_node = (built){.offset = (uint32_t) at, .weight = CTN_SOURCE_WEIGHT};
    bool ended = false;
    while (!ended) {
        if (b->fault_count >= CTN_SOURCE_FAULTS_MAX || !build_member(b, is_mapping, depth + 1, &ended))
            return false;
    }
    if (is_mapping)
        check_keys(b, base);
    finish_collection(b, base, is_mapping, ret_node);
    return true;
}

static bool build_node(builder *b, const yaml_event_t *event, uint32_t depth, built *ret_node)
{
    size_t at = offset_of(b, &event->start_mark), index = SIZE_MAX;
    bool ok = false;
    switch (event->type) {
    case YAML_ALIAS_EVENT: return build_alias(b, event, depth, ret_node);
    case YAML_SCALAR_EVENT:
        ok = open_anchor(b, event->data.scalar.anchor, at, &index) && build_scalar(b, event, ret_node);
        break;
    case YAML_SEQUENCE_START_EVENT:
        ok = open_anchor(b, event->data.sequence_start.anchor, at, &index) &&
             build_collection(b, event, depth, ret_node);
        break;
    case YAML_MAPPING_START_EVENT:
        ok =
            open_anchor(b, event->data.mapping_start.anchor, at, &index) && build_collection(b, event, depth, ret_node);
        break;
    default: return fail(b, at, "expected a value here");
    }
    if (ok)
        close_anchor(b, index, ret_node);
    return ok;
}

/* ---- the file ---- */

/* The one document between stream start and stream end. */
static bool build_document(builder *b, const yaml_event_t *event)
{
    if (event->type == YAML_STREAM_END_EVENT)
        return fail(b, 0, "the file holds no value");
    if (b->source->root)
        return fail(b, offset_of(b, &event->start_mark), "a second document starts here: one a file");
    own_event first;
    const yaml_event_t *f = &first.event;
    built node;
    if (!next_event(b, &first))
        return false;
    bool is_nothing = f->type == YAML_SCALAR_EVENT && f->data.scalar.length == 0 && f->data.scalar.plain_implicit &&
                      f->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool ok =
        is_nothing ? fail(b, offset_of(b, &f->start_mark), "the file holds no value") : build_node(b, f, 0, &node);
    drop_event(&first);
    if (!ok)
        return false;
    ctn_json *root = CTN_NEW(b->source->arena, ctn_json);
    *root = node.value;
    place(b, root, &node);
    b->source->root = root;
    return true;
}

static bool read_events(builder *b)
{
    for (;;) {
        own_event own;
        const yaml_event_t *event = &own.event;
        if (!next_event(b, &own))
            return false;
        bool ok = true, ended = event->type == YAML_STREAM_END_EVENT;
        if (event->type == YAML_DOCUMENT_START_EVENT || (ended && !b->source->root))
            ok = build_document(b, event);
        drop_event(&own);
        if (!ok || ended)
            return ok;
    }
}

static void delete_parser(void *parser)
{
    yaml_parser_delete(parser);
}

bool ctn_source_read_yaml(ctn_source *s, ctn_findings *findings)
{
    builder b = {.source = s, .findings = findings, .scratch = ctn_arena_new(16384)};
    if (!yaml_parser_initialize(&b.parser))
        ctn_memory_gone(0); /* it fails for nothing else */
    ctn_cleanup cleanup;
    ctn_cleanup_push(&cleanup, delete_parser, &b.parser);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *) s->text.ptr, s->text.len);
    find_checkpoints(&b);
    bool ok = read_events(&b) && b.fault_count == 0;
    ctn_cleanup_pop(&cleanup);
    yaml_parser_delete(&b.parser);
    ctn_arena_free(b.scratch);
    return ok;
}
