export function half() {}
export { f as whole } from '../hooks.mjs';
