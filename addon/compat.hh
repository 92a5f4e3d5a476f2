/*
 * The older API, for compat.cjs, which checks what users give and is the only
 * caller.
 */
#ifndef ADDON_COMPAT_HH
#define ADDON_COMPAT_HH

#include <napi.h>

#include "addon/compat_event.h"
#include "addon/queue.h"

Napi::Object compat_init(Napi::Env);

/* ---- between compat.cc and compat_token.cc ---------------------------------
 */

/* A call in JavaScript's hands, until it is answered or let go. */
Napi::Value token_new(Napi::Env, struct call *, struct compat_event *);

/* Adds the functions about tokens. */
void token_init(Napi::Env, Napi::Object exports);

/* As UTF-8; what is not becomes U+FFFD. */
Napi::Value string_of(Napi::Env, struct str);

#endif
