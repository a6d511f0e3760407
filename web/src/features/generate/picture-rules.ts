// What may be sent as a picture; checked before a byte leaves the machine. The server checks again.
export const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export const PICTURE_BYTES_MAX = 10 * 1024 * 1024;

export type PictureProblem = 'wrongType' | 'tooLarge' | 'empty';

export function pictureProblem(file: File): PictureProblem | null {
  if (!PICTURE_TYPES.some((type) => type === file.type)) return 'wrongType';
  if (file.size === 0) return 'empty';
  return file.size > PICTURE_BYTES_MAX ? 'tooLarge' : null;
}
