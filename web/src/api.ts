// All that the back end can be asked: addresses, headers, time limits, and one kind of error.
import createClient from 'openapi-fetch';
import { ApiError } from './api-error';
import { abortError, putBytes } from './put-bytes';
import { reportReachable } from './reachability';
import { closeSession, currentToken } from './session';
import type { components, paths } from './wire';

export { ApiError, STUDIO_CODES } from './api-error';

type Schemas = components['schemas'];
export type Account = Schemas['AccountReply'];
export type Model = Schemas['Model'];
export type JobRequest = Schemas['JobRequest'];
export type Quote = Schemas['QuoteReply'];
export type Job = Schemas['Job'];
export type Receipt = Schemas['Receipt'];
export type Language = NonNullable<Schemas['SignInRequest']['language']>;
export type LedgerRow = Schemas['LedgerRow'];
export type ImageRole = keyof Schemas['JobImages'];
export type Result = Schemas['JobResult'];

const CALL_TIMEOUT_MS = 20_000;
const CREATE_ATTEMPTS = 4;
const CREATE_RETRY_FIRST_MS = 600;
const UPLOAD_CHECK_POLLS = 60;
const UPLOAD_CHECK_EVERY_MS = 500;
const POLL_DEFAULT_MS = 2_000;
const POLL_MIN_MS = 300;
const POLL_MAX_MS = 60_000;
const REMEMBERED_ANSWERS = 50;
const HALF_SECOND_MS = 500;
const CLOCK_TOLERANCE_MS = 3_000;

/** An answer that will change, and how long the server asks us to wait before looking again. */
export interface Polled<Value> {
  value: Value;
  pollAfterMs: number;
}

const client = createClient<paths>({ baseUrl: location.origin, fetch: send });

export async function signInLocally(email: string, language: Language): Promise<{ token: string; account: Account }> {
  return (await answer(client.POST('/v1/auth/local', { body: { email, language } }))).value;
}

export async function readAccount(signal?: AbortSignal): Promise<Account> {
  return (await answer(client.GET('/v1/account', within(signal)))).value;
}

export async function readLedger(
  after: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<Schemas['LedgerPage']> {
  const query = after === null ? { limit } : { limit, after };
  return (await answer(client.GET('/v1/account/ledger', { params: { query }, ...within(signal) }))).value;
}

export async function listModels(signal?: AbortSignal): Promise<Model[]> {
  return (await answer(client.GET('/v1/models', within(signal)))).value.data;
}

export async function quoteJob(body: JobRequest, signal?: AbortSignal): Promise<Quote> {
  return (await answer(client.POST('/v1/quotes', { body, ...within(signal) }))).value;
}

/**
 * Asks for a job. While it is not known whether the server took it, the same call is made again under the same key,
 * which the server answers with the same job.
 */
export async function createJob(body: JobRequest, idempotencyKey: string): Promise<Job> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const header = { 'Idempotency-Key': idempotencyKey };
      return (await answer(client.POST('/v1/jobs', { body, params: { header } }))).value;
    } catch (error) {
      const worthRepeating = error instanceof ApiError && !error.isRefusal && attempt < CREATE_ATTEMPTS;
      if (!worthRepeating) throw error;
      await sleep(error.retryAfterMs ?? CREATE_RETRY_FIRST_MS * 2 ** (attempt - 1));
    }
  }
}

export async function readJob(id: string, signal?: AbortSignal): Promise<Polled<Job>> {
  const path = { job_id: id };
  return remembered(`job ${id}`, (headers) =>
    client.GET('/v1/jobs/{job_id}', { params: { path }, headers, ...within(signal) }),
  );
}

/** Makes the next read of this job a full one: its signed addresses have run out though the job has not changed. */
export function forgetJob(id: string): void {
  memory.delete(`job ${id}`);
}

export async function listJobs(limit: number, signal?: AbortSignal): Promise<Polled<Job[]>> {
  const query = { limit };
  const list = await remembered(`jobs ${String(limit)}`, (headers) =>
    client.GET('/v1/jobs', { params: { query }, headers, ...within(signal) }),
  );
  return { value: list.value.data, pollAfterMs: list.pollAfterMs };
}

export function forgetJobLists(): void {
  for (const key of memory.keys()) if (key.startsWith('jobs ')) memory.delete(key);
}

export async function cancelJob(id: string): Promise<Job> {
  return (await answer(client.POST('/v1/jobs/{job_id}/cancel', { params: { path: { job_id: id } } }))).value;
}

export async function deleteJob(id: string): Promise<void> {
  await answer(client.DELETE('/v1/jobs/{job_id}', { params: { path: { job_id: id } } }));
  forgetJob(id);
}

export async function isServerUp(): Promise<boolean> {
  try {
    return (await send(new Request(`${location.origin}/healthz`))).ok;
  } catch {
    return false;
  }
}

/** What there is to tell on the way: the picture's id, as soon as it has one, and how much has gone out. */
export interface UploadProgress {
  imageId: string;
  percent: number;
}

/** A picture that a job can name, and its size in pixels as the server measured it. */
export interface CheckedPicture {
  imageId: string;
  width: number | null;
  height: number | null;
}

/** Sends one picture as it is and waits until the server has checked it. */
export async function uploadPicture(
  file: File,
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<CheckedPicture> {
  const body = { filename: file.name, content_type: file.type, size_bytes: file.size };
  const ticket = (await answer(client.POST('/v1/uploads', { body, ...within(signal) }))).value;
  const report = (percent: number) => onProgress({ imageId: ticket.image_id, percent });
  report(0);
  await putBytes(file, ticket.upload, report, signal);
  report(100);
  for (let poll = 0; poll < UPLOAD_CHECK_POLLS; poll += 1) {
    const path = { image_id: ticket.image_id };
    const { value, response } = await answer(
      client.GET('/v1/uploads/{image_id}', { params: { path }, ...within(signal) }),
    );
    if (value.state === 'ready') return { imageId: value.image_id, width: value.width, height: value.height };
    if (value.state === 'rejected') {
      throw new ApiError(value.error?.code ?? 'image_rejected', value.error?.message ?? 'The picture was refused.', {
        status: 422,
      });
    }
    await sleep(retryAfterMs(response) ?? UPLOAD_CHECK_EVERY_MS, signal);
  }
  throw new ApiError('no_answer', 'The picture was not checked in time.');
}

/** The server's clock, so that elapsed time is right on a machine whose clock is not. */
export function serverNowSeconds(): number {
  return Date.now() / 1000 + clockAheadSeconds;
}

/** Bytes behind a signed address on another origin, where `<a download>` would open a page instead of saving a file. */
export async function readResult(url: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new ApiError('unexpected_answer', 'The file could not be read.', { status: response.status });
  return response.blob();
}

// ---------------------------------------------------------------------------------------------------------------------

let clockAheadSeconds = 0;
const memory = new Map<string, { etag: string; value: unknown }>();

interface Reply<Value> {
  data?: Value;
  error?: unknown;
  response: Response;
}

async function send(request: Request): Promise<Response> {
  const token = currentToken();
  if (token !== null) request.headers.set('Authorization', `Bearer ${token}`);
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
  }, CALL_TIMEOUT_MS);
  request.signal.addEventListener('abort', () => {
    limit.abort(request.signal.reason);
  });
  try {
    const response = await fetch(request, { signal: limit.signal });
    reportReachable(true);
    noteClock(response);
    // A late refusal of an old token must not end a session that was opened in between.
    if (response.status === 401 && token !== null && token === currentToken()) closeSession({ ended: true });
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    if (limit.signal.aborted) throw new ApiError('no_answer', 'The server took too long to answer.');
    reportReachable(false);
    throw new ApiError('unreachable', 'The server cannot be reached.');
  } finally {
    clearTimeout(timer);
  }
}

async function answer<Value>(call: Promise<Reply<Value>>): Promise<{ value: Value; response: Response }> {
  const { data, error, response } = await call.catch(unreadable);
  if (!response.ok) throw asApiError(error, response);
  // Only a 204 has no body, and its callers do not look at the value.
  return { value: data as Value, response };
}

/** Something that is not JSON under a good status: a captive portal, or a proxy in between. */
function unreadable(error: unknown): never {
  if (error instanceof SyntaxError) throw new ApiError('unexpected_answer', 'The answer could not be read.');
  throw error;
}

async function remembered<Value>(
  key: string,
  call: (headers: Record<string, string>) => Promise<Reply<Value>>,
): Promise<Polled<Value>> {
  const known = memory.get(key);
  const reply = await call(known === undefined ? {} : { 'If-None-Match': known.etag });
  const pollAfterMs = clamp(retryAfterMs(reply.response) ?? POLL_DEFAULT_MS, POLL_MIN_MS, POLL_MAX_MS);
  if (reply.response.status === 304 && known !== undefined) return { value: known.value as Value, pollAfterMs };
  const { value, response } = await answer(Promise.resolve(reply));
  const etag = response.headers.get('ETag');
  memory.delete(key);
  if (etag !== null) memory.set(key, { etag, value });
  const oldest = memory.keys().next();
  if (memory.size > REMEMBERED_ANSWERS && !oldest.done) memory.delete(oldest.value);
  return { value, pollAfterMs };
}

function asApiError(body: unknown, response: Response): ApiError {
  const more = { status: response.status, retryAfterMs: retryAfterMs(response) };
  const reply = body as Partial<Schemas['ErrorReply']> | undefined;
  if (typeof body !== 'object' || reply?.error === undefined) {
    // A gateway in between answers in its own words.
    const code = response.status >= 500 ? 'unavailable' : 'unexpected_answer';
    return new ApiError(code, `The server answered ${response.status}.`, more);
  }
  const {
    code,
    message,
    param = null,
    required_tokens: requiredTokens = null,
    available_tokens: availableTokens = null,
  } = reply.error;
  return new ApiError(code, message, { ...more, param, requiredTokens, availableTokens });
}

/** `openai-poll-after-ms` is finer, `Retry-After` is the standard one: whole seconds or a date. */
function retryAfterMs(response: Response): number | null {
  const fine = Number(response.headers.get('openai-poll-after-ms') ?? Number.NaN);
  if (Number.isFinite(fine)) return fine;
  const header = response.headers.get('Retry-After');
  if (header === null) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return seconds * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

function noteClock(response: Response): void {
  const aheadMs = Date.parse(response.headers.get('Date') ?? '') + HALF_SECOND_MS - Date.now();
  // The header has whole seconds: a small difference says nothing.
  if (!Number.isNaN(aheadMs)) clockAheadSeconds = Math.abs(aheadMs) < CLOCK_TOLERANCE_MS ? 0 : aheadMs / 1000;
}

function within(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(abortError());
    });
  });
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
