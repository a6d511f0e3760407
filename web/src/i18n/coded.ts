// Texts for codes that come over the wire, with a plain text for a code that is newer than this page.
import type { TFunction } from 'i18next';
import { ApiError } from '../api';

export interface Explanation {
  what: string;
  todo: string;
}

/** What an error means and what to do about it. */
export function explainError(t: TFunction, error: unknown): Explanation {
  return explain(t, 'errors', error instanceof ApiError ? error.code : 'unknown');
}

/** Why a job gave no result and what to do about it. */
export function explainFailure(t: TFunction, code: string): Explanation {
  return explain(t, 'failures', code);
}

/** The word for a code in a flat shelf of texts, or null where this page does not know the code. */
export function word(t: TFunction, shelf: 'reasons' | 'ledgerKinds' | 'breakdown', code: string): string | null {
  const known: Partial<Record<string, string>> = t(shelf, { returnObjects: true });
  return known[code] ?? null;
}

function explain(t: TFunction, shelf: 'errors' | 'failures', code: string): Explanation {
  const known: Partial<Record<string, Explanation>> & { unknown: Explanation } = t(shelf, { returnObjects: true });
  return known[code] ?? known.unknown;
}
