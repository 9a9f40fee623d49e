/*
 * mermaid.c -- a picture as a Mermaid flowchart.
 *
 * Everything that a name could break out with is written as a character code (#35; is Mermaid's own escape), inside
 * quotes. Nodes are numbered, because a step may be called `end` or `graph`, which Mermaid takes for words of its own.
 */
#include "draw/picture.h"

/* Letters, digits and what never means anything inside quotes; bytes of UTF-8 as they are. */
static bool is_safe(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == ' ' ||
           c == '_' || c == ',' || c == '.' || c == '?' || c == '!' || c == '/' || c == '\'' || c == ':' || c == '-' ||
           c == '+';
}

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
        bool is_code = !is_safe(c);
        /* "http://" would become a link, "--" a comment's end */
        if (i && (c == '/' || c == '-') && text.ptr[i - 1] == text.ptr[i])
            is_code = true;
        if (is_code)
            ctn_buf_printf(out, "#%u;", c);
        else
            ctn_buf_append_char(out, (char) c);
    }
}

static void append_line(ctn_buf *out, const char *before, ctn_str text)
{
    if (!text.len)
        return;
    ctn_buf_append_literal(out, "<br/>");
    append_text(out, ctn_str_from(before));
    append_text(out, text);
}

typedef struct shape {
    const char *open, *close;
} shape;

static shape shape_of(const ctn_picture_step *s)
{
    switch (s->kind) {
    case CTN_WORK_WAIT: return (shape){"([\"", "\"])"};
    case CTN_WORK_APPROVAL:
    case CTN_WORK_AGENT: return (shape){"[/\"", "\"/]"};
    case CTN_WORK_CHAIN: return (shape){"[[\"", "\"]]"};
    default: return s->condition.len ? (shape){"{{\"", "\"}}"} : (shape){"[\"", "\"]"};
    }
}

static void append_step(ctn_buf *out, const ctn_picture_step *s, uint32_t number)
{
    shape sh = shape_of(s);
    ctn_buf_printf(out, "    s%u%s", number, sh.open);
    if (s->condition.len) {
        ctn_buf_append_literal(out, "if ");
        append_text(out, s->condition);
        ctn_buf_append_literal(out, "<br/>");
    }
    append_text(out, s->name);
    append_line(out, "", s->set);
    append_line(out, "", s->foreach);
    for (uint32_t i = 0; i < s->badge_count; i++)
        append_line(out, "", s->badges[i]);
    append_line(out, "", s->state);
    ctn_buf_append(out, ctn_str_from(sh.close));
    if (s->state.len)
        ctn_buf_printf(out, ":::%s", ctn_step_status_name(s->status));
    else if (s->effect == CTN_EFFECT_WRITE)
        ctn_buf_append_literal(out, ":::write");
    ctn_buf_append_char(out, '\n');
}

static void append_end(ctn_buf *out, const char *id, const char *title, const ctn_str *names, uint32_t count)
{
    ctn_buf_printf(out, "    %s([\"%s", id, title);
    for (uint32_t i = 0; i < count; i++) {
        ctn_buf_append(out, ctn_str_from(i ? ", " : ": "));
        append_text(out, names[i]);
    }
    ctn_buf_append_literal(out, "\"])\n");
}

static void append_node_id(ctn_buf *out, const ctn_picture *p, uint32_t node)
{
    if (node == p->inputs_node)
        ctn_buf_append_literal(out, "inputs");
    else if (node == p->outputs_node)
        ctn_buf_append_literal(out, "outputs");
    else
        ctn_buf_printf(out, "s%u", node + 1);
}

/* Those that are used. */
static void append_classes(ctn_buf *out, const ctn_picture *p)
{
    static const char *const STYLES[CTN_STEP_STATUS_COUNT] = {
        [CTN_STEP_PENDING] = "stroke-dasharray:2",
        [CTN_STEP_RUNNING] = "stroke:#2563eb,stroke-width:2px",
        [CTN_STEP_RETRYING] = "stroke:#d97706,stroke-width:2px",
        [CTN_STEP_WAITING] = "stroke:#7c3aed,stroke-width:2px",
        [CTN_STEP_INTERRUPTED] = "stroke:#d97706,stroke-width:2px",
        [CTN_STEP_COMPLETED] = "stroke:#16a34a,stroke-width:2px",
        [CTN_STEP_SKIPPED] = "stroke-dasharray:4",
        [CTN_STEP_FAILED] = "stroke:#dc2626,stroke-width:2px",
        [CTN_STEP_COMPENSATED] = "stroke:#d97706,stroke-width:2px"};
    bool is_used[CTN_STEP_STATUS_COUNT] = {false}, has_write = false;
    for (uint32_t i = 0; i < p->step_count; i++) {
        const ctn_picture_step *s = &p->steps[i];
        if (s->state.len)
            is_used[s->status] = true;
        else
            has_write = has_write || s->effect == CTN_EFFECT_WRITE;
    }
    if (has_write)
        ctn_buf_append_literal(out, "    classDef write stroke:#d97706,stroke-width:2px\n");
    for (int s = 0; s < CTN_STEP_STATUS_COUNT; s++)
        if (is_used[s])
            ctn_buf_printf(out, "    classDef %s %s\n", ctn_step_status_name((ctn_step_status) s), STYLES[s]);
}

/* YAML, so as JSON quotes it, without control characters. */
static void append_title(ctn_buf *out, ctn_str text)
{
    ctn_buf clean;
    ctn_buf_init(&clean, text.len + 1);
    for (size_t at = 0; at < text.len;) {
        size_t control = ctn_str_control_at(text, at, true);
        ctn_buf_append_char(&clean, control ? ' ' : text.ptr[at]);
        at += control ? control : 1;
    }
    ctn_json_write_string(out, ctn_buf_str(&clean));
    ctn_buf_done(&clean);
}

void ctn_picture_mermaid(const ctn_picture *p, ctn_buf *out)
{
    ctn_buf_append_literal(out, "---\ntitle: ");
    append_title(out, p->name);
    ctn_buf_append_literal(out, "\n---\nflowchart TD\n");
    append_end(out, "inputs", p->input_count ? "inputs" : "no inputs", p->inputs, p->input_count);
    for (uint32_t i = 0; i < p->step_count; i++)
        append_step(out, &p->steps[i], i + 1);
    append_end(out, "outputs", p->output_count ? "outputs" : "no outputs", p->outputs, p->output_count);
    for (uint32_t i = 0; i < p->edge_count; i++) {
        const ctn_picture_edge *e = &p->edges[i];
        ctn_buf_append_literal(out, "    ");
        append_node_id(out, p, e->from);
        ctn_buf_append_literal(out, " -->");
        if (e->carries.len) {
            ctn_buf_append_literal(out, "|\"");
            append_text(out, e->carries);
            ctn_buf_append_literal(out, "\"|");
        }
        ctn_buf_append_char(out, ' ');
        append_node_id(out, p, e->to);
        ctn_buf_append_char(out, '\n');
    }
    append_classes(out, p);
}
