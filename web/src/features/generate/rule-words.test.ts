import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { changeLanguage } from '../../i18n';
import { H3, HAILUO, KLING } from '../../test/real-models';
import { ruleWords } from './rule-words';

const words = (model: typeof H3) =>
  model.capabilities.conditions.map((condition) => ruleWords(i18next.t, model, condition));

describe('a condition in words', () => {
  it('says what goes with what, the shorter way round', () => {
    expect(words(HAILUO)).toEqual(['With 1080P: only 6 s.', 'With 512P: a first frame is needed, no last frame.']);
    expect(words(H3)).toEqual([
      "With a first frame: only the picture's own shape.",
      "Without a first frame: not the picture's own shape.",
      'With a last frame: a first frame is needed.',
      'With a subject: no first frame, no last frame.',
    ]);
  });

  it('is a sentence in every language', async () => {
    await changeLanguage('ru');
    expect(words(KLING).at(-1)).toBe('Со звуком: только 1080p.');
    await changeLanguage('id');
    expect(words(KLING)[0]).toBe('Tanpa bingkai pertama: bukan 3:4, 4:3.');
    await changeLanguage('en');
  });
});
