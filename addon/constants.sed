# From the table of constants to declarations of TypeScript.
s|^CONSTANT(\(.*\), "\(.*\)")$|/** \2 */\nexport const \1: number;|p
