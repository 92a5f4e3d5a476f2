'use strict';
// The native part.  MILT_NATIVE names another build of it, for tests.
module.exports = require(process.env.MILT_NATIVE || '../build/Release/milt.node');
