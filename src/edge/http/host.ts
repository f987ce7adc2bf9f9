const HOST_PATTERN = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{0,5})?$/;

/**
 * The name in a Host field or an authority: lower case, without port and trailing dot. Null when it
 * is not a name or an address.
 */
export function hostName(authority: string): string | null {
  const name = HOST_PATTERN.exec(authority)?.[1]?.toLowerCase();
  if (name === undefined || name.startsWith('.')) return null;
  return name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name;
}
