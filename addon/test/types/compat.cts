// Compiled, never run: the declarations of milt/compat in use.
import milt = require('../../compat.cjs');

const go = (envelope: milt.Envelope) => envelope.done(milt.SMFIS_CONTINUE);

milt.setdeadline(1000, 2000, milt.SMFIS_TEMPFAIL);
milt.setonerror((error) => console.error(error));
const started: true = milt.start('unix:/tmp/x', milt.SMFIF_ADDHDRS,
	(envelope, actions, steps) => {
		envelope.negotiate(actions & milt.SMFIF_ADDHDRS,
			steps & milt.SMFIP_NOBODY, 0, 0);
		envelope.setsymlist(milt.SMFIM_CONNECT, 'j');
		envelope.done(milt.SMFIS_CONTINUE);
	},
	(envelope, host, address, port, family) => {
		envelope.local = { host, address, port: port + 1 };
		envelope.done(family === 'unix' ? milt.SMFIS_ACCEPT
			: milt.SMFIS_CONTINUE);
	},
	go, go,
	async (_, sender, parameters) =>
		parameters.includes(sender) ? milt.SMFIS_REJECT : milt.SMFIS_CONTINUE,
	go, go,
	(envelope, name, value, bytes) => {
		envelope.done(bytes.length > value.length + name.length ? 1 : 0);
	},
	go, go,
	(envelope) => {
		const result: number = envelope.chgheader('Subject', 1, null);
		envelope.insheader(0, 'X', Buffer.from('x'));
		envelope.setmlreply(550, null, ['a', 'b']);
		envelope.done(result);
	},
	go, go);
const numbers: [number, number, number] = milt.version();
// @ts-expect-error: a number is wanted
milt.setbacklog('1');
// @ts-expect-error: functions are missing
milt.start('unix:/tmp/x', 0, go);
export { started, numbers };
