// What the person has chosen so far, and what of it the chosen model can use. Plain values, no screen.
import type { ImageRole, Job, JobRequest, Model } from '../../api';

/** Wishes outlive the model: a setting that this model lacks is kept for the next one. `null` means "the model's default". */
export interface Draft {
  kind: Model['kind'];
  modelId: string | null;
  prompt: string;
  negativePrompt: string;
  durationSeconds: number | null;
  resolution: string | null;
  aspectRatio: string | null;
  audio: boolean;
}

export interface Settings {
  durationSeconds: number | null;
  resolution: string | null;
  aspectRatio: string | null;
}

/** Where the one picture goes, in the order in which a model's roles are tried. */
const ROLES: readonly ImageRole[] = ['start', 'source', 'subject', 'end'];

const KEY = 'reelmint.draft';

export const EMPTY_DRAFT: Draft = {
  kind: 'video',
  modelId: null,
  prompt: '',
  negativePrompt: '',
  durationSeconds: null,
  resolution: null,
  aspectRatio: null,
  audio: false,
};

/** A prompt is too much work to lose to a reload. */
export function readDraft(): Draft {
  try {
    return { ...EMPTY_DRAFT, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Draft>) };
  } catch {
    return EMPTY_DRAFT;
  }
}

export function keepDraft(draft: Draft): void {
  localStorage.setItem(KEY, JSON.stringify(draft));
}

export function draftOf(job: Job): Draft {
  return {
    kind: job.kind,
    modelId: job.model,
    prompt: job.prompt,
    negativePrompt: job.settings.negative_prompt ?? '',
    durationSeconds: job.settings.duration_seconds,
    resolution: job.settings.resolution,
    aspectRatio: job.settings.aspect_ratio,
    audio: job.settings.audio,
  };
}

/** A retiring model is still sold. */
export function isSold(model: Model): boolean {
  return model.state === 'live' || model.state === 'retiring';
}

/** The chosen model while it is sold and of the chosen kind, else the first one that is. */
export function chosenModel(models: readonly Model[], draft: Draft): Model | null {
  const candidates = models.filter((model) => model.kind === draft.kind && isSold(model));
  return candidates.find((model) => model.id === draft.modelId) ?? candidates[0] ?? null;
}

export function settingsFor(model: Model, draft: Draft): Settings {
  const { capabilities, defaults } = model;
  return {
    durationSeconds: pick(capabilities.durations_seconds, draft.durationSeconds, defaults.duration_seconds),
    resolution: pick(capabilities.resolutions, draft.resolution, defaults.resolution),
    aspectRatio: pick(capabilities.aspect_ratios, draft.aspectRatio, defaults.aspect_ratio),
  };
}

/** The role of the one picture with this model, or null when the model takes none. */
export function pictureRole(model: Model): ImageRole | null {
  const rules = model.capabilities.images;
  return ROLES.find((role) => rules[role] === 'required') ?? ROLES.find((role) => rules[role] === 'optional') ?? null;
}

export function needsPicture(model: Model): boolean {
  const role = pictureRole(model);
  return role !== null && model.capabilities.images[role] === 'required';
}

export type PromptProblem =
  { kind: 'empty' } | { kind: 'short'; by: number; min: number } | { kind: 'long'; by: number };

export function promptProblem(model: Model, prompt: string): PromptProblem | null {
  const { prompt_chars_min: min, prompt_chars_max: max } = model.capabilities;
  const length = promptLength(prompt);
  if (length === 0) return min > 0 ? { kind: 'empty' } : null;
  if (length < min) return { kind: 'short', by: min - length, min };
  return length > max ? { kind: 'long', by: length - max } : null;
}

/** Code points, the way the back end counts: a face is one, not two. */
export function promptLength(prompt: string): number {
  return Array.from(prompt.trim()).length;
}

/** The body of a quote and of a job. Fields that the model lacks are left out. */
export function requestBody(model: Model, draft: Draft, imageId: string | null): JobRequest {
  const { durationSeconds, resolution, aspectRatio } = settingsFor(model, draft);
  const role = pictureRole(model);
  const negative = draft.negativePrompt.trim();
  return {
    model: model.id,
    prompt: draft.prompt.trim(),
    ...(model.capabilities.negative_prompt && negative !== '' && { negative_prompt: negative }),
    ...(durationSeconds !== null && { duration_seconds: durationSeconds }),
    ...(resolution !== null && { resolution }),
    ...(aspectRatio !== null && { aspect_ratio: aspectRatio }),
    ...(role !== null && imageId !== null && { images: { [role]: imageId } }),
    ...(model.capabilities.audio && draft.audio && { audio: true }),
  };
}

function pick<Value>(offered: readonly Value[], wish: Value | null, fallback: Value | null): Value | null {
  if (wish !== null && offered.includes(wish)) return wish;
  if (fallback !== null && offered.includes(fallback)) return fallback;
  return offered[0] ?? null;
}
