// Why Generate cannot be pressed, in one line; the first reason that a person can do something about.
import type { TFunction } from 'i18next';
import type { ApiError } from '../../api';
import { explainError } from '../../i18n/coded';
import type { Plan } from './plan';

export function obstacleTo(t: TFunction, plan: Plan | null, refusal: ApiError | null): string | null {
  if (plan === null) return t('form.needModel');
  const [missing] = plan.fitted.needed;
  if (missing !== undefined) return t('form.needPicture', { role: t(`picture.${missing}`) });
  if (plan.hasBadPicture) return t('form.needPictureFixed');
  const { problem } = plan;
  if (problem?.kind === 'empty') return t('form.needPrompt');
  if (problem?.kind === 'short') return t('form.needPromptMore', { count: problem.min });
  if (problem?.kind === 'long') return t('form.needPromptLess', { count: problem.by });
  return refusal === null ? null : explainError(t, refusal).what;
}
