import { accept, addHeader } from '../../../addon/lib/index.mjs';

export async function verify(tx) {
	await new Promise(setImmediate);
	if (tx.captures.number !== '4711')
		return;
	return accept()
		.addHeader('X-Invoice', tx.captures.number)
		.setHeader('X-From', tx.from[0].address);
}

export function recipient({ recipient }, { reject }) {
	console.log('what is printed here stays out of the way');
	if (/full/.test(recipient.address))
		return reject(552, '5.2.2', [`${recipient.address} is full`, 'Sorry']);
}

export default (tx, { signal }) => {
	if (signal.aborted)
		throw new Error('too early');
	return addHeader('X-Octets', tx.headers.fields('x-raw')[0].raw.toString('hex'));
};

export const effects = (tx, v) => [
	v.addRecipient('b@example.org'),
	v.removeRecipient(tx.recipients[0]),
	v.setSender(''),
	v.removeHeader('X-Old'),
	v.insertHeader(0, 'X-First', tx.text.trim()),
	v.replaceBody(`${tx.files.length} files`),
	v.quarantine('look'),
	v.log(`of ${tx.size} octets`),
];

export const late = () => new Promise(() => {});
