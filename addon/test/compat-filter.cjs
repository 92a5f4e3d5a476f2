'use strict';
// A filter of the older API in a process of its own:
//
//	node compat-filter.cjs CONNECTION SETUP HANDLERS
//
// SETUP is run before start; HANDLERS is an expression for an object of
// functions, the others answer `continue`.  Both have `milt`, its constants,
// `note(...)`, which tells the test, and `later(ms)`.
const milt = require('../compat.cjs');

const [connection, setup, handlers] = process.argv.slice(2);
const note = (...values) => process.send?.(values);
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const names = ['milt', 'note', 'later', ...Object.keys(milt)];
const values = [milt, note, later, ...Object.values(milt)];
const run = (code) => new Function(...names, code)(...values);

const order = ['negotiate', 'connect', 'unknown', 'helo', 'mailfrom', 'rcptto',
	'data', 'header', 'eoh', 'segment', 'eom', 'abort', 'close'];
const functions = {
	...Object.fromEntries(order.map((name) =>
		[name, (env) => env.done(milt.SMFIS_CONTINUE)])),
	negotiate: (env) => env.done(milt.SMFIS_ALL_OPTS),
};

milt.setonerror((error) => note('error', error.message));
process.on('message', (n) => note('synced', n));
run(setup);
Object.assign(functions, run(`return (${handlers});`));
milt.start(connection, 0x1ff, ...order.map((name) => functions[name]));
note('ready');
