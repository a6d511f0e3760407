// The draft while it is on the screen: kept over a reload, filled in from an old job or an example when somebody asks.
import { useEffect, useState } from 'react';
import type { Job } from '../../api';
import { draftOf, keepDraft, readDraft, type Draft } from './draft';

/** A wish from outside to fill the form: an old job, or an example. A new object is a new wish. */
export type Refill = { job: Job; focus: 'prompt' | 'generate' | 'model' } | { prompt: string };

export interface Drafting {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  /** The wish that the form was filled from last. */
  filledFrom: Refill | null;
}

export function useDraft(refill: Refill | null): Drafting {
  const [draft, setDraft] = useState(readDraft);
  useEffect(() => keepDraft(draft), [draft]);
  // Filling in is a consequence of a new wish, so it happens while rendering, before anything is painted.
  const [filledFrom, setFilledFrom] = useState<Refill | null>(null);
  if (refill !== null && refill !== filledFrom) {
    setFilledFrom(refill);
    setDraft((known) => ('job' in refill ? draftOf(refill.job, known) : { ...known, prompt: refill.prompt }));
  }
  return { draft, change: (part) => setDraft((known) => ({ ...known, ...part })), filledFrom };
}
