// What to know about a model before choosing it, in one line.
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Model } from '../../api';
import { useFormat } from '../../i18n/format';
import { takesPrompt } from './draft';
import { takenRoles } from './fitting';

interface Props {
  model: Model;
  /** What is said before it. */
  first?: readonly string[];
}

export function ModelFacts({ model, first = [] }: Props) {
  const { t } = useTranslation();
  const { span } = useFormat();
  const facts = [...first, t('form.modelTime', { time: span(model.expected_seconds) }), ...abilities(t, model)];
  return (
    <span className="nums block text-xs text-muted">
      {facts.map((fact, index) => (
        <span key={fact}>
          {index > 0 && ' · '}
          <span className="whitespace-nowrap">{fact}</span>
        </span>
      ))}
    </span>
  );
}

function abilities(t: TFunction, model: Model): string[] {
  const { durations_seconds: durations, images, audio, counts } = model.capabilities;
  const [shortest, longest] = [Math.min(...durations), Math.max(...durations)];
  const several = Math.max(...counts);
  const needsPicture = takenRoles(model).some((role) => images[role] === 'required');
  return [
    longest > shortest && t('models.length', { shortest, longest }),
    longest === shortest && t('form.seconds', { count: longest }),
    audio && t('models.sound'),
    several > 1 && t('models.several', { count: several }),
    needsPicture && t('models.needsPicture'),
    !takesPrompt(model) && t('models.noPrompt'),
  ].filter((fact) => typeof fact === 'string');
}
