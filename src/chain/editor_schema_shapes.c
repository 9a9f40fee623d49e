/*
 * editor_schema_shapes.c -- what the tables of keys cannot say of the language's values: patterns, and what objects and
 * lists hold.
 */
#include "chain/editor_schema.h"

#define VARIABLE "\"pattern\":\"^[A-Za-z_][A-Za-z0-9_]*$\",\"maxLength\":128"
#define NAMES    "{\"type\":\"array\",\"items\":{\"type\":\"string\"," VARIABLE "}}"
#define TOOL     "{\"type\":\"string\",\"pattern\":\"^[^/]+/.+$\"}"

#define CODES    "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":255}}"

/* clang-format off */
const ctn_key_shape ctn_language_shapes[] = {
    {"chain", "id", "{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9-]{0,62}$\"}"},
    {"chain", "outputs", "{\"anyOf\":[" NAMES ",{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"boolean\"]}}]}"},
    {"chain", "sensitive", NAMES},
    {"chain", "onFailure", "{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9-]{0,62}$\"}"},
    {"chain", "steps", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":10000,\"items\":{\"$ref\":\"#/$defs/step\"}}"},
    {"chain", "instructionSets", "{\"type\":\"object\",\"propertyNames\":{\"minLength\":1,\"maxLength\":128},\"additionalProperties\":{\"$ref\":\"#/$defs/instructionSet\"}}"},
    {"step", "stepName", "{\"type\":\"string\",\"pattern\":\"^[a-z_][a-z0-9_]*$\",\"maxLength\":128}"},
    {"step", "outputVariables", "{\"anyOf\":[" NAMES ",{\"type\":\"object\",\"propertyNames\":{" VARIABLE "},\"additionalProperties\":{\"type\":\"string\"}}]}"},
    {"step", "fallback", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/fallback\"}}"},
    {"retryConfig", "retryOn", "{\"type\":\"array\",\"items\":{\"enum\":[\"timeout\",\"transport\",\"unavailable\",\"rate_limited\",\"breaker_open\",\"tool_error\","
     "\"protocol_error\",\"invalid_input\",\"invalid_output\",\"missing_output\",\"undefined_variable\",\"condition_failed\",\"expression_limit\","
     "\"division_by_zero\",\"limit\",\"budget\",\"denied\",\"cancelled\",\"interrupted\"]}}"},
    {"fallback", NULL, "{\"oneOf\":[{\"required\":[\"instructionSet\"]},{\"required\":[\"value\"],\"properties\":{\"inputTemplate\":false}}]}"},
    {"foreach", "items", "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/items\"}]}"},
    {"foreach", "as", "{\"type\":\"string\"," VARIABLE "}"},
    {"items", "range", "{\"type\":\"array\",\"minItems\":2,\"maxItems\":2}"},
    {"lint", "allow", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"minLength\":1}}"},
    {"instructionSet", NULL, "{\"dependentRequired\":{\"result\":[\"calls\"]}}"},
    {"instructionSet", "tool", TOOL},
    {"instructionSet", "calls", "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1000,\"propertyNames\":{" VARIABLE "},\"additionalProperties\":{\"$ref\":\"#/$defs/call\"}}"},
    {"call", "tool", TOOL},
    {"check", "tool", TOOL},
    {"command", "env", "{\"type\":\"object\",\"propertyNames\":{" VARIABLE "}}"},
    {"exitCodes", "ok", CODES},
    {"exitCodes", "transient", CODES},
    {"http", "success", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":200,\"maximum\":599},{\"enum\":[\"2xx\",\"3xx\",\"4xx\",\"5xx\"]}]}}"},
    {"http", "next", "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":{\"type\":\"string\"}}]}"},
    {"http", "items", "{\"type\":\"string\"}"},
    {"command", "argv", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}}"},
};
/* clang-format on */
const size_t ctn_language_shape_count = sizeof ctn_language_shapes / sizeof *ctn_language_shapes;
