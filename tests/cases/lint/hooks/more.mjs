export class Other {}
export default () => {};
export const more = 1;
