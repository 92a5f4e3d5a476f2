/*
 * The older API: starting, stopping, and events on their way to JavaScript.
 * One environment serves, the one that starts.
 */
#include "addon/compat.hh"

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include <string>

#include "addon/claim.h"
#include "addon/compat_milter.h"

static const char who[] = "start() of milt/compat";

/* Events that are handled before timers and input have their turn. */
enum { EVENTS_IN_A_TURN = 64 };

/* Lives until the process ends: libmilter's threads know it. */
struct server {
	struct queue *queue;
	napi_threadsafe_function bell;
	Napi::FunctionReference dispatch;
};

/* ---- values -------------------------------------------------------------- */

Napi::Value
string_of(Napi::Env env, struct str s)
{
	return Napi::String::New(env, s.p ? s.p : "", s.n);
}

static Napi::Value
bytes_of(Napi::Env env, struct str s)
{
	return Napi::Buffer<char>::Copy(env, s.p ? s.p : "", s.n);
}

/* The arguments of the user's function after the envelope. */
static Napi::Array
arguments_of(Napi::Env env, const struct compat_event *e)
{
	Napi::Array out = Napi::Array::New(env);
	Napi::Array rest = Napi::Array::New(env);
	auto add = [&out](Napi::Value v) { out.Set(out.Length(), v); };

	switch (e->kind) {
	case COMPAT_NEGOTIATE:
		add(Napi::Number::New(env, static_cast<double>(e->actions)));
		for (unsigned long word : e->offer)
			add(Napi::Number::New(env, static_cast<double>(word)));
		break;
	case COMPAT_CONNECT:
		add(string_of(env, e->texts[0]));
		add(string_of(env, e->texts[1]));
		add(Napi::Number::New(env, e->port));
		add(string_of(env, e->texts[2]));
		break;
	case COMPAT_MAIL:
	case COMPAT_RCPT:
		add(string_of(env, e->count > 0 ? e->texts[0] : str{ "", 0 }));
		for (size_t i = 1; i < e->count; i++)
			rest.Set(static_cast<uint32_t>(i - 1),
			    string_of(env, e->texts[i]));
		add(rest);
		break;
	case COMPAT_HEADER:
		add(string_of(env, e->texts[0]));
		add(string_of(env, e->texts[1]));
		add(bytes_of(env, e->texts[1]));
		add(bytes_of(env, e->texts[0]));
		break;
	case COMPAT_BODY:
		add(bytes_of(env, e->texts[0]));
		add(Napi::Number::New(env, static_cast<double>(e->texts[0].n)));
		break;
	case COMPAT_UNKNOWN:
	case COMPAT_HELO:
	case COMPAT_REPORT:
		add(string_of(env, e->texts[0]));
		break;
	case COMPAT_DATA:
	case COMPAT_EOH:
	case COMPAT_EOM:
	case COMPAT_ABORT:
	case COMPAT_CLOSE:
		break;
	}
	return out;
}

/* ---- the way in ---------------------------------------------------------- */

static void
dispatch(Napi::Env env, const struct server *s, const struct compat_event *e,
    Napi::Value token)
{
	s->dispatch.Value().Call({ Napi::Number::New(env, e->kind),
	    Napi::Number::New(env, static_cast<double>(e->session)), token,
	    Napi::Number::New(env, e->answers), arguments_of(env, e) });
	/* compat.cjs catches what the functions throw. */
	if (env.IsExceptionPending())
		napi_fatal_exception(
		    env, env.GetAndClearPendingException().Value());
}

/* False: there is nothing to take. */
static bool
take(Napi::Env env, const struct server *s)
{
	Napi::HandleScope scope(env);
	struct queue_item item = queue_take(s->queue);
	struct compat_event *event;

	switch (item.kind) {
	case QUEUE_NOTHING:
		return false;
	case QUEUE_ABANDONED:
		/* Found out when its token is used. */
		return true;
	case QUEUE_POST:
		dispatch(env, s,
		    static_cast<struct compat_event *>(item.matter),
		    env.Null());
		compat_event_free(item.matter);
		return true;
	case QUEUE_CALL:
		break;
	}
	event = static_cast<struct compat_event *>(item.matter);
	dispatch(env, s, event, token_new(env, item.call, event));
	return true;
}

static void
on_bell(napi_env env, napi_value, void *context, void *)
{
	struct server *s = static_cast<struct server *>(context);
	int left = EVENTS_IN_A_TURN;

	if (!env)
		return;
	while (left > 0 && take(env, s))
		left--;
	/* Others have their turn first. */
	if (left == 0)
		napi_call_threadsafe_function(
		    s->bell, nullptr, napi_tsfn_nonblocking);
}

static void
ring(void *arg)
{
	napi_call_threadsafe_function(static_cast<struct server *>(arg)->bell,
	    nullptr, napi_tsfn_nonblocking);
}

/* ---- starting and stopping ----------------------------------------------- */

static struct server *the; /* that runs, or ran */

/* NULL with an exception pending. */
static struct server *
server_new(Napi::Env env, Napi::Function function, size_t limit)
{
	struct server *s = new server();

	s->dispatch = Napi::Persistent(function);
	s->dispatch.SuppressDestruct();
	s->queue = queue_new(limit, ring, s, compat_event_free);
	if (!s->queue ||
	    napi_create_threadsafe_function(env, nullptr, nullptr,
		Napi::String::New(env, "milt/compat"), 0, 1, nullptr, nullptr,
		s, on_bell, &s->bell) != napi_ok) {
		Napi::Error::New(env, "not enough memory")
		    .ThrowAsJavaScriptException();
		return nullptr;
	}
	return s;
}

/* start(connection, mode, flags, limit, dispatch): undefined or the reason. */
static Napi::Value
start(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	std::string spec = info[0].As<Napi::String>();
	const char *before = claim_process(who);
	char why[512];
	struct server *s;

	if (before)
		return Napi::String::New(
		    env, std::string(before) + " has this process");
	s = server_new(env, info[4].As<Napi::Function>(),
	    info[3].As<Napi::Number>().Uint32Value());
	if (!s)
		return env.Undefined();
	if (!compat_start(spec.c_str(),
		info[1].As<Napi::Number>().Uint32Value(),
		info[2].As<Napi::Number>().Uint32Value(), s->queue, why,
		sizeof(why))) {
		napi_release_threadsafe_function(s->bell, napi_tsfn_abort);
		queue_close(s->queue);
		claim_return();
		return Napi::String::New(env, why);
	}
	the = s;
	napi_add_env_cleanup_hook(
	    env, [](void *) { compat_shutdown(); }, nullptr);
	return env.Undefined();
}

static Napi::Value
stop(const Napi::CallbackInfo &info)
{
	compat_stop();
	return info.Env().Undefined();
}

static Napi::Value
shut_down(const Napi::CallbackInfo &info)
{
	compat_shutdown();
	return info.Env().Undefined();
}

/* Node may end although this serves. */
static Napi::Value
let_go(const Napi::CallbackInfo &info)
{
	if (the)
		napi_unref_threadsafe_function(info.Env(), the->bell);
	return info.Env().Undefined();
}

/* ---- options ------------------------------------------------------------- */

static Napi::Value
version(const Napi::CallbackInfo &info)
{
	Napi::Array out = Napi::Array::New(info.Env());
	unsigned numbers[3] = { 0, 0, 0 };

	(void)smfi_version(&numbers[0], &numbers[1], &numbers[2]);
	for (uint32_t i = 0; i < 3; i++)
		out.Set(i, Napi::Number::New(info.Env(), numbers[i]));
	return out;
}

template <int (*F)(int)>
static Napi::Value
set(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(
	    info.Env(), F(info[0].As<Napi::Number>().Int32Value()));
}

/* (command ms, content ms, verdict) */
static Napi::Value
set_terms(const Napi::CallbackInfo &info)
{
	compat_set_terms({ info[0].As<Napi::Number>().Uint32Value(),
	    info[1].As<Napi::Number>().Uint32Value(),
	    info[2].As<Napi::Number>().Int32Value() });
	return info.Env().Undefined();
}

/* ---- the module ---------------------------------------------------------- */

static Napi::Object
constants(Napi::Env env)
{
	Napi::Object out = Napi::Object::New(env);

#define CONSTANT(name, meaning) \
	out.Set(#name, Napi::Number::New(env, static_cast<double>(name)));
#include "addon/constants.def"
#undef CONSTANT
	return out;
}

static Napi::Array
events(Napi::Env env)
{
	Napi::Array out = Napi::Array::New(env);

	for (uint32_t i = 0; i < COMPAT_KINDS; i++)
		out.Set(i, Napi::String::New(env,
			       compat_name(static_cast<enum compat_kind>(i))));
	return out;
}

Napi::Object
compat_init(Napi::Env env)
{
	static const struct {
		const char *name;
		Napi::Value (*f)(const Napi::CallbackInfo &);
	} functions[] = {
		{ "start", start },
		{ "stop", stop },
		{ "shutDown", shut_down },
		{ "letGo", let_go },
		{ "version", version },
		{ "setBacklog", set<compat_set_backlog> },
		{ "setDebug", set<smfi_setdbg> },
		{ "setTimeout", set<smfi_settimeout> },
		{ "setTerms", set_terms },
	};
	Napi::Object out = Napi::Object::New(env);

	for (const auto &f : functions)
		out.Set(f.name, Napi::Function::New(env, f.f, f.name));
	token_init(env, out);
	out.Set("constants", constants(env));
	out.Set("events", events(env));
	return out;
}
