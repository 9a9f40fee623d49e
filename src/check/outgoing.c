/* outgoing.c -- see outgoing.h. */
#include "check/outgoing.h"

typedef struct outgoing_list {
    const ctn_instruction_set *set;
    ctn_arena *arena;
    ctn_outgoing common; /* of the text that is read */
    ctn_outgoing *first, **end;
} outgoing_list;

static void add_tree(outgoing_list *list, const ctn_tree *tree, const char *where)
{
    ctn_reads reads = {0};
    ctn_tree_reads(tree, list->arena, &reads);
    list->common.where = where;
    for (size_t i = 0; i < reads.count; i++) {
        if (ctn_source_allows_at(list->set->source, reads.items[i].node, "sensitive-flow"))
            continue;
        ctn_outgoing *out = CTN_NEW(list->arena, ctn_outgoing);
        *out = list->common;
        out->read = reads.items[i];
        *list->end = out;
        list->end = &out->next;
    }
}

static void add_work(outgoing_list *list, const ctn_check_options *options, const ctn_work *work, uint32_t call)
{
    ctn_check_tool tool = {0};
    list->common.work = work;
    list->common.call = call;
    switch (work->kind) {
    case CTN_WORK_TOOL:
        if (!ctn_check_ask_tool(options, ctn_json_text(work->detail), &tool) || !tool.is_closed_world)
            add_tree(list, work->arguments.tree, "a tool");
        break;
    case CTN_WORK_HTTP: /* a header may carry a secret */
        add_tree(list, ctn_tree_get(work->arguments.tree, CTN_STR("url")), "the url of an http call");
        add_tree(list, ctn_tree_get(work->arguments.tree, CTN_STR("query")), "the query of an http call");
        add_tree(list, ctn_tree_get(work->arguments.tree, CTN_STR("body")), "the body of an http call");
        break;
    case CTN_WORK_COMMAND:
        add_tree(list, ctn_tree_get(work->arguments.tree, CTN_STR("argv")), "the arguments of a command");
        add_tree(list, ctn_tree_get(work->arguments.tree, CTN_STR("stdin")), "the input of a command");
        break;
    case CTN_WORK_NATIVE:
    case CTN_WORK_TRANSFORM:
    case CTN_WORK_WAIT:
    case CTN_WORK_APPROVAL:
    case CTN_WORK_CHAIN:
    case CTN_WORK_CALLS:
    case CTN_WORK_UNKNOWN: break; /* it stays with us, or is looked at for itself */
    default: add_tree(list, work->arguments.tree, ctn_work_kind_what(work->kind)); break;
    }
}

const ctn_outgoing *ctn_outgoing_of(const ctn_instruction_set *set, const ctn_check_options *options, ctn_arena *arena)
{
    outgoing_list list = {.set = set, .arena = arena};
    list.end = &list.first;
    if (ctn_source_allows_at(set->source, set->name_node, "sensitive-flow"))
        return NULL;
    add_work(&list, options, &set->work, 0);
    for (uint32_t i = 0; i < set->call_count; i++)
        add_work(&list, options, &set->calls[i], i);
    if (set->check)
        add_work(&list, options, set->check, 0);
    return list.first;
}

bool ctn_outgoing_is_released(const ctn_json *release, ctn_str name)
{
    const ctn_str prefix = CTN_STR("secret.");
    return ctn_json_has_text(release, name) ||
           (ctn_str_starts_with(name, prefix) && ctn_json_has_text(release, ctn_str_from_offset(name, prefix.len)));
}
