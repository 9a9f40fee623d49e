/*
 * extra_tools.c -- the tools for what the small chains need: their schemas, and their arguments read.
 */
#include "tools.h"

const travel_toolset travel_extra_tools = {NULL, 0};
