// Which model makes it. Folded to the chosen one; all others are in a sheet of their own.
import { lazy, Suspense, useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { Model } from '../../api';
import { FieldNote } from '../../components/field-note';
import { Icon } from '../../components/icon';
import { Sheet } from '../../components/sheet';
import { useFormat } from '../../i18n/format';
import { ModelFacts } from './model-facts';
import { providerName, shortName } from './providers';

const ModelList = lazy(() => import('./model-list').then((file) => ({ default: file.ModelList })));

interface Props {
  /** All of the chosen kind, those that are not sold too. */
  models: readonly Model[];
  chosen: Model | null;
  /** The model that was wished, when another one had to be chosen in its place. */
  replaced: Model | null;
  isOpen: boolean;
  onOpen: (isOpen: boolean) => void;
  onChoose: (modelId: string) => void;
}

export function ModelPicker({ models, chosen, replaced, isOpen, onOpen, onChoose }: Props) {
  const { t } = useTranslation();
  const noteId = useId();
  if (chosen === null)
    return <p className="rounded-xl bg-amber-wash p-3.5 text-sm text-amber">{t('form.modelsEmpty')}</p>;
  return (
    <div>
      <p className="mb-1.5 text-xs text-muted">{t('form.model')}</p>
      <button
        type="button"
        data-model
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        aria-describedby={noteId}
        aria-label={`${t('form.model')}: ${chosen.name}. ${t('form.modelChange')}`}
        onClick={() => onOpen(true)}
        className="flex min-h-15 w-full items-center gap-3 rounded-xl bg-raised px-3.5 py-2.5 text-left transition-colors hover:bg-line"
      >
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{shortName(chosen)}</span>
          <ModelFacts
            model={chosen}
            first={[providerName(chosen.provider), t('form.modelFrom', { count: chosen.price_from_tokens })]}
          />
        </span>
        <Icon name="chevron" className="size-5 text-muted" />
      </button>
      <div id={noteId} className="empty:hidden">
        {replaced !== null && (
          <FieldNote look="changed">{t('models.replaced', { old: replaced.name, model: chosen.name })}</FieldNote>
        )}
        {chosen.state === 'retiring' && (
          <FieldNote look="changed">
            <Retiring model={chosen} models={models} />
          </FieldNote>
        )}
      </div>
      <Sheet
        isOpen={isOpen}
        title={chosen.kind === 'video' ? t('models.titleVideo') : t('models.titleImage')}
        close={t('models.close')}
        onClose={() => onOpen(false)}
      >
        <Suspense>
          <ModelList models={models} chosen={chosen} onChoose={onChoose} onDone={() => onOpen(false)} />
        </Suspense>
      </Sheet>
    </div>
  );
}

/** Until when it is sold, and what comes after it. */
function Retiring({ model, models }: { model: Model; models: readonly Model[] }) {
  const { t } = useTranslation();
  const { day } = useFormat();
  const heir = models.find(({ id }) => id === model.successor);
  return (
    <>
      {model.retires_on === null ? t('models.retiresSoon') : t('models.retires', { date: day(model.retires_on) })}
      {heir !== undefined && ` ${t('models.then', { model: heir.name })}`}
    </>
  );
}
