/* The part of the module for serve(). */
#ifndef ADDON_SERVE_HH
#define ADDON_SERVE_HH

#include <napi.h>

/* Adds `serve`, an object of functions, to the module's exports. */
void serve_init(Napi::Env, Napi::Object exports);

#endif
