// The hooks of one generation of the policy, in this thread.
import { missing, run } from './answer.mjs';
import { loadHooks, wantedMacros } from './hooks.mjs';

export class LocalHooks {
	#functions;
	#running = new Map(); // question's id: AbortController

	static async load(rules, generation, given) {
		const hooks = new LocalHooks();

		hooks.#functions = await loadHooks(rules, generation, given);
		return hooks;
	}

	get macros() {
		return wantedMacros(this.#functions);
	}

	// Calls `done` with { octets, error? } once, or never.
	ask(id, rule, question, done) {
		const hook = this.#functions.get(rule);
		const controller = new AbortController();

		if (!hook) {
			done({ octets: missing });
			return;
		}
		this.#running.set(id, controller);
		run(hook, question, controller.signal, (result) => {
			this.#running.delete(id);
			done(result);
		});
	}

	// Nobody waits for the answer any more.
	abort(id, reason) {
		this.#running.get(id)?.abort(reason);
		this.#running.delete(id);
	}

	close() {
		for (const controller of this.#running.values())
			controller.abort(new Error('the policy is no more'));
		this.#running.clear();
	}
}
