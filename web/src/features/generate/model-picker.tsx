// Which model makes it. Folded to the chosen one; opened to a list of radio buttons with price and time.
import { useId, useState, type MouseEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Model } from '../../api';
import { Icon } from '../../components/icon';
import { useFormat } from '../../i18n/format';
import { isSold } from './draft';

interface Props {
  models: readonly Model[];
  chosen: Model | null;
  onChoose: (modelId: string) => void;
}

export function ModelPicker({ models, chosen, onChoose }: Props) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const name = useId();
  const listId = useId();
  if (chosen === null)
    return <p className="rounded-xl bg-amber-wash p-3.5 text-sm text-amber">{t('form.modelsEmpty')}</p>;
  return (
    <div>
      <p className="mb-1.5 text-xs text-muted">{t('form.model')}</p>
      <div className="overflow-hidden rounded-xl bg-raised">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={listId}
          aria-label={`${t('form.model')}: ${chosen.name}. ${t('form.modelChange')}`}
          onClick={() => setOpen(!isOpen)}
          className="flex min-h-15 w-full items-center gap-3 px-3.5 py-2.5 text-left transition-colors hover:bg-line focus-visible:-outline-offset-2"
        >
          <ModelLine model={chosen} />
          <Icon name="chevron" className={`size-5 text-muted transition-transform ${isOpen ? 'rotate-180' : ''}`} />
        </button>
        <fieldset id={listId} hidden={!isOpen} className="border-t border-line p-1.5">
          <legend className="sr-only">{t('form.model')}</legend>
          {models.map((model) => (
            <label
              key={model.id}
              className="relative flex min-h-13 cursor-pointer items-center gap-3 rounded-lg px-2.5 py-2 transition-colors hover:bg-line has-checked:bg-mint-wash has-disabled:cursor-not-allowed has-disabled:opacity-60 has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-mint-text"
            >
              <input
                type="radio"
                name={name}
                checked={model.id === chosen.id}
                disabled={!isSold(model)}
                onChange={() => onChoose(model.id)}
                onClick={(event) => {
                  if (isByPointer(event)) setOpen(false);
                }}
                className="absolute inset-0 cursor-pointer appearance-none outline-none"
              />
              <ModelLine model={model} />
              {model.id === chosen.id && <Icon name="check" className="size-5 text-mint-text" />}
            </label>
          ))}
        </fieldset>
      </div>
    </div>
  );
}

function ModelLine({ model }: { model: Model }) {
  const { t } = useTranslation();
  const { span } = useFormat();
  return (
    <span className="min-w-0 flex-1">
      <span className="block truncate font-medium">{model.name}</span>
      <span className="nums block truncate text-xs text-muted">
        {isSold(model)
          ? `${t('form.modelFrom', { count: model.price_from_tokens })} · ${t('form.modelTime', { time: span(model.expected_seconds) })}`
          : t('form.modelUnavailable')}
      </span>
    </span>
  );
}

/** Arrow keys "click" radio buttons too; they walk through the list and must not close it. */
function isByPointer(event: MouseEvent): boolean {
  return event.detail > 0;
}
