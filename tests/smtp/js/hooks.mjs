export function recipient({ recipient }, { reject }) {
	if (recipient.address.startsWith('full@'))
		return reject(552, '5.2.2', [
			`${recipient.address} is full`,
			'100% of it',
		]);
}

export async function verdict(tx, { accept, reject, tempfail, discard }) {
	await new Promise((resolve) => setTimeout(resolve, 10));
	switch (tx.captures.what) {
	case 'accept':
		return accept().addHeader('X-What', tx.subject);
	case 'reject':
		return reject(554, '5.7.9', [
			`not this one, ${tx.sender.address}`,
			'not 50% of it',
		]);
	case 'tempfail':
		return tempfail(452, '4.3.1', 'later');
	case 'discard':
		return discard();
	}
}

export const late = () => new Promise(() => {});

export const throws = async () => {
	throw new Error('not today');
};

export const effects = (tx, v) => [
	v.addHeader('X-New', `${tx.text.trim().length} octets`),
	v.setHeader('X-Set', 'after'),
	v.removeHeader('X-Old'),
	v.insertHeader(0, 'X-First', '=?x?'),
	v.addRecipient('carl@example.com'),
	v.removeRecipient(tx.recipients[0]),
	v.setSender('new@client.test'),
	v.replaceBody(`${tx.text.trim()} And more.`),
	v.log(`of ${tx.recipients.length}`),
];

export const hold = (tx, { quarantine }) => quarantine('somebody looks at it');
