/*
 * expression_parse.c -- from text to tree, by recursive descent without a separate lexer.
 *
 *     conditional  or ? conditional : conditional
 *     or           and { (|| | or) and }
 *     and          negation { (&& | and) negation }
 *     negation     not negation | comparison
 *     comparison   sum [ (== != < <= > >= | [not] in | matches) sum ]
 *     sum          product { (+ | -) product }
 *     product      unary { (* | / | %) unary }
 *     unary        (! | -) unary | primary
 *     primary      literal | {path} | path | name(arguments) | [list] | ( conditional )
 *
 * `!` binds as tightly as in C, `not` as loosely as in Python: each as its readers expect. Comparisons do not
 * chain. A verdict may stand only where its value is the value of the whole expression: alone, in
 * parentheses, or as a branch of a conditional that does.
 *
 * Depth: every way down goes through conditional, negation or unary, and these count levels.
 */
#include "value/expression_node.h"
#include "base/memory.h"
#include "value/literal.h"

#define TEXT_BYTES_MAX 65536

typedef struct parser {
    ctn_arena *arena;
    ctn_str text;
    size_t at;
    int level;
    ctn_err *err;
} parser;

static int parse_conditional(parser *p, bool is_result, expression_node **ret_node);

/* ---- small tools ---- */

static int fail(parser *p, size_t at, const char *sentence)
{
    return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (at + 1), "%s", sentence);
}

static char peek(parser *p)
{
    p->at = ctn_skip_blanks(p->text, p->at);
    return p->at < p->text.len ? p->text.ptr[p->at] : '\0';
}

static char peek_second(const parser *p)
{
    return p->at + 1 < p->text.len ? p->text.ptr[p->at + 1] : '\0';
}

/* The word at the current place, empty if none begins there. */
static ctn_str peek_word(parser *p)
{
    (void) peek(p);
    return (ctn_str){p->text.ptr + p->at, ctn_skip_name(p->text, p->at) - p->at};
}

static bool take_word(parser *p, const char *word)
{
    ctn_str s = peek_word(p);
    if (!ctn_str_is(s, word))
        return false;
    p->at += s.len;
    return true;
}

static bool take(parser *p, const char *sign)
{
    (void) peek(p);
    if (!ctn_str_starts_with(ctn_str_from_offset(p->text, p->at), ctn_str_from(sign)))
        return false;
    p->at += strlen(sign);
    return true;
}

static expression_node *new_node(parser *p, node_kind kind, size_t offset)
{
    expression_node *node = CTN_NEW(p->arena, expression_node);
    node->kind = kind;
    node->offset = (uint32_t) offset;
    return node;
}

/* Children while their number is not known. */
typedef struct node_list {
    expression_node **nodes;
    uint8_t *ops;
    uint32_t count, capacity;
} node_list;

static void add_child(parser *p, node_list *list, expression_node *node, operator_kind op_before)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
        expression_node **nodes = CTN_NEW_ARRAY(p->arena, expression_node *, capacity);
        uint8_t *ops = CTN_NEW_ARRAY(p->arena, uint8_t, capacity);
        if (list->count) {
            memcpy(nodes, list->nodes, list->count * sizeof *nodes);
            memcpy(ops, list->ops, list->count);
        }
        *list = (node_list){nodes, ops, list->count, capacity};
    }
    if (list->count)
        list->ops[list->count - 1] = (uint8_t) op_before;
    list->nodes[list->count++] = node;
}

static expression_node *node_of_list(parser *p, node_kind kind, size_t offset, const node_list *list)
{
    expression_node *node = new_node(p, kind, offset);
    node->children = list->nodes;
    node->ops = list->ops;
    node->count = list->count;
    return node;
}

static expression_node *node_of(parser *p, node_kind kind, size_t offset, expression_node *a, expression_node *b)
{
    node_list list = {0};
    add_child(p, &list, a, OP_EQUAL);
    if (b)
        add_child(p, &list, b, OP_EQUAL);
    return node_of_list(p, kind, offset, &list);
}

static int enter(parser *p)
{
    if (++p->level > CTN_EXPRESSION_LEVELS_MAX)
        return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (p->at + 1),
                           "the expression is nested more than %d levels deep", CTN_EXPRESSION_LEVELS_MAX);
    return CTN_OK;
}

/* ---- primary ---- */

/* {path}, with blanks allowed and {path?} taken for the same. */
static int parse_braced_path(parser *p, expression_node **ret_node)
{
    size_t brace = p->at++;
    expression_node *node = new_node(p, NODE_PATH, brace);
    (void) peek(p);
    size_t bytes;
    if (ctn_path_parse(p->arena, ctn_str_from_offset(p->text, p->at), &node->path, &bytes, NULL))
        return fail(p, p->at, "expected the name of a variable after '{'");
    node->path_offset = (uint32_t) p->at;
    p->at += bytes;
    (void) take(p, "?");
    if (peek(p) == '|')
        return fail(p, p->at, "filters belong to templates; in an expression use functions: upper({x}), length({x})");
    if (!take(p, "}"))
        return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (p->at + 1), "expected '}' after {%.*s",
                           CTN_STR_ARG(node->path.text));
    *ret_node = node;
    return CTN_OK;
}

static int parse_list(parser *p, expression_node **ret_node)
{
    size_t start = p->at++;
    node_list list = {0};
    while (!take(p, "]")) {
        if (list.count && !take(p, ","))
            return fail(p, p->at, "expected ',' or ']' in this list");
        expression_node *item = NULL;
        int rc = parse_conditional(p, false, &item);
        if (rc)
            return rc;
        add_child(p, &list, item, OP_EQUAL);
    }
    *ret_node = node_of_list(p, NODE_LIST, start, &list);
    return CTN_OK;
}

static int parse_call(parser *p, ctn_str name, size_t start, expression_node **ret_node)
{
    const expression_function *function = expression_function_find(name);
    if (!function)
        return expression_function_fail_unknown(name, start, p->err);
    (void) take(p, "(");
    node_list list = {0};
    while (!take(p, ")")) {
        if (list.count && !take(p, ","))
            return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (p->at + 1),
                               "expected ',' or ')' in the call of %s", function->name);
        expression_node *arg = NULL;
        int rc = parse_conditional(p, false, &arg);
        if (rc)
            return rc;
        add_child(p, &list, arg, OP_EQUAL);
    }
    if (list.count < function->args_min || list.count > function->args_max)
        return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (start + 1), "%s has %u argument%s; it is written %s",
                           function->name, list.count, list.count == 1 ? "" : "s", function->usage);
    *ret_node = node_of_list(p, NODE_CALL, start, &list);
    (*ret_node)->function = function;
    return CTN_OK;
}

static ctn_verdict verdict_of(ctn_str word)
{
    if (ctn_str_is(word, "skip"))
        return CTN_VERDICT_SKIP;
    if (ctn_str_is(word, "continue"))
        return CTN_VERDICT_CONTINUE;
    return ctn_str_is(word, "fail") ? CTN_VERDICT_FAIL : CTN_VERDICT_NONE;
}

/* A word: literal, verdict, function call or bare path. */
static int parse_word(parser *p, bool is_result, expression_node **ret_node)
{
    size_t start = p->at;
    ctn_str word = peek_word(p);
    char next = '\0';
    size_t after = ctn_skip_blanks(p->text, start + word.len);
    if (after < p->text.len)
        next = p->text.ptr[after];
    if (next == '(') {
        p->at = start + word.len;
        return parse_call(p, word, start, ret_node);
    }
    static const char *const operators[] = {"and", "or", "not", "in", "matches"};
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (ctn_str_is(word, operators[i]))
            return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (start + 1),
                               "expected a value before '%s'; a variable of that name is written {%s}", operators[i],
                               operators[i]);
    bool is_whole_word = next != '.' && next != '[';
    ctn_verdict verdict = is_whole_word ? verdict_of(word) : CTN_VERDICT_NONE;
    if (verdict) {
        if (!is_result)
            return ctn_fail_at(
                p->err, CTN_E_INVALID, 1, (uint32_t) (start + 1),
                "'%.*s' is a verdict and can only be the result: condition ? %.*s : continue; a variable of that "
                "name is written {%.*s}",
                CTN_STR_ARG(word), CTN_STR_ARG(word), CTN_STR_ARG(word));
        *ret_node = new_node(p, NODE_VERDICT, start);
        (*ret_node)->verdict = verdict;
        p->at = start + word.len;
        return CTN_OK;
    }
    if (is_whole_word && (ctn_str_is(word, "true") || ctn_str_is(word, "false") || ctn_str_is(word, "null"))) {
        *ret_node = new_node(p, NODE_LITERAL, start);
        return ctn_literal_parse(p->arena, p->text, &p->at, &(*ret_node)->literal, p->err);
    }
    expression_node *node = new_node(p, NODE_PATH, start);
    size_t bytes;
    int rc = ctn_path_parse(p->arena, ctn_str_from_offset(p->text, start), &node->path, &bytes, NULL);
    if (rc)
        return fail(p, start, "expected a value");
    node->path_offset = (uint32_t) start;
    p->at = start + bytes;
    *ret_node = node;
    return CTN_OK;
}

static int parse_primary(parser *p, bool is_result, expression_node **ret_node)
{
    char c = peek(p);
    size_t start = p->at;
    if (c == '{')
        return parse_braced_path(p, ret_node);
    if (c == '[')
        return parse_list(p, ret_node);
    if (c == '(') {
        p->at++;
        int rc = parse_conditional(p, is_result, ret_node);
        if (rc)
            return rc;
        if (!take(p, ")"))
            return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (p->at + 1),
                               "expected ')' for the '(' at column %zu", start + 1);
        return CTN_OK;
    }
    if (c == '\'' || c == '"' || ctn_is_digit(c)) {
        *ret_node = new_node(p, NODE_LITERAL, start);
        return ctn_literal_parse(p->arena, p->text, &p->at, &(*ret_node)->literal, p->err);
    }
    if (ctn_is_name_start(c))
        return parse_word(p, is_result, ret_node);
    if (start >= p->text.len)
        return fail(p, start, "the expression ends where a value is expected");
    return ctn_fail_at(p->err, CTN_E_INVALID, 1, (uint32_t) (start + 1), "expected a value, found '%c'",
                       c >= ' ' && c < 0x7f ? c : '?');
}

/* ---- operators ---- */

static int parse_unary(parser *p, bool is_result, expression_node **ret_node)
{
    char c = peek(p);
    size_t start = p->at;
    bool is_not = c == '!' && peek_second(p) != '=';
    if (!is_not && c != '-')
        return parse_primary(p, is_result, ret_node);
    if (c == '-' && ctn_is_digit(peek_second(p))) { /* -5 is a literal and keeps its text */
        *ret_node = new_node(p, NODE_LITERAL, start);
        return ctn_literal_number(p->arena, p->text, &p->at, &(*ret_node)->literal, p->err);
    }
    int rc = enter(p);
    if (rc)
        return rc;
    p->at++;
    expression_node *operand = NULL;
    rc = parse_unary(p, false, &operand);
    if (rc)
        return rc;
    p->level--;
    *ret_node = node_of(p, is_not ? NODE_NOT : NODE_NEGATE, start, operand, NULL);
    return CTN_OK;
}

typedef bool take_operator_fn(parser *p, operator_kind *ret_op);
typedef int parse_fn(parser *p, bool is_result, expression_node **ret_node);

static bool take_product_operator(parser *p, operator_kind *ret_op)
{
    switch (peek(p)) {
    case '*': *ret_op = OP_MULTIPLY; break;
    case '/': *ret_op = OP_DIVIDE; break;
    case '%': *ret_op = OP_REMAINDER; break;
    default: return false;
    }
    p->at++;
    return true;
}

static bool take_sum_operator(parser *p, operator_kind *ret_op)
{
    char c = peek(p);
    if (c != '+' && c != '-')
        return false;
    *ret_op = c == '+' ? OP_ADD : OP_SUBTRACT;
    p->at++;
    return true;
}

static bool take_and(parser *p, operator_kind *ret_op)
{
    (void) ret_op;
    return take(p, "&&") || take_word(p, "and");
}

static bool take_or(parser *p, operator_kind *ret_op)
{
    (void) ret_op;
    return take(p, "||") || take_word(p, "or");
}

/* True when the value may be a verdict: then it can be the result, and nothing else. */
static bool gives_verdict(const expression_node *node)
{
    if (node->kind == NODE_CONDITIONAL)
        return gives_verdict(node->children[1]) || gives_verdict(node->children[2]);
    return node->kind == NODE_VERDICT;
}

static int refuse_verdict(parser *p, const expression_node *node)
{
    if (!gives_verdict(node))
        return CTN_OK;
    return fail(p, node->offset, "a verdict can only be the result, as in condition ? skip : continue");
}

/* operand { operator operand }: one node for the whole chain. */
static int parse_chain(parser *p, bool is_result, node_kind kind, take_operator_fn *take_operator,
                       parse_fn *parse_operand, expression_node **ret_node)
{
    expression_node *first = NULL;
    int rc = parse_operand(p, is_result, &first);
    if (rc)
        return rc;
    node_list list = {0};
    operator_kind op = OP_EQUAL;
    (void) peek(p);
    size_t op_at = p->at;
    while (take_operator(p, &op)) {
        if (!list.count) {
            rc = refuse_verdict(p, first);
            if (rc)
                return rc;
            add_child(p, &list, first, op);
        }
        expression_node *next = NULL;
        rc = parse_operand(p, false, &next);
        if (rc)
            return rc;
        add_child(p, &list, next, op);
    }
    *ret_node = list.count ? node_of_list(p, kind, op_at, &list) : first;
    return CTN_OK;
}

static int parse_product(parser *p, bool is_result, expression_node **ret_node)
{
    return parse_chain(p, is_result, NODE_ARITHMETIC, take_product_operator, parse_unary, ret_node);
}

static int parse_sum(parser *p, bool is_result, expression_node **ret_node)
{
    return parse_chain(p, is_result, NODE_ARITHMETIC, take_sum_operator, parse_product, ret_node);
}

/* A comparison's operator, in, or matches. *ret_negated: not in. */
static bool take_comparison(parser *p, node_kind *ret_kind, operator_kind *ret_op, bool *ret_negated)
{
    static const struct {
        const char *sign;
        operator_kind op;
    } signs[] = {{"==", OP_EQUAL},         {"!=", OP_UNEQUAL}, {"<=", OP_LESS_EQUAL},
                 {">=", OP_GREATER_EQUAL}, {"<", OP_LESS},     {">", OP_GREATER}};
    *ret_kind = NODE_COMPARE;
    *ret_negated = false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (take(p, signs[i].sign)) {
            *ret_op = signs[i].op;
            return true;
        }
    size_t start = p->at;
    *ret_negated = take_word(p, "not");
    *ret_kind = NODE_IN;
    if (take_word(p, "in"))
        return true;
    *ret_kind = NODE_MATCHES;
    if (take_word(p, "matches"))
        return true;
    p->at = start;
    return false;
}

/* matches with a literal on its right: compiled once, here. */
static int compile_pattern(parser *p, expression_node *node)
{
    const expression_node *right = node->children[1];
    if (right->kind != NODE_LITERAL)
        return CTN_OK;
    if (!ctn_json_is(right->literal, CTN_JSON_STRING))
        return fail(p, right->offset, "matches wants a regular expression in quotes on its right");
    int rc = expression_pattern_compile(p->arena, ctn_json_text(right->literal), &node->pattern, p->err);
    if (rc && p->err) {
        p->err->line = 1;
        p->err->column = right->offset + 1;
    }
    return rc;
}

static int parse_comparison(parser *p, bool is_result, expression_node **ret_node)
{
    expression_node *left = NULL, *right = NULL;
    int rc = parse_sum(p, is_result, &left);
    if (rc)
        return rc;
    (void) peek(p);
    size_t start = p->at;
    node_kind kind;
    operator_kind op = OP_EQUAL;
    bool is_negated;
    *ret_node = left;
    if (!take_comparison(p, &kind, &op, &is_negated))
        return CTN_OK;
    rc = refuse_verdict(p, left);
    if (rc)
        return rc;
    if (p->at < p->text.len && p->text.ptr[p->at] == '=')
        return fail(p, start, "write == or !=: there is no third '='");
    rc = parse_sum(p, false, &right);
    if (rc)
        return rc;
    expression_node *node = node_of(p, kind, start, left, right);
    node->ops[0] = (uint8_t) op;
    if (kind == NODE_MATCHES) {
        rc = compile_pattern(p, node);
        if (rc)
            return rc;
    }
    *ret_node = is_negated ? node_of(p, NODE_NOT, start, node, NULL) : node;
    (void) peek(p);
    start = p->at;
    if (take_comparison(p, &kind, &op, &is_negated))
        return fail(p, start, "comparisons do not chain; join two with &&, or set parentheses");
    return CTN_OK;
}

static int parse_negation(parser *p, bool is_result, expression_node **ret_node)
{
    (void) peek(p);
    size_t start = p->at;
    if (!take_word(p, "not"))
        return parse_comparison(p, is_result, ret_node);
    int rc = enter(p);
    if (rc)
        return rc;
    expression_node *operand = NULL;
    rc = parse_negation(p, false, &operand);
    if (rc)
        return rc;
    p->level--;
    *ret_node = node_of(p, NODE_NOT, start, operand, NULL);
    return CTN_OK;
}

static int parse_and(parser *p, bool is_result, expression_node **ret_node)
{
    return parse_chain(p, is_result, NODE_AND, take_and, parse_negation, ret_node);
}

static int parse_or(parser *p, bool is_result, expression_node **ret_node)
{
    return parse_chain(p, is_result, NODE_OR, take_or, parse_and, ret_node);
}

/* condition ? skp : continue -- a bare word beside a verdict that looks like one was meant to be one. */
static int refuse_misspelt_verdict(parser *p, const expression_node *branch, const expression_node *other)
{
    bool is_bare = branch->kind == NODE_PATH && branch->path.count == 0 && branch->path_offset == branch->offset;
    if (!is_bare || other->kind != NODE_VERDICT)
        return CTN_OK;
    static const char *const words[] = {"skip", "continue", "fail"};
    ctn_str names[3];
    for (int i = 0; i < 3; i++)
        names[i] = ctn_str_from(words[i]);
    ctn_str nearest = ctn_str_nearest(branch->path.root, names, 3);
    if (!nearest.len)
        return CTN_OK;
    return ctn_fail_at(p->err, CTN_E_INVALID, 1, branch->offset + 1,
                       "unknown verdict '%.*s'; did you mean '%.*s'? A variable of that name is written {%.*s} here",
                       CTN_STR_ARG(branch->path.root), CTN_STR_ARG(nearest), CTN_STR_ARG(branch->path.root));
}

static int parse_conditional(parser *p, bool is_result, expression_node **ret_node)
{
    int rc = enter(p);
    if (rc)
        return rc;
    expression_node *condition = NULL, *yes = NULL, *no = NULL;
    rc = parse_or(p, is_result, &condition);
    if (rc)
        return rc;
    *ret_node = condition;
    (void) peek(p);
    size_t start = p->at;
    if (take(p, "?")) {
        rc = refuse_verdict(p, condition);
        if (rc == CTN_OK)
            rc = parse_conditional(p, is_result, &yes);
        if (rc)
            return rc;
        if (!take(p, ":"))
            return fail(p, p->at, "expected ':' and what holds otherwise: condition ? skip : continue");
        rc = parse_conditional(p, is_result, &no);
        if (rc == CTN_OK && is_result)
            rc = refuse_misspelt_verdict(p, yes, no);
        if (rc == CTN_OK && is_result)
            rc = refuse_misspelt_verdict(p, no, yes);
        if (rc)
            return rc;
        node_list list = {0};
        add_child(p, &list, condition, OP_EQUAL);
        add_child(p, &list, yes, OP_EQUAL);
        add_child(p, &list, no, OP_EQUAL);
        *ret_node = node_of_list(p, NODE_CONDITIONAL, start, &list);
    }
    p->level--;
    return CTN_OK;
}

/* Something stands where the expression should have ended. */
static int fail_at_rest(parser *p)
{
    size_t at = p->at;
    char c = p->text.ptr[at];
    switch (c) {
    case '=': return fail(p, at, "one '=' is nothing here; equality is written ==");
    case '&': return fail(p, at, "one '&' is nothing here; write && or and");
    case '|': return fail(p, at, "one '|' is nothing here; write || or or; filters belong to templates");
    case ')': return fail(p, at, "this ')' was never opened");
    case ']': return fail(p, at, "this ']' was never opened");
    case '}': return fail(p, at, "this '}' was never opened");
    case ':': return fail(p, at, "this ':' has no '?' before it");
    default: break;
    }
    ctn_str word = peek_word(p);
    if (word.len)
        return ctn_fail_at(
            p->err, CTN_E_INVALID, 1, (uint32_t) (at + 1),
            "expected an operator before '%.*s'; operators are == != < <= > >= in matches && || and or + - * / %% ? :",
            CTN_STR_ARG(word));
    return ctn_fail_at(
        p->err, CTN_E_INVALID, 1, (uint32_t) (at + 1),
        "expected an operator, found '%c'; operators are == != < <= > >= in matches && || and or + - * / %% ? :",
        c >= ' ' && c < 0x7f ? c : '?');
}

static int unguarded_expression_compile(ctn_arena *arena, ctn_str text, ctn_expression **ret_expression, ctn_err *err)
{
    parser p = {.arena = arena, .text = text, .err = err};
    if (text.len > TEXT_BYTES_MAX)
        return ctn_fail_at(err, CTN_E_INVALID, 1, 1, "an expression has at most %d bytes", TEXT_BYTES_MAX);
    if (peek(&p) == '\0' && p.at >= text.len)
        return fail(&p, 0, "the expression is empty; write true for a step that always runs");
    expression_node *root = NULL;
    int rc = parse_conditional(&p, true, &root);
    if (rc)
        return rc;
    (void) peek(&p);
    if (p.at < text.len)
        return fail_at_rest(&p);
    ctn_expression *e = CTN_NEW(arena, ctn_expression);
    e->root = root;
    *ret_expression = e;
    return CTN_OK;
}

typedef struct expression_compile_arguments {
    ctn_arena *arena;
    ctn_str text;
    ctn_expression **ret_expression;
    ctn_err *err;
} expression_compile_arguments;

static int guarded_expression_compile(void *ctx)
{
    const expression_compile_arguments *a = ctx;
    return unguarded_expression_compile(a->arena, a->text, a->ret_expression, a->err);
}

int ctn_expression_compile(ctn_arena *arena, ctn_str text, ctn_expression **ret_expression, ctn_err *err)
{
    expression_compile_arguments a = {.arena = arena, .text = text, .ret_expression = ret_expression, .err = err};
    return ctn_guarded(guarded_expression_compile, &a, err);
}
