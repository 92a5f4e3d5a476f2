/* The native part of the package: what its JavaScript calls. */
#include "addon/compat.hh"
#include "addon/serve.hh"

static Napi::Object
init(Napi::Env env, Napi::Object exports)
{
	serve_init(env, exports);
	exports.Set("compat", compat_init(env));
	return exports;
}

NODE_API_MODULE(milt, init)
