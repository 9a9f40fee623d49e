/*
 * binding.h -- who makes the calls of a plan, and what that driver says of them: what they do to the world, what they
 * take and give. A server says so only when it is up, so a plan is bound before its executions advance.
 */
#pragma once
#include "engine/plans.h"

const ctn_driver *ctn_eng_driver_of(const ctn_engine *e, ctn_work_kind kind); /* NULL: nobody here */
void ctn_eng_binding_init(ctn_engine *e);                                     /* it answers core's questions (rules) */
/* Has all drivers prepared for the plan's calls; is_bound when the last of them said that it is ready. */
void ctn_eng_bind(ctn_engine *e, plan_ref *p);
