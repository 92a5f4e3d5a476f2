// Filters of the older API for tests, each in a process of its own.
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Mta } from './mta.mjs';

const script = fileURLToPath(new URL('compat-filter.cjs', import.meta.url));

export class Filter {
	// What its functions noted, in order.
	notes = [];
	// { code, signal } when it has ended.
	ended = null;
	output = '';

	#process;
	#directory;
	#wake = [];
	#syncs = 0;

	// `t` is the test, at whose end the filter ends.
	static async start(t, { handlers = '{}', setup = '', env = {} } = {}) {
		const filter = new Filter();

		filter.#directory = mkdtempSync(join(tmpdir(), 'milt-compat.'));
		filter.where = `unix:${join(filter.#directory, 'sock')}`;
		filter.#process = fork(script, [filter.where, setup, handlers], {
			stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
			env: { ...process.env, ...env },
			execArgv: ['--expose-gc'],
		});
		filter.#listen();
		t.after(() => filter.end());
		await filter.until(() => filter.noted('ready').length > 0);
		return filter;
	}

	#listen() {
		const wake = () => this.#wake.forEach((f) => f());

		this.#process.on('message', (note) => {
			this.notes.push(note);
			wake();
		});
		for (const stream of [this.#process.stdout, this.#process.stderr])
			stream.on('data', (text) => {
				this.output += text;
				wake();
			});
		this.#process.on('close', (code, signal) => {
			this.ended = { code, signal };
			wake();
		});
	}

	get pid() {
		return this.#process.pid;
	}

	// When all that was noted until now is here.
	async synced() {
		const n = ++this.#syncs;

		this.#process.send(n);
		await this.until(() => this.notes.some(
			([what, got]) => what === 'synced' && got === n));
		this.notes = this.notes.filter(([what]) => what !== 'synced');
	}

	noted(what) {
		return this.notes.filter(([first]) => first === what)
			.map(([, ...rest]) => rest);
	}

	// Until it is true; false if it was not within half a minute.
	async until(condition) {
		const end = Date.now() + 30000;

		while (!condition()) {
			if (Date.now() > end || (this.ended && !condition()))
				throw new Error(`waited in vain: ${condition}; ` +
					`${JSON.stringify(this.ended)} ${this.output}`);
			await new Promise((resolve) => {
				const timer = setTimeout(resolve, 100);

				this.#wake.push(() => {
					clearTimeout(timer);
					resolve();
				});
			});
			this.#wake = [];
		}
	}

	untilNoted(what, count = 1) {
		return this.until(() => this.noted(what).length >= count);
	}

	// How it ended, by itself.
	async ending() {
		await this.until(() => this.ended);
		return this.ended;
	}

	kill(signal) {
		this.#process.kill(signal);
	}

	// An MTA that has negotiated and connected.
	async mta({ offer, client = ['mx.test'] } = {}) {
		const mta = await Mta.open(this.where);

		await mta.negotiate(offer);
		await mta.connect(...client);
		return mta;
	}

	async end() {
		if (!this.ended) {
			this.kill('SIGKILL');
			await this.until(() => this.ended);
		}
		rmSync(this.#directory, { recursive: true, force: true });
	}
}
