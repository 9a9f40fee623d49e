/*
 * keys.c -- objects read by a table. One function for every type of value; the sentences say what was
 * expected, what stands there, and what to write instead.
 */
#include "chain/keys.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define NAMES_SHOWN_MAX 24
#define QUOTED_MAX      60

void ctn_reader_fault(ctn_reader *reader, const ctn_json *node, const char *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ctn_str sentence = ctn_arena_vprintf(reader->arena, format, args);
    va_end(args);
    ctn_position at = ctn_source_position(reader->source, node);
    ctn_str file = ctn_source_file_name(reader->source);
    ctn_findings_add(reader->findings, file, at.line, at.column, CTN_SEVERITY_ERROR, rule, "%.*s",
                     CTN_STR_ARG(sentence));
    if (reader->fault_count++ == 0)
        reader->fault_first = (ctn_finding){.file = file,
                                            .line = at.line,
                                            .column = at.column,
                                            .severity = CTN_SEVERITY_ERROR,
                                            .rule = rule,
                                            .message = sentence};
}

/* Of the names that begin as the word does, at least half of it and four letters: maxRetry, maxRetries. */
static ctn_str same_beginning(ctn_str word, const ctn_str *names, size_t count)
{
    size_t best = 0;
    ctn_str found = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        size_t len = 0;
        while (len < word.len && len < names[i].len && (word.ptr[len] | 0x20) == (names[i].ptr[len] | 0x20))
            len++;
        if (len > best && len >= 4 && 2 * len >= word.len) {
            best = len;
            found = names[i];
        }
    }
    return found;
}

ctn_str ctn_suggest(ctn_arena *arena, ctn_str word, const ctn_str *names, size_t count)
{
    ctn_str near = ctn_str_nearest(word, names, count);
    if (!near.len)
        near = same_beginning(word, names, count);
    if (near.len)
        return ctn_arena_printf(arena, "did you mean '%.*s'?", CTN_STR_ARG(near));
    if (count == 0)
        return CTN_STR("there are none");
    ctn_buf text;
    ctn_buf_init(&text, 4096);
    ctn_buf_append_literal(&text, "known are ");
    for (size_t i = 0; i < count && i < NAMES_SHOWN_MAX; i++)
        ctn_buf_printf(&text, "%s%.*s", i ? ", " : "", CTN_STR_ARG(names[i]));
    if (count > NAMES_SHOWN_MAX)
        ctn_buf_printf(&text, " and %zu more", count - NAMES_SHOWN_MAX);
    ctn_str kept = ctn_arena_str(arena, ctn_buf_str(&text));
    ctn_buf_done(&text);
    return kept;
}

bool ctn_reader_variable(ctn_reader *reader, const ctn_json *node, ctn_str name, const char *what)
{
    bool is_name = name.len > 0 && name.len <= 128;
    for (size_t i = 0; is_name && i < name.len; i++) {
        char c = name.ptr[i];
        is_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9');
    }
    if (!is_name) {
        ctn_reader_fault(reader, node, "type",
                         "'%.*s' cannot be the name of %s: write a letter or _, then letters, digits and _",
                         CTN_STR_ARG(name), what);
        return false;
    }
    if (ctn_is_reserved_root(name)) {
        ctn_reader_fault(reader, node, "reserved-name",
                         "'%.*s' cannot be the name of %s: the language uses it for itself (input, result, item, "
                         "execution, step, now, secret); choose another name",
                         CTN_STR_ARG(name), what);
        return false;
    }
    return true;
}

/* "the text 'abc'", "the number 7", "a list": what stands where something else should. */
static ctn_str describe(ctn_arena *arena, const ctn_json *v)
{
    ctn_str text = ctn_json_text(v);
    bool is_long = text.len > QUOTED_MAX;
    ctn_str shown = {text.ptr, is_long ? QUOTED_MAX : text.len};
    switch (ctn_json_kind_of(v)) {
    case CTN_JSON_NULL: return CTN_STR("nothing (null)");
    case CTN_JSON_FALSE: return CTN_STR("false");
    case CTN_JSON_TRUE: return CTN_STR("true");
    case CTN_JSON_NUMBER: return ctn_arena_printf(arena, "the number %.*s%s", CTN_STR_ARG(shown), is_long ? "..." : "");
    case CTN_JSON_STRING: return ctn_arena_printf(arena, "the text '%.*s%s'", CTN_STR_ARG(shown), is_long ? "..." : "");
    case CTN_JSON_ARRAY: return CTN_STR("a list");
    case CTN_JSON_OBJECT: return CTN_STR("an object");
    }
    return CTN_STR("something else");
}

static void expected(ctn_reader *reader, const ctn_key *key, const ctn_json *value, const char *what)
{
    ctn_str there = describe(reader->arena, value);
    if (key->is_confidential && (ctn_json_is(value, CTN_JSON_STRING) || ctn_json_is(value, CTN_JSON_NUMBER)))
        there = ctn_json_is(value, CTN_JSON_STRING) ? CTN_STR("a text") : CTN_STR("a number");
    ctn_reader_fault(reader, value, "type", "'%s' must be %s, not %.*s", key->name, what, CTN_STR_ARG(there));
}

static void *field(const ctn_key *key, void *target)
{
    return (char *) target + key->offset;
}

/* Lines and tabs excepted: the program of a transform is a name by its type. */
static bool holds_control(ctn_str text)
{
    for (size_t at = 0; at < text.len; at++)
        if (ctn_str_control_at(text, at, false))
            return true;
    return false;
}

static bool read_node(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    const char *what = NULL;
    switch (key->type) {
    case CTN_KEY_TEXT: what = ctn_json_is(value, CTN_JSON_STRING) ? NULL : "a text"; break;
    case CTN_KEY_NAME: what = ctn_json_is(value, CTN_JSON_STRING) && ctn_json_text(value).len ? NULL : "a name"; break;
    case CTN_KEY_OBJECT: what = ctn_json_is(value, CTN_JSON_OBJECT) ? NULL : "an object"; break;
    case CTN_KEY_LIST: what = ctn_json_is(value, CTN_JSON_ARRAY) ? NULL : "a list"; break;
    case CTN_KEY_NAMES: what = ctn_json_is(value, CTN_JSON_ARRAY) ? NULL : "a list of names, like [a, b]"; break;
    default: break;
    }
    if (what) {
        expected(reader, key, value, what);
        return false;
    }
    if (key->type == CTN_KEY_NAME && holds_control(ctn_json_text(value))) {
        ctn_reader_fault(reader, value, "type", "'%s' holds a control character, which no name may", key->name);
        return false;
    }
    if (key->type == CTN_KEY_NAMES)
        for (size_t i = 0; i < ctn_json_count(value); i++) {
            const ctn_json *item = ctn_json_at(value, i);
            if (ctn_json_is(item, CTN_JSON_STRING) && ctn_json_text(item).len && !holds_control(ctn_json_text(item)))
                continue;
            ctn_str there = describe(reader->arena, item);
            ctn_reader_fault(reader, item, "type", "'%s' is a list of names; %.*s is no name", key->name,
                             CTN_STR_ARG(there));
            return false;
        }
    *(const ctn_json **) field(key, target) = value;
    return true;
}

static bool read_bool(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    if (!ctn_json_is_bool(value)) {
        expected(reader, key, value, "true or false");
        return false;
    }
    *(ctn_said *) field(key, target) = ctn_json_is(value, CTN_JSON_TRUE) ? CTN_SAID_TRUE : CTN_SAID_FALSE;
    return true;
}

static bool read_int(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    int64_t number;
    if (ctn_json_is(value, CTN_JSON_NUMBER) && ctn_json_to_int64(value, &number) && number >= key->min &&
        number <= key->max) {
        *(int64_t *) field(key, target) = number;
        return true;
    }
    ctn_str what = ctn_arena_printf(reader->arena, "a whole number from %lld to %lld%s", (long long) key->min,
                                    (long long) key->max,
                                    ctn_str_ends_with(ctn_str_from(key->name), CTN_STR("Ms")) ? " (milliseconds)" : "");
    expected(reader, key, value, what.ptr);
    return false;
}

static bool read_number(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    ctn_str text = ctn_json_text(value);
    char copy[64];
    if (ctn_json_is(value, CTN_JSON_NUMBER) && text.len < sizeof copy) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        double number = strtod(copy, NULL);
        if (number >= (double) key->min && number <= (double) key->max) {
            *(double *) field(key, target) = number;
            return true;
        }
    }
    ctn_str what =
        ctn_arena_printf(reader->arena, "a number from %lld to %lld", (long long) key->min, (long long) key->max);
    expected(reader, key, value, what.ptr);
    return false;
}

static bool read_word(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    ctn_str text = ctn_json_text(value);
    ctn_buf list;
    ctn_buf_init(&list, 1024);
    int found = 0;
    for (int i = 0; key->words[i]; i++) {
        if (ctn_json_is(value, CTN_JSON_STRING) && ctn_str_is(text, key->words[i]))
            found = i + 1;
        ctn_buf_printf(&list, "%s%s", i == 0 ? "" : key->words[i + 1] ? ", " : " or ", key->words[i]);
    }
    ctn_buf_append_char(&list, '\0');
    if (found)
        *(int *) field(key, target) = found;
    else
        expected(reader, key, value, list.data);
    ctn_buf_done(&list);
    return found != 0;
}

static bool read_template(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    if (!ctn_json_is(value, CTN_JSON_STRING)) {
        expected(reader, key, value, "a text, in which {name} stands for a value");
        return false;
    }
    ctn_chain_template *slot = field(key, target);
    slot->node = value;
    ctn_err err = {0};
    if (ctn_template_compile(reader->arena, ctn_json_text(value), &slot->template, &err)) {
        ctn_reader_fault(reader, value, "bad-template", "'%s', at character %u: %s", key->name, err.column,
                         err.message);
        return false;
    }
    return true;
}

static bool read_expression(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    ctn_str text = ctn_json_text(value);
    if (ctn_json_is_bool(value))
        text = ctn_json_is(value, CTN_JSON_TRUE) ? CTN_STR("true") : CTN_STR("false");
    else if (!ctn_json_is(value, CTN_JSON_STRING)) {
        expected(reader, key, value, "an expression, as text");
        return false;
    }
    ctn_chain_expression *slot = field(key, target);
    slot->node = value;
    slot->text = text;
    ctn_err err = {0};
    if (ctn_expression_compile(reader->arena, text, &slot->expression, &err)) {
        ctn_reader_fault(reader, value, "bad-expression", "'%s', at character %u: %s", key->name, err.column,
                         err.message);
        return false;
    }
    return true;
}

static bool read_tree(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    if (key->type == CTN_KEY_TREE_OBJECT && !ctn_json_is(value, CTN_JSON_OBJECT)) {
        expected(reader, key, value, "an object");
        return false;
    }
    ctn_chain_tree *slot = field(key, target);
    slot->node = value;
    ctn_err err = {0};
    const ctn_json *bad = NULL;
    if (ctn_tree_compile(reader->arena, value, &slot->tree, &bad, &err)) {
        ctn_reader_fault(reader, bad ? bad : value, "bad-template", "in '%s', at character %u: %s", key->name,
                         err.column, err.message);
        return false;
    }
    return true;
}

static bool read_schema(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    if (!ctn_json_is(value, CTN_JSON_OBJECT) && !ctn_json_is_bool(value)) {
        expected(reader, key, value, "a JSON Schema (an object)");
        return false;
    }
    /* Only whether it compiles is asked here: what runs compiles it again into its own lifetime. */
    ctn_arena_mark mark = ctn_arena_save(reader->arena);
    ctn_schema *schema = NULL;
    const ctn_json *bad = NULL;
    ctn_err err = {0};
    int rc = ctn_schema_compile(reader->arena, value, &schema, &bad, &err);
    if (rc == CTN_OK)
        ctn_schema_done(schema);
    ctn_arena_restore(reader->arena, mark);
    if (rc) {
        ctn_reader_fault(reader, bad ? bad : value, "bad-schema", "'%s': %s", key->name, err.message);
        return false;
    }
    *(const ctn_json **) field(key, target) = value;
    return true;
}

bool ctn_key_read(ctn_reader *reader, const ctn_key *key, const ctn_json *value, void *target)
{
    switch (key->type) {
    case CTN_KEY_TEXT:
    case CTN_KEY_NAME:
    case CTN_KEY_OBJECT:
    case CTN_KEY_LIST:
    case CTN_KEY_NAMES:
    case CTN_KEY_ANY: return read_node(reader, key, value, target);
    case CTN_KEY_BOOL: return read_bool(reader, key, value, target);
    case CTN_KEY_INT: return read_int(reader, key, value, target);
    case CTN_KEY_NUMBER: return read_number(reader, key, value, target);
    case CTN_KEY_WORD: return read_word(reader, key, value, target);
    case CTN_KEY_TEMPLATE: return read_template(reader, key, value, target);
    case CTN_KEY_EXPRESSION: return read_expression(reader, key, value, target);
    case CTN_KEY_TREE:
    case CTN_KEY_TREE_OBJECT: return read_tree(reader, key, value, target);
    case CTN_KEY_SCHEMA: return read_schema(reader, key, value, target);
    }
    assert(0 && "a key is of a known type");
    return false;
}

static void set_defaults(const ctn_key *keys, size_t count, void *target)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].type == CTN_KEY_INT)
            *(int64_t *) field(&keys[i], target) = keys[i].otherwise;
        else if (keys[i].type == CTN_KEY_NUMBER)
            *(double *) field(&keys[i], target) = keys[i].otherwise_number;
    }
}

static ctn_str key_text(const ctn_json_member *member)
{
    return ctn_json_text(&member->key);
}

static const ctn_key *find_key(const ctn_key *keys, size_t count, ctn_str name)
{
    for (size_t i = 0; i < count; i++)
        if (ctn_str_is(name, keys[i].name))
            return &keys[i];
    return NULL;
}

/* A key that is missing and stands there misspelt is one fault, not two. */
static bool is_misspelt(const ctn_json *object, const ctn_key *keys, size_t count, const ctn_key *missing)
{
    for (uint32_t m = 0; m < object->count; m++) {
        ctn_str name = ctn_str_from(missing->name);
        if (!find_key(keys, count, key_text(&object->members[m])) &&
            ctn_str_nearest(key_text(&object->members[m]), &name, 1).len)
            return true;
    }
    return false;
}

void ctn_keys_read(ctn_reader *reader, const ctn_json *object, const char *what, const ctn_key *keys, size_t count,
                   void *target)
{
    assert(ctn_json_is(object, CTN_JSON_OBJECT));
    set_defaults(keys, count, target);
    for (uint32_t m = 0; m < object->count; m++) {
        const ctn_json_member *member = &object->members[m];
        const ctn_key *key = find_key(keys, count, key_text(member));
        if (!key) {
            ctn_str *names = CTN_NEW_ARRAY(reader->arena, ctn_str, count);
            for (size_t i = 0; i < count; i++)
                names[i] = ctn_str_from(keys[i].name);
            ctn_str advice = ctn_suggest(reader->arena, key_text(member), names, count);
            ctn_reader_fault(reader, &member->key, "unknown-key", "unknown key '%.*s' in %s; %.*s",
                             CTN_STR_ARG(key_text(member)), what, CTN_STR_ARG(advice));
            ctn_str only = ctn_str_nearest_only(key_text(member), names, count);
            if (!ctn_json_get(object, only))
                ctn_findings_mend(reader->findings, key_text(member), only);
        } else if (ctn_key_read(reader, key, &member->value, target) && key->read) {
            key->read(reader, &member->value, target);
        }
    }
    for (size_t i = 0; i < count; i++)
        if (keys[i].is_required && !ctn_json_member_of(object, keys[i].name) &&
            !is_misspelt(object, keys, count, &keys[i]))
            ctn_reader_fault(reader, object, "type", "%s needs the key '%s'", what, keys[i].name);
}

void ctn_chain_template_reads(const ctn_chain_template *template, ctn_arena *arena, ctn_reads *reads)
{
    size_t before = reads->count;
    ctn_template_reads(template->template, arena, reads);
    for (size_t i = before; i < reads->count; i++)
        reads->items[i].node = template->node;
}
