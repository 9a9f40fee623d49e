/*
 * use.h -- what the texts of a chain do with the values they read: compared with this, taken for a list, shown as
 * a date. For those who must make up values that fit, and values that tell branches apart (simulate).
 */
#pragma once
#include "value/expression.h"
#include "value/path.h"
#include "value/template.h"

typedef enum ctn_use {
    CTN_USE_READ,   /* nothing more is known */
    CTN_USE_TRUTH,  /* whether it is true */
    CTN_USE_EQUAL,  /* literal: one that it is compared with by == != in */
    CTN_USE_ORDER,  /* literal: a number or a text that it is compared with by < <= > >= */
    CTN_USE_LENGTH, /* literal: what its length is compared with */
    CTN_USE_HOLDS,  /* literal: an item, a part, a key or a start that it may have */
    CTN_USE_NUMBER,
    CTN_USE_TEXT,
    CTN_USE_LIST,
    CTN_USE_OBJECT,
    CTN_USE_TIME,        /* a date or a time */
    CTN_USE_MEMBER,      /* an object; literal: a member that it has */
    CTN_USE_ITEM_MEMBER, /* a list of objects; literal: a member that they have */
    CTN_USE_ITEM_TRUTH,  /* the same; that member is asked for truth */
    CTN_USE_ITEM_NUMBER, /* the same; that member is a number; without a literal the items themselves are */
} ctn_use;

/* literal is NULL where the use has none. `path` lives as long as what it was compiled into. */
typedef void ctn_use_fn(void *ctx, const ctn_path *path, ctn_use use, const ctn_json *literal);

void ctn_expression_uses(const ctn_expression *expression, ctn_use_fn *fn, void *ctx);
void ctn_template_uses(const ctn_template *template, ctn_use_fn *fn, void *ctx);
void ctn_tree_uses(const ctn_tree *tree, ctn_use_fn *fn, void *ctx);
