/*
 * check.h -- what can be said about chains and instruction sets before anything runs (chain language, section
 * 10), beyond what reading them told already.
 *
 * ctn_library_add_source tells what one file by itself gets wrong: syntax, keys, types, names, templates, expressions,
 * schemas. ctn_check tells what comes out when files meet: names that lead nowhere, order, flow (errors), and the
 * advice (warnings). So `check FILE...` adds all files, checks those it was given, sorts, and prints.
 *
 * A chain with faults of its own is not checked further: advice about half a chain misleads. Warnings are silenced by
 * "# catena: allow RULE: reason" on the line before, or by the step's lint.allow; errors never are, because what has
 * one cannot run.
 */
#pragma once
#include "chain/library.h"
#include "check/options.h"

/* source NULL: everything in the library. options may be NULL. CTN_E_INVALID when an error was found. */
int ctn_check(const ctn_library *library, const ctn_source *source, const ctn_check_options *options,
              ctn_findings *findings);
