// serve(): the policy's questions to JavaScript, from the native side and back.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { missing } from './answer.mjs';
import { HookError } from './hooks.mjs';
import { LocalHooks } from './local.mjs';
import { checkOptions, toNative } from './options.mjs';
import { LOADING, WorkerHooks } from './workers.mjs';

// The first member of each item that the native side delivers.
const QUESTION = 0;
const ABANDONED = 1;
const DECISION = 2;
const RELOAD = 3;
const GAVE_UP = 4;

const LOOK = 1000; // ms between looks at what changes without a word
const TICK = 20; // ms between looks at sessions while draining

// The policy, or its hooks: `diagnostics` are the lines that say what is wrong.
export class PolicyError extends Error {
	name = 'PolicyError';

	constructor(diagnostics) {
		super(diagnostics.trimEnd());
		this.diagnostics = diagnostics;
	}
}

let native;

function loadNative() {
	if (!isMainThread)
		throw new Error(
			'serve: only in the main thread; hooks get threads of their ' +
				'own by `workers`',
		);
	native ??= createRequire(import.meta.url)('./native.cjs').serve;
}

// What a library's user gave us to call must not hurt what it is called for.
function tell(f, ...args) {
	try {
		f?.(...args);
	} catch (error) {
		queueMicrotask(() => {
			throw error;
		});
	}
}

function brief(error) {
	return String(error?.stack ?? error).split('\n').slice(0, 2).join(' ');
}

// A module can wait for ever; a reload must not.
function inTime(loading) {
	let timer;
	const late = new Promise((resolve, reject) => {
		timer = setTimeout(() => {
			reject(new HookError('error: hooks are not loaded in time\n'));
		}, LOADING);
	});

	return Promise.race([loading, late]).finally(() => clearTimeout(timer));
}

export class Server {
	#options;
	#generations = new Map(); // number: hooks
	#questions = new Map(); // id: { hooks, rule's name }
	#names = new Map(); // generation: map from rule index to name
	#loads = 0; // numbers of module instances
	#work = Promise.resolve(); // readings and reapings, one after another
	#timer;
	#closing;
	#onExit = () => native.end();
	#onHangup = () => {
		this.reload().catch(() => {});
	};
	#onAbort = () => {
		this.close().catch(() => {});
	};

	constructor(options) {
		this.#options = options;
	}

	get sessions() {
		return native.sessions();
	}

	// ---- from the native side ------------------------------------------------

	#deliver(items) {
		for (const item of items)
			try {
				this.#take(item);
			} catch (error) {
				native.log(true, brief(error));
			}
	}

	#take([kind, ...rest]) {
		switch (kind) {
		case QUESTION:
			this.#ask(...rest);
			break;
		case ABANDONED:
			this.#abandon(...rest);
			break;
		case DECISION:
			tell(this.#options.onDecision, JSON.parse(rest[0]));
			break;
		case RELOAD:
			this.reload().catch(() => {});
			break;
		case GAVE_UP:
			this.#giveUp();
			break;
		}
	}

	#ask(id, generation, rule, octets) {
		const hooks = this.#generations.get(generation);
		const name = this.#names.get(generation)?.get(rule);

		if (!hooks) {
			native.answer(id, missing);
			return;
		}
		this.#questions.set(id, { hooks, name });
		hooks.ask(id, rule, octets, ({ octets, error }) => {
			const asked = this.#questions.delete(id);

			if (error !== undefined)
				native.log(true, `js rule ${name}: ${brief(error)}`);
			if (!native.answer(id, octets) || !asked)
				native.log(false, `js rule ${name}: its answer came late`);
		});
	}

	#abandon(id) {
		const question = this.#questions.get(id);

		this.#questions.delete(id);
		question?.hooks.abort(
			id,
			new DOMException('nobody waits for the answer', 'AbortError'),
		);
	}

	#giveUp() {
		const error = new Error('serve: libmilter has given up');

		if (!this.#options.onError)
			throw error;
		tell(this.#options.onError, error);
	}

	// ---- policies ---------------------------------------------------------------

	// One piece of work after another, whatever becomes of each.
	#inTurn(work) {
		const done = this.#work.then(work);

		this.#work = done.catch(() => {});
		return done;
	}

	async #load(rules) {
		const { workers, hooks } = this.#options;
		const given = new Map(Object.entries(hooks));
		const generation = ++this.#loads;

		for (const name of given.keys())
			if (!rules.some((rule) => rule.name === name))
				process.emitWarning(
					`serve: the policy has no js rule \`${name}\``,
					{ code: 'MILT_UNUSED_HOOK' },
				);
		if (workers === 0 || rules.length === 0)
			return inTime(LocalHooks.load(rules, generation, given));
		return WorkerHooks.load(rules, generation, workers, (error) => {
			native.log(true, `a thread for hooks: ${brief(error)}`);
		});
	}

	#keep(generation, hooks, rules) {
		this.#generations.set(generation, hooks);
		this.#names.set(
			generation,
			new Map(rules.map(({ index, name }) => [index, name])),
		);
	}

	async #begin() {
		const { diagnostics, rules } = await native.read();

		if (rules === undefined)
			throw new PolicyError(diagnostics);
		if (diagnostics && this.#options.log !== 'none')
			process.stderr.write(diagnostics);
		const list = JSON.parse(rules);
		const hooks = await this.#load(list);

		return { hooks, list };
	}

	async start() {
		native.configure(toNative(this.#options), (items) =>
			this.#deliver(items),
		);
		let begun;

		try {
			begun = await this.#begin();
		} catch (error) {
			native.unconfigure();
			throw error instanceof HookError
				? new PolicyError(error.message)
				: error;
		}
		process.on('exit', this.#onExit);
		try {
			const { hooks, list } = begun;

			this.#keep(native.start(hooks.macros), hooks, list);
		} catch (error) {
			process.off('exit', this.#onExit);
			begun.hooks.close();
			throw error;
		}
		this.#attend();
	}

	#attend() {
		const { signal, hangup } = this.#options;

		this.#timer = setInterval(() => this.#look(), LOOK).unref();
		if (hangup)
			process.on('SIGHUP', this.#onHangup);
		if (signal?.aborted)
			this.#onAbort();
		signal?.addEventListener('abort', this.#onAbort, { once: true });
	}

	#look() {
		if (native.due())
			this.reload().catch(() => {});
		if (this.#generations.size > 1)
			this.#inTurn(() => this.#reap());
	}

	async #reap() {
		const [, ...freed] = await native.reap();

		for (const generation of freed) {
			this.#generations.get(generation)?.close();
			this.#generations.delete(generation);
			this.#names.delete(generation);
		}
	}

	reload() {
		if (this.#closing)
			return Promise.reject(new Error('serve: it is closed'));
		const done = this.#inTurn(() => this.#reload());

		done.then(
			() => tell(this.#options.onReload),
			(error) => tell(this.#options.onReload, error),
		);
		return done;
	}

	async #reload() {
		const { diagnostics, rules } = await native.read();

		if (rules === undefined) {
			native.use([]);
			throw new PolicyError(diagnostics);
		}
		const list = JSON.parse(rules);
		let hooks;

		try {
			hooks = await this.#load(list);
		} catch (error) {
			native.use([], `${error.message.trimEnd()}\n`);
			throw new PolicyError(error.message);
		}
		const generation = native.use(hooks.macros);

		if (generation === 0) {
			hooks.close();
			throw new PolicyError('error: a hook wants what is no macro\n');
		}
		this.#keep(generation, hooks, list);
		await this.#reap();
	}

	// ---- the end ------------------------------------------------------------------

	// No new connections; waits for the open ones, at most so many ms.
	close({ drain = this.#options.drain } = {}) {
		this.#closing ??= this.#close(drain);
		return this.#closing;
	}

	async #close(drain) {
		const end = performance.now() + drain;
		let quiet = 0;

		clearInterval(this.#timer);
		process.off('SIGHUP', this.#onHangup);
		this.#options.signal?.removeEventListener('abort', this.#onAbort);
		native.retire();
		// A connection that was accepted is a session a moment later.
		while (quiet < 2 && performance.now() < end) {
			await sleep(TICK);
			quiet = native.sessions() === 0 ? quiet + 1 : 0;
		}
		const cut = native.sessions();

		native.end();
		native.unref();
		process.off('exit', this.#onExit);
		for (const hooks of this.#generations.values())
			hooks.close();
		return { cut };
	}
}

export async function serve(options) {
	const checked = checkOptions(options);

	loadNative();
	const server = new Server(checked);

	await server.start();
	return server;
}
