// Where each picture goes with a model. A picture keeps the role that it was given, and has no place with a model that
// lacks that role, unless it can be that model's main picture.
import type { ImageRole, Model } from '../../api';
import { mainRole, ROLES, takenRoles } from './fitting';

/** By the role with this model, the role for which the picture was given. */
export type Places = Partial<Record<ImageRole, ImageRole>>;

export function placesFor(model: Model, given: ReadonlySet<ImageRole>): Places {
  const taken = takenRoles(model);
  const main = mainRole(model);
  const stray = ROLES.find((role) => given.has(role) && !taken.includes(role));
  const places: Places = Object.fromEntries(taken.filter((role) => given.has(role)).map((role) => [role, role]));
  if (main !== null && stray !== undefined) places[main] ??= stray;
  return places;
}
