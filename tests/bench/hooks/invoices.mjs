// The function that the benchmark asks: is that invoice known?
const known = new Set(Array.from({ length: 10000 }, (_, i) => `invoice ${i}`));

function isUnknown({ subject }) {
	const [invoice] = /^invoice \d+/i.exec(subject) ?? [];

	return invoice && !known.has(invoice.toLowerCase());
}

export const sync = (tx, { reject }) =>
	isUnknown(tx) ? reject(550, '5.7.1', 'That is no invoice of ours') : undefined;

export const async = async (tx, { reject }) => {
	await undefined;
	return isUnknown(tx)
		? reject(550, '5.7.1', 'That is no invoice of ours')
		: undefined;
};

export const nothing = () => undefined;
export const nothingLater = () => new Promise((resolve) => setImmediate(resolve));
