// What the person has chosen so far, and the request that comes of it. Plain values, no screen.
import type { ImageRole, Job, JobRequest, Model } from '../../api';
import type { Fitted } from './fitting';

/** The settings that are choices, called as on the wire. */
export type Choices = Model['defaults'];
export type ChoiceName = keyof Choices;

/** Wishes outlive the model: a setting that this model lacks is kept for the next one. `null` means "no wish". */
export interface Draft {
  kind: Model['kind'];
  /** The wished model of each kind. */
  modelIds: Record<Model['kind'], string | null>;
  prompt: string;
  negativePrompt: string;
  wishes: Choices;
  /** The wish that was made last, to which the others give way. */
  lastWish: ChoiceName | null;
  audio: boolean;
  count: number;
  /** The models that may do it when the provider of the chosen one does not answer. */
  fallbackModels: string[];
}

const KEY = 'reelmint.draft';

export const EMPTY_DRAFT: Draft = {
  kind: 'video',
  modelIds: { video: null, image: null },
  prompt: '',
  negativePrompt: '',
  wishes: { duration_seconds: null, resolution: null, aspect_ratio: null },
  lastWish: null,
  audio: false,
  count: 1,
  fallbackModels: [],
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

/** The draft that would give the same job again; models of the other kind and stand-ins stay as they were. */
export function draftOf(job: Job, known: Draft): Draft {
  const { settings } = job;
  return {
    ...known,
    kind: job.kind,
    modelIds: { ...known.modelIds, [job.kind]: job.model },
    prompt: job.prompt,
    negativePrompt: settings.negative_prompt ?? '',
    wishes: {
      duration_seconds: settings.duration_seconds,
      resolution: settings.resolution,
      aspect_ratio: settings.aspect_ratio,
    },
    lastWish: null,
    audio: settings.audio,
    count: settings.count,
  };
}

/** A retiring model is still sold. */
export function isSold(model: Model): boolean {
  return model.state === 'live' || model.state === 'retiring';
}

/** The wished model while it is sold, else the one that came after it, else the first one of the kind that is sold. */
export function chosenModel(models: readonly Model[], draft: Draft): Model | null {
  const sold = models.filter((model) => model.kind === draft.kind && isSold(model));
  const wish = models.find((model) => model.id === draft.modelIds[draft.kind]);
  const chosen = wish && heirOf(models, wish);
  return sold.find((model) => model.id === chosen?.id) ?? sold[0] ?? null;
}

/** The model itself, or the first one sold of those that came after it. */
export function heirOf(models: readonly Model[], model: Model): Model | null {
  const passed = new Set<Model>();
  let heir: Model | undefined = model;
  while (heir !== undefined && !isSold(heir)) {
    passed.add(heir);
    const next: string | null = heir.successor;
    heir = models.find((other) => other.id === next && !passed.has(other));
  }
  return heir ?? null;
}

export function takesPrompt(model: Model): boolean {
  return model.capabilities.prompt_chars_max > 0;
}

export type PromptProblem =
  { kind: 'empty' } | { kind: 'short'; by: number; min: number } | { kind: 'long'; by: number };

export function promptProblem(model: Model, prompt: string): PromptProblem | null {
  if (!takesPrompt(model)) return null;
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

export type ImageIds = Partial<Record<ImageRole, string>>;

/** The body of a quote and of a job. Fields that the model lacks are left out. */
export function requestBody(
  model: Model,
  draft: Draft,
  { choices, audio, count }: Fitted,
  imageIds: ImageIds,
  standIns: readonly string[],
): JobRequest {
  const negative = draft.negativePrompt.trim();
  return {
    model: model.id,
    ...(takesPrompt(model) && { prompt: draft.prompt.trim() }),
    ...(model.capabilities.negative_prompt && negative !== '' && { negative_prompt: negative }),
    ...(choices.duration_seconds !== null && { duration_seconds: choices.duration_seconds }),
    ...(choices.resolution !== null && { resolution: choices.resolution }),
    ...(choices.aspect_ratio !== null && { aspect_ratio: choices.aspect_ratio }),
    ...(Object.keys(imageIds).length > 0 && { images: imageIds }),
    ...(audio && { audio }),
    ...(count > 1 && { count }),
    ...(standIns.length > 0 && { fallback_models: [...standIns] }),
  };
}
