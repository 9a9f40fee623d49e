/*
 * editor_schema.c -- tables of keys as JSON Schema.
 */
#include "chain/editor_schema.h"
#include "chain/chain.h"
#include "chain/instruction_set.h"
#include <assert.h>

#define TABLES_MAX 64

static const ctn_json *parse(ctn_arena *arena, const char *text)
{
    const ctn_json *value = NULL;
    int rc = ctn_json_parse(arena, ctn_str_from(text), NULL, &value, NULL);
    assert(rc == CTN_OK);
    return value;
}

static void put_number(ctn_arena *arena, ctn_json_builder *b, const char *key, double value)
{
    ctn_json_put(b, ctn_str_from(key), ctn_json_number(arena, ctn_arena_printf(arena, "%.10g", value)));
}

static void put_words(ctn_arena *arena, ctn_json_builder *b, const char *const *words)
{
    ctn_json_builder list = ctn_json_array(arena);
    for (size_t i = 0; words[i]; i++)
        ctn_json_push(&list, ctn_json_string(arena, ctn_str_from(words[i])));
    ctn_json_put(b, CTN_STR("enum"), ctn_json_finish(&list));
}

static void put_type(ctn_arena *arena, ctn_json_builder *b, const ctn_key *key)
{
    switch (key->type) {
    case CTN_KEY_TEXT:
    case CTN_KEY_TEMPLATE: ctn_json_put_str(b, "type", CTN_STR("string")); break;
    case CTN_KEY_NAME:
        ctn_json_put_str(b, "type", CTN_STR("string"));
        ctn_json_put_int(b, "minLength", 1);
        break;
    case CTN_KEY_BOOL: ctn_json_put_str(b, "type", CTN_STR("boolean")); break;
    case CTN_KEY_INT:
        ctn_json_put_str(b, "type", CTN_STR("integer"));
        ctn_json_put_int(b, "minimum", key->min);
        ctn_json_put_int(b, "maximum", key->max);
        if (key->otherwise > 0)
            ctn_json_put_int(b, "default", key->otherwise);
        break;
    case CTN_KEY_NUMBER:
        ctn_json_put_str(b, "type", CTN_STR("number"));
        ctn_json_put_int(b, "minimum", key->min);
        ctn_json_put_int(b, "maximum", key->max);
        if (key->otherwise_number > 0)
            put_number(arena, b, "default", key->otherwise_number);
        break;
    case CTN_KEY_WORD: put_words(arena, b, key->words); break;
    case CTN_KEY_OBJECT:
    case CTN_KEY_TREE_OBJECT: ctn_json_put_str(b, "type", CTN_STR("object")); break;
    case CTN_KEY_LIST: ctn_json_put_str(b, "type", CTN_STR("array")); break;
    case CTN_KEY_NAMES:
        ctn_json_put_all(b, parse(arena, "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1}}"));
        break;
    case CTN_KEY_EXPRESSION: ctn_json_put_all(b, parse(arena, "{\"type\":[\"string\",\"boolean\"]}")); break;
    case CTN_KEY_SCHEMA: ctn_json_put_all(b, parse(arena, "{\"type\":[\"object\",\"boolean\"]}")); break;
    case CTN_KEY_ANY:
    case CTN_KEY_TREE: break;
    }
}

/* Of the key, or with key NULL of the object itself; NULL when nothing more is said. */
static const char *find_shape(const ctn_editor_schema *schema, const char *table, const char *key)
{
    for (size_t i = 0; i < schema->shape_count; i++) {
        const ctn_key_shape *shape = &schema->shapes[i];
        bool is_key = key ? shape->key && strcmp(shape->key, key) == 0 : !shape->key;
        if (is_key && strcmp(shape->table, table) == 0)
            return shape->schema;
    }
    return NULL;
}

static bool is_table(const ctn_editor_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->table_count; i++)
        if (strcmp(schema->tables[i]->name, name) == 0)
            return true;
    return false;
}

static const ctn_json *property_of(ctn_arena *arena, const ctn_editor_schema *schema, const char *table,
                                   const ctn_key *key)
{
    ctn_json_builder property = ctn_json_object(arena);
    const char *shape = find_shape(schema, table, key->name);
    ctn_json_put_str(&property, "description", ctn_str_from(key->about));
    if (shape)
        ctn_json_put_all(&property, parse(arena, shape));
    else if (key->type == CTN_KEY_OBJECT && is_table(schema, key->name))
        ctn_json_put_str(&property, "$ref", ctn_arena_printf(arena, "#/$defs/%s", key->name));
    else
        put_type(arena, &property, key);
    return ctn_json_finish(&property);
}

/* {"required": [name]}: one of the choices. */
static const ctn_json *choice_of(ctn_arena *arena, const char *name)
{
    ctn_json_builder names = ctn_json_array(arena), choice = ctn_json_object(arena);
    ctn_json_push(&names, ctn_json_string(arena, ctn_str_from(name)));
    ctn_json_put(&choice, CTN_STR("required"), ctn_json_finish(&names));
    return ctn_json_finish(&choice);
}

static void put_table(ctn_arena *arena, const ctn_editor_schema *schema, const ctn_key_table *table,
                      ctn_json_builder *defs)
{
    ctn_json_builder object = ctn_json_object(arena), properties = ctn_json_object(arena);
    ctn_json_builder required = ctn_json_array(arena), choices = ctn_json_array(arena);
    size_t required_count = 0, choice_count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const ctn_key *key = &table->keys[i];
        ctn_json_put(&properties, ctn_str_from(key->name), property_of(arena, schema, table->name, key));
        if (key->is_required && ++required_count)
            ctn_json_push(&required, ctn_json_string(arena, ctn_str_from(key->name)));
        if (key->is_choice && ++choice_count)
            ctn_json_push(&choices, choice_of(arena, key->name));
    }
    ctn_json_put_str(&object, "type", CTN_STR("object"));
    if (table->about)
        ctn_json_put_str(&object, "description", ctn_str_from(table->about));
    ctn_json_put(&object, CTN_STR("properties"), ctn_json_finish(&properties));
    if (required_count)
        ctn_json_put(&object, CTN_STR("required"), ctn_json_finish(&required));
    ctn_json_put_bool(&object, "additionalProperties", false);
    if (choice_count)
        ctn_json_put(&object, CTN_STR("oneOf"), ctn_json_finish(&choices));
    const char *shape = find_shape(schema, table->name, NULL);
    if (shape)
        ctn_json_put_all(&object, parse(arena, shape));
    ctn_json_put(defs, ctn_str_from(table->name), ctn_json_finish(&object));
}

const ctn_json *ctn_editor_schema_make(ctn_arena *arena, const ctn_editor_schema *schema)
{
    ctn_json_builder root = ctn_json_object(arena), defs = ctn_json_object(arena);
    for (size_t i = 0; i < schema->table_count; i++)
        put_table(arena, schema, schema->tables[i], &defs);
    ctn_json_put_str(&root, "$schema", CTN_STR("https://json-schema.org/draft/2020-12/schema"));
    ctn_json_put_str(&root, "title", ctn_str_from(schema->title));
    ctn_json_put_all(&root, parse(arena, schema->root));
    ctn_json_put(&root, CTN_STR("$defs"), ctn_json_finish(&defs));
    return ctn_json_finish(&root);
}

static size_t add_tables(const ctn_key_table **to, size_t count, const ctn_key_table *tables, size_t table_count)
{
    for (size_t i = 0; i < table_count; i++)
        to[count++] = &tables[i];
    assert(count <= TABLES_MAX);
    return count;
}

const ctn_json *ctn_editor_schema_of(ctn_arena *arena, const char *what)
{
    const ctn_key_table *tables[TABLES_MAX];
    bool is_chain = strcmp(what, "chain") == 0;
    if (!is_chain && strcmp(what, "sets") != 0)
        return NULL;
    size_t count = 0;
    if (is_chain) {
        count = add_tables(tables, count, ctn_chain_tables, ctn_chain_table_count);
        count = add_tables(tables, count, ctn_step_tables, ctn_step_table_count);
    }
    count = add_tables(tables, count, ctn_set_tables, ctn_set_table_count);
    count = add_tables(tables, count, ctn_work_tables, ctn_work_table_count);
    ctn_editor_schema schema = {
        .title = is_chain ? "A Catena chain" : "Catena instruction sets",
        .root = is_chain ? "{\"$ref\":\"#/$defs/chain\"}"
                         : "{\"type\":\"object\",\"required\":[\"instructionSets\"],\"additionalProperties\":false,"
                           "\"properties\":{\"instructionSets\":{\"description\":\"Named ways of doing work.\","
                           "\"type\":\"object\",\"propertyNames\":{\"minLength\":1,\"maxLength\":128},"
                           "\"additionalProperties\":{\"$ref\":\"#/$defs/instructionSet\"}}}}",
        .tables = tables,
        .table_count = count,
        .shapes = ctn_language_shapes,
        .shape_count = ctn_language_shape_count,
    };
    return ctn_editor_schema_make(arena, &schema);
}
