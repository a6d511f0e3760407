import { describe, expect, it } from 'vitest';
import { moveText } from './move-text';

/** The prompt with `|` as the caret, or two around the selection, and then what stands there. */
function after(marked: string, move = 'Push in'): string {
  const start = marked.indexOf('|');
  const end = Math.max(start, marked.lastIndexOf('|') - 1);
  const prompt = marked.replaceAll('|', '');
  return prompt.slice(0, start) + moveText(prompt, { start, end }, move) + prompt.slice(end);
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
    expect(after(marked)).toBe(expected);
  });

  it.each([
    ['A fox [Shake]|', 'A fox [Shake][Push in]'],
    ['|[Shake] a fox', '[Push in][Shake] a fox'],
  ])('follows another one without a space in %s', (marked, expected) => {
    expect(after(marked)).toBe(expected);
  });

  it.each([
    ['A fox [Shake|]', 'A fox [Shake,Push in]'],
    ['A fox [|Shake]', 'A fox [Push in,Shake]'],
    ['A fox [Shake|,Zoom in]', 'A fox [Shake,Push in,Zoom in]'],
    ['A fox [|]', 'A fox [Push in]'],
  ])('joins those in whose bracket the caret stands in %s', (marked, expected) => {
    expect(after(marked)).toBe(expected);
  });

  it.each(['A fox [|', 'A fox [wild| and [Shake]'])('does not join a bracket that never ends in %s', (marked) => {
    expect(after(marked)).toContain('[Push in]');
  });
});
