/* rules.c -- the table of the rules (chain language, section 10), and the search in it. docs/lint says more of each. */
#include "chain/rules.h"
#include "chain/keys.h"

/* clang-format off */
const ctn_rule ctn_rule_table[] = {
    {"syntax", CTN_SEVERITY_ERROR,
     "The file is no YAML or JSON that this language takes.",
     "The sentence says what stands there and what is expected. Text with a brace, a colon and a blank, or a `#` in it stands in quotes. Tabs are mended by `catena check --fix`."},
    {"duplicate-key", CTN_SEVERITY_ERROR,
     "A key, an output variable, a chain, an instruction set, or a name for MCP clients is given twice.",
     "Take one of the two out, or give it another name."},
    {"unknown-key", CTN_SEVERITY_ERROR,
     "A key that the language does not know.",
     "Write the known key. `catena check --fix` does so where exactly one is near."},
    {"type", CTN_SEVERITY_ERROR,
     "A value of the wrong kind, out of its range, or missing.",
     "The sentence says what the key must be; the chain language has the whole list."},
    {"bad-template", CTN_SEVERITY_ERROR,
     "A placeholder that cannot be read: an unknown filter, or a wrong argument of one.",
     "Use one of the filters that the sentence names. For a literal brace write `{{`."},
    {"bad-expression", CTN_SEVERITY_ERROR,
     "An expression that cannot be read.",
     "The sentence gives the character at which it stops making sense."},
    {"bad-schema", CTN_SEVERITY_ERROR,
     "A JSON Schema that is none.",
     "Mend what the sentence names: `string`, `number`, `integer`, `boolean`, `object`, `array` and `null` are the types."},
    {"bad-cron", CTN_SEVERITY_ERROR,
     "A schedule that cannot be read, or that never comes.",
     "Write each field as `*`, a number, a name (`MON`, `JAN`), a range, a list, or a step like `*/5`."},
    {"reserved-name", CTN_SEVERITY_ERROR,
     "A variable, an item or a call has a name that the language uses itself.",
     "Choose another name."},
    {"duplicate-step", CTN_SEVERITY_ERROR,
     "Two steps of a chain have the same name.",
     "Give the second one another name."},
    {"unknown-set", CTN_SEVERITY_ERROR,
     "A step names an instruction set that is not there.",
     "Write the set's name, or include the file that has it. `catena check --fix` mends a misspelt name where exactly one is near."},
    {"unknown-step", CTN_SEVERITY_ERROR,
     "`dependsOn` names a step that is not there.",
     "Write the step's name. `catena check --fix` mends a misspelt one where exactly one is near."},
    {"unknown-template", CTN_SEVERITY_ERROR,
     "`templateId` names a document that is not there.",
     "Write the document's name, or include its folder."},
    {"unknown-secret", CTN_SEVERITY_ERROR,
     "A set names a secret that `secrets` of the configuration does not.",
     "Write the name as it stands in `secrets` of catena.yaml, or add it there."},
    {"unknown-tool", CTN_SEVERITY_ERROR,
     "With `--tools`: there is no such server, the server has no such tool, or it could not be asked.",
     "Write the tool's name as `catena tools list` shows it. `catena check --tools --fix` mends a misspelt one where exactly one is near."},
    {"unknown-chain", CTN_SEVERITY_ERROR,
     "A set hands its work to a chain that is not there, or `onFailure` names one, and it looks mistyped.",
     "Write the chain's id, or check it together with the file that has it."},
    {"cycle", CTN_SEVERITY_ERROR,
     "Steps that wait for each other.",
     "Take one of the names out of a `dependsOn`. Without `dependsOn` a step waits for every step before it in the file."},
    {"write-race", CTN_SEVERITY_ERROR,
     "Two steps without an order between them, of which one writes what the other reads or writes.",
     "Use two variables, or name one step in the other's `dependsOn`."},
    {"undefined-variable", CTN_SEVERITY_ERROR,
     "A variable is read that no step before and no input can give.",
     "Write the name that is meant (`catena check --fix` does so where exactly one is near), declare it in `inputSchema`, or let an earlier step produce it."},
    {"missing-argument", CTN_SEVERITY_ERROR,
     "A required argument of a tool, a required input of a sub-chain, or one of a resource, is not set.",
     "Add the argument. It is told at the set, and once at each step that uses it."},
    {"schema-mismatch", CTN_SEVERITY_ERROR,
     "A value can never be what is wanted of it.",
     "Read another member, or convert the value (a filter, a `transform`). A template that is one placeholder alone keeps the value's type; with any text around it, it is text."},
    {"unsafe-resource", CTN_SEVERITY_ERROR,
     "A chain is published as a resource and may change something in the world.",
     "Publish it as a tool, or let its steps read only. Where nobody said what a step does, say its `effect`."},
    {"maybe-undefined", CTN_SEVERITY_WARNING,
     "Some path to the reader does not produce what it reads.",
     "Write `{client?}` or a `default`, or ask `exists({client})` in the reader's condition."},
    {"self-condition", CTN_SEVERITY_WARNING,
     "A condition reads what only its own step produces.",
     "Read what an earlier step produces."},
    {"unreachable", CTN_SEVERITY_WARNING,
     "A step that can never start.",
     "Mend the condition of the step that is named, or take the steps out."},
    {"never-runs", CTN_SEVERITY_WARNING,
     "A condition that no values can make true.",
     "Mend the condition. To switch a step off write `conditionalExecution: false`."},
    {"unused-output", CTN_SEVERITY_WARNING,
     "An output variable that nothing reads and `outputs` leaves out.",
     "Take it out of `outputVariables`, or name it in `outputs`."},
    {"missing-undo", CTN_SEVERITY_WARNING,
     "A write that nothing undoes when the chain fails later.",
     "Add a `rollbackAction`, or say in `noUndo` why there is none."},
    {"unrenderable-undo", CTN_SEVERITY_WARNING,
     "An undo reads what may not exist when it is needed.",
     "Read the step's own outputs, or what surely came before it, or write `{bill?}`."},
    {"idle-undo", CTN_SEVERITY_WARNING,
     "A `rollbackAction` in a chain that never rolls back.",
     "Take one of the two out."},
    {"assumed-effect", CTN_SEVERITY_WARNING,
     "Nobody said what the work does to the world, so it is taken for a write.",
     "Say `effect: none`, `read`, `idempotent` or `write`. It is told at the set, and once at each step that uses it."},
    {"unsafe-retry", CTN_SEVERITY_WARNING,
     "A write's `retryOn` names a code after which it may have happened.",
     "Take the code out, or give the set a `check` that can tell whether it happened."},
    {"sensitive-flow", CTN_SEVERITY_WARNING,
     "A sensitive value or a secret reaches a place from which it leaves, without `release`.",
     "Leave the value out, or name it in the step's `release`."},
    {"timeout-fit", CTN_SEVERITY_WARNING,
     "A time limit that is larger than the one around it.",
     "Make one of them fit."},
};
/* clang-format on */
const size_t ctn_rule_count = sizeof ctn_rule_table / sizeof ctn_rule_table[0];

const ctn_rule *ctn_rule_find(ctn_str name)
{
    for (size_t i = 0; i < ctn_rule_count; i++)
        if (ctn_str_is(name, ctn_rule_table[i].name))
            return &ctn_rule_table[i];
    return NULL;
}

ctn_str ctn_rule_suggest(ctn_arena *arena, ctn_str name)
{
    ctn_str names[sizeof ctn_rule_table / sizeof ctn_rule_table[0]];
    for (size_t i = 0; i < ctn_rule_count; i++)
        names[i] = ctn_str_from(ctn_rule_table[i].name);
    return ctn_suggest(arena, name, names, ctn_rule_count);
}
