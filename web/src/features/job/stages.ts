// Which step a job is on and what to say about it. Plain values, no screen.
import type { TFunction } from 'i18next';
import type { Job } from '../../api';
import { explainFailure } from '../../i18n/coded';

export const STEPS = ['upload', 'queue', 'make', 'store', 'ready'] as const;
export type Step = (typeof STEPS)[number];

const STEP_OF: Record<Job['status'], Step | null> = {
  queued: 'queue',
  running: 'make',
  storing: 'store',
  succeeded: 'ready',
  failed: null,
  cancelled: null,
};

/** The step of a job, or null when it ended without a result. */
export function stepOf(job: Job): Step | null {
  return STEP_OF[job.status];
}

/** One line that changes with the stage, not with every second. */
export function headline(t: TFunction, job: Job): string {
  if (job.status !== 'queued' || job.queue_position === null) return t(`job.${job.status}`);
  return job.queue_position <= 1 ? t('job.queuedNext') : t('job.queuedAt', { position: job.queue_position });
}

/** The same for ears: with what happened, and that the tokens are back, where there is no result. */
export function announcement(t: TFunction, job: Job): string {
  const line = headline(t, job);
  if (isPart(job)) return `${line}. ${partWords(t, job)}`;
  if (job.status !== 'failed' && job.status !== 'cancelled') return line;
  const returned = job.receipt.returned_tokens;
  return [
    line,
    explainFailure(t, failureCode(job)).what,
    ...(returned > 0 ? [t('job.tokensBack', { count: returned })] : []),
  ].join(' ');
}

export function failureCode(job: Job): string {
  return job.error?.code ?? (job.status === 'cancelled' ? 'cancelled' : 'unknown');
}

/** Fewer results came than were asked for. */
export function isPart(job: Job): boolean {
  return job.status === 'succeeded' && job.results.length < job.settings.count;
}

/** How many came, and what that means for the tokens. */
export function partWords(t: TFunction, { results, settings, receipt }: Job): string {
  const made = t('job.part', { made: results.length, asked: settings.count });
  if (receipt.charged_tokens === 0) return made;
  const tokens = t('job.partTokens', { charged: receipt.charged_tokens, returned: receipt.returned_tokens });
  return `${made} ${tokens}`;
}

/** Why the receipt says what it says. The server's word covers a charge for less than was held too. */
export function receiptReason(job: Job): string {
  const { reason, charged_tokens: charged, returned_tokens: returned } = job.receipt;
  if (reason !== 'charged' || charged === 0 || returned === 0) return reason;
  return isPart(job) ? 'charged_part' : 'charged_less';
}

/** What helps most after a failure: asking again, other words, or another model. */
export type Remedy = 'again' | 'prompt' | 'model';

const REMEDIES: Partial<Record<string, Remedy>> = {
  moderation_blocked: 'prompt',
  provider_rejected: 'prompt',
  provider_busy: 'model',
  provider_misconfigured: 'model',
  model_gone: 'model',
  model_off: 'model',
  waited_too_long: 'model',
};

/** Null where nothing went wrong. */
export function remedyFor(job: Job): Remedy | null {
  if (job.status !== 'failed') return null;
  const remedy = REMEDIES[failureCode(job)] ?? 'again';
  return remedy === 'prompt' && job.prompt === '' ? 'again' : remedy;
}

/** Seconds since the present stage's clock began: being made, or else waiting. */
export function elapsedSeconds(job: Job, nowSeconds: number): number {
  return Math.max(0, (job.completed_at ?? nowSeconds) - (job.started_at ?? job.created_at));
}

/** The usual time is a middle: half as long again is still ordinary, and not yet worth a word. */
const ORDINARY_FACTOR = 1.5;

export function isOverdue(job: Job, elapsed: number): boolean {
  return job.status === 'running' && elapsed > job.expected_seconds * ORDINARY_FACTOR;
}

const NEARLY_DONE_PERCENT = 95;

/**
 * What the server said last, carried on by the usual time until it says more. Never quite all of it while there is no
 * result, and never back.
 */
export function percentDone(job: Job, elapsed: number): number {
  if (job.status !== 'running') return job.progress;
  const byTime = Math.floor((elapsed / Math.max(1, job.expected_seconds)) * 100);
  return Math.min(NEARLY_DONE_PERCENT, Math.max(job.progress, byTime));
}

/** "16:9" as a number; the square where a job has no shape. */
export function shapeOf(aspectRatio: string | null): number {
  const [width = 1, height = 1] = (aspectRatio ?? '1:1').split(':').map(Number);
  return width > 0 && height > 0 ? width / height : 1;
}
