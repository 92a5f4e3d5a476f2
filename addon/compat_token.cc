/*
 * The older API: what can be done with an event while it waits.
 */
#include <libmilter/mfapi.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "addon/compat.hh"
#include "addon/compat_change.h"
#include "addon/compat_milter.h"

/* Owned by the object that JavaScript has. */
struct token {
	struct call *call; /* NULL: answered */
	struct compat_event *event;
	struct compat_changes *changes;
};

static void
token_free(Napi::Env, struct token *t)
{
	if (t->call)
		call_release(t->call);
	changes_free(t->changes);
	delete t;
}

Napi::Value
token_new(Napi::Env env, struct call *call, struct compat_event *event)
{
	return Napi::External<token>::New(
	    env, new token{ call, event, nullptr }, token_free);
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
	std::string what = text_of(info[3]), with = text_of(info[4]);
	struct {
		struct token *token;
		struct change change;
		bool kept;
	} work = { token_of(info),
		{ static_cast<enum change_kind>(
		      info[1].As<Napi::Number>().Int32Value()),
		    info[2].As<Napi::Number>().DoubleValue(), str_of(what),
		    info[4].IsNull() ? str{ nullptr, 0 } : str_of(with) },
		false };

	/* By the other thread, so that what is kept has somebody to send it. */
	on_its_thread(
	    work.token,
	    [](void *arg) {
		    auto w = static_cast<decltype(work) *>(arg);
		    struct token *t = w->token;

		    if (!t->changes)
			    t->changes = changes_new();
		    w->kept = t->changes && changes_add(t->changes, &w->change,
						t->event->actions);
	    },
	    &work);
	return Napi::Boolean::New(info.Env(), work.kept);
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

static Napi::Object
changes(Napi::Env env)
{
	Napi::Object out = Napi::Object::New(env);

#define CHANGE(id, flag) out.Set(#id, Napi::Number::New(env, CHANGE_##id));
#include "addon/compat_changes.def"
#undef CHANGE
	return out;
}

void
token_init(Napi::Env env, Napi::Object exports)
{
	static const struct {
		const char *name;
		Napi::Value (*f)(const Napi::CallbackInfo &);
	} functions[] = {
		{ "answer", answer },
		{ "change", change },
		{ "symbol", symbol },
		{ "symbolList", symbol_list },
		{ "reply", reply },
		{ "progress", progress },
	};

	for (const auto &f : functions)
		exports.Set(f.name, Napi::Function::New(env, f.f, f.name));
	exports.Set("changes", changes(env));
}
