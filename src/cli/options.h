/*
 * options.h -- the options of the command, one a row: here it gets its name, its letter and what help says of it, and
 * CTN_OPT_NAME by which a verb takes it and asks for it (cli.h).
 */
#pragma once

/* clang-format off */
/* NAME, long name, letter (0: none), argument (NULL: a flag), help. Help lists them in this order. */
#define CTN_OPTIONS(OPTION) \
    OPTION(CONFIG, "config", 'c', "FILE", "configuration; default: catena.yaml, from the current folder upward") \
    OPTION(STORE, "store", 's', "URL", "sqlite:FILE; default: the configuration's, else sqlite:catena.db beside it") \
    OPTION(JSON, "json", 'j', NULL, "JSON for programs, on one line a document") \
    OPTION(QUIET, "quiet", 'q', NULL, "no progress on stderr, only errors") \
    OPTION(HELP, "help", 'h', NULL, "explain this command") \
    OPTION(SET_INPUT, "set-input", 'i', "NAME=VALUE", "an input: NAME=TEXT, NAME:=JSON, NAME=@FILE, NAME:=@FILE, @- (standard input), NAME=@@TEXT") \
    OPTION(INPUT, "input", 'I', "FILE|-", "inputs as one JSON or YAML object; -i comes after it") \
    OPTION(OUTPUT, "output", 'o', "NAME", "print this output alone, text as it is; of export: the file to write") \
    OPTION(KEY, "idempotency-key", 'k', "KEY", "start it once: the same key finds the execution that has it") \
    OPTION(LABEL, "label", 'l', "NAME=VALUE", "a label to find it by; of list, or of a grant: only executions with it") \
    OPTION(FORMAT, "format", 'f', "FORMAT", "of check: text, json or sarif; of graph: svg, mermaid or dot") \
    OPTION(CHAIN, "chain", 0, "CHAIN", "of list: only executions of this chain; of fork: the newer definition; of a grant: for these chains (lead-*)") \
    OPTION(STATUS, "status", 0, "STATUS", "only executions in this status") \
    OPTION(LIMIT, "limit", 'n', "COUNT", "at most so many; 0: all") \
    OPTION(STEP, "step", 0, "STEP", "which step is meant") \
    OPTION(RETRY, "retry", 0, NULL, "the interrupted call did not happen: do it again") \
    OPTION(SUCCEED, "succeed", 0, "JSON", "the interrupted call happened, with this result") \
    OPTION(FAIL, "fail", 0, NULL, "the interrupted call has failed") \
    OPTION(NOT_HAPPENED, "not-happened", 0, NULL, "with --fail: it is certain that nothing happened") \
    OPTION(REASON, "reason", 0, "TEXT", "why, for the journal") \
    OPTION(VARIABLE, "variable", 0, "NAME", "the variable, where a step has the same name") \
    OPTION(AT, "at", 0, "SEQ", "as it stood after that entry of the journal") \
    OPTION(TOOLS, "tools", 0, NULL, "ask the configured servers for their tools") \
    OPTION(FIX, "fix", 0, NULL, "mend in the files what can be mended mechanically, and say what") \
    OPTION(EXPLAIN, "explain", 0, "RULE", "what a rule means, and how to mend what breaks it") \
    OPTION(SEEDS, "seeds", 0, "COUNT", "so many worlds; default: 10,000") \
    OPTION(SEED, "seed", 0, "NUMBER", "play this one world again and tell its story") \
    OPTION(RECORDED, "recorded", 0, NULL, "let the tools answer as they did in the store's executions") \
    OPTION(JUNIT, "junit", 0, "FILE", "the results as JUnit XML too") \
    OPTION(FROM, "from", 0, "STEP", "the step to do again, with all that depends on what it sets") \
    OPTION(WRITE, "write", 0, "STEP", "this step may write once more; as often as there are such steps") \
    OPTION(LISTEN, "listen", 0, "ADDRESS:PORT", "where the API (/v1) and MCP (/mcp) are served; port 0: the system picks; default: as `http` says") \
    OPTION(NODE, "node", 0, "NAME", "what this process is called in a fleet; default: as `node` says, else the machine's name") \
    OPTION(LOG_FORMAT, "log-format", 0, "FORMAT", "of serve: text, for people, or json, a line an object; default: as `log` says") \
    OPTION(QUICK, "quick", 0, NULL, "do not compare the file's indexes with its tables") \
    OPTION(OLDER_THAN, "older-than", 0, "SPAN", "those that ended so long ago: 30d, 12h; default: as `retention` says") \
    OPTION(DRY_RUN, "dry-run", 0, NULL, "only say what would be done") \
    OPTION(FORCE, "force", 0, NULL, "replace the file that is there") \
    OPTION(REVEAL, "reveal", 0, NULL, "sensitive values as they are (needs the key; goes into the audit log)") \
    OPTION(WHOLE, "whole", 0, NULL, "of store shred: ID's whole tree, what was rerun or forked from it, and no error if it is no more") \
    OPTION(DROP_OLD, "drop-old", 0, NULL, "add no key; remove those that wrap nothing any more") \
    OPTION(ROLE, "role", 0, "ROLE", "what it may do: viewer, operator, author or admin; as often as there are such") \
    OPTION(GRANT, "grant", 0, "ACTION", "one action more: reveal, sets.use:NAME, executions.start, ...") \
    OPTION(TENANT, "tenant", 0, "NAME", "it sees, and starts, what is of this tenant, and nothing else") \
    OPTION(EXPIRES, "expires", 0, "SPAN", "the key is good for so long: 90d, 12h; default: until it is revoked") \
    OPTION(SERVICE, "service", 0, NULL, "a service principal: chains may name it in runAs") \
    OPTION(SCOPE, "scope", 0, "SCOPES", "of tools login: ask leave for these too, separated by spaces") \
    OPTION(TRAVEL, "travel", 0, NULL, "of init: the travel pack's chains, instruction sets, templates, prompts, leads and tests")
/* clang-format on */

typedef enum ctn_opt {
#define OPTION(opt, name, letter, argument, help) CTN_OPT_##opt,
    CTN_OPTIONS(OPTION)
#undef OPTION
        CTN_OPT_COUNT,
} ctn_opt;
