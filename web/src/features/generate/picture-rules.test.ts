import { describe, expect, it } from 'vitest';
import { aModel } from '../../test/fake-backend';
import { PICTURE_BYTES_MAX, pictureProblem, sizeProblem } from './picture-rules';

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

describe('a picture for a model', () => {
  const usual = aModel().capabilities.picture;
  const strict = aModel({}, { picture: { ...usual, side_min_px: 300, ratio_min_percent: 40, ratio_max_percent: 250 } });
  const cutting = aModel({}, { picture: { ...strict.capabilities.picture, crop: true } });

  it('needs enough pixels on its shorter side', () => {
    expect(sizeProblem(strict, 300, 400, null)).toBeNull();
    expect(sizeProblem(strict, 299, 400, null)).toEqual({ kind: 'tooSmall', pixels: 300 });
  });

  it('may not be too long and narrow', () => {
    expect(sizeProblem(strict, 750, 300, null)).toBeNull();
    expect(sizeProblem(strict, 760, 300, null)).toEqual({ kind: 'tooNarrow' });
  });

  it('that is cut to the chosen shape is judged as it is after that', () => {
    expect(sizeProblem(cutting, 2000, 400, '16:9')).toBeNull();
    expect(sizeProblem(cutting, 2000, 400, '9:16')).toEqual({ kind: 'tooSmall', pixels: 300 });
  });
});
