import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, createJob, forgetJob, readAccount, readJob, uploadPicture } from './api';
import { closeSession, currentToken, openSession } from './session';
import { ACCOUNT, aJob, fakeBackend, fakeUploads, refusal } from './test/fake-backend';

beforeEach(() => openSession('a-token'));
afterEach(() => forgetJob('job_1'));

const BODY = { model: 'lumen', prompt: 'A paper boat' };

async function errorOf(call: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await call.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe('every call', () => {
  it('carries the token of the session', async () => {
    const backend = fakeBackend({ 'GET /v1/account': ACCOUNT });
    await readAccount();
    expect(backend.calls[0]?.headers.get('Authorization')).toBe('Bearer a-token');
  });

  it('throws one kind of error, with the code and the figures of the back end', async () => {
    fakeBackend({
      'POST /v1/jobs': refusal(402, 'insufficient_tokens', { required_tokens: 40, available_tokens: 12 }),
    });
    const error = await errorOf(createJob(BODY, 'key'));
    expect(error).toMatchObject({ code: 'insufficient_tokens', status: 402, requiredTokens: 40, availableTokens: 12 });
  });

  it('says that the server cannot be reached when the connection breaks', async () => {
    fakeBackend({ 'GET /v1/account': new TypeError('Failed to fetch') });
    expect((await errorOf(readAccount())).code).toBe('unreachable');
  });

  it('understands a gateway that answers in its own words', async () => {
    fakeBackend({ 'GET /v1/account': new Response('<h1>Bad gateway</h1>', { status: 502 }) });
    expect((await errorOf(readAccount())).code).toBe('unavailable');
  });

  it('understands a page where JSON was expected', async () => {
    fakeBackend({ 'GET /v1/account': new Response('<!doctype html>', { status: 200 }) });
    expect((await errorOf(readAccount())).code).toBe('unexpected_answer');
  });

  it('ends the session when the server does not know the token any more', async () => {
    fakeBackend({ 'GET /v1/account': refusal(401, 'session_expired') });
    await errorOf(readAccount());
    expect(currentToken()).toBeNull();
  });

  it('keeps a session that was opened while an older one was being refused', async () => {
    fakeBackend({
      'GET /v1/account': () => {
        closeSession();
        openSession('a-newer-token');
        return refusal(401, 'session_expired');
      },
    });
    await errorOf(readAccount());
    expect(currentToken()).toBe('a-newer-token');
  });
});

describe('watching a job', () => {
  it('asks with the tag of the last answer, and takes 304 as "the same job, look again later"', async () => {
    const backend = fakeBackend({
      'GET /v1/jobs/job_1': ({ headers }) =>
        headers.get('If-None-Match') === '"one"'
          ? new Response(null, { status: 304, headers: { ETag: '"one"', 'Retry-After': '7' } })
          : Response.json(aJob(), { headers: { ETag: '"one"', 'Retry-After': '2' } }),
    });
    const first = await readJob('job_1');
    const second = await readJob('job_1');
    expect(backend.calls.map(({ headers }) => headers.get('If-None-Match'))).toEqual([null, '"one"']);
    expect(first.pollAfterMs).toBe(2_000);
    expect(second.pollAfterMs).toBe(7_000);
    expect(second.value).toBe(first.value);
  });

  it('prefers the finer hint in milliseconds', async () => {
    fakeBackend({
      'GET /v1/jobs/job_1': Response.json(aJob(), { headers: { 'Retry-After': '2', 'openai-poll-after-ms': '1500' } }),
    });
    expect((await readJob('job_1')).pollAfterMs).toBe(1_500);
  });

  it('reads a date in Retry-After', async () => {
    const headers = { 'Retry-After': new Date(Date.now() + 10_000).toUTCString() };
    fakeBackend({ 'GET /v1/jobs/job_1': Response.json(aJob(), { headers }) });
    expect((await readJob('job_1')).pollAfterMs).toBeGreaterThan(8_000);
  });

  it('never asks faster than a few times a second, whatever the server says', async () => {
    fakeBackend({ 'GET /v1/jobs/job_1': Response.json(aJob(), { headers: { 'Retry-After': '0' } }) });
    expect((await readJob('job_1')).pollAfterMs).toBeGreaterThanOrEqual(300);
  });

  it('reads the whole job again after it was told to forget it', async () => {
    const backend = fakeBackend({ 'GET /v1/jobs/job_1': Response.json(aJob(), { headers: { ETag: '"one"' } }) });
    await readJob('job_1');
    forgetJob('job_1');
    await readJob('job_1');
    expect(backend.calls[1]?.headers.get('If-None-Match')).toBeNull();
  });
});

describe('asking for a job', () => {
  it('repeats a call whose outcome is unknown under the same key', async () => {
    vi.useFakeTimers();
    let attempts = 0;
    const backend = fakeBackend({
      'POST /v1/jobs': () => {
        attempts += 1;
        if (attempts === 1) return new TypeError('connection lost');
        if (attempts === 2) return refusal(503, 'try_again', {}, { 'Retry-After': '1' });
        return Response.json(aJob(), { status: 202 });
      },
    });
    const asked = createJob(BODY, 'one-click');
    await vi.runAllTimersAsync();
    expect((await asked).id).toBe('job_1');
    expect(backend.calls.map(({ headers }) => headers.get('Idempotency-Key'))).toEqual([
      'one-click',
      'one-click',
      'one-click',
    ]);
  });

  it('does not repeat a refusal', async () => {
    const backend = fakeBackend({ 'POST /v1/jobs': refusal(409, 'quote_expired') });
    await errorOf(createJob(BODY, 'one-click'));
    expect(backend.calls).toHaveLength(1);
  });
});

describe('sending a picture', () => {
  const file = new File(['0123456789'], 'cat.png', { type: 'image/png' });
  const ticket = {
    image_id: 'img_1',
    upload: {
      method: 'PUT',
      url: 'https://bucket.example/one',
      headers: { 'Content-Type': 'image/png', 'x-goog-if-generation-match': '0' },
      expires_at: 1,
    },
  };

  it('sends the bytes as they are, with exactly the headers it was given, and waits for the check', async () => {
    const uploads = fakeUploads();
    const states = ['pending', 'ready'];
    fakeBackend({
      'POST /v1/uploads': Response.json(ticket, { status: 201 }),
      'GET /v1/uploads/img_1': () => ({ image_id: 'img_1', state: states.shift(), error: null, width: 64, height: 48 }),
    });
    const progress: number[] = [];
    const checked = await uploadPicture(file, ({ percent }) => progress.push(percent), new AbortController().signal);
    expect(checked).toEqual({ imageId: 'img_1', width: 64, height: 48 });
    expect(uploads.sent).toEqual([{ url: ticket.upload.url, headers: ticket.upload.headers, body: file }]);
    expect(progress).toEqual([0, 40, 100]);
  });

  it('says why a picture was refused', async () => {
    fakeUploads();
    fakeBackend({
      'POST /v1/uploads': Response.json(ticket, { status: 201 }),
      'GET /v1/uploads/img_1': {
        image_id: 'img_1',
        state: 'rejected',
        error: { code: 'not_an_image', message: 'no' },
        width: null,
        height: null,
      },
    });
    const error = await errorOf(uploadPicture(file, () => undefined, new AbortController().signal));
    expect(error.code).toBe('not_an_image');
  });

  it('says that the picture did not get through when the storage refuses it', async () => {
    fakeUploads(403);
    fakeBackend({ 'POST /v1/uploads': Response.json(ticket, { status: 201 }) });
    const error = await errorOf(uploadPicture(file, () => undefined, new AbortController().signal));
    expect(error.code).toBe('upload_failed');
  });
});
