// What the types permit, and what they do not.
import {
	accept,
	addHeader,
	PolicyError,
	reject,
	serve,
	tempfail,
	type Hook,
	type Server,
	type Transaction,
} from 'milt';

const verify: Hook = async (tx: Transaction, { signal, discard }) => {
	const size: number | undefined = tx.size;

	if (signal.aborted || tx.sender?.address === '')
		return;
	for (const { name, value, raw } of tx.headers)
		if (name === 'X' && raw.length > value.length)
			return reject(550, '5.7.1', ['no', value]);
	if (tx.files.some((file) => file.encrypted && (file.size ?? 0) > 10))
		return [addHeader('X-Size', String(size)), accept().log('seen')];
	return tx.recipients.length > 50 ? discard() : tempfail('later');
};

verify.macros = ['{client_connections}'];

const server: Server = await serve({
	policy: 'inbound.milt',
	listen: 'unix:/run/milt/milt.sock',
	hooks: { invoices: verify, other: () => null },
	onDecision: ({ verdict, rule }) => console.log(verdict, rule),
	workers: 2,
});

try {
	await server.reload();
} catch (error) {
	if (error instanceof PolicyError)
		console.error(error.diagnostics);
}
const { cut }: { cut: number } = await server.close({ drain: 1000 });

console.log(cut);

// @ts-expect-error: no such option
await serve({ policy: 'x', listen: 'y', polcy: 'z' });
// @ts-expect-error: a code is a number
reject('550', '5.7.1', 'no');
// @ts-expect-error: a header's value is a string
addHeader('X', 1);
// @ts-expect-error: facts are read only
verify({} as Transaction, {} as never).subject = 'x';
