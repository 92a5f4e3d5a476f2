import { nobody } from './half.mjs';
export const imports = nobody;
