'use strict';
// The API of the older node-milter bindings.  COMPAT.md says what is different.
const { isMainThread } = require('node:worker_threads');
const { compat: native } = require('./lib/native.cjs');
const { run } = require('./lib/compat-envelope.cjs');

const { constants, events } = native;
const REPORT = events.length;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'];
// What a process that is told to end waits for open sessions.
const DRAIN_MS = 30000;

const options = {
	limit: 10000,
	onerror: (error) => console.error('milt/compat:', error),
};
const functions = [];
// By number: { local }, of those that JavaScript has heard of.
const sessions = new Map();
let state = 'new'; // 'serving', 'stopped'
let whenIdle = [];

function report(error) {
	try {
		options.onerror(error);
	} catch (second) {
		console.error('milt/compat:', error, second);
	}
}

// ---- events --------------------------------------------------------------------

function idle() {
	if (state !== 'stopped' || sessions.size > 0)
		return;
	native.letGo();
	whenIdle.forEach((f) => f());
	whenIdle = [];
}

function endSession(id) {
	sessions.delete(id);
	idle();
}

function dispatch(kind, id, token, answers, args) {
	if (kind === REPORT) {
		report(new Error(args[0]));
		return;
	}
	const name = events[kind];

	if (!sessions.has(id)) {
		// It ends before it was heard of.
		if (name === 'close')
			return;
		sessions.set(id, { local: {} });
	}
	const event = {
		name, token, answers, report,
		offer: name === 'negotiate' ? args : [],
		wanted: [0, 0, 0, 0],
		isQuiet: ((answers >>> constants.SMFIS_NOREPLY) & 1) === 1,
		over: false,
	};

	run(sessions.get(id), event, functions[kind], args);
	if (name === 'close')
		endSession(id);
}

// ---- the end -------------------------------------------------------------------

// Who has a handler of its own decides itself.
function onSignal(signal) {
	if (process.listenerCount(signal) > 1)
		return;
	const end = () => {
		native.shutDown();
		SIGNALS.forEach((s) => process.removeListener(s, onSignal));
		process.kill(process.pid, signal);
	};

	if (state === 'stopped') {
		end();
		return;
	}
	module.exports.stop();
	if (sessions.size === 0) {
		end();
		return;
	}
	whenIdle.push(end);
	setTimeout(end, DRAIN_MS).unref();
}

// ---- the API -------------------------------------------------------------------

function needNumber(v, what) {
	if (typeof v !== 'number')
		throw new TypeError(`${what} is not a number`);
}

function checkStart(connection, flags, given) {
	if (given.length < events.length)
		throw new TypeError(
			`start takes a connection, flags and ${events.length} functions`);
	if (typeof connection !== 'string')
		throw new TypeError('the connection is not a string');
	needNumber(flags, 'flags');
	for (const [i, name] of events.entries())
		if (typeof given[i] !== 'function')
			throw new TypeError(`${name} is not a function`);
}

function start(connection, flags, ...given) {
	checkStart(connection, flags, given);
	if (!isMainThread)
		throw new Error('start works in the main thread alone: ' +
			'libmilter serves one milter in a process');
	if (state === 'serving')
		throw new Error('start was called already');
	if (state === 'stopped')
		throw new Error('libmilter cannot be started again after stop: ' +
			'end the process and start another');
	functions.splice(0, functions.length, ...given);
	const why = connection.includes('\0')
		? 'the connection has a NUL'
		: native.start(connection, 0o777 & ~process.umask(), flags >>> 0,
			options.limit, dispatch);

	if (why !== undefined)
		throw new Error(`milt/compat: ${why}`, { cause: why });
	state = 'serving';
	SIGNALS.forEach((s) => process.on(s, onSignal));
	process.on('exit', native.shutDown);
	return true;
}

function stop() {
	if (state === 'serving') {
		state = 'stopped';
		native.stop();
		idle();
	}
	return 0;
}

const setter = (set, what) => (n) => {
	needNumber(n, what);
	return set(n);
};

// Milliseconds until an event that has no answer gets `verdict`.
function setdeadline(command, content = command,
	verdict = constants.SMFIS_TEMPFAIL) {
	for (const ms of [command, content]) {
		needNumber(ms, 'a deadline');
		if (!(ms >= 1 && ms <= 0x7fffffff))
			throw new RangeError('a deadline is at least 1 ms');
	}
	const { SMFIS_CONTINUE, SMFIS_REJECT, SMFIS_ACCEPT, SMFIS_TEMPFAIL } =
		constants;

	if (![SMFIS_CONTINUE, SMFIS_REJECT, SMFIS_ACCEPT, SMFIS_TEMPFAIL]
		.includes(verdict))
		throw new RangeError('the verdict is SMFIS_CONTINUE, SMFIS_REJECT, ' +
			'SMFIS_ACCEPT or SMFIS_TEMPFAIL');
	native.setTerms(command, content, verdict);
}

// Events that may wait at a time; before start.
function setlimit(n) {
	needNumber(n, 'the limit');
	if (!(n >= 1 && n <= 0x7fffffff))
		throw new RangeError('the limit is at least 1');
	options.limit = n;
}

function setonerror(f) {
	if (typeof f !== 'function')
		throw new TypeError('it is not a function');
	options.onerror = f;
}

module.exports = {
	start,
	stop,
	setbacklog: setter(native.setBacklog, 'the backlog'),
	setdbg: setter(native.setDebug, 'the level'),
	settimeout: setter(native.setTimeout, 'the timeout'),
	version: native.version,
	setdeadline,
	setlimit,
	setonerror,
	...constants,
};
