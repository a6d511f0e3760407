import { describe, expect, it } from 'vitest';
import { aJob, aModel } from '../../test/fake-backend';
import {
  chosenModel,
  draftOf,
  EMPTY_DRAFT,
  needsPicture,
  pictureRole,
  promptProblem,
  requestBody,
  settingsFor,
} from './draft';

const DRAFT = { ...EMPTY_DRAFT, prompt: '  A paper boat  ' };

describe('the chosen model', () => {
  const models = [
    aModel({ id: 'one', state: 'retired' }),
    aModel({ id: 'two' }),
    aModel({ id: 'three', state: 'retiring' }),
    aModel({ id: 'four', kind: 'image' }),
  ];

  it('is the wished one while it is sold', () => {
    expect(chosenModel(models, { ...DRAFT, modelId: 'three' })?.id).toBe('three');
  });

  it('is the first one of the kind that is sold when the wished one is not', () => {
    expect(chosenModel(models, { ...DRAFT, modelId: 'one' })?.id).toBe('two');
  });

  it('is nothing where nothing is sold', () => {
    expect(chosenModel(models.slice(0, 1), DRAFT)).toBeNull();
  });
});

describe('the settings', () => {
  it('are the wishes where the model has them, else its defaults', () => {
    const wishes = { ...DRAFT, durationSeconds: 4, resolution: '8K', aspectRatio: null };
    expect(settingsFor(aModel(), wishes)).toEqual({ durationSeconds: 4, resolution: '480p', aspectRatio: '16:9' });
  });

  it('are absent where the model has none', () => {
    const model = aModel({ kind: 'image' }, { durations_seconds: [], aspect_ratios: [] });
    expect(settingsFor(model, DRAFT)).toMatchObject({ durationSeconds: null, aspectRatio: null });
  });
});

describe('the picture', () => {
  it('goes where the model needs one, before where it may have one', () => {
    const model = aModel({}, { images: { start: 'optional', end: 'none', subject: 'required', source: 'none' } });
    expect(pictureRole(model)).toBe('subject');
    expect(needsPicture(model)).toBe(true);
  });

  it('goes nowhere with a model of words only', () => {
    expect(
      pictureRole(aModel({}, { images: { start: 'none', end: 'none', subject: 'none', source: 'none' } })),
    ).toBeNull();
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
});

describe('the body of a request', () => {
  it('has what the model has, and leaves out what it lacks or nobody wished', () => {
    const draft = { ...DRAFT, audio: true, negativePrompt: ' ' };
    expect(requestBody(aModel(), draft, null)).toEqual({
      model: 'lumen',
      prompt: 'A paper boat',
      duration_seconds: 2,
      resolution: '480p',
      aspect_ratio: '16:9',
    });
  });

  it('names the picture by its role, and carries sound and what to leave out', () => {
    const draft = { ...DRAFT, audio: true, negativePrompt: 'blur' };
    expect(requestBody(aModel({}, { audio: true }), draft, 'img_1')).toMatchObject({
      images: { start: 'img_1' },
      audio: true,
      negative_prompt: 'blur',
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
        count: 1,
      },
    });
    expect(requestBody(aModel(), draftOf(job), null)).toEqual({
      model: 'lumen',
      prompt: 'A paper boat at dusk',
      negative_prompt: 'blur',
      duration_seconds: 4,
      resolution: '720p',
      aspect_ratio: '9:16',
    });
  });
});
