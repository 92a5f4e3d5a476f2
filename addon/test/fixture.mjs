// Policies served in processes of their own, with private sockets.
import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Mta } from './mta.mjs';

const program = fileURLToPath(new URL('host.mjs', import.meta.url));

export async function directory(t, files) {
	const dir = await mkdtemp(join(tmpdir(), 'milt-'));

	t.after(() => rm(dir, { recursive: true, force: true }));
	await write(dir, files);
	return dir;
}

export async function write(dir, files) {
	for (const [name, text] of Object.entries(files))
		await writeFile(join(dir, name), text);
}

// A predicate over what has come so far: resolves once it holds.
class Watched {
	#waiting = new Set();

	changed() {
		for (const look of this.#waiting)
			look();
	}

	until(ready, what, ms = 20000) {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#waiting.delete(look);
				reject(new Error(`not seen: ${what ?? ready}`));
			}, ms);
			const look = () => {
				const value = ready();

				if (!value)
					return;
				clearTimeout(timer);
				this.#waiting.delete(look);
				resolve(value);
			};

			this.#waiting.add(look);
			look();
		});
	}
}

export class Host extends Watched {
	decisions = [];
	reloads = [];
	log = '';
	output = '';
	#child;
	#calls = new Map();
	#last = 0;

	// `files` by name, policy.milt among them.
	static async start(t, { files, options = {}, env = {}, args = [] }) {
		const host = new Host();

		host.dir = await directory(t, files);
		host.socket = `unix:${join(host.dir, 'milt.sock')}`;
		host.#spawn(
			{ policy: 'policy.milt', listen: host.socket, ...options },
			env,
			args,
		);
		t.after(() => host.kill());
		await host.until(() => host.ready || host.failed, 'ready');
		return host;
	}

	#spawn(options, env, execArgv) {
		this.#child = fork(program, [JSON.stringify(options)], {
			cwd: this.dir,
			env: { ...process.env, ...env },
			execArgv,
			silent: true,
		});
		this.#child.stderr.on('data', (text) => {
			this.log += text;
			this.changed();
		});
		this.#child.stdout.on('data', (text) => {
			this.output += text;
			this.changed();
		});
		this.#child.on('message', (message) => this.#hear(message));
		this.exited = new Promise((resolve) => {
			this.#child.on('exit', (status, signal) => {
				this.end = { status, signal };
				this.failed ??= 'it has ended';
				for (const { reject } of this.#calls.values())
					reject(new Error('the host has ended'));
				this.changed();
				resolve(this.end);
			});
		});
	}

	#hear(message) {
		if (message.decision)
			this.decisions.push(message.decision);
		else if ('reload' in message)
			this.reloads.push(message.reload);
		else if (message.ready)
			this.ready = true;
		else if (message.failed)
			Object.assign(this, message);
		else {
			const { resolve, reject } = this.#calls.get(message.id);

			this.#calls.delete(message.id);
			if (message.error === undefined)
				resolve(message.value);
			else
				reject(new Error(message.error));
		}
		this.changed();
	}

	call(name, argument) {
		const id = ++this.#last;

		return new Promise((resolve, reject) => {
			this.#calls.set(id, { resolve, reject });
			this.#child.send({ id, name, argument });
		});
	}

	signal(name) {
		this.#child.kill(name);
	}

	async kill() {
		if (!this.end)
			this.#child.kill('SIGKILL');
		await this.exited;
	}

	logged(text) {
		return this.until(() => this.log.includes(text), text);
	}

	// What becomes of a message with that subject.
	async mail(subject, message = {}) {
		const answer = await Mta.session(this.socket, {
			message: {
				headers: [
					['Subject', subject],
					['From', 'Amy <a@client.test>'],
				],
				...message,
			},
		});

		return outcome(answer);
	}
}

const WORDS = { a: 'accept', c: 'accept', d: 'discard', r: 'reject', t: 'tempfail' };

// `reject`, or the reply's text; changes behind it.
export function outcome({ command, text, edits }) {
	const changes = edits.map(({ kind, index, name, value, body }) =>
		[kind, index, name, value, body?.toString()]
			.filter((x) => x !== undefined)
			.join(' '),
	);

	return [text ?? WORDS[command], ...changes].join(' | ');
}
