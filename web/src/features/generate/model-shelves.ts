// The models of one kind as shelves by provider, narrowed by words. Plain values, no screen.
import type { Model } from '../../api';
import { isSold } from './draft';
import { providerName } from './providers';

export interface Shelf {
  provider: string;
  models: Model[];
}

export interface Wish {
  words: string;
  /** Of this provider only; null for all. */
  provider: string | null;
}

/** What can be bought, by provider. */
export function shelvesOf(models: readonly Model[], wish: Wish): Shelf[] {
  const found = models.filter((model) => isSold(model) && isWished(model, wish));
  return providersOf(found).map((provider) => ({
    provider,
    models: found.filter((model) => model.provider === provider),
  }));
}

/** What cannot be bought, and is only told about when somebody looks for it by name. */
export function missedOf(models: readonly Model[], wish: Wish): Model[] {
  if (wish.words.trim() === '') return [];
  return models.filter((model) => !isSold(model) && isWished(model, wish));
}

/** The providers of these models, in the order of their names. */
export function providersOf(models: readonly Model[]): string[] {
  const providers = [...new Set(models.map(({ provider }) => provider))];
  return providers.sort((one, other) => providerName(one).localeCompare(providerName(other)));
}

function isWished(model: Model, { words, provider }: Wish): boolean {
  if (provider !== null && model.provider !== provider) return false;
  const text = `${model.name} ${model.id} ${providerName(model.provider)}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
