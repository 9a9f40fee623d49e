/* editor_schema_about.c -- what each key of the language is for, in a line. One row a key, in the tables' order. */
#include "check/editor_schema.h"

#define VARIABLE "\"pattern\":\"^[A-Za-z_][A-Za-z0-9_]*$\",\"maxLength\":128"
#define NAMES    "{\"type\":\"array\",\"items\":{\"type\":\"string\"," VARIABLE "}}"
#define REF(table) "{\"$ref\":\"#/$defs/" table "\"}"
#define TOOL "{\"type\":\"string\",\"pattern\":\"^[^/]+/.+$\"}"
#define ARGUMENTS                                                                                                      \
    "What is sent: an object whose texts may hold placeholders. Default: {\"input\": \"{input?}\"}."
#define ONE_KIND                                                                                                       \
    "{\"oneOf\":[{\"required\":[\"tool\"]},{\"required\":[\"native\"]},{\"required\":[\"prompt\"]},"                    \
    "{\"required\":[\"transform\"]},{\"required\":[\"http\"]},{\"required\":[\"command\"]}"

/* clang-format off */
const ctn_about ctn_language_abouts[] = {
    {"chain", NULL, "A chain: steps that are done in order, durably.", NULL},
    {"chain", "id", "The chain's name for programs: small letters, digits and -, at most 63.",
     "{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9-]{0,62}$\"}"},
    {"chain", "name", "The chain's name for people.", NULL},
    {"chain", "description", "What the chain is for.", NULL},
    {"chain", "version", "Default: numbered by content; the same content is the same version.", NULL},
    {"chain", "inputSchema", "JSON Schema of the inputs. Without one, inputs are the variables that are read and never produced.", NULL},
    {"chain", "outputs", "A list of variables, or a map of name: expression. Default: every variable that a step produced.",
     "{\"anyOf\":[" NAMES ",{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"boolean\"]}}]}"},
    {"chain", "rollbackEnabled", "Undo what was done when the chain fails. Default: true if any step has a rollbackAction.", NULL},
    {"chain", "timeoutMs", "Milliseconds for the whole chain, waits included, pauses and the queue not.", NULL},
    {"chain", "priority", "0 (last) to 9 (first).", NULL},
    {"chain", "maxConcurrent", "Executions of this chain that run at once.", NULL},
    {"chain", "budget", "What one execution may spend.", REF("budget")},
    {"chain", "concurrencyKey", "A template that reads inputs only: executions with equal keys run one at a time, in order of arrival.", NULL},
    {"chain", "sensitive", "Variables that are sealed at rest and redacted wherever they are shown.", NAMES},
    {"chain", "schedule", "When the chain starts by itself.", REF("schedule")},
    {"chain", "onFailure", "The id of a chain that is started with {executionId, error} when this one fails.",
     "{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9-]{0,62}$\"}"},
    {"chain", "steps", "The steps.", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":10000,\"items\":{\"$ref\":\"#/$defs/step\"}}"},
    {"chain", "instructionSets", "Instruction sets beside the chain; other chains may use them too.",
     "{\"type\":\"object\",\"propertyNames\":{\"minLength\":1,\"maxLength\":128},\"additionalProperties\":{\"$ref\":\"#/$defs/instructionSet\"}}"},

    {"budget", NULL, "Reserved before a call, settled after it.", NULL},
    {"budget", "calls", "Calls.", NULL},
    {"budget", "wallMs", "Milliseconds.", NULL},
    {"budget", "bytes", "Bytes of arguments and results.", NULL},
    {"budget", "tokens", "Tokens of language models.", NULL},
    {"budget", "money", "Money, in whatever unit the tools count in.", NULL},
    {"budget", "onReached", "wait: park the execution for a decision; fail: end it.", NULL},

    {"schedule", NULL, "When the chain starts by itself.", NULL},
    {"schedule", "cron", "Five fields: minute, hour, day, month, weekday.", NULL},
    {"schedule", "timezone", "Of the times, like Europe/London. Default: UTC.", NULL},

    {"step", NULL, "One step: a piece of work and what becomes of its result.", NULL},
    {"step", "stepName", "Unique in the chain: small letters, digits and _, no digit at the start.",
     "{\"type\":\"string\",\"pattern\":\"^[a-z_][a-z0-9_]*$\",\"maxLength\":128}"},
    {"step", "instructionSet", "The named instruction set that does the work.", NULL},
    {"step", "inputTemplate", "Text with placeholders; the instruction set sees it as {input}.", NULL},
    {"step", "outputVariables", "What is taken from the result: a list of names, or a map of variable: path in the result.",
     "{\"anyOf\":[" NAMES ",{\"type\":\"object\",\"propertyNames\":{" VARIABLE "},\"additionalProperties\":{\"type\":\"string\"}}]}"},
    {"step", "conditionalExecution", "An expression, asked once when the step becomes ready: skip, continue or fail, or a value (true runs the step).", NULL},
    {"step", "parallelExecution", "May run beside its neighbours; the set's several calls run at once.", NULL},
    {"step", "dependsOn", "Steps that this one waits for, in place of the order of the file.", NULL},
    {"step", "retryConfig", "When and how often a failed attempt is repeated. Default: never.", REF("retryConfig")},
    {"step", "timeoutMs", "Milliseconds for one attempt; wins over the set's.", NULL},
    {"step", "idleTimeoutMs", "An attempt that shows no progress for so many milliseconds is ended.", NULL},
    {"step", "fallback", "Tried in order once the retries are spent or the breaker is open.",
     "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/fallback\"}}"},
    {"step", "onError", "fail (default), or continue: the step's variables become null and the chain goes on.", NULL},
    {"step", "onInterrupted", "What happens when the outcome of a write is unknown. Default: ask.", NULL},
    {"step", "rollbackAction", "The instruction set that undoes this step.", NULL},
    {"step", "rollbackTemplate", "The input of the undo. Default: the step's outputs, as an object.", NULL},
    {"step", "noUndo", "The reason why nothing undoes this step.", NULL},
    {"step", "templateId", "A document that is rendered after the step; its text fills an output variable.", NULL},
    {"step", "cache", "Results of equal calls are used again.", REF("cache")},
    {"step", "foreach", "The step is done for each item of a list; every output variable becomes a list.", REF("foreach")},
    {"step", "outputSchema", "JSON Schema that the result must satisfy.", NULL},
    {"step", "release", "Sensitive values that may flow into this step's tool or prompt.", NULL},
    {"step", "lint", "Warnings of check that are silenced here.", REF("lint")},

    {"retryConfig", NULL, NULL, NULL},
    {"retryConfig", "maxRetries", "Attempts after the first one.", NULL},
    {"retryConfig", "backoffMs", "Milliseconds before the first retry.", NULL},
    {"retryConfig", "multiplier", "Each further delay is so many times the one before.", NULL},
    {"retryConfig", "maxBackoffMs", "No delay is longer, in milliseconds.", NULL},
    {"retryConfig", "jitter", "The share of a delay that chance adds or takes.", NULL},
    {"retryConfig", "retryOn", "Failure codes that are repeated besides the transient ones.",
     "{\"type\":\"array\",\"items\":{\"enum\":[\"timeout\",\"transport\",\"unavailable\",\"rate_limited\",\"breaker_open\",\"tool_error\","
     "\"protocol_error\",\"invalid_input\",\"invalid_output\",\"missing_output\",\"undefined_variable\",\"condition_failed\",\"expression_limit\","
     "\"division_by_zero\",\"limit\",\"budget\",\"denied\",\"cancelled\",\"interrupted\"]}}"},

    {"fallback", NULL, "Another instruction set, or a value that is taken as the result.",
     "{\"oneOf\":[{\"required\":[\"instructionSet\"]},{\"required\":[\"value\"],\"properties\":{\"inputTemplate\":false}}]}"},
    {"fallback", "instructionSet", "The instruction set that is tried.", NULL},
    {"fallback", "inputTemplate", "Its input. Default: the step's.", NULL},
    {"fallback", "value", "Taken as the result; its texts may hold placeholders.", NULL},

    {"cache", NULL, NULL, NULL},
    {"cache", "ttlMs", "How long a result is used, in milliseconds.", NULL},
    {"cache", "key", "What makes two calls equal. Default: the set, the tool and the rendered arguments.", NULL},
    {"cache", "allowWrites", "Also for a write.", NULL},

    {"foreach", NULL, NULL, NULL},
    {"foreach", "items", "A template that gives a list, or {range: [from, to]}.",
     "{\"anyOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/items\"}]}"},
    {"foreach", "as", "The item's name in templates, beside item.", "{\"type\":\"string\"," VARIABLE "}"},
    {"foreach", "maxConcurrency", "Items at once.", NULL},

    {"items", NULL, NULL, NULL},
    {"items", "range", "Two whole numbers, or templates that give them; the end is left out.",
     "{\"type\":\"array\",\"minItems\":2,\"maxItems\":2}"},

    {"lint", NULL, NULL, NULL},
    {"lint", "allow", "Rule of check: the reason why it does not matter here.",
     "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"minLength\":1}}"},

    {"instructionSet", NULL, "A named way of doing work: one kind of work, and what holds for it.",
     ONE_KIND ",{\"required\":[\"wait\"]},{\"required\":[\"approval\"]},{\"required\":[\"agent\"]},{\"required\":[\"chain\"]},"
     "{\"required\":[\"calls\"]}],\"dependentRequired\":{\"result\":[\"calls\"]}}"},
    {"instructionSet", "tool", "A tool of an MCP server: server/tool.", TOOL},
    {"instructionSet", "native", "A C function of the program.", NULL},
    {"instructionSet", "prompt", "A call of a language model with a structured answer.", REF("prompt")},
    {"instructionSet", "transform", "A jq program; the arguments are its input.", NULL},
    {"instructionSet", "http", "An HTTP call.", REF("http")},
    {"instructionSet", "command", "A program that is started.", REF("command")},
    {"instructionSet", "wait", "Time passes; an answer ends it early.", REF("wait")},
    {"instructionSet", "approval", "Somebody says yes or no.", REF("approval")},
    {"instructionSet", "agent", "Whoever drives the execution does the work and gives the answer.", REF("agent")},
    {"instructionSet", "chain", "The id of a chain that does the work; the arguments are its inputs.", NULL},
    {"instructionSet", "calls", "Several calls, in turn or at once; the result is an object of their results.",
     "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1000,\"propertyNames\":{" VARIABLE "},\"additionalProperties\":{\"$ref\":\"#/$defs/call\"}}"},
    {"instructionSet", "arguments", ARGUMENTS, NULL},
    {"instructionSet", "timeoutMs", "Milliseconds for one attempt.", NULL},
    {"instructionSet", "result", "Members beside the calls' results, as templates.", NULL},
    {"instructionSet", "effect", "What the work does to the world: none, read, idempotent (may be repeated) or write.", NULL},
    {"instructionSet", "check", "A call that tells whether a write of unknown outcome happened.", REF("check")},
    {"instructionSet", "settleMs", "How long after the send a request may still arrive, in milliseconds.", NULL},
    {"instructionSet", "restricted", "Only principals that were granted this set may run it.", NULL},
    {"instructionSet", "rateLimit", "A token bucket.", REF("rateLimit")},
    {"instructionSet", "maxConcurrent", "Calls of this set at once.", NULL},
    {"instructionSet", "breaker", "When calls are held back because too many failed.", REF("breaker")},

    {"call", NULL, "One of several calls.", ONE_KIND "]}"},
    {"call", "tool", "A tool of an MCP server: server/tool.", TOOL},
    {"call", "native", "A C function of the program.", NULL},
    {"call", "prompt", "A call of a language model with a structured answer.", REF("prompt")},
    {"call", "transform", "A jq program; the arguments are its input.", NULL},
    {"call", "http", "An HTTP call.", REF("http")},
    {"call", "command", "A program that is started.", REF("command")},
    {"call", "arguments", ARGUMENTS, NULL},
    {"call", "timeoutMs", "Milliseconds for one attempt of this call.", NULL},

    {"check", NULL, "Answers {happened, result, final}.", "{\"oneOf\":[{\"required\":[\"tool\"]},{\"required\":[\"http\"]}]}"},
    {"check", "tool", "A tool of an MCP server: server/tool.", TOOL},
    {"check", "http", "An HTTP call.", REF("http")},
    {"check", "arguments", ARGUMENTS, NULL},
    {"check", "timeoutMs", "Milliseconds for one attempt.", NULL},

    {"wait", NULL, NULL, "{\"oneOf\":[{\"required\":[\"ms\"]},{\"required\":[\"until\"]}]}"},
    {"wait", "ms", "So many milliseconds.", NULL},
    {"wait", "until", "Until this date, RFC 3339 time, or number of milliseconds since 1970.", NULL},

    {"approval", NULL, NULL, NULL},
    {"approval", "message", "What is asked, as a template.", NULL},
    {"approval", "who", "Who may answer. Default: anybody.", NULL},
    {"approval", "timeoutMs", "How long an answer is waited for, in milliseconds.", NULL},
    {"approval", "onTimeout", "What no answer means. Default: fail.", NULL},

    {"prompt", NULL, NULL, NULL},
    {"prompt", "model", "The model.", NULL},
    {"prompt", "instructions", "A file with the instructions.", NULL},
    {"prompt", "schema", "JSON Schema of the answer.", NULL},

    {"agent", NULL, NULL, NULL},
    {"agent", "instructions", "A file with the instructions.", NULL},
    {"agent", "outputSchema", "JSON Schema that the answer must satisfy.", NULL},

    {"http", NULL, NULL, NULL},
    {"http", "method", "Default: GET, or POST with a body.", NULL},
    {"http", "url", "The address, as a template.", NULL},
    {"http", "headers", "Names and values, as templates.", NULL},
    {"http", "body", "What is sent: any value whose texts are templates.", NULL},

    {"command", NULL, NULL, NULL},
    {"command", "argv", "The program and its arguments, as templates.", "{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}}"},
    {"command", "timeoutMs", "Milliseconds.", NULL},

    {"rateLimit", NULL, NULL, NULL},
    {"rateLimit", "perSecond", "Calls a second.", NULL},
    {"rateLimit", "burst", "Calls at once after a pause.", NULL},

    {"breaker", NULL, NULL, NULL},
    {"breaker", "window", "The last so many calls are looked at.", NULL},
    {"breaker", "minimum", "It opens after so many calls at the earliest.", NULL},
    {"breaker", "failureRatio", "It opens when this share of them failed.", NULL},
    {"breaker", "openMs", "After so many milliseconds one call is let through.", NULL},
};
/* clang-format on */
const size_t ctn_language_about_count = sizeof ctn_language_abouts / sizeof *ctn_language_abouts;
