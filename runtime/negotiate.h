/*
 * What is asked of the MTA when a connection opens, from the policy's needs.
 */
#ifndef RUNTIME_NEGOTIATE_H
#define RUNTIME_NEGOTIATE_H

#include <libmilter/mfapi.h>

#include "runtime/policy.h"

/* SMFIP_ flags to ask for, among those offered. */
unsigned long negotiate_steps(const struct policy *, unsigned long offered);

/* SMFIF_ flags to ask for; false if the MTA does not offer what is needed. */
bool negotiate_actions(
    const struct policy *, unsigned long offered, unsigned long *out);

/* Asks for the macros that are read, and for no others. */
void negotiate_macros(SMFICTX *, const struct policy *, unsigned long offered);

#endif
