/* outgoing.c -- see outgoing.h. */
#include "check/outgoing.h"

typedef struct outgoing_list {
    const ctn_instruction_set *set;
    ctn_arena *arena;
    ctn_outgoing common; /* of the text that is read */
    ctn_outgoing *first, **end;
} outgoing_list;

static void on_read(void *ctx, const ctn_read *read, const ctn_json *node)
{
    outgoing_list *list = ctx;
    if (ctn_source_allows_at(list->set->source, node, "sensitive-flow"))
        return;
    ctn_outgoing *out = CTN_NEW(list->arena, ctn_outgoing);
    *out = list->common;
    out->read = *read;
    out->node = node;
    *list->end = out;
    list->end = &out->next;
}

static void add_tree(outgoing_list *list, const ctn_chain_tree *tree, const char *where)
{
    list->common.where = where;
    if (tree->tree)
        ctn_tree_reads(tree->tree, list->arena, on_read, list);
}

static void add_member(outgoing_list *list, const ctn_work *work, const char *name, const char *where)
{
    list->common.where = where;
    for (size_t i = 0; work->arguments.tree && i < ctn_tree_member_count(work->arguments.tree); i++) {
        ctn_str member;
        const ctn_tree *tree = ctn_tree_member(work->arguments.tree, i, &member);
        if (ctn_str_is(member, name))
            ctn_tree_reads(tree, list->arena, on_read, list);
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
            add_tree(list, &work->arguments, "a tool");
        break;
    case CTN_WORK_HTTP: /* a header may carry a secret */
        add_member(list, work, "url", "the url of an http call");
        add_member(list, work, "body", "the body of an http call");
        break;
    case CTN_WORK_COMMAND: add_member(list, work, "argv", "the arguments of a command"); break;
    case CTN_WORK_NATIVE:
    case CTN_WORK_TRANSFORM:
    case CTN_WORK_WAIT:
    case CTN_WORK_APPROVAL:
    case CTN_WORK_CHAIN:
    case CTN_WORK_CALLS:
    case CTN_WORK_UNKNOWN: break; /* it stays with us, or is looked at for itself */
    default: add_tree(list, &work->arguments, ctn_work_kind_what(work->kind)); break;
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
