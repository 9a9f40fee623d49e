/*
 * svg.c -- a picture as SVG: the boxes are measured, the layout places them, and they are written one after another.
 *
 * The file stands by itself: no script, no font, no link. Which font will be there is not known, so widths are taken
 * from a wide one (DejaVu Sans) and what is cut stands in full in the tooltip (title). Text comes from whoever wrote
 * the chain: it goes through append_text, which leaves nothing that XML could read as more than text.
 *
 * Colours are classes, given once for light and once for dark (prefers-color-scheme); a reader that knows no media
 * queries shows the light ones.
 */
#include "draw/layout.h"
#include "draw/picture.h"
#include "draw/svg_style.h"

#define MARGIN      24
#define PAD         12 /* inside a box, left and right */
#define ICON        18
#define BOX_MIN     170
#define BOX_MAX     330
#define STACK       4 /* a foreach's boxes stand behind each other */
#define TITLE_SPACE 54
#define GAP_X       36
#define GAP_Y       44
#define LABEL_SLOT  14

/* ---- text ---- */

/* Advance widths of DejaVu Sans, in thousandths of its size, from ' ' to '~'. */
static const uint16_t WIDTHS[95] = {318,  401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
                                    636,  636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
                                    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
                                    603,  787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
                                    500,  613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
                                    635,  635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838};

typedef struct font {
    int size_tenths; /* of a pixel */
    int percent;     /* bold letters are wider */
} font;
static const font NAME_FONT = {135, 111}, TEXT_FONT = {110, 100}, SMALL_FONT = {105, 100}, TITLE_FONT = {180, 111};

/* The character at the front: its bytes, and its width in thousandths. */
static size_t next_character(ctn_str s, unsigned *ret_width)
{
    unsigned char c = (unsigned char) s.ptr[0];
    if (c < 0x80) {
        *ret_width = c >= 0x20 && c < 0x7f ? WIDTHS[c - 0x20] : 318;
        return 1;
    }
    size_t bytes = ctn_str_utf8_at(s, 0);
    *ret_width = bytes >= 3 ? 1050 : 700;
    return bytes ? bytes : 1;
}

/* What fits into `width` pixels, and how wide that is. */
static size_t bytes_that_fit(ctn_str s, font f, int32_t width, int32_t *ret_width)
{
    int64_t used = 0, room = (int64_t) width * 1000000;
    size_t at = 0;
    while (at < s.len) {
        unsigned w;
        size_t bytes = next_character(ctn_str_from_offset(s, at), &w);
        int64_t more = (int64_t) w * f.size_tenths * f.percent;
        if (used + more > room)
            break;
        used += more;
        at += bytes;
    }
    *ret_width = (int32_t) ((used + 999999) / 1000000);
    return at;
}

static int32_t width_of(ctn_str s, font f)
{
    int32_t width;
    (void) bytes_that_fit(s.len > 512 ? (ctn_str){s.ptr, 512} : s, f, 100000, &width);
    return width;
}

static void append_text(ctn_buf *out, ctn_str text)
{
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char) text.ptr[i];
        size_t bytes = c < 0x80 ? 1 : ctn_str_utf8_at(text, i);
        bool is_noncharacter = bytes == 3 && c == 0xef && (unsigned char) text.ptr[i + 1] == 0xbf &&
                               (unsigned char) text.ptr[i + 2] >= 0xbe; /* U+FFFE, U+FFFF */
        if (bytes == 0 || is_noncharacter)
            ctn_buf_append_literal(out, "\xef\xbf\xbd");
        else if (ctn_str_control_at(text, i, true))
            ctn_buf_append_char(out, ' ');
        else if (c == '&')
            ctn_buf_append_literal(out, "&amp;");
        else if (c == '<')
            ctn_buf_append_literal(out, "&lt;");
        else if (c == '>')
            ctn_buf_append_literal(out, "&gt;");
        else if (c == '"')
            ctn_buf_append_literal(out, "&quot;");
        else
            ctn_buf_append(out, (ctn_str){text.ptr + i, bytes});
        i += bytes ? bytes : 1;
    }
}

/* A text element; what does not fit is cut with three dots. */
static void append_label(ctn_buf *out, const char *class_name, int32_t x, int32_t y, ctn_str text, font f, int32_t room)
{
    int32_t width;
    bool is_cut = bytes_that_fit(text, f, room, &width) < text.len;
    if (is_cut)
        text.len = bytes_that_fit(text, f, room - width_of(CTN_STR("..."), f), &width);
    ctn_buf_printf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class_name, x, y);
    append_text(out, text);
    ctn_buf_printf(out, "%s</text>\n", is_cut ? "\xe2\x80\xa6" : "");
}

/* ---- boxes ---- */

typedef struct drawing {
    const ctn_picture *p;
    ctn_arena *arena;
    ctn_buf *out;
    ctn_layout layout;
    int32_t left, top; /* of the layout in the file */
} drawing;

static int32_t badge_width(ctn_str text)
{
    int32_t width = width_of(text, SMALL_FONT) + 12;
    return width > BOX_MAX - 2 * PAD ? BOX_MAX - 2 * PAD : width;
}

/* Badges flow into lines of the box; `place` is told where each goes, or NULL. Returns the number of lines. */
typedef void place_fn(void *ctx, uint32_t badge, int32_t x, int32_t line, int32_t width);
static int32_t flow_badges(const ctn_picture_step *s, int32_t room, place_fn *place, void *ctx)
{
    int32_t line = 0, x = 0;
    for (uint32_t i = 0; i < s->badge_count; i++) {
        int32_t width = badge_width(s->badges[i]);
        if (width > room)
            width = room;
        if (x && x + width > room) {
            line++;
            x = 0;
        }
        if (place)
            place(ctx, i, x, line, width);
        x += width + 6;
    }
    return s->badge_count ? line + 1 : 0;
}

static ctn_str set_line(ctn_arena *arena, const ctn_picture_step *s)
{
    bool is_same = ctn_str_equal(s->set, s->about) || !s->about.len;
    return ctn_arena_printf(arena, "%.*s%s%.*s", CTN_STR_ARG(s->set), is_same ? "" : " \xc2\xb7 ",
                            is_same ? 0 : (int) s->about.len, is_same ? "" : s->about.ptr);
}

static ctn_str condition_line(ctn_arena *arena, const ctn_picture_step *s)
{
    return ctn_arena_printf(arena, "if %.*s", CTN_STR_ARG(s->condition));
}

static int32_t largest(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static void measure_step(ctn_arena *arena, const ctn_picture_step *s, ctn_layout_node *node)
{
    int32_t width = width_of(s->name, NAME_FONT) + ICON + 8;
    width = largest(width, width_of(set_line(arena, s), TEXT_FONT));
    if (s->condition.len)
        width = largest(width, width_of(condition_line(arena, s), SMALL_FONT) + 16);
    width = largest(width, width_of(s->foreach, TEXT_FONT));
    if (s->state.len)
        width = largest(width, width_of(s->state, SMALL_FONT) + 20);
    int32_t badges = 0;
    for (uint32_t i = 0; i < s->badge_count && i < 2; i++)
        badges += badge_width(s->badges[i]) + 6;
    width = largest(width, badges) + 2 * PAD + 4;
    node->width = width < BOX_MIN ? BOX_MIN : width > BOX_MAX ? BOX_MAX : width + width % 2;
    node->height = 52 + (s->condition.len ? 20 : 0) + (s->foreach.len ? 16 : 0) + (s->state.len ? 20 : 0) +
                   22 * flow_badges(s, node->width - 2 * PAD - 4, NULL, NULL);
    if (s->foreach.len) {
        node->width += 2 * STACK;
        node->height += 2 * STACK;
    }
}

static ctn_str joined(ctn_arena *arena, const char *none, const ctn_str *names, uint32_t count)
{
    ctn_buf text;
    ctn_buf_init(&text, 65536);
    for (uint32_t i = 0; i < count; i++)
        ctn_buf_printf(&text, "%s%.*s", i ? ", " : "", CTN_STR_ARG(names[i]));
    ctn_str kept = ctn_arena_str(arena, count ? ctn_buf_str(&text) : ctn_str_from(none));
    ctn_buf_done(&text);
    return kept;
}

static void measure_end(ctn_str names, ctn_layout_node *node)
{
    int32_t width = width_of(names, TEXT_FONT) + 36;
    node->width = width < 90 ? 90 : width > BOX_MAX + 90 ? BOX_MAX + 90 : width + width % 2;
    node->height = 40;
}

static const char *kind_class(const ctn_picture_step *s)
{
    if (s->kind == CTN_WORK_APPROVAL || s->kind == CTN_WORK_AGENT || s->kind == CTN_WORK_WAIT)
        return "k-wait";
    switch (s->effect) {
    case CTN_EFFECT_READ: return "k-read";
    case CTN_EFFECT_IDEMPOTENT: return "k-idem";
    case CTN_EFFECT_WRITE: return "k-write";
    case CTN_EFFECT_NONE:
    case CTN_EFFECT_UNKNOWN: break;
    }
    return "k-none";
}

static void append_fact(ctn_buf *out, const char *before, ctn_str text, const char *after)
{
    if (!text.len)
        return;
    ctn_buf_printf(out, "\n%s", before);
    append_text(out, text);
    ctn_buf_append(out, ctn_str_from(after));
}

static void append_tooltip(ctn_buf *out, const ctn_picture_step *s)
{
    ctn_buf_append_literal(out, "<title>");
    append_text(out, s->name);
    append_fact(out, "state: ", s->state, "");
    append_fact(out, "instruction set: ", s->set, "");
    ctn_buf_printf(out, "\n%s", ctn_work_kind_name(s->kind));
    if (s->about.len) {
        ctn_buf_append_literal(out, ": ");
        append_text(out, s->about);
    }
    ctn_buf_printf(out, "\neffect: %s%s", ctn_effect_name(s->effect),
                   s->is_assumed ? " (assumed: nobody said otherwise)" : "");
    append_fact(out, "runs if: ", s->condition, "");
    append_fact(out, "runs for ", s->foreach, "");
    append_fact(out, "reads: ", s->reads, "");
    append_fact(out, "writes: ", s->writes, "");
    for (uint32_t i = 0; i < s->badge_count; i++) {
        append_fact(out, "", s->badges[i], ": ");
        append_text(out, s->badge_titles[i]);
    }
    ctn_buf_append_literal(out, "</title>\n");
}

typedef struct badge_place {
    drawing *d;
    const ctn_picture_step *step;
    int32_t x, y;
} badge_place;

static void draw_badge(void *ctx, uint32_t badge, int32_t x, int32_t line, int32_t width)
{
    const badge_place *b = ctx;
    int32_t left = b->x + x, top = b->y + 22 * line;
    ctn_buf_printf(b->d->out, "<rect class=\"pill\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"17\" rx=\"8\"/>\n", left,
                   top, width);
    append_label(b->d->out, "t4", left + 6, top + 12, b->step->badges[badge], SMALL_FONT, width - 10);
}

static void draw_step(drawing *d, const ctn_picture_step *s, const ctn_layout_node *node)
{
    ctn_buf *out = d->out;
    int32_t stack = s->foreach.len ? STACK : 0, x = d->left + node->x, y = d->top + node->y;
    int32_t width = node->width - 2 * stack, height = node->height - 2 * stack, text_x = x + PAD + 4,
            room = width - 2 * PAD - 4;
    ctn_buf_printf(out, "<g class=\"%s%s%s\">\n", kind_class(s), s->state.len ? " st-" : "",
                   s->state.len ? ctn_step_status_name(s->status) : "");
    append_tooltip(out, s);
    for (int32_t i = stack ? 2 : 0; i >= 0; i--)
        ctn_buf_printf(out, "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n",
                       x + i * STACK, y + i * STACK, width, height);
    ctn_buf_printf(out, "<path class=\"bar%s\" d=\"M%d %dv%d\"/>\n", s->is_assumed ? " assumed" : "", x + 5, y + 9,
                   height - 18);
    int32_t at = y;
    if (s->condition.len) {
        at += 20;
        ctn_buf_printf(out, "<path class=\"diamond\" d=\"M%d %dl6 6l-6 6l-6 -6z\"/>\n", text_x + 6, at - 12);
        append_label(out, "t3", text_x + 18, at - 2, condition_line(d->arena, s), SMALL_FONT, room - 18);
    }
    ctn_buf_printf(out, "<use href=\"#catena-%s\" class=\"icon\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
                   ctn_work_kind_name(s->kind), text_x, at + 8, ICON, ICON);
    append_label(out, "t1", text_x + ICON + 7, at + 22, s->name, NAME_FONT, room - ICON - 7);
    append_label(out, "t2", text_x, at + 41, set_line(d->arena, s), TEXT_FONT, room);
    at += 41;
    if (s->foreach.len) {
        at += 16;
        append_label(out, "t3", text_x, at, s->foreach, TEXT_FONT, room);
    }
    if (s->badge_count) {
        badge_place place = {.d = d, .step = s, .x = text_x, .y = at + 8};
        at += 22 * flow_badges(s, room, draw_badge, &place);
    }
    if (s->state.len) {
        at += 20;
        ctn_buf_printf(out, "<circle class=\"dot\" cx=\"%d\" cy=\"%d\" r=\"5\"/>\n", text_x + 6, at - 4);
        append_label(out, "t5", text_x + 18, at, s->state, SMALL_FONT, room - 18);
    }
    ctn_buf_append_literal(out, "</g>\n");
}

static void draw_end(drawing *d, const char *title, ctn_str names, const ctn_layout_node *node)
{
    int32_t x = d->left + node->x, y = d->top + node->y;
    ctn_buf_printf(d->out, "<g><title>%s: ", title);
    append_text(d->out, names);
    ctn_buf_printf(d->out, "</title>\n<rect class=\"end\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"20\"/>\n",
                   x, y, node->width, node->height);
    append_label(d->out, "t3 mid", x + node->width / 2, y + 16, ctn_str_from(title), SMALL_FONT, node->width);
    append_label(d->out, "t6 mid", x + node->width / 2, y + 30, names, TEXT_FONT, node->width - 28);
    ctn_buf_append_literal(d->out, "</g>\n");
}

/* ---- lines ---- */

static ctn_str node_name(const ctn_picture *p, uint32_t node)
{
    return node == p->inputs_node    ? CTN_STR("inputs")
           : node == p->outputs_node ? CTN_STR("outputs")
                                     : p->steps[node].name;
}

static void draw_line(drawing *d, const ctn_layout_edge *line, const ctn_picture_edge *edge)
{
    ctn_buf *out = d->out;
    const ctn_layout_point *at = line->points;
    ctn_buf_printf(out, "<g><title>%.*s \xe2\x86\x92 %.*s", CTN_STR_ARG(node_name(d->p, edge->from)),
                   CTN_STR_ARG(node_name(d->p, edge->to)));
    append_fact(out, "", edge->carries, "");
    ctn_buf_printf(out, "</title><path class=\"line%s\" d=\"M%d %d", edge->carries.len ? "" : " bare",
                   d->left + at[0].x, d->top + at[0].y);
    for (uint32_t i = 1; i < line->point_count; i++) {
        ctn_layout_point a = at[i - 1], b = at[i];
        bool is_end = i + 1 == line->point_count;
        int32_t y = d->top + b.y - (is_end ? 6 : 0); /* the arrow's head is the rest */
        if (i % 2 && !is_end)
            ctn_buf_printf(out, "V%d", y);
        else if (a.x == b.x)
            ctn_buf_printf(out, "V%d", y);
        else {
            int32_t bend = (b.y - a.y) / 2;
            ctn_buf_printf(out, "C%d %d %d %d %d %d", d->left + a.x, d->top + a.y + bend, d->left + b.x, y - bend,
                           d->left + b.x, y);
        }
    }
    ctn_layout_point end = at[line->point_count - 1];
    ctn_buf_printf(out, "\"/><path class=\"head\" d=\"M%d %dl-4 -8h8z\"/></g>\n", d->left + end.x, d->top + end.y - 1);
}

/* A line's label stands at the end where it is the only one, below the upper box or above the lower: so labels of a row
 * cannot meet, being no wider than their boxes. */
static void draw_label(drawing *d, const ctn_layout_edge *line, const ctn_picture_edge *edge, const uint32_t *leaving,
                       const uint32_t *reaching)
{
    if (!edge->carries.len || (leaving[edge->from] > 1 && reaching[edge->to] > 1))
        return;
    bool is_lower = reaching[edge->to] == 1;
    const ctn_layout_node *node = &d->layout.nodes[is_lower ? edge->to : edge->from];
    int32_t x = d->left + line->points[is_lower ? line->point_count - 1 : 0].x;
    int32_t y = is_lower ? d->top + node->y - 13 : d->top + line->points[1].y + 12;
    int32_t room = node->width + GAP_X - 16, width = width_of(edge->carries, SMALL_FONT);
    width = (width > room ? room : width) + 6;
    ctn_buf_printf(d->out, "<rect class=\"bg\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"13\" rx=\"3\"/>\n",
                   x - width / 2, y - 10, width);
    append_label(d->out, "t7 mid", x, y, edge->carries, SMALL_FONT, room);
}

/* ---- the file ---- */

static void append_list(ctn_buf *out, const ctn_picture *p)
{
    append_text(out, p->summary);
    ctn_buf_append_char(out, '.');
    append_fact(out, "", p->description, "");
    for (uint32_t i = 0; i < p->step_count && i < 200; i++) {
        ctn_buf_printf(out, "\n%u. ", i + 1);
        append_text(out, p->steps[i].name);
        append_fact(out, "   if ", p->steps[i].condition, "");
    }
}

static void draw_legend(drawing *d, int32_t y)
{
    static const struct {
        const char *class_name, *word;
    } ROWS[] = {{"k-read", "reads"},
                {"k-idem", "idempotent"},
                {"k-write", "writes"},
                {"k-wait", "waits"},
                {"k-none", "no effect"}};
    int32_t x = d->left;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        bool is_used = false;
        for (uint32_t s = 0; s < d->p->step_count && !is_used; s++)
            is_used = strcmp(kind_class(&d->p->steps[s]), ROWS[i].class_name) == 0;
        if (!is_used)
            continue;
        ctn_buf_printf(d->out, "<g class=\"%s\"><path class=\"bar\" d=\"M%d %dv11\"/>", ROWS[i].class_name, x + 2,
                       y - 10);
        append_label(d->out, "t4", x + 9, y, ctn_str_from(ROWS[i].word), SMALL_FONT, 200);
        ctn_buf_append_literal(d->out, "</g>");
        x += 9 + width_of(ctn_str_from(ROWS[i].word), SMALL_FONT) + 16;
    }
}

static void measure(drawing *d, ctn_str inputs, ctn_str outputs)
{
    const ctn_picture *p = d->p;
    ctn_layout *l = &d->layout;
    l->node_count = p->step_count + 2;
    l->nodes = CTN_NEW_ARRAY(d->arena, ctn_layout_node, l->node_count);
    for (uint32_t i = 0; i < p->step_count; i++)
        measure_step(d->arena, &p->steps[i], &l->nodes[i]);
    measure_end(inputs, &l->nodes[p->inputs_node]);
    measure_end(outputs, &l->nodes[p->outputs_node]);
    l->edge_count = p->edge_count;
    l->edges = CTN_NEW_ARRAY(d->arena, ctn_layout_edge, l->edge_count);
    bool has_label = false;
    for (uint32_t e = 0; e < p->edge_count; e++) {
        l->edges[e] = (ctn_layout_edge){.from = p->edges[e].from, .to = p->edges[e].to};
        has_label = has_label || p->edges[e].carries.len;
    }
    l->gap_x = GAP_X;
    l->gap_y = GAP_Y + (has_label ? LABEL_SLOT : 0);
    ctn_layout_compute(l, d->arena);
}

/* One symbol a kind; a step's box uses the one of its kind's name. */
static void append_icons(ctn_buf *out)
{
    ctn_buf_append_literal(out, "<defs>\n");
    for (int kind = 0; kind < CTN_WORK_KIND_COUNT; kind++)
        ctn_buf_printf(out, "<symbol id=\"catena-%s\" viewBox=\"0 0 16 16\"><path d=\"%s\"/></symbol>\n",
                       ctn_work_kind_name((ctn_work_kind) kind), ctn_svg_icon((ctn_work_kind) kind));
    ctn_buf_append_literal(out, "</defs>\n");
}

void ctn_picture_svg(const ctn_picture *p, ctn_arena *scratch, ctn_buf *out)
{
    drawing d = {.p = p, .arena = scratch, .out = out, .left = MARGIN, .top = MARGIN + TITLE_SPACE};
    ctn_str inputs = joined(scratch, "none", p->inputs, p->input_count),
            outputs = joined(scratch, "none", p->outputs, p->output_count);
    measure(&d, inputs, outputs);
    ctn_str subtitle = ctn_arena_printf(scratch, "%.*s \xc2\xb7 %.*s", CTN_STR_ARG(p->id), CTN_STR_ARG(p->summary));
    int32_t title_width = largest(width_of(p->name, TITLE_FONT), width_of(subtitle, TEXT_FONT));
    int32_t width = largest(d.layout.width, largest(title_width > 700 ? 700 : title_width, 380));
    d.left += (width - d.layout.width) / 2;
    width += 2 * MARGIN;
    int32_t height = d.top + d.layout.height + 34 + MARGIN / 2;
    ctn_buf_printf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"catena\" role=\"img\" width=\"%d\" height=\"%d\" "
                   "viewBox=\"0 0 %d %d\">\n<title>",
                   width, height, width, height);
    append_text(out, p->name);
    ctn_buf_append_literal(out, "</title>\n<desc>");
    append_list(out, p);
    ctn_buf_append_literal(out, "</desc>\n");
    ctn_buf_append(out, ctn_str_from(CTN_SVG_STYLE));
    append_icons(out);
    ctn_buf_printf(out, "<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n", width, height);
    append_label(out, "t0", MARGIN, MARGIN + 14, p->name, TITLE_FONT, width - 2 * MARGIN);
    append_label(out, "t2", MARGIN, MARGIN + 32, subtitle, TEXT_FONT, width - 2 * MARGIN);
    uint32_t *leaving = CTN_NEW_ARRAY(scratch, uint32_t, d.layout.node_count),
             *reaching = CTN_NEW_ARRAY(scratch, uint32_t, d.layout.node_count);
    for (uint32_t e = 0; e < p->edge_count; e++) {
        leaving[p->edges[e].from]++;
        reaching[p->edges[e].to]++;
        draw_line(&d, &d.layout.edges[e], &p->edges[e]);
    }
    draw_end(&d, "inputs", inputs, &d.layout.nodes[p->inputs_node]);
    for (uint32_t i = 0; i < p->step_count; i++)
        draw_step(&d, &p->steps[i], &d.layout.nodes[i]);
    draw_end(&d, "outputs", outputs, &d.layout.nodes[p->outputs_node]);
    for (uint32_t e = 0; e < p->edge_count; e++)
        draw_label(&d, &d.layout.edges[e], &p->edges[e], leaving, reaching);
    d.left = MARGIN;
    draw_legend(&d, height - MARGIN / 2 - 4);
    ctn_buf_append_literal(out, "</svg>\n");
}
