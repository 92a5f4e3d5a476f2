'use strict';
// The first argument of each function of the older API.  There is one envelope
// for each event, because done() belongs to the event: a late or second answer
// finds its own event over, and never answers another.  What is kept from event
// to event is in `local`.
const { compat: native } = require('./native.cjs');

const { constants, changes } = native;
const { MI_SUCCESS, MI_FAILURE } = constants;
const THREW = -1;
const SECRET = Symbol('only we make envelopes');

// ---- arguments ---------------------------------------------------------------

const isBytes = (v) => v instanceof Uint8Array;
const isText = (v) => typeof v === 'string' || isBytes(v);
const isNothing = (v) => v === null || v === undefined;

function need(condition, message) {
	if (!condition)
		throw new TypeError(message);
}

function needNumber(v, name) {
	need(typeof v === 'number', `${name} is not a number`);
}

function needText(v, name) {
	need(isText(v), `${name} is neither a string nor a Uint8Array`);
}

function nameOf(code) {
	const names = Object.keys(constants);

	return names.find((n) => n.startsWith('SMFIS_') && constants[n] === code) ??
		String(code);
}

// libmilter's texts end at a NUL.
const hasNul = (v) => isText(v) && v.includes(isBytes(v) ? 0 : '\0');

// `%%` is libmilter's `%`; one alone is lost by some MTAs.
const escapePercent = (text) => text.replace(/%%?/g, '%%');

function replyCode(v) {
	need(
		typeof v === 'string' || typeof v === 'number',
		'the code is neither a string nor a number',
	);
	return String(v);
}

function enhancedCode(v) {
	need(
		isNothing(v) || typeof v === 'string',
		'the enhanced code is neither a string nor null',
	);
	return v || null;
}

// ---- the envelope ------------------------------------------------------------

class Envelope {
	#session;
	#event; // { name, token, answers, offer, wanted, over }

	constructor(secret, session, event) {
		if (secret !== SECRET)
			throw new TypeError('envelopes are made by milt alone');
		this.#session = session;
		this.#event = event;
		Object.defineProperty(this, 'local', {
			enumerable: true,
			get: () => session.local,
			set: (value) => {
				session.local = value;
			},
		});
	}

	#needEvent(...names) {
		const { name, over } = this.#event;

		if (names.length > 0 && !names.includes(name))
			throw new Error(`only in ${names.join(', ')}; this is ${name}`);
		if (over)
			throw new Error(`${name} was answered already`);
	}

	// The end of the event; `code` is SMFIS_ or THREW.
	#answer(code) {
		const event = this.#event;

		event.over = true;
		return event.token === null ||
			native.answer(event.token, code, ...event.wanted);
	}

	done(code) {
		const event = this.#event;

		needNumber(code, 'the answer');
		if (event.over) {
			event.report(new Error(
				`${event.name}: done() was called twice; ` +
				'the first answer counts'));
			return false;
		}
		if (!Number.isInteger(code) || code < 0 || code > 30 ||
			((event.answers >>> code) & 1) === 0)
			throw new RangeError(
				`${nameOf(code)} is no answer to ${event.name}` +
				(event.isQuiet ? ', for which no reply was negotiated' : ''));
		return this.#answer(code);
	}

	negotiate(...words) {
		this.#needEvent('negotiate');
		need(words.length >= 4, 'negotiate takes four numbers');
		words.slice(0, 4).forEach((w) => needNumber(w, 'an argument'));
		const { offer } = this.#event;
		const wanted = words.slice(0, 4).map((w) => w >>> 0);

		for (const [i, what] of ['actions', 'steps'].entries())
			if (wanted[i] & ~offer[i])
				throw new RangeError(
					`the MTA does not offer the ${what} ` +
					`0x${((wanted[i] & ~offer[i]) >>> 0).toString(16)}`);
		this.#event.wanted = wanted;
	}

	// ---- what the MTA knows ---------------------------------------------

	getsymval(name) {
		const text = String(name);

		if (this.#event.over || this.#event.token === null || hasNul(text))
			return '';
		return native.symbol(this.#event.token, text) ?? '';
	}

	setsymlist(stage, list) {
		this.#needEvent('negotiate');
		needNumber(stage, 'the stage');
		need(typeof list === 'string', 'the list is not a string');
		if (hasNul(list) || !Number.isInteger(stage))
			return MI_FAILURE;
		return native.symbolList(this.#event.token, stage, list);
	}

	// ---- replies --------------------------------------------------------

	#reply(code, xcode, lines) {
		const { name, token } = this.#event;

		if (name === 'negotiate')
			throw new Error('not in negotiate');
		if (token === null || [code, xcode, ...lines].some(hasNul))
			return MI_FAILURE;
		this.#needEvent();
		return native.reply(token, code, xcode, lines.map(escapePercent));
	}

	setreply(code, xcode, message) {
		need(
			isNothing(message) || typeof message === 'string',
			'the message is neither a string nor null',
		);
		return this.#reply(replyCode(code), enhancedCode(xcode),
			isNothing(message) ? [] : [message]);
	}

	setmlreply(code, xcode, lines) {
		need(
			Array.isArray(lines) && lines.every((l) => typeof l === 'string'),
			'the lines are not an array of strings',
		);
		if (lines.length === 0)
			return MI_FAILURE;
		return this.#reply(replyCode(code), enhancedCode(xcode), lines);
	}

	progress() {
		this.#needEvent('eom');
		return native.progress(this.#event.token);
	}

	// ---- changes: sent with the answer ----------------------------------

	#change(kind, index, what, value) {
		const { token } = this.#event;

		if (!Number.isInteger(index) || hasNul(value) ||
			(kind !== changes.BODY && hasNul(what)))
			return MI_FAILURE;
		return native.change(token, kind, index, what, value ?? null)
			? MI_SUCCESS
			: MI_FAILURE;
	}

	addheader(name, value) {
		this.#needEvent('eom');
		needText(name, 'the name');
		needText(value, 'the value');
		return this.#change(changes.ADD_HEADER, 0, name, value);
	}

	chgheader(name, index, value) {
		this.#needEvent('eom');
		needText(name, 'the name');
		needNumber(index, 'the index');
		need(isNothing(value) || isText(value),
			'the value is neither text nor null');
		return this.#change(changes.SET_HEADER, index, name, value);
	}

	insheader(index, name, value) {
		this.#needEvent('eom');
		needNumber(index, 'the index');
		needText(name, 'the name');
		needText(value, 'the value');
		return this.#change(changes.INSERT_HEADER, index, name, value);
	}

	replacebody(body) {
		this.#needEvent('eom');
		needText(body, 'the body');
		return this.#change(changes.BODY, 0, body, null);
	}

	addrcpt(recipient) {
		this.#needEvent('eom');
		needText(recipient, 'the recipient');
		return this.#change(changes.ADD_RECIPIENT, 0, recipient, null);
	}

	addrcpt_par(recipient, parameters) {
		this.#needEvent('eom');
		needText(recipient, 'the recipient');
		need(isNothing(parameters) || isText(parameters),
			'the parameters are neither text nor null');
		return this.#change(changes.ADD_RECIPIENT_PAR, 0, recipient,
			parameters);
	}

	delrcpt(recipient) {
		this.#needEvent('eom');
		needText(recipient, 'the recipient');
		return this.#change(changes.REMOVE_RECIPIENT, 0, recipient, null);
	}

	chgfrom(address, parameters) {
		this.#needEvent('eom');
		needText(address, 'the address');
		need(parameters === undefined || isText(parameters),
			'the parameters are no text');
		return this.#change(changes.SENDER, 0, address, parameters);
	}

	quarantine(reason) {
		need(this.#event.name === 'eom', 'only in eom');
		this.#needEvent('eom');
		need(isText(reason) && reason.length > 0,
			'the reason is no text, or empty');
		return this.#change(changes.QUARANTINE, 0, reason, null);
	}

	// ---- for compat.cjs -------------------------------------------------

	// Runs the user's function; what it returns counts if it is a promise of
	// an answer.
	static run(session, event, f, args) {
		const envelope = new Envelope(SECRET, session, event);
		const fail = (error) => {
			event.report(error);
			if (!event.over)
				envelope.#answer(THREW);
		};
		const settle = (code) => {
			if (typeof code !== 'number' || event.over)
				return;
			try {
				envelope.done(code);
			} catch (error) {
				fail(error);
			}
		};

		try {
			const result = f(envelope, ...args);

			if (typeof result?.then === 'function')
				Promise.resolve(result).then(settle, fail);
		} catch (error) {
			fail(error);
		}
	}
}

module.exports = { run: Envelope.run };
delete Envelope.run;
