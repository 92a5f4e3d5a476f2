/*
 * A policy's text compiled for those who serve it: policy_compiler
 * (runtime/policy.h).
 */
#ifndef COMPILER_POLICY_TEXT_H
#define COMPILER_POLICY_TEXT_H

#include "runtime/policy.h"

policy_compiler compile_policy;
/* Warnings count as errors, and lint is asked. */
policy_compiler compile_policy_strict;

#endif
