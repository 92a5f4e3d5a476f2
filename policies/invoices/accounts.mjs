// Accounts (IBAN, ISO 13616) that stand in a message, and those that we have
// from suppliers.json.  Read again with the policy.
import { readFileSync } from 'node:fs';

const suppliers = new Map(
	Object.entries(
		JSON.parse(readFileSync(new URL('suppliers.json', import.meta.url))),
	).map(([domain, accounts]) => [
		domain,
		new Set(accounts.map((text) => text.replaceAll(' ', ''))),
	]),
);

// The supplier whose domain that is, or is above it.
function supplierOf(domain) {
	for (let name = domain; name; name = name.split('.').slice(1).join('.'))
		if (suppliers.has(name))
			return name;
	return undefined;
}

// ISO 7064: letters are two digits, the first four characters come last.
function isAccount(text) {
	const digits = (text.slice(4) + text.slice(0, 4)).replace(/[A-Z]/g, (c) =>
		String(c.charCodeAt() - 55),
	);

	return BigInt(digits) % 97n === 1n;
}

// Words behind an account may look like a part of it: the longest that is one.
function* accountsIn(text) {
	for (const [found] of text.matchAll(/\b[A-Z]{2}\d{2}(?:[\s.-]?[A-Z0-9]){11,30}\b/g)) {
		const whole = found.replace(/[\s.-]/g, '');

		for (let n = whole.length; n >= 15; n--)
			if (isAccount(whole.slice(0, n))) {
				yield whole.slice(0, n);
				break;
			}
	}
}

// The first account in these texts that is not one of the supplier's.
function newAccount(supplier, texts) {
	for (const text of texts)
		for (const account of accountsIn(text ?? ''))
			if (!suppliers.get(supplier).has(account))
				return account;
	return undefined;
}

export function check(tx, { quarantine }) {
	const texts = [tx.text, tx.html, ...tx.files.map((file) => file.text)];

	for (const { address } of tx.from) {
		const supplier = supplierOf(address.split('@').at(-1).toLowerCase());
		const account = supplier && newAccount(supplier, texts);

		if (account)
			return quarantine(`${supplier} has a new account: ${account}`).log(
				`account ${account} of ${supplier} is not known`,
			);
	}
	return undefined;
}
