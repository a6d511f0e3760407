// A name for one click that no other click has.
const BYTES = 16;

/** `crypto.randomUUID` exists only over HTTPS and on localhost; a studio on a home network's address needs the other way. */
export function newKey(): string {
  if ('randomUUID' in crypto) return crypto.randomUUID();
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
