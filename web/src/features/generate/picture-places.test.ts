import { describe, expect, it } from 'vitest';
import type { ImageRole, Model } from '../../api';
import { aModel } from '../../test/fake-backend';
import { placesFor } from './picture-places';

const taking = (images: Partial<Model['capabilities']['images']>) =>
  aModel({}, { images: { start: 'none', end: 'none', subject: 'none', source: 'none', ...images } });
const places = (model: Model, ...given: ImageRole[]) => placesFor(model, new Set(given));

describe('a picture', () => {
  it('keeps its role where the model has it', () => {
    expect(places(taking({ start: 'optional', end: 'optional' }), 'start', 'end')).toEqual({
      start: 'start',
      end: 'end',
    });
  });

  it("becomes the model's main picture where the model lacks its role", () => {
    expect(places(taking({ subject: 'required' }), 'start')).toEqual({ subject: 'start' });
    expect(places(taking({ source: 'optional', subject: 'optional' }), 'start')).toEqual({ source: 'start' });
  });

  it('does not take the place of another one', () => {
    expect(places(taking({ subject: 'required' }), 'start', 'subject')).toEqual({ subject: 'subject' });
  });

  it('has no place with a model of words only', () => {
    expect(places(taking({}), 'start')).toEqual({});
  });
});
