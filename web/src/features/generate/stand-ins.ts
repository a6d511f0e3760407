// Which models could do the same when the provider of the chosen one does not answer: those that the back end would not
// refuse at once. It has the last word, and says so.
import type { Model } from '../../api';
import { isSold, promptLength, takesPrompt, type Draft } from './draft';
import { ADAPTIVE } from './rule-words';
import { canDo, CHOICES, choicesOf, ROLES, type Fitted } from './fitting';

export const STAND_INS_MAX = 3;

export interface Asked {
  model: Model;
  draft: Draft;
  fitted: Fitted;
}

/** Models of other providers that could do the same and may cost no more; `totalTokens` is null while there is no price. */
export function standInsFor(models: readonly Model[], asked: Asked, totalTokens: number | null): Model[] {
  return models.filter(
    (other) =>
      other.provider !== asked.model.provider &&
      (totalTokens === null || other.price_from_tokens <= totalTokens) &&
      canStandIn(other, asked),
  );
}

export function canStandIn(other: Model, { model, draft, fitted }: Asked): boolean {
  const can = other.capabilities;
  return (
    isSold(other) &&
    other.kind === model.kind &&
    takesPrompt(other) === takesPrompt(model) &&
    (!takesPrompt(other) || promptLength(draft.prompt) <= can.prompt_chars_max) &&
    (can.negative_prompt || !model.capabilities.negative_prompt || draft.negativePrompt.trim() === '') &&
    can.counts.includes(fitted.count) &&
    canDo(other, factsFor(other, fitted))
  );
}

/** A resolution that the other does not have is left to it, and so is the shape where it has no choice or cannot adapt. */
function factsFor(
  other: Model,
  { choices, audio, used, needed }: Fitted,
): Record<string, string | number | boolean | null> {
  const pictures = [...used, ...needed];
  const kept = CHOICES.filter((name) => {
    if (choices[name] === null) return false;
    if (name === 'resolution' || choices[name] === ADAPTIVE) return choicesOf(other, name).includes(choices[name]);
    return name !== 'aspect_ratio' || choicesOf(other, name).length > 0;
  });
  return {
    ...Object.fromEntries(kept.map((name) => [name, choices[name]])),
    audio,
    ...Object.fromEntries(ROLES.map((role) => [role, pictures.includes(role)])),
  };
}
