// What a hook answers: nothing, a verdict, effects, or a list of them.

// A wrong answer, or a wrong argument on the way to one.
export class AnswerError extends TypeError {
	name = 'AnswerError';
}

function fail(message) {
	throw new AnswerError(message);
}

function show(value) {
	if (typeof value === 'string')
		return JSON.stringify(value.slice(0, 60));
	return typeof value === 'function' ? 'a function' : String(value);
}

// ---- arguments ---------------------------------------------------------------

const MOST_LINES = 32;
const HEADER_NAME = /^[\x21-\x39\x3b-\x7e]+$/;
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/; // but the tabulator

function text(value, what) {
	if (typeof value !== 'string')
		fail(`${what} is a string, not ${show(value)}`);
	return value;
}

function line(value, what) {
	if (CONTROL.test(text(value, what)))
		fail(`${what} is one line without control characters: ` +
			show(value));
	return value;
}

function filled(value, what) {
	if (line(value, what).trim() === '')
		fail(`${what} is empty`);
	return value;
}

function headerName(value) {
	if (!HEADER_NAME.test(text(value, "a header field's name")))
		fail(`${show(value)} is no name of a header field`);
	return value;
}

// A fold, a line end with a blank behind it, is part of a value.
function headerValue(value) {
	const unfolded = text(value, "a header field's value").replace(
		/\r?\n(?=[ \t])/g,
		'',
	);

	if (CONTROL.test(unfolded))
		fail("a header field's value is one line, or folded: " +
			show(value));
	return value;
}

function address(value, what) {
	const bare = line(value, what).replace(/^<(.*)>$/, '$1');

	if (!/^[^\s<>]+@[^\s<>@]+$/.test(bare) && !/^".*"@[^\s<>@]+$/.test(bare))
		fail(`${what} is an address such as a@example.com, not ` +
			show(value));
	return bare;
}

function sender(value) {
	const what = 'the sender';

	return ['', '<>'].includes(text(value, what)) ? '<>' : address(value, what);
}

function index(value) {
	if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff)
		fail(`an index is a whole number from 0, not ${show(value)}`);
	return value;
}

// [code] [enhanced code] [line | lines]
function reply(verdict, digit, args) {
	const rest = [...args];
	const out = [['verdict', verdict]];

	if (typeof rest[0] === 'number') {
		const code = rest.shift();

		if (!Number.isInteger(code) || Math.floor(code / 100) !== digit)
			fail(`${verdict} has a code ${digit}xx, not ${show(code)}`);
		out.push(['code', String(code)]);
	}
	if (/^\d\.\d{1,3}\.\d{1,3}$/.test(rest[0])) {
		const xcode = rest.shift();

		if (xcode[0] !== String(digit))
			fail(`${verdict} has an enhanced code ` +
				`${digit}.x.x, not ${xcode}`);
		out.push(['xcode', xcode]);
	}
	const lines = rest[0] === undefined ? [] : rest.shift();
	const list = Array.isArray(lines) ? lines : [lines];

	if (rest.length > 0)
		fail(`${verdict}(code, enhanced code, text): ${show(rest[0])} ` +
			'is too much');
	if (list.length > MOST_LINES)
		fail(`a reply has at most ${MOST_LINES} lines, not ${list.length}`);
	for (const l of list)
		out.push(['line', line(l, 'a line of a reply')]);
	return out;
}

// ---- answers -----------------------------------------------------------------

// Known in every copy of this module that a hook may have imported.
const PARTS = Symbol.for('milt.answer');

// A verdict or none, and effects; never changed, each call gives a new one.
export class Answer {
	constructor(parts = { verdict: [], effects: [], logs: [] }) {
		// Records; of `verdict` the first one says which it is.
		this[PARTS] = parts;
		Object.freeze(this);
	}

	get verdict() {
		return this[PARTS].verdict[0]?.[1];
	}

	#with(...change) {
		const { effects, ...rest } = this[PARTS];

		return new Answer({ ...rest, effects: [...effects, ...change] });
	}

	addHeader(name, value) {
		return this.#with(
			['change', 'add header'],
			['name', headerName(name)],
			['value', headerValue(value)],
		);
	}

	setHeader(name, value) {
		return this.#with(
			['change', 'set header'],
			['name', headerName(name)],
			['value', headerValue(value)],
		);
	}

	insertHeader(at, name, value) {
		return this.#with(
			['change', 'insert header'],
			['index', String(index(at))],
			['name', headerName(name)],
			['value', headerValue(value)],
		);
	}

	removeHeader(name) {
		return this.#with(
			['change', 'remove header'],
			['name', headerName(name)],
		);
	}

	addRecipient(recipient) {
		return this.#with(
			['change', 'add recipient'],
			['value', address(recipient, 'a recipient')],
		);
	}

	removeRecipient(recipient) {
		const change = ['change', 'remove recipient'];

		if (recipient === undefined)
			return this.#with(change);
		return this.#with(change, [
			'value',
			address(recipient, 'a recipient'),
		]);
	}

	setSender(address) {
		return this.#with(
			['change', 'set sender'],
			['value', sender(address)],
		);
	}

	replaceBody(body) {
		return this.#with(
			['change', 'replace body'],
			['value', text(body, 'a body')],
		);
	}

	quarantine(reason) {
		return this.#with(
			['change', 'quarantine'],
			['value', filled(reason, 'the reason of a quarantine')],
		);
	}

	log(message) {
		const { logs, ...rest } = this[PARTS];
		const more = ['log', text(message, 'a log line')];

		return new Answer({ ...rest, logs: [...logs, more] });
	}

	// This one, and what the other one has.
	and(other) {
		const [a, b] = [this[PARTS], other[PARTS]];

		if (a.verdict.length > 0 && b.verdict.length > 0)
			fail(`two verdicts: ${a.verdict[0][1]} and ` +
				b.verdict[0][1]);
		return new Answer({
			verdict: [...a.verdict, ...b.verdict],
			effects: [...a.effects, ...b.effects],
			logs: [...a.logs, ...b.logs],
		});
	}

	records() {
		const { verdict, effects, logs } = this[PARTS];

		if (!['accept', undefined].includes(this.verdict) &&
			effects.length > 0)
			fail(`${this.verdict} beside \`${effects[0][1]}\`: ` +
				'effects are for messages that are accepted');
		return [...verdict, ...effects, ...logs];
	}
}

const of = (verdict) => new Answer({ verdict, effects: [], logs: [] });

export const accept = (...rest) =>
	rest.length > 0
		? fail('accept() has no arguments')
		: of([['verdict', 'accept']]);
export const discard = (...rest) =>
	rest.length > 0
		? fail('discard() has no arguments')
		: of([['verdict', 'discard']]);
export const reject = (...args) => of(reply('reject', 5, args));
export const tempfail = (...args) => of(reply('tempfail', 4, args));

const none = new Answer();

export const addHeader = (...args) => none.addHeader(...args);
export const setHeader = (...args) => none.setHeader(...args);
export const insertHeader = (...args) => none.insertHeader(...args);
export const removeHeader = (...args) => none.removeHeader(...args);
export const addRecipient = (...args) => none.addRecipient(...args);
export const removeRecipient = (...args) => none.removeRecipient(...args);
export const setSender = (...args) => none.setSender(...args);
export const replaceBody = (...args) => none.replaceBody(...args);
export const quarantine = (...args) => none.quarantine(...args);
export const log = (...args) => none.log(...args);

// What code in a policy has in scope beside `tx` and `signal`.
export const vocabulary = Object.freeze({
	accept,
	reject,
	tempfail,
	discard,
	addHeader,
	setHeader,
	insertHeader,
	removeHeader,
	addRecipient,
	removeRecipient,
	setSender,
	replaceBody,
	quarantine,
	log,
});

// What a hook returned, as an Answer.
export function toAnswer(value) {
	if (value === undefined || value === null)
		return none;
	if (value[PARTS])
		return value instanceof Answer ? value : new Answer(value[PARTS]);
	if (Array.isArray(value))
		return value.map(toAnswer).reduce((all, one) => all.and(one), none);
	return fail(
		'a hook returns nothing, a verdict such as reject(), effects, or ' +
			`a list of them, not ${show(value)}`,
	);
}
