/*
 * The MTA's side of the milter protocol, raw: nothing of libmilter, and nothing
 * that keeps a test from being impolite.
 *
 *	const mta = await Mta.open('unix:/tmp/x.sock');
 *	await mta.negotiate();
 *	await mta.connect('mx.test', '4', 25, '192.0.2.1');
 *	const answer = await mta.mail(['<a@b>', 'SIZE=100']);
 *
 * Events are left out, and their answers are not waited for, as the filter
 * asked when it negotiated.  `put`, `write` and `read` know no such manners:
 * with them any packet can be sent in any order, and `destroy` ends the
 * connection at any byte.  Every read has a deadline.
 */
import net from 'node:net';

/* SMFIC_, SMFIR_ and SMFIA_: the letters of the protocol. */
export const COMMAND = {
	ABORT: 'A', BODY: 'B', CONNECT: 'C', MACRO: 'D', EOM: 'E', HELO: 'H',
	QUIT_NC: 'K', HEADER: 'L', MAIL: 'M', EOH: 'N', OPTNEG: 'O', QUIT: 'Q',
	RCPT: 'R', DATA: 'T', UNKNOWN: 'U',
};
export const FAMILY = { UNKNOWN: 'U', UNIX: 'L', INET: '4', INET6: '6' };

const EDITS = new Set([...'+-2behimq']);
const PROGRESS = 'p';

/* For each event: not wanted (SMFIP_NO...), not answered (SMFIP_NR_...). */
const STEPS = {
	C: [0x1, 0x1000], H: [0x2, 0x2000], M: [0x4, 0x4000],
	R: [0x8, 0x8000], B: [0x10, 0x80000], L: [0x20, 0x80],
	N: [0x40, 0x40000], U: [0x100, 0x20000], T: [0x200, 0x10000],
	E: [0, 0],
};

/* What Postfix 3.7 offers. */
export const OFFER = { version: 6, actions: 0x1ff, protocol: 0x1fffff };

const NUL = Buffer.alloc(1);

export const bytes = (x) =>
	typeof x === 'string' ? Buffer.from(x) : Buffer.from(x ?? '');
const cstring = (x) => Buffer.concat([bytes(x), NUL]);

function uint32(n) {
	const b = Buffer.alloc(4);
	b.writeUInt32BE(n >>> 0);
	return b;
}

export function packet(command, ...parts) {
	const data = Buffer.concat(parts.map(bytes));
	return Buffer.concat([uint32(data.length + 1), Buffer.from(command),
		data]);
}

/* `unix:PATH` or `inet:PORT@HOST`, as filters write it. */
function address(where) {
	const inet = /^inet6?:(\d+)@(.*)$/.exec(where);

	if (inet)
		return { port: Number(inet[1]), host: inet[2] };
	return { path: where.replace(/^(unix|local):/, '') };
}

export class Mta {
	/* All bytes that were sent, for tests that cut them short. */
	sent = [];
	actions = 0;
	protocol = 0;
	/* Names of macros that the filter asked for, by SMFIM_. */
	lists = {};

	#socket;
	#timeout;
	#received = Buffer.alloc(0);
	#closed = false;
	#wake = null;

	static open(where, { timeout = 20000 } = {}) {
		const mta = new Mta();

		mta.#timeout = timeout;
		return new Promise((resolve, reject) => {
			const s = net.connect(address(where));

			mta.#socket = s;
			s.setNoDelay?.(true);
			s.once('connect', () => resolve(mta));
			s.on('error', (e) => {
				mta.#end();
				reject(e);
			});
			s.on('close', () => mta.#end());
			s.on('data', (data) => {
				mta.#received =
				    Buffer.concat([mta.#received, data]);
				mta.#wake?.();
			});
		});
	}

	#end() {
		this.#closed = true;
		this.#wake?.();
	}

	get closed() {
		return this.#closed;
	}

	/* ---- bytes and packets ------------------------------------------- */

	write(data) {
		this.sent.push(data);
		if (!this.#closed)
			this.#socket.write(data);
	}

	put(command, ...parts) {
		this.write(packet(command, ...parts));
	}

	async #until(ready, what) {
		const end = Date.now() + this.#timeout;

		while (!ready()) {
			const left = end - Date.now();

			if (this.#closed)
				throw new Error(`closed by the filter: ${what}`);
			if (left <= 0)
				throw new Error(`no answer in time: ${what}`);
			await new Promise((resolve) => {
				const timer = setTimeout(resolve, left);

				this.#wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
			this.#wake = null;
		}
	}

	/* The next packet: { command, data }. */
	async read(what = 'a packet') {
		const whole = () => this.#received.length >= 5 &&
		    this.#received.length >= 4 + this.#received.readUInt32BE();

		await this.#until(whole, what);
		const end = 4 + this.#received.readUInt32BE();
		const command = String.fromCharCode(this.#received[4]);
		const data = this.#received.subarray(5, end);

		this.#received = this.#received.subarray(end);
		return { command, data };
	}

	/* True once the filter has closed; false after `ms`. */
	async closes(ms) {
		const end = Date.now() + ms;

		while (!this.#closed && Date.now() < end)
			await new Promise((r) => setTimeout(r, 5));
		return this.#closed;
	}

	/* Gone, without a word. */
	destroy() {
		this.#socket.destroy();
		this.#closed = true;
	}

	/* ---- negotiation ------------------------------------------------- */

	async negotiate(offer = {}) {
		const { version, actions, protocol } = { ...OFFER, ...offer };

		this.put(COMMAND.OPTNEG, uint32(version), uint32(actions),
		    uint32(protocol));
		const { command, data } = await this.read('negotiation');
		if (command !== COMMAND.OPTNEG || data.length < 12)
			throw new Error(`negotiation answered by ${command}`);
		this.version = data.readUInt32BE(0);
		this.actions = data.readUInt32BE(4);
		this.protocol = data.readUInt32BE(8);
		for (let at = 12; at < data.length;) {
			const end = data.indexOf(0, at + 4);

			this.lists[data.readUInt32BE(at)] =
			    data.toString('latin1', at + 4, end);
			at = end + 1;
		}
		return this;
	}

	/* ---- events ------------------------------------------------------ */

	/* Macros for the event `command` that is sent next. */
	macros(command, values) {
		const parts = Object.entries(values).flatMap(
		    ([name, value]) => [cstring(name), cstring(value)]);

		this.put(COMMAND.MACRO, command, ...parts);
	}

	wants(command) {
		return (this.protocol & STEPS[command][0]) === 0;
	}

	answers(command) {
		return (this.protocol & STEPS[command][1]) === 0;
	}

	/*
	 * The answer: { command, code, text, edits, progress }; `command` is
	 * null where there is none.  Changes come before the answer to the end
	 * of the message.
	 */
	async event(command, ...parts) {
		const answer = { command: null, edits: [], progress: 0 };

		if (!this.wants(command))
			return answer;
		this.put(command, ...parts);
		if (!this.answers(command))
			return answer;
		return this.answer(command, answer);
	}

	async answer(what, into = { edits: [], progress: 0 }) {
		for (;;) {
			const { command, data } = await this.read(what);

			if (command === PROGRESS) {
				into.progress++;
			} else if (EDITS.has(command)) {
				into.edits.push(edit(command, data));
			} else {
				into.command = command;
				if (command === 'y')
					into.text = data.toString(
					    'latin1', 0, data.length - 1);
				return into;
			}
		}
	}

	connect(host, family = FAMILY.INET, port = 25, where = '192.0.2.1') {
		if (family === FAMILY.UNKNOWN)
			return this.event(COMMAND.CONNECT, cstring(host),
			    family);
		const number = Buffer.alloc(2);
		number.writeUInt16BE(port);
		return this.event(COMMAND.CONNECT, cstring(host), family,
		    number, cstring(where));
	}

	helo(name) {
		return this.event(COMMAND.HELO, cstring(name));
	}

	/* [path, parameter...] */
	mail(args) {
		return this.event(COMMAND.MAIL, ...args.map(cstring));
	}

	rcpt(args) {
		return this.event(COMMAND.RCPT, ...args.map(cstring));
	}

	data() {
		return this.event(COMMAND.DATA);
	}

	unknown(line) {
		return this.event(COMMAND.UNKNOWN, cstring(line));
	}

	header(name, value) {
		return this.event(COMMAND.HEADER, cstring(name),
		    cstring(value));
	}

	eoh() {
		return this.event(COMMAND.EOH);
	}

	body(chunk) {
		return this.event(COMMAND.BODY, chunk);
	}

	eom() {
		return this.event(COMMAND.EOM);
	}

	abort() {
		this.put(COMMAND.ABORT);
	}

	/* The connection stays, for the next client. */
	quitNewConnection() {
		this.put(COMMAND.QUIT_NC);
	}

	quit() {
		this.put(COMMAND.QUIT);
		this.#socket.end();
	}

	/* ---- whole sessions ---------------------------------------------- */

	/*
	 * One message; ends at the first answer that is not `continue` or
	 * `skip`, and returns it with the event that it was given to.
	 */
	async message({ sender = ['<a@client.test>'],
		recipients = [['<b@server.test>']],
		headers = [['Subject', 'hello'], ['From', '<a@client.test>']],
		body = ['Hello.\r\n'] } = {}) {
		const events = [
			['mail', sender],
			...recipients.map((r) => ['rcpt', r]),
			['data'],
			...headers.map((h) => ['header', ...h]),
			['eoh'],
			...body.map((b) => ['body', b]),
			['eom'],
		];
		let skipped = null;

		for (const [name, ...args] of events) {
			if (name === skipped)
				continue;
			const answer = await this[name](...args);

			if (answer.command === 's')
				skipped = name;
			else if (name === 'eom' || (answer.command !== null &&
			    answer.command !== 'c'))
				return { ...answer, event: name };
		}
		throw new Error('no end of message');
	}

	/* Connects, negotiates, one message, quits: its answer. */
	static async session(where, { offer, client = ['mx.test'], message,
		timeout } = {}) {
		const mta = await Mta.open(where, { timeout });

		await mta.negotiate(offer);
		let answer = await mta.connect(...client);
		if (answer.command === 'c' || answer.command === null)
			answer = await mta.helo('mx.test');
		if (answer.command === 'c' || answer.command === null)
			answer = await mta.message(message);
		mta.quit();
		return answer;
	}
}

/* A change: { kind, index, name, value }, texts in latin1, bodies in bytes. */
function edit(kind, data) {
	const strings = (at) =>
	    data.toString('latin1', at).split('\0').slice(0, -1);

	switch (kind) {
	case 'b':
		return { kind, body: Buffer.from(data) };
	case 'h':
		return { kind, name: strings(0)[0], value: strings(0)[1] };
	case 'i':
	case 'm':
		return { kind, index: data.readUInt32BE(0),
			name: strings(4)[0], value: strings(4)[1] };
	default:
		return { kind, name: strings(0)[0],
			...(strings(0).length > 1 && { value: strings(0)[1] }) };
	}
}
