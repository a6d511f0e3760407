// A back end in memory: answers by method and path, remembers what it was asked. Every test uses the real api.ts on it.
import { vi } from 'vitest';
import type { Job, Model } from '../api';

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

type Answer = Response | object | Error;
type Route = Answer | ((call: Call) => Answer);

export interface FakeBackend {
  calls: Call[];
  /** The calls to one address, as "POST /v1/jobs". */
  asked: (route: string) => Call[];
  on: (route: string, answer: Route) => void;
  /** Breaks the connection for every call, or mends it. */
  cut: (isCut: boolean) => void;
}

/** Plain objects become 200 JSON; an Error is a broken connection. */
export function fakeBackend(routes: Record<string, Route>): FakeBackend {
  const calls: Call[] = [];
  const table = { ...routes };
  let isConnectionCut = false;
  vi.stubGlobal('fetch', async (request: Request) => {
    const url = new URL(request.url);
    if (isConnectionCut) throw new TypeError('connection lost');
    const text = await request.text();
    const call: Call = {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? null : (JSON.parse(text) as unknown),
    };
    calls.push(call);
    const route = table[`${call.method} ${call.path}`];
    const answer: Answer | undefined = typeof route === 'function' ? (route as (call: Call) => Answer)(call) : route;
    if (answer === undefined) return refusal(404, 'not_found');
    if (answer instanceof Error) throw answer;
    return answer instanceof Response ? answer.clone() : Response.json(answer);
  });
  return {
    calls,
    asked: (route) => calls.filter((call) => `${call.method} ${call.path}` === route),
    on: (route, answer) => {
      table[route] = answer;
    },
    cut: (isCut) => {
      isConnectionCut = isCut;
    },
  };
}

export function refusal(
  status: number,
  code: string,
  more: object = {},
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { error: { code, message: `the back end says ${code}`, type: 'any', param: null, ...more } },
    { status, headers },
  );
}

/** Answers uploads at once; `loaded` of `total` bytes are reported before the end. */
export function fakeUploads(status = 200): { sent: { url: string; headers: Record<string, string>; body: unknown }[] } {
  const sent: { url: string; headers: Record<string, string>; body: unknown }[] = [];
  class FakeXhr {
    status = status;
    upload: { onprogress: ((event: object) => void) | null } = { onprogress: null };
    onload: (() => void) | null = null;
    private url = '';
    private headers: Record<string, string> = {};
    open(_method: string, url: string) {
      this.url = url;
    }
    setRequestHeader(name: string, value: string) {
      this.headers[name] = value;
    }
    send(body: unknown) {
      sent.push({ url: this.url, headers: this.headers, body });
      this.upload.onprogress?.({ lengthComputable: true, loaded: 40, total: 100 });
      queueMicrotask(() => this.onload?.());
    }
    abort() {
      this.onload = null;
    }
  }
  vi.stubGlobal('XMLHttpRequest', FakeXhr);
  return { sent };
}

export const ACCOUNT = {
  id: 'u1',
  email: 'maker@example.com',
  available_tokens: 100,
  held_tokens: 0,
  plan: 'free',
  language: 'en',
};

export function aModel(
  change: Partial<Omit<Model, 'capabilities'>> = {},
  can: Partial<Model['capabilities']> = {},
): Model {
  return {
    id: 'lumen',
    object: 'model',
    kind: 'video',
    name: 'Lumen',
    provider: 'sandbox',
    state: 'live',
    retires_on: null,
    successor: null,
    price_from_tokens: 20,
    expected_seconds: 8,
    defaults: { duration_seconds: 2, resolution: '480p', aspect_ratio: '16:9' },
    ...change,
    capabilities: {
      durations_seconds: [2, 4],
      resolutions: ['480p', '720p'],
      aspect_ratios: ['16:9', '9:16'],
      images: { start: 'optional', end: 'none', subject: 'none', source: 'none' },
      negative_prompt: true,
      audio: false,
      prompt_chars_min: 3,
      prompt_chars_max: 200,
      camera_moves: [],
      counts: [1],
      conditions: [],
      picture: {
        types: ['image/jpeg', 'image/png', 'image/webp'],
        side_min_px: 1,
        side_max_px: 16_383,
        ratio_min_percent: 1,
        ratio_max_percent: 10_000,
        max_bytes: 10_000_000,
        crop: false,
      },
      ...can,
    },
  };
}

export function aJob(change: Partial<Job> = {}): Job {
  const seconds = Math.floor(Date.now() / 1000);
  return {
    id: 'job_1',
    object: 'job',
    model: 'lumen',
    kind: 'video',
    status: 'queued',
    stage: 'waiting',
    progress: 0,
    queue_position: null,
    expected_seconds: 8,
    created_at: seconds,
    started_at: null,
    completed_at: null,
    project_id: null,
    prompt: 'A paper boat at dusk',
    settings: {
      negative_prompt: null,
      duration_seconds: 2,
      resolution: '480p',
      aspect_ratio: '16:9',
      audio: false,
      count: 1,
    },
    cancellable: true,
    result: null,
    results: change.result ? [change.result] : [],
    receipt: { held_tokens: 40, charged_tokens: 0, returned_tokens: 0, reason: 'held', ledger_ids: ['job_1:hold'] },
    error: null,
    ...change,
  };
}

export const RESULT: NonNullable<Job['result']> = {
  content_url: '/blobs/one.mp4',
  thumbnail_url: '/blobs/one.jpg',
  filename: 'reelmint-a-paper-boat.mp4',
  content_type: 'video/mp4',
  duration_seconds: 2,
  width: 854,
  height: 480,
  size_bytes: 36_000,
};

export function aQuote(tokens: number): object {
  return {
    quote_id: `quote_${tokens}`,
    total_tokens: tokens,
    breakdown: [{ code: 'duration', tokens }],
    expires_at: Math.floor(Date.now() / 1000) + 600,
  };
}
