import { describe, expect, it } from 'vitest';
import { moveText } from './move-text';

/** What becomes of a prompt with `|` as the caret, or two around the selection. */
function moved(marked: string): string {
  const [before = '', ...rest] = marked.split('|');
  const after = rest.at(-1) ?? '';
  return before + moveText(before, after, 'Push in') + after;
}

describe('a camera move', () => {
  it.each([
    ['|', '[Push in]'],
    ['A fox|', 'A fox [Push in]'],
    ['A fox |', 'A fox [Push in]'],
    ['A fox| sleeps', 'A fox [Push in] sleeps'],
    ['A fox|, asleep', 'A fox [Push in], asleep'],
    ['|A fox', '[Push in] A fox'],
    ['A |red| fox', 'A [Push in] fox'],
  ])('stands in a bracket of its own in %s', (marked, expected) => {
    expect(moved(marked)).toBe(expected);
  });

  it.each([
    ['A fox [Shake]|', 'A fox [Shake][Push in]'],
    ['|[Shake] a fox', '[Push in][Shake] a fox'],
  ])('follows another one without a space in %s', (marked, expected) => {
    expect(moved(marked)).toBe(expected);
  });

  it.each([
    ['A fox [Shake|]', 'A fox [Shake,Push in]'],
    ['A fox [|Shake]', 'A fox [Push in,Shake]'],
    ['A fox [Shake|,Zoom in]', 'A fox [Shake,Push in,Zoom in]'],
    ['A fox [|]', 'A fox [Push in]'],
  ])('joins those in whose bracket the caret stands in %s', (marked, expected) => {
    expect(moved(marked)).toBe(expected);
  });

  it.each(['A fox [|', 'A fox [wild| and [Shake]'])('does not join a bracket that never ends in %s', (marked) => {
    expect(moved(marked)).toContain('[Push in]');
  });
});
