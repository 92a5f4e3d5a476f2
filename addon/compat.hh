/* The older API, for compat.cjs. */
#ifndef ADDON_COMPAT_H
#define ADDON_COMPAT_H

#include <napi.h>

Napi::Object compat_init(Napi::Env);

#endif
