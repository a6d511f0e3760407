// Server state that more than one feature reads: what is cached, how long, and when it is read again.
import {
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query';
import { useEffect } from 'react';
import {
  ApiError,
  cancelJob,
  deleteJob,
  forgetJob,
  forgetJobLists,
  listJobs,
  listModels,
  readAccount,
  readJob,
  readLedger,
  type Account,
  type Job,
  type Model,
  type Polled,
} from './api';

export const RECENT_JOBS = 10;
const LEDGER_PAGE_ROWS = 25;
const LIST_EVERY_MS_MIN = 4_000;
const ACCOUNT_EVERY_MS = 30_000;
const MODELS_FRESH_MS = 5 * 60_000;
const FIRST_READ_MS = 700;
const UNREACHABLE_POLL_MS = 3_000;
/** A job that timed out is read now and then for this long: its result may still come, as a gift. */
const LATE_RESULT_SECONDS = 30 * 60;
const LATE_RESULT_EVERY_MS = 20_000;

const OVER: ReadonlySet<Job['status']> = new Set(['succeeded', 'failed', 'cancelled']);

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The browser's idea of being online is a guess; a failed call says more.
        networkMode: 'always',
        retry: (failures, error) => !(error instanceof ApiError && error.isRefusal) && failures < 2,
        staleTime: 2_000,
      },
      mutations: { networkMode: 'always' },
    },
  });
}

export function isOver(job: Job): boolean {
  return OVER.has(job.status);
}

/** Timed out on our side, refunded, and perhaps still being made. */
export function mayStillCome(job: Job): boolean {
  return (
    job.status === 'failed' &&
    job.error?.code === 'timed_out' &&
    Date.now() / 1000 - (job.completed_at ?? 0) < LATE_RESULT_SECONDS
  );
}

export function useAccount(): UseQueryResult<Account> {
  return useQuery({
    queryKey: ['account'],
    queryFn: ({ signal }) => readAccount(signal),
    refetchInterval: ACCOUNT_EVERY_MS,
  });
}

export function useModels(): UseQueryResult<Model[]> {
  return useQuery({ queryKey: ['models'], queryFn: ({ signal }) => listModels(signal), staleTime: MODELS_FRESH_MS });
}

/** One job, read again as often as the server asks until it is over. */
export function useJob(id: string): UseQueryResult<Polled<Job>> {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: ['job', id],
    queryFn: ({ signal }) => readJob(id, signal),
    refetchInterval: ({ state }) => nextRead(state.data?.value, state.data?.pollAfterMs, state.error),
    refetchIntervalInBackground: true,
    refetchOnWindowFocus: ({ state }) => state.data === undefined || !isOver(state.data.value),
  });
  const status = query.data?.value.status;
  useEffect(() => {
    if (status !== undefined) refreshWhatJobsMove(queries);
  }, [queries, status]);
  return query;
}

export function useRecentJobs(): UseQueryResult<Polled<Job[]>> {
  return useQuery({
    queryKey: ['jobs'],
    queryFn: ({ signal }) => listJobs(RECENT_JOBS, signal),
    refetchInterval: ({ state }) => {
      const open = state.data?.value.find((job) => !isOver(job));
      const next = nextRead(open ?? state.data?.value.find(mayStillCome), state.data?.pollAfterMs, state.error);
      return next === false ? false : Math.max(LIST_EVERY_MS_MIN, next);
    },
  });
}

export function useLedger() {
  return useInfiniteQuery({
    queryKey: ['ledger'],
    queryFn: ({ pageParam, signal }) => readLedger(pageParam, LEDGER_PAGE_ROWS, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.has_more ? (page.data.at(-1)?.id ?? null) : null),
  });
}

export function useCancelJob() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: cancelJob,
    onSuccess: (job) => keepJob(queries, job),
    onError: (_, id) => rereadJob(queries, id),
  });
}

export function useDeleteJob() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: deleteJob,
    onSuccess: (_, id) => {
      queries.removeQueries({ queryKey: ['job', id] });
      queries.setQueryData<Polled<Job[]>>(
        ['jobs'],
        (list) => list && { ...list, value: list.value.filter((job) => job.id !== id) },
      );
      forgetJobLists();
      refreshWhatJobsMove(queries);
    },
  });
}

/** Puts a job that an answer brought where every reader sees it. */
export function keepJob(queries: QueryClient, job: Job): void {
  forgetJob(job.id);
  queries.setQueryData<Polled<Job>>(['job', job.id], (known) => ({
    value: job,
    pollAfterMs: known?.pollAfterMs ?? FIRST_READ_MS,
  }));
  queries.setQueryData<Polled<Job[]>>(['jobs'], (list) => {
    if (list === undefined) return list;
    const others = list.value.filter((other) => other.id !== job.id);
    const isNew = others.length === list.value.length;
    const value = isNew
      ? [job, ...others].slice(0, RECENT_JOBS)
      : list.value.map((other) => (other.id === job.id ? job : other));
    return { ...list, value };
  });
  refreshWhatJobsMove(queries);
}

/** Reads a job in full, past the remembered answer: its signed addresses have run out. */
export function rereadJob(queries: QueryClient, id: string): void {
  forgetJob(id);
  void queries.invalidateQueries({ queryKey: ['job', id] });
}

/** The same for the thumbnails in the list. */
export function rereadRecentJobs(queries: QueryClient): void {
  forgetJobLists();
  void queries.invalidateQueries({ queryKey: ['jobs'] });
}

export function refreshAccount(queries: QueryClient): void {
  void queries.invalidateQueries({ queryKey: ['account'] });
}

function refreshWhatJobsMove(queries: QueryClient): void {
  refreshAccount(queries);
  for (const key of ['jobs', 'ledger']) void queries.invalidateQueries({ queryKey: [key] });
}

/** Milliseconds until the next read, or false when nothing can change any more. */
function nextRead(job: Job | undefined, pollAfterMs: number | undefined, error: Error | null): number | false {
  if (error instanceof ApiError) {
    if (error.isRefusal && error.status !== 429) return false;
    return error.retryAfterMs ?? UNREACHABLE_POLL_MS;
  }
  if (job === undefined) return false;
  if (isOver(job)) return mayStillCome(job) ? LATE_RESULT_EVERY_MS : false;
  return pollAfterMs ?? UNREACHABLE_POLL_MS;
}
