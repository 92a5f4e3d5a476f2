import { readFileSync } from 'node:fs';
import { missing } from 'a-package-that-is-not-installed';
import { half } from './hooks/half.mjs';
export * from './hooks/more.mjs';

// Nothing of it is run.
readFileSync('/none');
missing();
half();

export const f = async () => {};
