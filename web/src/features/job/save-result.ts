// Saves a result under its own name.
import { readResult } from '../../api';

/** A browser honours the name only for its own origin; from elsewhere the bytes are fetched first. */
export async function saveResult(url: string, filename: string): Promise<void> {
  const isOurs = new URL(url, location.href).origin === location.origin;
  const address = isOurs ? url : URL.createObjectURL(await readResult(url));
  const link = document.createElement('a');
  link.href = address;
  link.download = filename;
  link.click();
  if (!isOurs) URL.revokeObjectURL(address);
}
