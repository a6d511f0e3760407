import { describe, expect, it } from 'vitest';
import { PICTURE_BYTES_MAX, pictureProblem } from './picture-rules';

function file(type: string, bytes: number): File {
  const made = new File(['x'], 'picture', { type });
  Object.defineProperty(made, 'size', { value: bytes });
  return made;
}

describe('a picture before it is sent', () => {
  it.each(['image/jpeg', 'image/png', 'image/webp'])('may be %s', (type) => {
    expect(pictureProblem(file(type, 1))).toBeNull();
  });

  it.each(['image/gif', 'image/svg+xml', 'video/mp4', ''])('may not be "%s"', (type) => {
    expect(pictureProblem(file(type, 1))).toBe('wrongType');
  });

  it('may have ten megabytes and not one byte more', () => {
    expect(pictureProblem(file('image/png', PICTURE_BYTES_MAX))).toBeNull();
    expect(pictureProblem(file('image/png', PICTURE_BYTES_MAX + 1))).toBe('tooLarge');
  });

  it('may not be empty', () => {
    expect(pictureProblem(file('image/png', 0))).toBe('empty');
  });
});
