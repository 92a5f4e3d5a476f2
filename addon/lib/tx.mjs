// The facts of a transaction as a hook sees them.  All of it is the hook's own
// copy; texts are made when they are first asked for.
import { unpack } from './records.mjs';

const list = (values) => Object.freeze(values);
const number = (text) => (text === undefined ? undefined : Number(text));

// Gives each getter of a class a value that is made once.
function lazily(prototype, getters) {
	for (const [name, make] of Object.entries(getters))
		Object.defineProperty(prototype, name, {
			enumerable: true,
			configurable: true,
			get() {
				const value = make.call(this);

				Object.defineProperty(this, name, {
					value,
					enumerable: true,
				});
				return value;
			},
		});
}

// ---- the header ----------------------------------------------------------------

// RFC 5322, 2.2.3: a line end before a blank is no part of the value.
const unfold = (text) => text.replace(/\r?\n(?=[ \t])/g, '').trim();

// A header field: `name` as sent, `raw` its octets, `value` decoded.
class Field {
	#decoded;

	constructor(name, raw, decoded) {
		this.name = name;
		this.raw = raw;
		this.#decoded = decoded;
	}

	get value() {
		return this.#decoded
			? this.#decoded.toString()
			: unfold(this.raw.toString());
	}

	toJSON() {
		return { name: this.name, value: this.value };
	}
}

// The fields in order.  Names are compared without regard to case.
class Headers {
	#fields;
	#byName = new Map();

	constructor(fields) {
		this.#fields = fields;
		for (const field of fields) {
			const name = field.name.toLowerCase();
			const same = this.#byName.get(name);

			if (same)
				same.push(field);
			else
				this.#byName.set(name, [field]);
		}
	}

	get length() {
		return this.#fields.length;
	}

	[Symbol.iterator]() {
		return this.#fields[Symbol.iterator]();
	}

	fields(name) {
		return [...(this.#byName.get(name.toLowerCase()) ?? [])];
	}

	has(name) {
		return this.#byName.has(name.toLowerCase());
	}

	// The first one's text; undefined where there is none.
	get(name) {
		return this.#byName.get(name.toLowerCase())?.[0].value;
	}

	all(name) {
		return this.fields(name).map((field) => field.value);
	}

	toJSON() {
		return this.#fields;
	}
}

// ---- records ---------------------------------------------------------------------

// Records that begin an element of their kind, and the members it has.
const ELEMENTS = {
	capture: ['capture.text'],
	macro: ['macro.value'],
	headers: ['headers.name', 'raw header', 'headers.value'],
	file: [
		'file.name',
		'file.extension',
		'file.type',
		'file.kind',
		'file.size',
		'file.sha256',
		'file.text',
		'file.encrypted',
		'file.has-macros',
		'file.depth',
	],
	'header.from': ['header.from.name'],
	'header.sender': ['header.sender.name'],
	'header.reply-to': ['header.reply-to.name'],
	'header.to': ['header.to.name'],
	'header.cc': ['header.cc.name'],
};
const OWNER = new Map(
	Object.entries(ELEMENTS).flatMap(([owner, members]) =>
		members.map((member) => [member, owner]),
	),
);

// A map from a key to its values; of elements, to maps of their own.
function index(records) {
	const all = new Map();

	for (const [key, value] of records) {
		const owner = OWNER.get(key);

		if (owner) {
			all.get(owner)?.at(-1).set(key, value);
			continue;
		}
		if (!all.has(key))
			all.set(key, []);
		all.get(key).push(
			key in ELEMENTS ? new Map([['', value]]) : value,
		);
	}
	return all;
}

// ---- the transaction ---------------------------------------------------------------

const RECORDS = Symbol('records');
const BODY = Symbol('body');

export class Transaction {
	// `question`: octets, or pairs of a key and a string or Buffer.
	constructor(question) {
		const records = Buffer.isBuffer(question)
			? unpack(question)
			: question.map(([key, value]) => [
					key,
					Buffer.isBuffer(value)
						? value
						: Buffer.from(value),
				]);

		Object.defineProperty(this, RECORDS, { value: index(records) });
	}

	// The value of a macro of the MTA, with or without its braces.
	macro(name) {
		const bare = name.replace(/^\{(.*)\}$/, '$1');

		return this.macros[bare];
	}

	toJSON() {
		const out = {};

		for (const name of Object.keys(Transaction.prototype))
			if (!(name in BODY_GETTERS) || this[BODY])
				out[name] = this[name];
		delete out.body;
		return out;
	}
}

const octets = (tx, key) => tx[RECORDS].get(key)?.[0];
const text = (tx, key) => octets(tx, key)?.toString();
const texts = (tx, key) =>
	list((tx[RECORDS].get(key) ?? []).map((value) => value.toString()));
const elements = (tx, key) => tx[RECORDS].get(key) ?? [];
const boolean = (tx, key) => text(tx, key) === '1';

// An object of members that are there; undefined if none is.
function group(tx, members, convert = {}) {
	const out = {};
	let any = false;

	for (const [name, key] of Object.entries(members)) {
		const value = text(tx, key);

		if (value === undefined)
			continue;
		any = true;
		out[name] = convert[name] ? convert[name](value) : value;
	}
	return any ? Object.freeze(out) : undefined;
}

function pairs(tx, key, member) {
	const out = Object.create(null);

	for (const element of elements(tx, key))
		out[element.get('').toString()] =
			element.get(member)?.toString() ?? '';
	return Object.freeze(out);
}

function mailboxes(tx, key) {
	return list(
		elements(tx, key).map((element) =>
			Object.freeze({
				address: element.get('').toString(),
				name: element.get(`${key}.name`)?.toString(),
			}),
		),
	);
}

function file(element) {
	const get = (key) => element.get(`file.${key}`)?.toString();

	return Object.freeze({
		name: get('name'),
		extension: get('extension'),
		type: get('type'),
		kind: get('kind'),
		size: number(get('size')),
		sha256: get('sha256'),
		text: get('text'),
		encrypted: get('encrypted') === '1',
		hasMacros: get('has-macros') === '1',
		depth: number(get('depth')),
	});
}

function field(element) {
	return new Field(
		element.get('headers.name').toString('latin1'),
		element.get('raw header'),
		element.get('headers.value'),
	);
}

const yes = (value) => value === '1';

lazily(Transaction.prototype, {
	rule() {
		return text(this, 'rule');
	},
	stage() {
		return text(this, 'stage');
	},
	captures() {
		return pairs(this, 'capture', 'capture.text');
	},
	client() {
		return (
			group(
				this,
				{
					ip: 'client.ip',
					port: 'client.port',
					name: 'client.name',
					reverseName: 'client.reverse-name',
				},
				{ port: Number },
			) ?? Object.freeze({})
		);
	},
	daemon() {
		return (
			group(
				this,
				{
					name: 'daemon.name',
					ip: 'daemon.ip',
					port: 'daemon.port',
				},
				{ port: Number },
			) ?? Object.freeze({})
		);
	},
	mta() {
		return (
			group(this, { name: 'mta.name', version: 'mta.version' }) ??
			Object.freeze({})
		);
	},
	helo() {
		return text(this, 'helo');
	},
	// Undefined without TLS.
	tls() {
		if (text(this, 'tls.protocol') === undefined)
			return undefined;
		return group(
			this,
			{
				protocol: 'tls.protocol',
				cipher: 'tls.cipher',
				bits: 'tls.bits',
				verified: 'tls.verified',
				subject: 'tls.client-subject',
				issuer: 'tls.client-issuer',
			},
			{ bits: Number, verified: yes },
		);
	},
	// Undefined without a login.
	sasl() {
		if (text(this, 'sasl.username') === undefined)
			return undefined;
		return group(this, {
			username: 'sasl.username',
			method: 'sasl.method',
			sender: 'sasl.sender',
		});
	},
	// `address` is '' for the null sender; undefined before MAIL.
	sender() {
		const address = text(this, 'sender');

		return address === undefined
			? undefined
			: Object.freeze({
					address: address === '<>' ? '' : address,
					parameters: texts(this, 'sender.parameters'),
				});
	},
	declaredSize() {
		return number(text(this, 'declared-size'));
	},
	// The one that is decided, in rules that are about recipients.
	recipient() {
		const address = text(this, 'recipient');

		return address === undefined
			? undefined
			: Object.freeze({
					address,
					parameters: texts(
						this,
						'recipient.parameters',
					),
				});
	},
	// The addresses that were accepted.
	recipients() {
		return texts(this, 'recipients');
	},
	queueId() {
		return text(this, 'queue.id');
	},
	macros() {
		return pairs(this, 'macro', 'macro.value');
	},
	headers() {
		return new Headers(elements(this, 'headers').map(field));
	},
	subject() {
		return text(this, 'header.subject');
	},
	from() {
		return mailboxes(this, 'header.from');
	},
	replyTo() {
		return mailboxes(this, 'header.reply-to');
	},
	to() {
		return mailboxes(this, 'header.to');
	},
	cc() {
		return mailboxes(this, 'header.cc');
	},
	messageId() {
		return text(this, 'header.message-id');
	},
	listId() {
		return text(this, 'header.list-id');
	},
	date() {
		const ms = text(this, 'header.date');

		return ms === undefined ? undefined : new Date(Number(ms));
	},
});

Object.defineProperty(Transaction.prototype, BODY, {
	get() {
		return this[RECORDS].has('message.size');
	},
});

// What only rules with `needs body` have.
const BODY_GETTERS = {
	// The octets as sent; undefined beyond option scan-limit.
	body() {
		return octets(this, 'body.raw');
	},
	text() {
		return text(this, 'body.text');
	},
	html() {
		return text(this, 'body.html');
	},
	size() {
		return number(text(this, 'message.size'));
	},
	files() {
		return list(elements(this, 'file').map(file));
	},
	// Not all of the body was looked at.
	partial() {
		return boolean(this, 'body.partial');
	},
};

lazily(
	Transaction.prototype,
	Object.fromEntries(
		Object.entries(BODY_GETTERS).map(([name, make]) => [
			name,
			function () {
				if (!this[BODY])
					throw new Error(
						`tx.${name}: the rule \`${this.rule}\` ` +
							'does not say `needs body`',
					);
				return make.call(this);
			},
		]),
	),
);
