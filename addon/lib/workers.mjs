// The hooks of one generation of the policy, in threads of their own.  A
// thread that ends, or that is busy long after its question was given up, is
// replaced; its questions fail.
import { Worker } from 'node:worker_threads';
import { ended } from './answer.mjs';
import { HookError } from './hooks.mjs';

const PATIENCE = 2000; // ms, for a thread to hear that a question is over
const AGAIN = 1000; // ms, before a thread is tried that did not start
export const LOADING = 30000; // ms, for hooks to load

class Thread {
	#worker;
	#running = new Map(); // question's id: done
	#silent; // timer
	#closed = false;

	constructor(rules, generation, onEnd) {
		this.#worker = new Worker(new URL('./worker.mjs', import.meta.url), {
			workerData: { rules, generation },
			stdin: false,
		});
		this.#worker.unref();
		this.#worker.on('error', (error) => {
			this.error = error;
		});
		const loading = setTimeout(() => {
			this.error = new Error('hooks are not loaded in time');
			this.#worker.terminate();
		}, LOADING).unref();

		this.#worker.on('exit', () => {
			clearTimeout(loading);
			clearTimeout(this.#silent);
			this.ended = true;
			for (const done of this.#running.values())
				done({ octets: ended, error: this.error });
			this.#running.clear();
			if (!this.#closed)
				onEnd(this);
		});
		this.ready = new Promise((resolve, reject) => {
			this.#worker.once('message', (message) => {
				this.#worker.on('message', (m) => this.#hear(m));
				clearTimeout(loading);
				this.loaded = message.loaded;
				if (message.loaded)
					resolve(message.macros);
				else
					reject(new HookError(message.error));
			});
			this.#worker.once('exit', () => {
				reject(
					new HookError(
						'error: a thread for hooks ended at its start' +
							`${this.error ? `: ${this.error.message}` : ''}\n`,
					),
				);
			});
		});
	}

	get load() {
		return this.#running.size;
	}

	#hear({ id, alive, octets, error }) {
		if (alive !== undefined) {
			clearTimeout(this.#silent);
			this.#silent = undefined;
			return;
		}
		const done = this.#running.get(id);

		this.#running.delete(id);
		done?.({ octets: Buffer.from(octets), error });
	}

	ask(id, rule, question, done) {
		this.#running.set(id, done);
		this.#worker.postMessage({ id, rule, question });
	}

	abort(id, reason) {
		if (!this.#running.delete(id))
			return;
		this.#worker.postMessage({ id, abort: reason.message });
		this.#silent ??= setTimeout(() => {
			this.error = new Error('a hook has not let go of its thread');
			this.#worker.terminate();
		}, PATIENCE).unref();
	}

	close() {
		this.#closed = true;
		return this.#worker.terminate();
	}
}

export class WorkerHooks {
	#threads = [];
	#where = new Map(); // question's id: Thread
	#start;
	#closed = false;

	static async load(rules, generation, count, onTrouble) {
		const hooks = new WorkerHooks();

		hooks.#start = () =>
			new Thread(rules, generation, (thread) =>
				hooks.#replace(thread, onTrouble),
			);
		hooks.#threads = Array.from({ length: count }, hooks.#start);
		try {
			const all = await Promise.all(
				hooks.#threads.map((thread) => thread.ready),
			);

			hooks.macros = all[0];
		} catch (error) {
			hooks.close();
			throw error;
		}
		return hooks;
	}

	#replace(thread, onTrouble) {
		const at = this.#threads.indexOf(thread);

		if (this.#closed || at < 0)
			return;
		onTrouble(
			thread.error ??
				new Error(
					thread.loaded
						? 'a hook ended its thread'
						: 'hooks do not load any more',
				),
		);
		if (thread.loaded)
			this.#restart(at);
		else
			setTimeout(() => this.#restart(at), AGAIN).unref();
	}

	#restart(at) {
		if (this.#closed)
			return;
		this.#threads[at] = this.#start();
		this.#threads[at].ready.catch(() => {});
	}

	ask(id, rule, question, done) {
		const living = this.#threads.filter((thread) => !thread.ended);

		if (living.length === 0) {
			done({ octets: ended });
			return;
		}
		const thread = living.reduce((a, b) => (b.load < a.load ? b : a));

		this.#where.set(id, thread);
		thread.ask(id, rule, question, (result) => {
			this.#where.delete(id);
			done(result);
		});
	}

	abort(id, reason) {
		this.#where.get(id)?.abort(id, reason);
		this.#where.delete(id);
	}

	close() {
		this.#closed = true;
		for (const thread of this.#threads)
			thread.close();
	}
}
