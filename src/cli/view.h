/*
 * view.h -- the progress of one execution on stderr: on a terminal a list of its steps that is redrawn in place,
 * elsewhere one plain line for each thing that happens, with --quiet nothing.
 *
 * Ownership  _new gives it, _end takes it (NULL is fine) and leaves the terminal as it was.
 */
#pragma once
#include "cli/cli.h"
#include "host/snapshot.h"
#include "loop/loop.h"

typedef struct ctn_view ctn_view;

ctn_view *ctn_view_new(const ctn_cli *cli, ctn_loop *loop);
void ctn_view_end(ctn_view *view);
/* True when it redraws in place, so that nothing else may write to stderr meanwhile. */
bool ctn_view_is_live(const ctn_cli *cli);

/* The whole of it: at first, and whenever more than one step may have changed. */
void ctn_view_take(ctn_view *view, const ctn_snapshot *snapshot);
void ctn_view_take_step(ctn_view *view, const ctn_snapshot_step *step);
void ctn_view_progress(ctn_view *view, ctn_str step, double progress, double total, ctn_str message);
/* A line about everything ("the store cannot be written ..."); empty: none. */
void ctn_view_note(ctn_view *view, ctn_str note);

/* The colour that stands for a status, here and elsewhere. */
ctn_colour ctn_status_colour(ctn_status status);
ctn_colour ctn_step_colour(ctn_step_status status);
