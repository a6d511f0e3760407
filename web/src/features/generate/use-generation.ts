// One press of Generate, from the press to the job: wait for the pictures, be sure of the price, ask once.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ApiError, createJob, quoteJob, type ImageRole, type Job, type JobRequest, type Quote } from '../../api';
import { keepJob, refreshAccount } from '../../queries';
import type { ImageIds } from './draft';
import { newKey } from './idempotency-key';
import type { Picture, Pictures } from './use-picture';
import { isFresh } from './use-price';

export type GenerationPhase =
  { name: 'idle' } | { name: 'uploading' } | { name: 'sending' } | { name: 'failed'; error: ApiError };

export interface Order {
  bodyFor: (imageIds: ImageIds) => JobRequest;
  /** Those that go out, by the role that they have with the model. */
  pictures: Partial<Record<ImageRole, Picture>>;
  /** The price that the person saw on the button. */
  seen: Quote | null;
  /** `seen` was given for exactly this order. */
  isSeenExact: boolean;
}

export interface Generation {
  phase: GenerationPhase;
  generate: (order: Order) => void;
  dismiss: () => void;
}

/** A click whose outcome is not known: the same order is sent again word for word, under the same key. */
interface OpenClick {
  order: string;
  sent: JobRequest;
  key: string;
}

export function useGeneration(pictures: Pictures, onCreated: (job: Job) => void): Generation {
  const [phase, setPhase] = useState<GenerationPhase>({ name: 'idle' });
  const queries = useQueryClient();
  const isBusy = useRef(false);
  const openClick = useRef<OpenClick | null>(null);
  const isUploading = Object.values(pictures).some(({ phase: { name } }) => name === 'uploading');

  useEffect(() => {
    if (!isUploading) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [isUploading]);

  const send = async (order: Order): Promise<Job> => {
    if (Object.keys(order.pictures).length > 0) setPhase({ name: 'uploading' });
    const imageIds = await arrivedIds(order.pictures);
    setPhase({ name: 'sending' });
    const body = order.bodyFor(imageIds);
    const click = openClick.current?.order === JSON.stringify(body) ? openClick.current : await newClick(body, order);
    openClick.current = click;
    try {
      const job = await createJob(click.sent, click.key);
      openClick.current = null;
      return job;
    } catch (error) {
      // A refusal is an outcome; the next press is a new click. Anything else leaves this one open.
      if (error instanceof ApiError && error.isRefusal) openClick.current = null;
      throw error;
    }
  };

  const generate = (order: Order) => {
    if (isBusy.current) return;
    isBusy.current = true;
    void send(order)
      .then(
        (job) => {
          keepJob(queries, job);
          setPhase({ name: 'idle' });
          onCreated(job);
        },
        (error: unknown) => {
          const known = error instanceof ApiError ? error : new ApiError('unknown', String(error));
          setPhase(isStopped(error) ? { name: 'idle' } : { name: 'failed', error: known });
          void queries.invalidateQueries({ queryKey: ['quote'] });
          refreshAccount(queries);
        },
      )
      .finally(() => {
        isBusy.current = false;
      });
  };

  return { phase, generate, dismiss: () => setPhase((known) => (known.name === 'failed' ? { name: 'idle' } : known)) };
}

async function newClick(body: JobRequest, order: Order): Promise<OpenClick> {
  const seen = order.seen;
  const quote = seen !== null && order.isSeenExact && isFresh(seen) ? seen : await quoteJob(body);
  if (seen !== null && quote.total_tokens > seen.total_tokens)
    throw new ApiError('price_changed', 'The price has gone up.', { status: 409 });
  const sent = { ...body, quote_id: quote.quote_id, max_cost_tokens: quote.total_tokens };
  return { order: JSON.stringify(body), sent, key: newKey() };
}

async function arrivedIds(pictures: Order['pictures']): Promise<ImageIds> {
  const arrivals = Object.entries(pictures).map(async ([role, picture]) => [role, await picture.whenReady()] as const);
  return Object.fromEntries((await Promise.all(arrivals)).filter(([, imageId]) => imageId !== null));
}

/** A picture was removed while the press waited for it. */
function isStopped(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
