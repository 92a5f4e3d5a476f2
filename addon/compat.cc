/*
 * The older API: converts and forwards.  addon/compat.cjs checks what users
 * give and is the only caller; one environment serves, the one that starts.
 */
#include "addon/compat.hh"

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "addon/claim.h"
#include "addon/compat_change.h"
#include "addon/compat_event.h"
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

/*
 * An event in JavaScript's hands, until it is answered or let go.  Owned by
 * the object that JavaScript has.
 */
struct token {
	struct call *call; /* NULL: answered */
	struct compat_event *event;
	struct compat_changes *changes;
};

static void
token_free(napi_env, void *data, void *)
{
	struct token *t = static_cast<struct token *>(data);

	if (t->call)
		call_release(t->call);
	changes_free(t->changes);
	delete t;
}

/* ---- values -------------------------------------------------------------- */

static std::string
text_of(Napi::Value v)
{
	if (v.IsString())
		return v.As<Napi::String>();
	if (!v.IsTypedArray())
		return std::string();
	Napi::Uint8Array a = v.As<Napi::Uint8Array>();
	return std::string(
	    reinterpret_cast<const char *>(a.Data()), a.ByteLength());
}

/* Borrowed. */
static struct str
str_of(const std::string &s)
{
	return { s.data(), s.size() };
}

static Napi::Value
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
	struct token *t;

	switch (item.kind) {
	case QUEUE_NOTHING:
		return false;
	case QUEUE_ABANDONED:
		/* Its token finds out when it is used. */
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
	t = new token{ item.call,
		static_cast<struct compat_event *>(item.matter), nullptr };
	dispatch(env, s, t->event,
	    Napi::External<token>::New(env, t, [](Napi::Env e, token *held) {
		    token_free(e, held, nullptr);
	    }));
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

/* ---- events -------------------------------------------------------------- */

static struct token *
token_of(const Napi::CallbackInfo &info)
{
	return info[0].As<Napi::External<token>>().Data();
}

/* Has libmilter's thread do it; false if it does not wait any more. */
static bool
on_its_thread(struct token *t, void (*work)(void *), void *arg)
{
	return t->call && call_do(t->call, work, arg);
}

/* (token, code, four words): true if the answer was taken. */
static Napi::Value
answer(const Napi::CallbackInfo &info)
{
	struct token *t = token_of(info);
	struct compat_answer *a;
	bool taken;

	if (!t->call)
		return Napi::Boolean::New(info.Env(), false);
	a = static_cast<struct compat_answer *>(calloc(1, sizeof(*a)));
	if (!a)
		return Napi::Boolean::New(info.Env(), false);
	a->code = info[1].As<Napi::Number>().Int32Value();
	for (size_t i = 0; i < 4; i++)
		a->wanted[i] = info[2 + i].As<Napi::Number>().Uint32Value();
	a->changes = t->changes;
	taken = call_answer(t->call, a);
	if (!taken)
		free(a);
	else
		t->changes = nullptr;
	call_release(t->call);
	t->call = nullptr;
	return Napi::Boolean::New(info.Env(), taken);
}

/* (token, kind, index, what, with or null): whether it was kept. */
static Napi::Value
change(const Napi::CallbackInfo &info)
{
	struct token *t = token_of(info);
	std::string what = text_of(info[3]), with = text_of(info[4]);
	struct change c = {
		static_cast<enum change_kind>(
		    info[1].As<Napi::Number>().Int32Value()),
		info[2].As<Napi::Number>().DoubleValue(),
		str_of(what),
		info[4].IsNull() ? str{ nullptr, 0 } : str_of(with),
	};

	if (t->call && !t->changes)
		t->changes = changes_new();
	return Napi::Boolean::New(
	    info.Env(), t->call && t->changes &&
			    changes_add(t->changes, &c, t->event->actions));
}

/* (token, name): its value, or null. */
static Napi::Value
symbol(const Napi::CallbackInfo &info)
{
	struct {
		struct token *token;
		std::string name, value;
		bool found;
	} work = { token_of(info), text_of(info[1]), "", false };

	on_its_thread(
	    work.token,
	    [](void *arg) {
		    auto w = static_cast<decltype(work) *>(arg);
		    /* libmilter's, and gone with the next packet. */
		    const char *v = smfi_getsymval(
			static_cast<SMFICTX *>(w->token->event->context),
			const_cast<char *>(w->name.c_str()));

		    w->found = v;
		    w->value = v ? v : "";
	    },
	    &work);
	return work.found ? string_of(info.Env(), str_of(work.value))
			  : info.Env().Null();
}

/* (token, stage, list): MI_ */
static Napi::Value
symbol_list(const Napi::CallbackInfo &info)
{
	struct {
		struct token *token;
		int stage;
		std::string list;
		int result;
	} work = { token_of(info), info[1].As<Napi::Number>().Int32Value(),
		text_of(info[2]), MI_FAILURE };

	on_its_thread(
	    work.token,
	    [](void *arg) {
		    auto w = static_cast<decltype(work) *>(arg);

		    w->result = smfi_setsymlist(
			static_cast<SMFICTX *>(w->token->event->context),
			w->stage, const_cast<char *>(w->list.c_str()));
	    },
	    &work);
	return Napi::Number::New(info.Env(), work.result);
}

/* (token, code, enhanced code or null, lines): MI_ */
static Napi::Value
reply(const Napi::CallbackInfo &info)
{
	Napi::Array lines = info[3].As<Napi::Array>();
	struct {
		struct token *token;
		std::string code, xcode;
		bool has_xcode;
		std::vector<std::string> texts;
		std::vector<const char *> lines;
		int result;
	} work = { token_of(info), text_of(info[1]), text_of(info[2]),
		!info[2].IsNull(), {}, {}, MI_FAILURE };

	for (uint32_t i = 0; i < lines.Length(); i++)
		work.texts.push_back(text_of(lines.Get(i)));
	for (const std::string &line : work.texts)
		work.lines.push_back(line.c_str());
	on_its_thread(
	    work.token,
	    [](void *arg) {
		    auto w = static_cast<decltype(work) *>(arg);

		    w->result = compat_reply(w->token->event, w->code.c_str(),
			w->has_xcode ? w->xcode.c_str() : nullptr,
			w->lines.data(), w->lines.size());
	    },
	    &work);
	return Napi::Number::New(info.Env(), work.result);
}

/* (token): MI_ */
static Napi::Value
progress(const Napi::CallbackInfo &info)
{
	struct {
		struct token *token;
		int result;
	} work = { token_of(info), MI_FAILURE };

	on_its_thread(
	    work.token,
	    [](void *arg) {
		    auto w = static_cast<decltype(work) *>(arg);

		    w->result = compat_progress(w->token->event);
	    },
	    &work);
	return Napi::Number::New(info.Env(), work.result);
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

static Napi::Object
changes(Napi::Env env)
{
	Napi::Object out = Napi::Object::New(env);

#define CHANGE(id, flag) out.Set(#id, Napi::Number::New(env, CHANGE_##id));
#include "addon/compat_changes.def"
#undef CHANGE
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
		{ "answer", answer },
		{ "change", change },
		{ "symbol", symbol },
		{ "symbolList", symbol_list },
		{ "reply", reply },
		{ "progress", progress },
	};
	Napi::Object out = Napi::Object::New(env);

	for (const auto &f : functions)
		out.Set(f.name, Napi::Function::New(env, f.f, f.name));
	out.Set("constants", constants(env));
	out.Set("events", events(env));
	out.Set("changes", changes(env));
	return out;
}
