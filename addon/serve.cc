/*
 * JavaScript's functions over host.h.  lib/serve.mjs is the only one who calls
 * them, with arguments that it has checked.
 */
#include "addon/serve.hh"

#include <string>
#include <unordered_map>

#include "addon/host.h"

namespace
{

/* Of one environment; its thread alone uses it, but `bell`. */
struct host {
	napi_threadsafe_function bell = nullptr;
	struct queue *queue = nullptr;        /* of host.c */
	struct host_policy *policy = nullptr; /* read, and not used yet */
	/* Those that JavaScript knows; it has a reference to each. */
	std::unordered_map<unsigned long long, struct call *> calls;
};

host *
host_of(const Napi::CallbackInfo &info)
{
	return static_cast<host *>(info.Data());
}

Napi::Value
failure(Napi::Env env, const std::string &why)
{
	Napi::Error::New(env, why).ThrowAsJavaScriptException();
	return env.Undefined();
}

/* ---- from the queue to JavaScript ---------------------------------------- */

/* What `deliver` gets: kinds as in lib/serve.mjs. */
enum {
	ITEM_QUESTION,
	ITEM_ABANDONED,
	ITEM_DECISION,
	ITEM_RELOAD,
	ITEM_GAVE_UP
};

Napi::Array
make_item(Napi::Env env, int kind)
{
	Napi::Array item = Napi::Array::New(env);

	item[0u] = Napi::Number::New(env, kind);
	return item;
}

Napi::Array
question_item(Napi::Env env, host *h, struct call *call, const struct matter *m)
{
	Napi::Array item = make_item(env, ITEM_QUESTION);

	h->calls[m->id] = call;
	item[1u] = Napi::Number::New(env, static_cast<double>(m->id));
	item[2u] = Napi::Number::New(env, static_cast<double>(m->generation));
	item[3u] = Napi::Number::New(env, m->rule);
	item[4u] = Napi::Buffer<char>::Copy(env, m->octets, m->count);
	return item;
}

Napi::Array
post_item(Napi::Env env, const struct matter *m)
{
	Napi::Array item;

	switch (m->kind) {
	case MATTER_DECISION:
		item = make_item(env, ITEM_DECISION);
		item[1u] = Napi::String::New(env, m->octets, m->count);
		return item;
	case MATTER_RELOAD:
		return make_item(env, ITEM_RELOAD);
	case MATTER_GAVE_UP:
	case MATTER_QUESTION:
		break;
	}
	return make_item(env, ITEM_GAVE_UP);
}

/* JavaScript hears of it and must not answer any more. */
Napi::Array
abandoned_item(
    Napi::Env env, host *h, struct call *call, const struct matter *m)
{
	Napi::Array item = make_item(env, ITEM_ABANDONED);

	item[1u] = Napi::Number::New(env, static_cast<double>(m->id));
	h->calls.erase(m->id);
	call_release(call);
	return item;
}

Napi::Array
take(Napi::Env env, host *h)
{
	/* More than that in one turn, and nothing else would have its turn. */
	constexpr uint32_t MOST = 1000;
	Napi::Array items = Napi::Array::New(env);
	struct queue_item i;
	uint32_t n = 0;

	while (n < MOST && (i = queue_take(h->queue)).kind != QUEUE_NOTHING) {
		struct matter *m = static_cast<struct matter *>(i.matter);
		Napi::HandleScope scope(env);

		if (i.kind == QUEUE_CALL) {
			items[n++] = question_item(env, h, i.call, m);
		} else if (i.kind == QUEUE_ABANDONED) {
			items[n++] = abandoned_item(env, h, i.call, m);
		} else {
			items[n++] = post_item(env, m);
			matter_free(m);
		}
	}
	if (n == MOST)
		(void)napi_call_threadsafe_function(
		    h->bell, nullptr, napi_tsfn_nonblocking);
	return items;
}

void
on_bell(napi_env env, napi_value deliver, void *context, void *)
{
	host *h = static_cast<host *>(context);

	if (!env || !h->queue)
		return;
	Napi::HandleScope scope(env);
	Napi::Function f(env, deliver);

	f.Call({ take(env, h) });
	/* Nobody could catch it: it must not become a warning of Node's. */
	if (Napi::Env(env).IsExceptionPending())
		host_log(true, Napi::Env(env)
				   .GetAndClearPendingException()
				   .Message()
				   .c_str());
}

void
ring(void *arg)
{
	(void)napi_call_threadsafe_function(
	    static_cast<host *>(arg)->bell, nullptr, napi_tsfn_nonblocking);
}

/* ---- a start ------------------------------------------------------------- */

/*
 * Runs where the environment is torn down: hooks run in the opposite order, so
 * before that of the bell, which was made earlier.  The calls that JavaScript
 * has are let go; the queue itself stays, threads may be in it.
 */
void
close_queue(void *arg)
{
	host *h = static_cast<host *>(arg);

	host_end();
	for (auto &entry : h->calls)
		call_release(entry.second);
	h->calls.clear();
	h->queue = nullptr;
}

/* configure(options: string, deliver: function) */
Napi::Value
configure(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	host *h = host_of(info);
	char why[512] = "not enough memory";
	struct queue *none;

	/* The bell is in use: for the words only. */
	if (h->queue) {
		(void)host_configure("", ring, h, &none, why, sizeof(why));
		return failure(env, why);
	}
	if (napi_create_threadsafe_function(env, info[1], nullptr,
		Napi::String::New(env, "milt"), 0, 1, nullptr, nullptr, h,
		on_bell, &h->bell) != napi_ok)
		return failure(env, why);
	if (host_configure(info[0].ToString().Utf8Value().c_str(), ring, h,
		&h->queue, why, sizeof(why))) {
		(void)napi_add_env_cleanup_hook(env, close_queue, h);
		return env.Undefined();
	}
	(void)napi_release_threadsafe_function(h->bell, napi_tsfn_release);
	h->bell = nullptr;
	return failure(env, why);
}

void
unconfigure(Napi::Env env, host *h)
{
	(void)napi_remove_env_cleanup_hook(env, close_queue, h);
	host_discard(h->policy);
	h->policy = nullptr;
	host_unconfigure();
	h->queue = nullptr;
	(void)napi_release_threadsafe_function(h->bell, napi_tsfn_release);
	h->bell = nullptr;
}

/* Nothing was started: another one may try. */
Napi::Value
unconfigure_(const Napi::CallbackInfo &info)
{
	unconfigure(info.Env(), host_of(info));
	return info.Env().Undefined();
}

class Reader : public Napi::AsyncWorker
{
      public:
	Reader(Napi::Env env, host *owner)
	    : Napi::AsyncWorker(env, "milt.read"), h(owner),
	      deferred(Napi::Promise::Deferred::New(env))
	{
	}

	void Execute() override
	{
		policy = host_read();
		if (policy && host_is_valid(policy))
			rules = host_rules(policy);
	}

	void OnOK() override
	{
		Napi::Env env = Env();
		Napi::HandleScope scope(env);
		Napi::Object out = Napi::Object::New(env);

		h->policy = policy;
		out["diagnostics"] = Napi::String::New(env,
		    policy ? host_diagnostics(policy) : "not enough memory\n");
		if (rules)
			out["rules"] = Napi::String::New(env, rules);
		free(rules);
		deferred.Resolve(out);
	}

	host *h;
	Napi::Promise::Deferred deferred;

      private:
	struct host_policy *policy = nullptr;
	char *rules = nullptr;
};

/* read(): promise of { diagnostics, rules? } */
Napi::Value
read(const Napi::CallbackInfo &info)
{
	Reader *reader = new Reader(info.Env(), host_of(info));
	Napi::Promise promise = reader->deferred.Promise();

	reader->Queue();
	return promise;
}

/* A list of names: macros that the hooks want. */
bool
want_macros(host *h, const Napi::Value &list)
{
	Napi::Array names = list.As<Napi::Array>();

	for (uint32_t i = 0; i < names.Length(); i++) {
		Napi::Value name = names[i];

		if (!host_want_macro(
			h->policy, name.ToString().Utf8Value().c_str()))
			return false;
	}
	return true;
}

/* start(macros: string[]): the generation */
Napi::Value
start(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	host *h = host_of(info);
	unsigned long generation;
	bool again = true;
	char why[512];

	if (!want_macros(h, info[0])) {
		unconfigure(env, h);
		return failure(env, "a macro that a hook wants cannot be one");
	}
	struct host_policy *policy = h->policy;

	h->policy = nullptr;
	if (host_start(policy, &generation, &again, why, sizeof(why)))
		return Napi::Number::New(env, static_cast<double>(generation));
	if (again)
		unconfigure(env, h);
	else
		(void)napi_unref_threadsafe_function(env, h->bell);
	return failure(env, why);
}

/* use(macros: string[], objection?: string): the generation, or 0 */
Napi::Value
use(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	host *h = host_of(info);
	struct host_policy *policy = h->policy;
	std::string text =
	    info[1].IsString() ? info[1].ToString().Utf8Value() : "";
	const char *objection = info[1].IsString() ? text.c_str() : nullptr;

	if (!policy)
		return Napi::Number::New(env, 0);
	if (!objection && host_is_valid(policy) && !want_macros(h, info[0]))
		objection = "error: a macro that a hook wants cannot be one\n";
	h->policy = nullptr;
	return Napi::Number::New(
	    env, static_cast<double>(host_use(policy, objection)));
}

/* ---- while it serves ------------------------------------------------------
 */

/* answer(id: number, octets: Buffer): was it wanted? */
Napi::Value
answer(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	host *h = host_of(info);
	auto found = h->calls.find(static_cast<unsigned long long>(
	    info[0].As<Napi::Number>().Int64Value()));
	bool wanted = false;

	if (found == h->calls.end())
		return Napi::Boolean::New(env, false);
	Napi::Buffer<char> octets = info[1].As<Napi::Buffer<char>>();
	void *text = host_answer(octets.Data(), octets.Length());

	if (text) {
		wanted = call_answer(found->second, text);
		if (!wanted)
			host_answer_free(text);
	}
	call_release(found->second);
	h->calls.erase(found);
	return Napi::Boolean::New(env, wanted);
}

class Reaper : public Napi::AsyncWorker
{
      public:
	explicit Reaper(Napi::Env env)
	    : Napi::AsyncWorker(env, "milt.reap"),
	      deferred(Napi::Promise::Deferred::New(env))
	{
	}

	void Execute() override
	{
		more = host_reap();
	}

	void OnOK() override
	{
		Napi::HandleScope scope(Env());
		Napi::Array out = Napi::Array::New(Env());
		uint32_t n = 0;

		out[n++] = Napi::Boolean::New(Env(), more);
		while (unsigned long g = host_next_freed())
			out[n++] =
			    Napi::Number::New(Env(), static_cast<double>(g));
		deferred.Resolve(out);
	}

	Napi::Promise::Deferred deferred;

      private:
	bool more = false;
};

/* reap(): promise of [are there more?, generations that are no more...] */
Napi::Value
reap(const Napi::CallbackInfo &info)
{
	Reaper *reaper = new Reaper(info.Env());
	Napi::Promise promise = reaper->deferred.Promise();

	reaper->Queue();
	return promise;
}

Napi::Value
due(const Napi::CallbackInfo &info)
{
	return Napi::Boolean::New(info.Env(), host_reload_is_due());
}

Napi::Value
sessions(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(
	    info.Env(), static_cast<double>(host_sessions()));
}

/* log(error: boolean, text: string) */
Napi::Value
log(const Napi::CallbackInfo &info)
{
	host_log(info[0].ToBoolean(), info[1].ToString().Utf8Value().c_str());
	return info.Env().Undefined();
}

Napi::Value
retire(const Napi::CallbackInfo &info)
{
	host_retire();
	return info.Env().Undefined();
}

/* The event loop need not go on for our sake. */
Napi::Value
unref(const Napi::CallbackInfo &info)
{
	(void)napi_unref_threadsafe_function(info.Env(), host_of(info)->bell);
	return info.Env().Undefined();
}

Napi::Value
end(const Napi::CallbackInfo &info)
{
	host_end();
	return info.Env().Undefined();
}

void
forget(void *arg)
{
	delete static_cast<host *>(arg);
}

} // namespace

void
serve_init(Napi::Env env, Napi::Object exports)
{
	static const struct {
		const char *name;
		Napi::Value (*call)(const Napi::CallbackInfo &);
	} functions[] = {
		{ "configure", configure },
		{ "unconfigure", unconfigure_ },
		{ "read", read },
		{ "start", start },
		{ "use", use },
		{ "answer", answer },
		{ "reap", reap },
		{ "due", due },
		{ "sessions", sessions },
		{ "log", log },
		{ "retire", retire },
		{ "unref", unref },
		{ "end", end },
	};
	host *h = new host;
	Napi::Object serve = Napi::Object::New(env);

	for (const auto &f : functions)
		serve[f.name] = Napi::Function::New(env, f.call, f.name, h);
	exports["serve"] = serve;
	(void)napi_add_env_cleanup_hook(env, forget, h);
}
