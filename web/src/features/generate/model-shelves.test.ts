import { describe, expect, it } from 'vitest';
import { aModel } from '../../test/fake-backend';
import { missedOf, providersOf, shelvesOf, type Wish } from './model-shelves';

const MODELS = [
  aModel({ id: 'kling-v2-6', name: 'Kling 2.6', provider: 'kling' }),
  aModel({ id: 'MiniMax-Hailuo-02', name: 'Hailuo 02', provider: 'minimax' }),
  aModel({ id: 'edenai-hailuo-02', name: 'Hailuo 02 (Eden AI)', provider: 'edenai', state: 'retiring' }),
  aModel({ id: 'kling-v1', name: 'Kling 1.0', provider: 'kling', state: 'retired', successor: 'kling-v2-6' }),
  aModel({ id: 'image-01-live', name: 'Image Live', provider: 'minimax', state: 'off' }),
];
const ALL: Wish = { words: '', provider: null };

const found = (wish: Partial<Wish>) =>
  shelvesOf(MODELS, { ...ALL, ...wish }).map(({ provider, models }) => [provider, ...models.map(({ id }) => id)]);

describe('the shelves', () => {
  it('have what is sold, by provider, in the order of their names', () => {
    expect(found({})).toEqual([
      ['edenai', 'edenai-hailuo-02'],
      ['kling', 'kling-v2-6'],
      ['minimax', 'MiniMax-Hailuo-02'],
    ]);
    expect(providersOf(MODELS)).toEqual(['edenai', 'kling', 'minimax']);
  });

  it('are narrowed by words in any order and letters, of name, id and provider', () => {
    expect(found({ words: '02 HAILUO' })).toHaveLength(2);
    expect(found({ words: 'minimax hailuo' })).toEqual([['minimax', 'MiniMax-Hailuo-02']]);
    expect(found({ words: 'eden ai' })).toEqual([['edenai', 'edenai-hailuo-02']]);
    expect(found({ words: 'veo' })).toEqual([]);
  });

  it('are narrowed by provider', () => {
    expect(found({ provider: 'kling' })).toEqual([['kling', 'kling-v2-6']]);
  });
});

describe('what is not sold', () => {
  it('is told about only when somebody looks for it', () => {
    expect(missedOf(MODELS, ALL)).toEqual([]);
    expect(missedOf(MODELS, { ...ALL, words: 'kling' }).map(({ id }) => id)).toEqual(['kling-v1']);
  });
});
