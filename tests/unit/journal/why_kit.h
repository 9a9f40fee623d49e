/*
 * why_kit.h -- asking an execution of execution_kit.h why: what a test gets is the answer, or a failure.
 */
#pragma once
#include "journal/why.h"
#include "unit/kit/execution_kit.h"

typedef struct why_question {
    ctn_arena *arena;
    ctn_why_source source;
    ctn_why_options options;
    ctn_err err;
} why_question;

/* Of the execution as it stands now; the question and its answers go with the kit. */
why_question *why_ask(kit *k);
const ctn_why_node *why_variable(why_question *q, const char *path);
const ctn_why_node *why_step(why_question *q, const char *name);
/* The n-th event of that name among a step's, from 0. */
const ctn_why_node *why_event(const ctn_why_node *step, const char *name, int n);
/* The tree as one line: kind:role<name(see){children}. */
void why_is(const ctn_why_node *node, const char *expected);
void why_value_is(why_question *q, const ctn_why_node *node, const char *json);
void why_says(why_question *q, const ctn_why_node *node, const char *expected);
