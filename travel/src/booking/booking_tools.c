/*
 * booking_tools.c -- the tools for holding, paying, confirming and taking back: their schemas, and their arguments
 * read.
 */
#include "tools.h"

const travel_toolset travel_booking_tools = {NULL, 0};
