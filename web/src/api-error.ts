// What can go wrong between the studio and the back end.

/** Codes that only the studio gives; all others come from the back end. */
export const STUDIO_CODES = [
  'unreachable',
  'no_answer',
  'upload_failed',
  'unexpected_answer',
  'price_changed',
] as const;

/** What went wrong, in one shape. `code` equals the back end's, or is one of STUDIO_CODES. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly param: string | null;
  readonly requiredTokens: number | null;
  readonly availableTokens: number | null;
  readonly retryAfterMs: number | null;

  constructor(
    code: string,
    message: string,
    more: {
      status?: number;
      param?: string | null;
      requiredTokens?: number | null;
      availableTokens?: number | null;
      retryAfterMs?: number | null;
    } = {},
  ) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = more.status ?? 0;
    this.param = more.param ?? null;
    this.requiredTokens = more.requiredTokens ?? null;
    this.availableTokens = more.availableTokens ?? null;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }

  /** The server said no. Otherwise the call may have had its effect, and the same key must be used to ask again. */
  get isRefusal(): boolean {
    return this.status >= 400 && this.status < 500;
  }
}
