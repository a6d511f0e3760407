import { beforeEach, describe, expect, it } from 'vitest';
import type { Model } from '../../api';
import { aJob, aModel } from '../../test/fake-backend';
import {
  chosenModel,
  draftOf,
  EMPTY_DRAFT,
  keepDraft,
  promptProblem,
  readDraft,
  requestBody,
  type Draft,
} from './draft';
import { fit } from './fitting';

const DRAFT = { ...EMPTY_DRAFT, prompt: '  A paper boat  ' };

const wishing = (video: string): Draft => ({ ...DRAFT, modelIds: { video, image: null } });
const bodyOf = (model: Model, draft: Draft, imageIds = {}, standIns: string[] = []) =>
  requestBody(model, draft, fit(model, draft, new Set()), imageIds, standIns);

beforeEach(() => localStorage.clear());

describe('the chosen model', () => {
  const models = [
    aModel({ id: 'one', state: 'retired', successor: 'lost' }),
    aModel({ id: 'two' }),
    aModel({ id: 'three', state: 'retiring' }),
    aModel({ id: 'four', kind: 'image' }),
    aModel({ id: 'five', state: 'retired', successor: 'six' }),
    aModel({ id: 'six', state: 'off', successor: 'three' }),
    aModel({ id: 'seven', state: 'retired', successor: 'eight' }),
    aModel({ id: 'eight', state: 'retired', successor: 'seven' }),
  ];

  it('is the wished one while it is sold', () => {
    expect(chosenModel(models, wishing('three'))?.id).toBe('three');
  });

  it('is the one that came after it when it is not, however many came between', () => {
    expect(chosenModel(models, wishing('five'))?.id).toBe('three');
  });

  it.each(['one', 'seven', 'never heard of', 'four'])('is the first one of the kind when "%s" leads nowhere', (id) => {
    expect(chosenModel(models, wishing(id))?.id).toBe('two');
  });

  it('is nothing where nothing is sold', () => {
    expect(chosenModel(models.slice(0, 1), DRAFT)).toBeNull();
  });
});

describe('the prompt', () => {
  it('is counted in code points, as the back end counts', () => {
    const model = aModel({}, { prompt_chars_max: 3 });
    expect(promptProblem(model, '🦊🦊🦊')).toBeNull();
    expect(promptProblem(model, '🦊🦊🦊🦊')).toEqual({ kind: 'long', by: 1 });
  });

  it('is empty, too short, or fine', () => {
    expect(promptProblem(aModel(), '   ')).toEqual({ kind: 'empty' });
    expect(promptProblem(aModel(), 'ab')).toEqual({ kind: 'short', by: 1, min: 3 });
    expect(promptProblem(aModel(), 'abc')).toBeNull();
  });

  it('may be left out where the model can do without', () => {
    expect(promptProblem(aModel({}, { prompt_chars_min: 0 }), '')).toBeNull();
  });

  it('is never wrong for a model that takes none', () => {
    expect(promptProblem(aModel({}, { prompt_chars_min: 0, prompt_chars_max: 0 }), 'A paper boat')).toBeNull();
  });
});

describe('the body of a request', () => {
  it('has what the model has, and leaves out what it lacks or nobody wished', () => {
    const draft = { ...DRAFT, audio: true, negativePrompt: ' ', count: 4 };
    expect(bodyOf(aModel(), draft)).toEqual({
      model: 'lumen',
      prompt: 'A paper boat',
      duration_seconds: 2,
      resolution: '480p',
      aspect_ratio: '16:9',
    });
  });

  it('has no words for a model that takes none', () => {
    const template = aModel(
      {},
      { prompt_chars_min: 0, prompt_chars_max: 0, durations_seconds: [], resolutions: [], aspect_ratios: [] },
    );
    expect(bodyOf(template, DRAFT, { subject: 'img_1' })).toEqual({ model: 'lumen', images: { subject: 'img_1' } });
  });

  it('carries pictures by role, sound, what to leave out, how many, and who may do it instead', () => {
    const draft = { ...DRAFT, audio: true, negativePrompt: 'blur', count: 3 };
    const model = aModel({}, { audio: true, counts: [1, 2, 3] });
    expect(bodyOf(model, draft, { start: 'img_1', end: 'img_2' }, ['other'])).toMatchObject({
      images: { start: 'img_1', end: 'img_2' },
      audio: true,
      negative_prompt: 'blur',
      count: 3,
      fallback_models: ['other'],
    });
  });

  it('is the same for a job that is filled in again', () => {
    const job = aJob({
      settings: {
        negative_prompt: 'blur',
        duration_seconds: 4,
        resolution: '720p',
        aspect_ratio: '9:16',
        audio: false,
        count: 2,
      },
    });
    expect(bodyOf(aModel({}, { counts: [1, 2] }), draftOf(job, EMPTY_DRAFT))).toEqual({
      model: 'lumen',
      prompt: 'A paper boat at dusk',
      negative_prompt: 'blur',
      duration_seconds: 4,
      resolution: '720p',
      aspect_ratio: '9:16',
      count: 2,
    });
  });
});

describe('a kept draft', () => {
  it('is there after a reload', () => {
    keepDraft({ ...DRAFT, count: 3 });
    expect(readDraft()).toEqual({ ...DRAFT, count: 3 });
  });

  it('that an older page wrote, or that is broken, is no obstacle', () => {
    localStorage.setItem('reelmint.draft', '{"prompt": "A fox", "durationSeconds": 4}');
    expect(readDraft()).toMatchObject({ ...EMPTY_DRAFT, prompt: 'A fox' });
    localStorage.setItem('reelmint.draft', '{');
    expect(readDraft()).toEqual(EMPTY_DRAFT);
  });
});
