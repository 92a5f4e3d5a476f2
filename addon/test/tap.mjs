// A reporter for `node --test`: one TAP line for each test, however deep.
// Suites and files are no tests of their own; one that fails by itself counts.
function reason(error) {
	const text = error?.cause?.stack ?? error?.cause ?? error?.message ?? '';

	return String(text).replaceAll('\n', '\n# ');
}

function isOnlyAFrame(data) {
	return (
		data.details.type === 'suite' ||
		data.name.endsWith('.test.mjs') ||
		/subtests? failed/.test(data.details.error?.message ?? '')
	);
}

export default async function* tap(source) {
	let n = 0;

	for await (const { type, data } of source) {
		const passed = type === 'test:pass';

		if (type === 'test:stdout' || type === 'test:stderr')
			yield data.message.replace(/^(?=.)/gm, '# ');
		if ((!passed && type !== 'test:fail') || isOnlyAFrame(data))
			continue;
		yield `${passed ? 'ok' : 'not ok'} ${++n} - ${data.name}` +
			`${data.skip !== undefined ? ' # SKIP' : ''}\n`;
		if (!passed)
			yield `# ${reason(data.details.error)}\n`;
	}
	yield `1..${n}\n`;
}
