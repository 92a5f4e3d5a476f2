// The package: import { serve, reject } from 'milt'
export { PolicyError, serve } from './serve.mjs';
export {
	accept,
	addHeader,
	addRecipient,
	AnswerError,
	discard,
	insertHeader,
	log,
	quarantine,
	reject,
	removeHeader,
	removeRecipient,
	replaceBody,
	setHeader,
	setSender,
	tempfail,
} from './verdict.mjs';
