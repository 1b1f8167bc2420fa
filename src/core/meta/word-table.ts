/** Tables that are asked with words from outside. Such a table has no members but its own: `constructor` and `__proto__` are as unknown to it as any other word. */
export const wordTable = <T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> => Object.assign(Object.create(null) as Record<string, T>, entries);
