// What a picture must be like: before a byte leaves the machine, and for a model. The server checks both again.
import type { Model } from '../../api';

export const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export const PICTURE_BYTES_MAX = 10 * 1024 * 1024;

export type PictureProblem = 'wrongType' | 'tooLarge' | 'empty';

export function pictureProblem(file: File): PictureProblem | null {
  if (!PICTURE_TYPES.some((type) => type === file.type)) return 'wrongType';
  if (file.size === 0) return 'empty';
  return file.size > PICTURE_BYTES_MAX ? 'tooLarge' : null;
}

export type SizeProblem = { kind: 'tooSmall'; pixels: number } | { kind: 'tooNarrow' };

/** What keeps a picture of this size from being used with a model when this shape is chosen. */
export function sizeProblem(
  model: Model,
  width: number,
  height: number,
  aspectRatio: string | null,
): SizeProblem | null {
  const need = model.capabilities.picture;
  const [across, down] = need.crop && aspectRatio !== null ? cutSize(width, height, aspectRatio) : [width, height];
  if (Math.min(across, down) < need.side_min_px) return { kind: 'tooSmall', pixels: need.side_min_px };
  const percent = Math.floor((across * 100) / down);
  const isFine = need.crop || (need.ratio_min_percent <= percent && percent <= need.ratio_max_percent);
  return isFine ? null : { kind: 'tooNarrow' };
}

/** The largest size of a shape like `3:4` within a picture. */
function cutSize(width: number, height: number, aspectRatio: string): [number, number] {
  const [across = 1, down = 1] = aspectRatio.split(':').map(Number);
  return [Math.min(width, Math.floor((height * across) / down)), Math.min(height, Math.floor((width * down) / across))];
}
