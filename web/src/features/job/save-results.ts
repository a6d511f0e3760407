// Saves results under their own names, one after the other.
import { readResult, type Result } from '../../api';

export async function saveResults(results: readonly Result[]): Promise<void> {
  for (const result of results) await saveResult(result);
}

/** A browser honours the name only for its own origin; from elsewhere the bytes are fetched first. */
async function saveResult({ content_url: url, filename }: Result): Promise<void> {
  const isOurs = new URL(url, location.href).origin === location.origin;
  const address = isOurs ? url : URL.createObjectURL(await readResult(url));
  const link = document.createElement('a');
  link.href = address;
  link.download = filename;
  link.click();
  if (!isOurs) URL.revokeObjectURL(address);
}
