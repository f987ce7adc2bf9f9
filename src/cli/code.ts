/** A value in TypeScript, in a line; keys that are null are left out. */
export function code(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(code).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const keys = Object.entries(value).filter(([, each]) => each !== null);
  if (keys.length === 0) return '{}';
  return `{ ${keys.map(([key, each]) => `${key}: ${code(each)}`).join(', ')} }`;
}
