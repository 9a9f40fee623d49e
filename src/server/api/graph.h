/*
 * graph.h -- a picture as an answer, in the format that the request says.
 */
#pragma once
#include "draw/picture.h"
#include "server/api/internal.h"

/* format: svg, mermaid or dot, of the operation's parameters. */
void ctn_api_answer_picture(ctn_api_call *call, const ctn_picture *picture);
