// Three models as the catalogue really has them: those whose settings depend on each other the most.
import { aModel } from './fake-backend';

export const HAILUO = aModel(
  {
    id: 'MiniMax-Hailuo-02',
    name: 'Hailuo 02',
    provider: 'minimax',
    price_from_tokens: 30,
    defaults: { duration_seconds: 6, resolution: '768P', aspect_ratio: null },
  },
  {
    durations_seconds: [6, 10],
    resolutions: ['768P', '1080P', '512P'],
    aspect_ratios: [],
    images: { start: 'optional', end: 'optional', subject: 'none', source: 'none' },
    negative_prompt: false,
    prompt_chars_max: 2_000,
    camera_moves: ['Pan left', 'Push in', 'Static shot'],
    conditions: [
      { when: { resolution: ['1080P'] }, then: { duration_seconds: [6] } },
      { when: { resolution: ['512P'] }, then: { start: [true], end: [false] } },
    ],
  },
);

export const KLING = aModel(
  {
    id: 'kling-v2-6',
    name: 'Kling 2.6',
    provider: 'kling',
    price_from_tokens: 25,
    defaults: { duration_seconds: 5, resolution: '720p', aspect_ratio: '16:9' },
  },
  {
    durations_seconds: [5, 10],
    resolutions: ['720p', '1080p'],
    aspect_ratios: ['3:4', '16:9', '9:16', '1:1', '4:3'],
    images: { start: 'optional', end: 'optional', subject: 'none', source: 'none' },
    audio: true,
    prompt_chars_max: 2_500,
    conditions: [
      { when: { start: [false] }, then: { aspect_ratio: ['16:9', '9:16', '1:1'] } },
      { when: { end: [true] }, then: { start: [true] } },
      { when: { end: [true] }, then: { audio: [false] } },
      { when: { end: [true] }, then: { resolution: ['1080p'] } },
      { when: { audio: [true] }, then: { resolution: ['1080p'] } },
    ],
  },
);

export const H3 = aModel(
  {
    id: 'MiniMax-H3',
    name: 'MiniMax H3',
    provider: 'minimax',
    price_from_tokens: 40,
    defaults: { duration_seconds: 5, resolution: '768P', aspect_ratio: '16:9' },
  },
  {
    durations_seconds: [5, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    resolutions: ['768P', '2K'],
    aspect_ratios: ['16:9', '9:16', '1:1', '4:3', '3:4', '21:9', 'adaptive'],
    images: { start: 'optional', end: 'optional', subject: 'optional', source: 'none' },
    negative_prompt: false,
    prompt_chars_max: 7_000,
    conditions: [
      { when: { start: [true] }, then: { aspect_ratio: ['adaptive'] } },
      { when: { start: [false] }, then: { aspect_ratio: ['16:9', '9:16', '1:1', '4:3', '3:4', '21:9'] } },
      { when: { end: [true] }, then: { start: [true] } },
      { when: { subject: [true] }, then: { start: [false], end: [false] } },
    ],
  },
);
