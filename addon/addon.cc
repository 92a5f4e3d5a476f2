/* The native part of the package: what its JavaScript calls. */
#include <napi.h>

#include "addon/compat.hh"

static Napi::Object
init(Napi::Env env, Napi::Object exports)
{
	exports.Set("compat", compat_init(env));
	return exports;
}

NODE_API_MODULE(milt, init)
