exports.common = ( => 1;
