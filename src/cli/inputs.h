/*
 * inputs.h -- what an execution is started with, from the command line.
 *
 * -i NAME=TEXT is text, always: -i nights=3 gives "3". NAME:=JSON gives any value, NAME=@FILE and NAME=@- the text of
 * a file or of standard input, NAME:=@FILE the JSON in one, NAME=@@TEXT a text that begins with @. --input gives an
 * object in JSON or YAML; what -i says comes after it.
 */
#pragma once
#include "base/json.h"
#include "cli/cli.h"

/* An object; CTN_EXIT_OK, or everything was said. */
int ctn_inputs_read(ctn_cli *cli, const ctn_json **ret_input);
/* {name: text} of --label; NULL without any. */
int ctn_labels_read(ctn_cli *cli, const ctn_json **ret_labels);
/* NAME=VALUE as -i takes it. `option` is named in sentences: "-i". */
int ctn_assignment_read(ctn_cli *cli, const char *option, const char *text, ctn_str *ret_name,
                        const ctn_json **ret_value);
/* A JSON value of the command line; `what` it is for: "--succeed". */
int ctn_json_argument(ctn_cli *cli, const char *what, ctn_str text, const ctn_json **ret_value);
