import { describe, expect, it } from 'vitest';
import type { ImageRole, Model } from '../../api';
import { aModel } from '../../test/fake-backend';
import { H3, HAILUO, KLING } from '../../test/real-models';
import { EMPTY_DRAFT, type Choices, type Draft } from './draft';
import { canDo, fit, mainRole, offered, type Fitted } from './fitting';

function fitted(
  model: Model,
  wishes: Partial<Choices> = {},
  roles: ImageRole[] = [],
  more: Partial<Draft> = {},
): Fitted {
  const draft = { ...EMPTY_DRAFT, wishes: { ...EMPTY_DRAFT.wishes, ...wishes }, ...more };
  return fit(model, draft, new Set(roles));
}

describe('the choices', () => {
  it('are the wishes where the model has them, else its defaults', () => {
    const wishes = { duration_seconds: 4, resolution: '8K' };
    expect(fitted(aModel(), wishes).choices).toEqual({
      duration_seconds: 4,
      resolution: '480p',
      aspect_ratio: '16:9',
    });
  });

  it('are absent where the model has none', () => {
    const model = aModel({ kind: 'image' }, { durations_seconds: [], aspect_ratios: [] });
    expect(fitted(model, { duration_seconds: 4 }).choices).toEqual({
      duration_seconds: null,
      resolution: '480p',
      aspect_ratio: null,
    });
  });

  it('go from one model to another whatever letters a resolution is written with', () => {
    expect(offered(HAILUO, 'resolution', '1080p')).toBe('1080P');
    expect(fitted(HAILUO, { resolution: '1080p' }).choices.resolution).toBe('1080P');
  });

  it('are the defaults of every condition, not of each setting alone', () => {
    expect(fitted(KLING).choices.aspect_ratio).toBe('16:9');
    expect(fitted(KLING, {}, ['start']).choices.aspect_ratio).toBe('3:4');
    expect(fitted(H3, {}, ['start']).choices.aspect_ratio).toBe('adaptive');
  });

  it('give way to the wish that was made last', () => {
    const wishes = { duration_seconds: 10, resolution: '1080P' };
    const byResolution = fitted(HAILUO, wishes, [], { lastWish: 'resolution' });
    expect(byResolution.choices).toMatchObject({ duration_seconds: 6, resolution: '1080P' });
    expect(byResolution.yielded).toEqual({ duration_seconds: HAILUO.capabilities.conditions[0] });
    const byLength = fitted(HAILUO, wishes, [], { lastWish: 'duration_seconds' });
    expect(byLength.choices).toMatchObject({ duration_seconds: 10, resolution: '768P' });
    expect(Object.keys(byLength.yielded)).toEqual(['resolution']);
  });

  it('can each be taken unless pictures or sound forbid it', () => {
    expect(fitted(HAILUO, { duration_seconds: 10 }).obstacle('resolution', '1080P')).toBeNull();
    expect(fitted(HAILUO).obstacle('resolution', '512P')).toBe(HAILUO.capabilities.conditions[1]);
    expect(fitted(HAILUO, {}, ['start']).obstacle('resolution', '512P')).toBeNull();
    expect(fitted(HAILUO, {}, ['start', 'end']).obstacle('resolution', '512P')).not.toBeNull();
  });

  it('come back when what they gave way to is gone', () => {
    const wishes = { resolution: '512P' };
    expect(fitted(HAILUO, wishes, ['start']).choices.resolution).toBe('512P');
    expect(fitted(HAILUO, wishes).choices.resolution).toBe('768P');
    expect(fitted(HAILUO, wishes, ['start']).yielded).toEqual({});
  });
});

describe('sound', () => {
  it('is there when it is wished and the model has it', () => {
    expect(fitted(KLING, {}, [], { audio: true }).audio).toBe(true);
    expect(fitted(HAILUO, {}, [], { audio: true }).audio).toBe(false);
  });

  it('decides the resolution', () => {
    const loud = fitted(KLING, { resolution: '720p' }, [], { audio: true });
    expect(loud.choices.resolution).toBe('1080p');
    expect(loud.yielded).toEqual({ resolution: KLING.capabilities.conditions[4] });
    expect(loud.obstacle('resolution', '720p')).toBe(KLING.capabilities.conditions[4]);
  });

  it('gives way to a picture', () => {
    const mute = fitted(KLING, {}, ['start', 'end'], { audio: true });
    expect(mute.audio).toBe(false);
    expect(mute.yielded.audio).toBe(KLING.capabilities.conditions[2]);
    expect(mute.obstacle('audio', true)).toBe(KLING.capabilities.conditions[2]);
  });
});

describe('the pictures', () => {
  it('are needed where the model says so, and where another one says so', () => {
    const needsOne = aModel({}, { images: { start: 'required', end: 'none', subject: 'none', source: 'none' } });
    expect(fitted(needsOne).needed).toEqual(['start']);
    expect(fitted(needsOne, {}, ['start']).needed).toEqual([]);
    expect(fitted(KLING, {}, ['end'])).toMatchObject({ used: ['end'], needed: ['start'] });
  });

  it('bar the ones that do not go with them', () => {
    expect(fitted(H3).barred).toEqual({});
    expect(Object.keys(fitted(H3, {}, ['start']).barred)).toEqual(['subject']);
    expect(Object.keys(fitted(H3, {}, ['subject']).barred)).toEqual(['start', 'end']);
  });

  it('go out as many as can go together', () => {
    const all = fitted(H3, {}, ['start', 'end', 'subject']);
    expect(all.used).toEqual(['start', 'end']);
    expect(all.barred.subject).toBe(H3.capabilities.conditions[3]);
  });

  it('that the model does not take are no facts for it', () => {
    expect(fitted(HAILUO, {}, ['subject'])).toMatchObject({ used: [], needed: [], barred: {} });
  });

  it('have a main place: where one is needed, before where one may be', () => {
    const roles = (images: Partial<Model['capabilities']['images']>) =>
      aModel({}, { images: { start: 'none', end: 'none', subject: 'none', source: 'none', ...images } });
    expect(mainRole(roles({ start: 'optional', subject: 'required' }))).toBe('subject');
    expect(mainRole(roles({ end: 'optional', source: 'optional' }))).toBe('source');
    expect(mainRole(roles({}))).toBeNull();
  });
});

describe('the number of results', () => {
  it('is the wished one, or the nearest below that the model makes', () => {
    const many = aModel({}, { counts: [1, 2, 4] });
    expect(fitted(many, {}, [], { count: 4 }).count).toBe(4);
    expect(fitted(many, {}, [], { count: 3 }).count).toBe(2);
    expect(fitted(aModel(), {}, [], { count: 4 }).count).toBe(1);
  });
});

describe('whether something can be done', () => {
  it('asks for values that the model has, in a combination that it takes', () => {
    expect(canDo(HAILUO, { duration_seconds: 10, resolution: '768P' })).toBe(true);
    expect(canDo(HAILUO, { duration_seconds: 10, resolution: '1080P' })).toBe(false);
    expect(canDo(HAILUO, { duration_seconds: 5 })).toBe(false);
    expect(canDo(HAILUO, { audio: true })).toBe(false);
  });
});
