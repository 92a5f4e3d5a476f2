/** The API of the older node-milter bindings; see COMPAT.md. */
export * from './constants.cjs';

/** One of SMFIS_. */
export type Answer = number;

/** 0 (MI_SUCCESS) or -1 (MI_FAILURE). */
export type Result = number;

/** A string is sent as UTF-8, bytes as they are. */
export type Text = string | Uint8Array;

/** A function may call done() now or later, or return a promise of an answer. */
export type Outcome = unknown;

/** Where a client is: of a TCP connection, a local socket, or not known. */
export type Family = 'inet' | 'inet6' | 'unix' | 'unknown';

/** One for each event; `local` is the same for all events of a session. */
export interface Envelope {
	/** For the user's own data, from negotiate to close. */
	local: any;

	/** Answers the event; false if it was answered, or given up, before. */
	done(code: Answer): boolean;

	/** In negotiate, before done(SMFIS_CONTINUE): what the filter wants. */
	negotiate(actions: number, steps: number, f2: number, f3: number): void;
	/** The macro's value, or an empty string. */
	getsymval(name: string): string;
	/** In negotiate: the macros wanted at a stage (SMFIM_). */
	setsymlist(stage: number, names: string): Result;

	/** The reply for SMFIS_REJECT or SMFIS_TEMPFAIL. */
	setreply(code: string | number, enhanced?: string | null,
		message?: string | null): Result;
	setmlreply(code: string | number, enhanced: string | null | undefined,
		lines: string[]): Result;

	/** In eom, like all that follow: asks the MTA to wait on. */
	progress(): Result;
	quarantine(reason: Text): Result;
	addheader(name: Text, value: Text): Result;
	/** The index-th field of the name, from 1; null removes it. */
	chgheader(name: Text, index: number, value?: Text | null): Result;
	insheader(index: number, name: Text, value: Text): Result;
	/** Several calls give the body piece by piece. */
	replacebody(body: Text): Result;
	addrcpt(recipient: Text): Result;
	addrcpt_par(recipient: Text, parameters?: Text | null): Result;
	delrcpt(recipient: Text): Result;
	chgfrom(address: Text, parameters?: Text): Result;
}

/**
 * Serves; returns when the socket is open, throws if it cannot be.  Once in a
 * process, in the main thread.
 */
export function start(
	/** unix:PATH, local:PATH, inet:PORT@HOST, inet6:PORT@HOST, fd:NUMBER */
	connection: string,
	/** SMFIF_, for MTAs that do not negotiate. */
	flags: number,
	negotiate: (envelope: Envelope, actions: number, steps: number,
		f2: number, f3: number) => Outcome,
	connect: (envelope: Envelope, host: string, address: string, port: number,
		family: Family) => Outcome,
	unknown: (envelope: Envelope, command: string) => Outcome,
	helo: (envelope: Envelope, name: string) => Outcome,
	mailfrom: (envelope: Envelope, sender: string, parameters: string[]) =>
		Outcome,
	rcptto: (envelope: Envelope, recipient: string, parameters: string[]) =>
		Outcome,
	data: (envelope: Envelope) => Outcome,
	header: (envelope: Envelope, name: string, value: string,
		valueBytes: Buffer, nameBytes: Buffer) => Outcome,
	eoh: (envelope: Envelope) => Outcome,
	segment: (envelope: Envelope, chunk: Buffer, length: number) => Outcome,
	eom: (envelope: Envelope) => Outcome,
	abort: (envelope: Envelope) => Outcome,
	close: (envelope: Envelope) => Outcome,
): true;

/** No new sessions; open ones go on, and then Node may end. */
export function stop(): 0;
/** Connections that may wait for a session. */
export function setbacklog(n: number): Result;
/** What libmilter prints about itself. */
export function setdbg(level: number): Result;
/** Seconds that libmilter waits for the MTA. */
export function settimeout(seconds: number): Result;
/** Of libmilter: major, minor, patch. */
export function version(): [number, number, number];

/**
 * Milliseconds that an event waits for its answer: up to data, and from header
 * on; and what is said then (SMFIS_CONTINUE, _ACCEPT, _REJECT, _TEMPFAIL).
 */
export function setdeadline(command: number, content?: number,
	verdict?: Answer): void;
/** How many events may wait at a time; before start. */
export function setlimit(events: number): void;
/** Gets what goes wrong, instead of console.error. */
export function setonerror(f: (error: unknown) => void): void;
