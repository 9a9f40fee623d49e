/*
 * dot.c -- a picture in the language of Graphviz. Inside quotes the quote and the backslash mean something to dot, and
 * in labels the ampersand, which begins an entity.
 */
#include "draw/picture.h"

static void append_text(ctn_buf *out, ctn_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char) text.ptr[i];
        size_t control = ctn_str_control_at(text, i, true);
        if (control) {
            ctn_buf_append_char(out, ' ');
            i += control - 1;
            continue;
        }
        if (c == '"' || c == '\\')
            ctn_buf_append_char(out, '\\');
        if (c == '&') /* dot reads entities */
            ctn_buf_append_literal(out, "&amp;");
        else
            ctn_buf_append_char(out, (char) c);
    }
}

static void append_quoted(ctn_buf *out, ctn_str text)
{
    ctn_buf_append_char(out, '"');
    append_text(out, text);
    ctn_buf_append_char(out, '"');
}

static void append_line(ctn_buf *out, ctn_str text)
{
    if (!text.len)
        return;
    ctn_buf_append_literal(out, "\\n");
    append_text(out, text);
}

static const char *colour_of(const ctn_picture_step *s)
{
    static const char *const BY_STATUS[CTN_STEP_STATUS_COUNT] = {
        [CTN_STEP_PENDING] = "#9ca3af", [CTN_STEP_RUNNING] = "#2563eb",     [CTN_STEP_RETRYING] = "#d97706",
        [CTN_STEP_WAITING] = "#7c3aed", [CTN_STEP_INTERRUPTED] = "#d97706", [CTN_STEP_COMPLETED] = "#16a34a",
        [CTN_STEP_SKIPPED] = "#9ca3af", [CTN_STEP_FAILED] = "#dc2626",      [CTN_STEP_COMPENSATED] = "#d97706"};
    if (s->state.len)
        return BY_STATUS[s->status];
    switch (s->effect) {
    case CTN_EFFECT_READ: return "#2563eb";
    case CTN_EFFECT_IDEMPOTENT: return "#0d9488";
    case CTN_EFFECT_WRITE: return "#d97706";
    case CTN_EFFECT_NONE:
    case CTN_EFFECT_UNKNOWN: break;
    }
    return "#6b7280";
}

static const char *shape_of(const ctn_picture_step *s)
{
    switch (s->kind) {
    case CTN_WORK_WAIT: return "oval";
    case CTN_WORK_APPROVAL:
    case CTN_WORK_AGENT: return "parallelogram";
    case CTN_WORK_CHAIN: return "component";
    default: return s->condition.len ? "hexagon" : "box";
    }
}

static void append_step(ctn_buf *out, const ctn_picture_step *s)
{
    ctn_buf_append_literal(out, "  ");
    append_quoted(out, s->name);
    ctn_buf_append_literal(out, " [label=\"");
    if (s->condition.len) {
        ctn_buf_append_literal(out, "if ");
        append_text(out, s->condition);
        ctn_buf_append_literal(out, "\\n");
    }
    append_text(out, s->name);
    append_line(out, s->set);
    append_line(out, s->foreach);
    for (uint32_t i = 0; i < s->badge_count; i++)
        append_line(out, s->badges[i]);
    append_line(out, s->state);
    ctn_buf_printf(out, "\", shape=%s, color=\"%s\"%s, tooltip=\"", shape_of(s), colour_of(s),
                   s->foreach.len ? ", peripheries=2" : "");
    append_text(out, s->about);
    if (s->reads.len) {
        append_line(out, CTN_STR("reads "));
        append_text(out, s->reads);
    }
    if (s->writes.len) {
        append_line(out, CTN_STR("writes "));
        append_text(out, s->writes);
    }
    ctn_buf_append_literal(out, "\"];\n");
}

static void append_end(ctn_buf *out, const char *title, const ctn_str *names, uint32_t count)
{
    ctn_buf_printf(out, "  \"(%s)\" [label=\"%s%s", title, count ? "" : "no ", title);
    for (uint32_t i = 0; i < count; i++)
        append_line(out, names[i]);
    ctn_buf_append_literal(out, "\", shape=oval, color=\"#9ca3af\"];\n");
}

/* No step has a bracket in its name. */
static void append_node(ctn_buf *out, const ctn_picture *p, uint32_t node)
{
    if (node == p->inputs_node)
        ctn_buf_append_literal(out, "\"(inputs)\"");
    else if (node == p->outputs_node)
        ctn_buf_append_literal(out, "\"(outputs)\"");
    else
        append_quoted(out, p->steps[node].name);
}

void ctn_picture_dot(const ctn_picture *p, ctn_buf *out)
{
    ctn_buf_append_literal(out, "digraph ");
    append_quoted(out, p->id);
    ctn_buf_append_literal(out, " {\n  rankdir=TB;\n  label=");
    append_quoted(out, p->name);
    ctn_buf_append_literal(
        out, ";\n  labelloc=t;\n  node [fontname=\"Helvetica\", fontsize=11, style=rounded, penwidth=1.5];\n"
             "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#6b7280\"];\n");
    append_end(out, "inputs", p->inputs, p->input_count);
    for (uint32_t i = 0; i < p->step_count; i++)
        append_step(out, &p->steps[i]);
    append_end(out, "outputs", p->outputs, p->output_count);
    for (uint32_t i = 0; i < p->edge_count; i++) {
        const ctn_picture_edge *e = &p->edges[i];
        ctn_buf_append_literal(out, "  ");
        append_node(out, p, e->from);
        ctn_buf_append_literal(out, " -> ");
        append_node(out, p, e->to);
        if (e->carries.len) {
            ctn_buf_append_literal(out, " [label=");
            append_quoted(out, e->carries);
            ctn_buf_append_char(out, ']');
        }
        ctn_buf_append_literal(out, ";\n");
    }
    ctn_buf_append_literal(out, "}\n");
}
