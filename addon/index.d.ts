// Types of `import { serve, reject } from 'milt'`.

/** The policy, or one of its hooks, is wrong. */
export class PolicyError extends Error {
	/** Lines that say what is wrong, as milterc prints them. */
	diagnostics: string;
}

/** A hook's answer is wrong, or an argument on the way to it. */
export class AnswerError extends TypeError {}

export interface ServeOptions {
	/** The policy's file: a text or an image. */
	policy: string;
	/** `unix:/path`, `inet:port@host`, `inet6:port@host` or `fd:N`. */
	listen: string;
	/** Functions by the name of their js rule, in place of modules. */
	hooks?: Record<string, Hook>;
	/** Told of each decision, after it was given. */
	onDecision?: (decision: Decision) => void;
	/** Told of each reading of the policy but the first. */
	onReload?: (error?: Error) => void;
	/** libmilter serves no more; without this function it is thrown. */
	onError?: (error: Error) => void;
	/** Aborted: as close(). */
	signal?: AbortSignal;
	/** Threads that run hooks; 0, the default: the main thread. */
	workers?: number;
	/** Questions that wait at a time (256); more fail at once. */
	limit?: number;
	/** Milliseconds that close() waits for open sessions (30000). */
	drain?: number;
	/** SIGHUP reads the policy again (true). */
	hangup?: boolean;
	/** Mode of a unix socket (0o660). */
	mode?: number;
	/** `user:group` of a unix socket. */
	owner?: string;
	/** A socket may be on an address of the network. */
	allowWorld?: boolean;
	/** A socket on which metrics are served, as `listen`. */
	metrics?: string;
	/** The path of a unix socket for milterctl. */
	control?: string;
	log?: 'stderr' | 'syslog' | 'journald' | 'none';
	logFormat?: 'plain' | 'json';
	verbose?: boolean;
	/** Warnings about the policy count as errors. */
	strict?: boolean;
	/** Octets that all sessions may hold together; 0: no limit. */
	memory?: number;
}

export interface Server {
	/** Sessions that are open. */
	readonly sessions: number;
	/**
	 * Reads the policy and its hooks again.  Rejects with a PolicyError where
	 * they are wrong: then those read before stay.
	 */
	reload(): Promise<void>;
	/**
	 * No new connections; waits for the open ones.  `cut`: those that were
	 * still there when the time was over.
	 */
	close(options?: { drain?: number }): Promise<{ cut: number }>;
}

/** Serves a policy; once in a process, in its main thread. */
export function serve(options: ServeOptions): Promise<Server>;

export interface Decision {
	id?: string;
	verdict: 'accept' | 'reject' | 'tempfail' | 'discard';
	stage: Stage;
	rule?: string;
	file?: string;
	line?: number;
	client?: string;
	helo?: string;
	sender?: string;
	recipients: string[];
	recipient_count: number;
	code?: number;
	xcode?: string;
	text?: string[];
	effects?: { rule: string; effect: string }[];
	failure?: string;
	ms: number;
}

// ---- hooks ------------------------------------------------------------------

export type Stage =
	'connect' | 'helo' | 'mail' | 'rcpt' | 'data' | 'headers' | 'message';

export interface Hook {
	(tx: Transaction, context: HookContext): Result | Promise<Result>;
	/** Macros of the MTA that it wants beside those of the policy. */
	macros?: string[];
}

export type Result = Answer | null | undefined | void | Result[];

/** The signal is aborted once nobody waits for the answer any more. */
export interface HookContext extends Vocabulary {
	signal: AbortSignal;
}

export interface Mailbox {
	readonly address: string;
	readonly name: string | undefined;
}

export interface Field {
	readonly name: string;
	/** Unfolded and decoded (RFC 2047). */
	readonly value: string;
	/** The octets as they came. */
	readonly raw: Buffer;
}

export interface Headers extends Iterable<Field> {
	readonly length: number;
	has(name: string): boolean;
	/** The text of the first field of that name. */
	get(name: string): string | undefined;
	all(name: string): string[];
	fields(name: string): Field[];
}

export interface File {
	readonly name: string | undefined;
	readonly extension: string | undefined;
	readonly type: string | undefined;
	readonly kind: string | undefined;
	readonly size: number | undefined;
	readonly sha256: string | undefined;
	readonly text: string | undefined;
	readonly encrypted: boolean;
	readonly hasMacros: boolean;
	readonly depth: number | undefined;
}

export interface EnvelopeAddress {
	/** Without brackets; empty for the null sender. */
	readonly address: string;
	readonly parameters: readonly string[];
}

/**
 * The facts that are known where the rule is asked, the hook's own copy.
 * What the transaction does not have, or does not have yet, is undefined.
 */
export interface Transaction {
	readonly rule: string;
	readonly stage: Stage;
	/** Captures of the rule's regexes: `1` and so on, and named ones. */
	readonly captures: Readonly<Record<string, string>>;
	readonly client: Readonly<{
		ip?: string;
		port?: number;
		name?: string;
		reverseName?: string;
	}>;
	readonly daemon: Readonly<{ name?: string; ip?: string; port?: number }>;
	readonly mta: Readonly<{ name?: string; version?: string }>;
	readonly helo: string | undefined;
	readonly tls:
		| Readonly<{
				protocol: string;
				cipher?: string;
				bits?: number;
				verified?: boolean;
				subject?: string;
				issuer?: string;
		  }>
		| undefined;
	readonly sasl:
		| Readonly<{ username: string; method?: string; sender?: string }>
		| undefined;
	readonly sender: EnvelopeAddress | undefined;
	readonly declaredSize: number | undefined;
	/** The one that is decided, in rules that are about recipients. */
	readonly recipient: EnvelopeAddress | undefined;
	/** Those that were accepted. */
	readonly recipients: readonly string[];
	readonly queueId: string | undefined;
	readonly macros: Readonly<Record<string, string>>;
	macro(name: string): string | undefined;
	readonly headers: Headers;
	readonly subject: string | undefined;
	readonly from: readonly Mailbox[];
	readonly replyTo: readonly Mailbox[];
	readonly to: readonly Mailbox[];
	readonly cc: readonly Mailbox[];
	readonly messageId: string | undefined;
	readonly listId: string | undefined;
	readonly date: Date | undefined;
	/** From here on only in rules that say `needs body`; else they throw. */
	readonly body: Buffer | undefined;
	readonly text: string | undefined;
	readonly html: string | undefined;
	readonly size: number | undefined;
	readonly files: readonly File[];
	/** Not all of the body was looked at (option scan-limit). */
	readonly partial: boolean;
}

// ---- answers ----------------------------------------------------------------

/** What a message that is accepted gets done, and what is logged. */
export interface Effects {
	addHeader(name: string, value: string): Answer;
	/** Leaves one field of that name. */
	setHeader(name: string, value: string): Answer;
	insertHeader(index: number, name: string, value: string): Answer;
	/** All of that name. */
	removeHeader(name: string): Answer;
	addRecipient(address: string): Answer;
	/** Without an address: all. */
	removeRecipient(address?: string): Answer;
	/** `''`: the null sender. */
	setSender(address: string): Answer;
	/** Plain text; only in rules that say `needs body`. */
	replaceBody(text: string): Answer;
	quarantine(reason: string): Answer;
	log(text: string): Answer;
}

/** A verdict or none, and effects.  Each call gives a new one. */
export interface Answer extends Effects {
	readonly verdict: 'accept' | 'reject' | 'tempfail' | 'discard' | undefined;
}

type Text = string | string[];

export interface Vocabulary extends Effects {
	accept(): Answer;
	discard(): Answer;
	reject(text?: Text): Answer;
	reject(code: number, text?: Text): Answer;
	reject(code: number, xcode: string, text?: Text): Answer;
	tempfail(text?: Text): Answer;
	tempfail(code: number, text?: Text): Answer;
	tempfail(code: number, xcode: string, text?: Text): Answer;
}

export const accept: Vocabulary['accept'];
export const discard: Vocabulary['discard'];
export const reject: Vocabulary['reject'];
export const tempfail: Vocabulary['tempfail'];
export const addHeader: Effects['addHeader'];
export const setHeader: Effects['setHeader'];
export const insertHeader: Effects['insertHeader'];
export const removeHeader: Effects['removeHeader'];
export const addRecipient: Effects['addRecipient'];
export const removeRecipient: Effects['removeRecipient'];
export const setSender: Effects['setSender'];
export const replaceBody: Effects['replaceBody'];
export const quarantine: Effects['quarantine'];
export const log: Effects['log'];
