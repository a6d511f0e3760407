// A model's condition in words: "With 1080P: only 6 s."
import type { TFunction } from 'i18next';
import type { ImageRole, Model } from '../../api';
import type { ChoiceName } from './draft';
import { choicesOf, CHOICES, ROLES, type Condition } from './fitting';

type Values = Condition['when'][string];

export function ruleWords(t: TFunction, model: Model, { when, then }: Condition): string {
  const causes = Object.entries(when).map(([name, values]) => cause(t, name, values));
  const effects = Object.entries(then).map(([name, values]) => effect(t, model, name, values));
  const sentence = t('rules.sentence', { when: causes.join(', '), then: effects.join(', ') });
  return sentence.charAt(0).toLocaleUpperCase() + sentence.slice(1);
}

/** One value as it stands on its control, spelled out. */
export function valueWords(t: TFunction, name: string, value: string | number | boolean): string {
  if (name === 'duration_seconds') return t('form.seconds', { count: Number(value) });
  return value === ADAPTIVE ? t('form.adaptiveLong') : String(value);
}

/** The shape that a vendor takes from the picture. */
export const ADAPTIVE = 'adaptive';

function cause(t: TFunction, name: string, values: Values): string {
  if (!isSwitch(name)) return t('rules.withValues', { values: listed(t, name, values) });
  return values.includes(true) ? t(`rules.with.${name}`) : t(`rules.without.${name}`);
}

function effect(t: TFunction, model: Model, name: string, values: Values): string {
  if (isSwitch(name)) return values.includes(true) ? t(`rules.needs.${name}`) : t(`rules.no.${name}`);
  const others = isChoice(name) ? choicesOf(model, name).filter((value) => !values.includes(value)) : [];
  // The shorter of the two ways to say it.
  return others.length > 0 && others.length < values.length
    ? t('rules.not', { values: listed(t, name, others) })
    : t('rules.only', { values: listed(t, name, values) });
}

function listed(t: TFunction, name: string, values: Values): string {
  return values.map((value) => valueWords(t, name, value)).join(', ');
}

function isSwitch(name: string): name is ImageRole | 'audio' {
  return name === 'audio' || ROLES.some((role) => role === name);
}

function isChoice(name: string): name is ChoiceName {
  return CHOICES.some((choice) => choice === name);
}
