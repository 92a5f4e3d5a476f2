/* The native part of the package: what its JavaScript calls. */
#include <napi.h>

static Napi::Object
init(Napi::Env env, Napi::Object exports)
{
	return exports;
}

NODE_API_MODULE(milt, init)
