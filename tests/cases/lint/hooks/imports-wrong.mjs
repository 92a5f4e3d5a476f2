import './wrong.mjs';
