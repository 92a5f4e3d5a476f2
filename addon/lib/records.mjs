// Questions and answers as octets: a sequence of records, each the lengths of
// a key and of a value (four octets, least significant first), then both.
// runtime/exchange.h says which records there are.

const HEAD = 8;

// Yields [key, Buffer]; the values share the octets' memory.
export function* unpack(octets) {
	let at = 0;

	while (at < octets.length) {
		const keyEnd = at + HEAD + octets.readUInt32LE(at);
		const end = keyEnd + octets.readUInt32LE(at + 4);

		yield [
			octets.latin1Slice(at + HEAD, keyEnd),
			octets.subarray(keyEnd, end),
		];
		at = end;
	}
}

// From pairs of a key and a string or Buffer.
export function pack(pairs) {
	const parts = [];

	for (const [key, value] of pairs) {
		const head = Buffer.allocUnsafe(HEAD);
		const name = Buffer.from(key);
		const data = Buffer.isBuffer(value) ? value : Buffer.from(value);

		head.writeUInt32LE(name.length, 0);
		head.writeUInt32LE(data.length, 4);
		parts.push(head, name, data);
	}
	return Buffer.concat(parts);
}
