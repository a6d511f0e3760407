import { describe, expect, it } from 'vitest';
import type { ImageRole, Model } from '../../api';
import { aModel } from '../../test/fake-backend';
import { HAILUO } from '../../test/real-models';
import { EMPTY_DRAFT, type Draft } from './draft';
import { fit } from './fitting';
import { canStandIn, standInsFor } from './stand-ins';

const other = (change: Partial<Model>, can: Partial<Model['capabilities']> = {}) =>
  aModel(
    { id: 'other', provider: 'replicate', ...change },
    { durations_seconds: [6, 10], resolutions: ['768p'], negative_prompt: false, ...can },
  );

function asked(more: Partial<Draft> = {}, roles: ImageRole[] = []) {
  const draft = { ...EMPTY_DRAFT, prompt: 'A paper boat', ...more };
  return { model: HAILUO, draft, fitted: fit(HAILUO, draft, new Set(roles)) };
}

describe('a model that could do the same', () => {
  it('is one of another provider that costs no more', () => {
    const models = [HAILUO, other({}), other({ id: 'kin', provider: 'minimax' }), other({ price_from_tokens: 50 })];
    expect(standInsFor(models, asked(), 30).map(({ id }) => id)).toEqual(['other']);
    expect(standInsFor(models, asked(), null)).toHaveLength(2);
  });

  it('is sold and makes the same kind of thing', () => {
    expect(canStandIn(other({}), asked())).toBe(true);
    expect(canStandIn(other({ state: 'off' }), asked())).toBe(false);
    expect(canStandIn(other({ kind: 'image' }), asked())).toBe(false);
  });

  it('may have other resolutions and shapes, but not other lengths', () => {
    expect(canStandIn(other({}, { resolutions: ['720p'], aspect_ratios: ['1:1'] }), asked())).toBe(true);
    expect(canStandIn(other({}, { durations_seconds: [5] }), asked())).toBe(false);
  });

  it('takes the same pictures', () => {
    expect(canStandIn(other({}), asked({}, ['start']))).toBe(true);
    expect(canStandIn(other({}), asked({}, ['start', 'end']))).toBe(false);
    const hungry = other({}, { images: { start: 'required', end: 'none', subject: 'none', source: 'none' } });
    expect(canStandIn(hungry, asked())).toBe(false);
  });

  it('takes as many words, and words at all', () => {
    expect(canStandIn(other({}, { prompt_chars_max: 5 }), asked())).toBe(false);
    expect(canStandIn(other({}, { prompt_chars_max: 0 }), asked({ prompt: '' }))).toBe(false);
  });
});
