export function wrong() {
	return (;
}
