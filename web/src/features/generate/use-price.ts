// The live price: asked for when the form has been still for a moment, never in the way of typing.
import { useQuery } from '@tanstack/react-query';
import { ApiError, quoteJob, serverNowSeconds, type JobRequest, type Quote } from '../../api';
import { useDebounced } from './use-debounced';

const STILL_MS = 300;
/** A quote this close to its end is not relied on. */
const MARGIN_SECONDS = 10;

/** Words that stand in for the prompt until there is one: prices do not depend on words. */
const STAND_IN_PROMPT = 'A paper boat sails down a rain-filled street at dusk.';

const NOTHING = JSON.stringify(null);

export interface Price {
  quote: Quote | null;
  /** The quote is for exactly what would be sent now. */
  isExact: boolean;
  error: ApiError | null;
}

/** `body` is null while no price can be asked for. `isPromptReady` says whether its prompt is one that the model takes. */
export function usePrice(body: JobRequest | null, isPromptReady: boolean): Price {
  const priced = body === null || isPromptReady ? body : { ...body, prompt: STAND_IN_PROMPT };
  // As text, so that an equal body made anew is the same wish.
  const wanted = JSON.stringify(priced);
  const settled = useDebounced(wanted, STILL_MS);
  const query = useQuery({
    queryKey: ['quote', settled] as const,
    queryFn: ({ signal }) => quoteJob(JSON.parse(settled) as JobRequest, signal),
    enabled: settled !== NOTHING,
    // New words do not make the price blink; a price of other settings would mislead.
    placeholderData: (known, query) => (query && costsAs(query.queryKey[1], settled) ? known : undefined),
    // Asked for again shortly before it runs out, so that the price on the button is always one that can be had.
    staleTime: ({ state }) => (state.data === undefined ? 0 : millisecondsLeft(state.data)),
    refetchInterval: ({ state }) => (state.data === undefined ? false : Math.max(1_000, millisecondsLeft(state.data))),
  });
  if (!costsAs(settled, wanted)) return { quote: null, isExact: false, error: null };
  const isCurrent = settled === wanted && !query.isPlaceholderData;
  return {
    quote: query.data ?? null,
    isExact: isCurrent && isPromptReady && query.data !== undefined,
    error: isCurrent && query.error instanceof ApiError ? query.error : null,
  };
}

export function isFresh(quote: Quote): boolean {
  return millisecondsLeft(quote) > 0;
}

/** Both are requests, and differ in nothing but words. */
function costsAs(one: string, other: string): boolean {
  return one !== NOTHING && withoutWords(one) === withoutWords(other);
}

function withoutWords(body: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as JobRequest), prompt: undefined, negative_prompt: undefined });
}

function millisecondsLeft(quote: Quote): number {
  return Math.max(0, (quote.expires_at - MARGIN_SECONDS - serverNowSeconds()) * 1000);
}
