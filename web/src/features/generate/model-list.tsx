// Every model of a kind: found by words and provider, chosen with a finger, the mouse or the arrow keys.
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Model } from '../../api';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { useFormat } from '../../i18n/format';
import { ModelFacts } from './model-facts';
import { missedOf, providersOf, shelvesOf } from './model-shelves';
import { heirOf, isSold } from './draft';
import { providerName, shortName } from './providers';

const HAS_KEYBOARD = '(pointer: fine)';

interface Props {
  models: readonly Model[];
  chosen: Model;
  onChoose: (modelId: string) => void;
  onDone: () => void;
}

export function ModelList({ models, chosen, onChoose, onDone }: Props) {
  const { t } = useTranslation();
  const [words, setWords] = useState('');
  const [provider, setProvider] = useState<string | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const name = useId();
  const shelves = shelvesOf(models, { words, provider });
  const missed = missedOf(models, { words, provider });
  const found = shelves.reduce((sum, shelf) => sum + shelf.models.length, 0);
  useEffect(() => {
    // On a phone the keyboard would cover what there is to choose from.
    if (matchMedia(HAS_KEYBOARD).matches) search.current?.focus();
    list.current?.querySelector('input:checked')?.scrollIntoView({ block: 'center' });
  }, []);

  const choose = (modelId: string) => {
    onChoose(modelId);
    onDone();
  };
  const pressInSearch = (event: KeyboardEvent) => {
    const first = shelves[0]?.models[0];
    if (event.key === 'Enter' && first !== undefined && words !== '') choose(first.id);
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    const radios = list.current?.querySelectorAll<HTMLInputElement>('input:enabled');
    [...(radios ?? [])].sort((one, other) => Number(other.checked) - Number(one.checked))[0]?.focus();
  };
  return (
    <>
      <div className="grid grid-cols-[1fr_auto] gap-2 border-b border-line px-4 pb-3 sm:px-6">
        <input
          ref={search}
          type="search"
          value={words}
          aria-label={t('models.search')}
          placeholder={t('models.search')}
          onChange={(event) => setWords(event.target.value)}
          onKeyDown={pressInSearch}
          className="h-11 min-w-0 rounded-xl border border-edge bg-ink px-3.5 [&::-webkit-search-cancel-button]:grayscale"
        />
        <select
          value={provider ?? ''}
          aria-label={t('models.provider')}
          onChange={(event) => setProvider(event.target.value === '' ? null : event.target.value)}
          className="h-11 max-w-[38vw] rounded-xl border border-line bg-raised px-3 text-sm font-medium"
        >
          <option value="">{t('models.all')}</option>
          {providersOf(models.filter(isSold)).map((id) => (
            <option key={id} value={id}>
              {providerName(id)}
            </option>
          ))}
        </select>
      </div>
      <p role="status" className="sr-only">
        {t('models.found', { count: found })}
      </p>
      <div ref={list} className="scroll-quiet min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-4 sm:px-4">
        {shelves.map((shelf) => (
          <div key={shelf.provider} role="group" aria-label={providerName(shelf.provider)}>
            <h3 className="sticky top-0 z-20 bg-panel px-2 pt-4 pb-1.5 text-xs font-semibold text-muted">
              {providerName(shelf.provider)}
            </h3>
            {shelf.models.map((model) => (
              <Offer
                key={model.id}
                model={model}
                name={name}
                isChosen={model.id === chosen.id}
                onChoose={() => onChoose(model.id)}
                onDone={onDone}
              />
            ))}
          </div>
        ))}
        {found === 0 && <p className="px-2 pt-6 text-center text-muted">{t('models.none')}</p>}
        {missed.length > 0 && <Missed missed={missed} models={models} onChoose={choose} />}
      </div>
    </>
  );
}

interface OfferProps {
  model: Model;
  name: string;
  isChosen: boolean;
  onChoose: () => void;
  onDone: () => void;
}

/** Arrow keys walk through the radio buttons and choose as they go; a click or Enter is the end of it. */
function Offer({ model, name, isChosen, onChoose, onDone }: OfferProps) {
  const { t } = useTranslation();
  const { day } = useFormat();
  return (
    <label className="relative flex min-h-13 scroll-mt-12 cursor-pointer items-center gap-3 rounded-lg px-2 py-2 transition-colors hover:bg-raised has-checked:bg-mint-wash has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-mint-text">
      <input
        type="radio"
        name={name}
        checked={isChosen}
        onChange={onChoose}
        onClick={(event) => {
          if (event.detail > 0) onDone();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onDone();
        }}
        className="absolute inset-0 cursor-pointer appearance-none outline-none"
      />
      <span className="min-w-0 flex-1">
        <span className="block font-medium">{shortName(model)}</span>
        <ModelFacts model={model} />
        {model.state === 'retiring' && (
          <span className="block text-xs text-amber">
            {model.retires_on === null ? t('models.retiresSoon') : t('models.retires', { date: day(model.retires_on) })}
          </span>
        )}
      </span>
      <span className="nums shrink-0 text-right text-sm font-medium max-sm:max-w-20">
        {t('form.modelFrom', { count: model.price_from_tokens })}
      </span>
      <Icon name="check" className={`size-5 text-mint-text ${isChosen ? '' : 'invisible'}`} />
    </label>
  );
}

interface MissedProps {
  missed: readonly Model[];
  models: readonly Model[];
  onChoose: (modelId: string) => void;
}

/** They cannot be chosen, but somebody who looks for one is told why, and can take what there is instead. */
function Missed({ missed, models, onChoose }: MissedProps) {
  const { t } = useTranslation();
  const titleId = useId();
  return (
    <section aria-labelledby={titleId}>
      <h3 id={titleId} className="px-2 pt-5 pb-1.5 text-xs font-semibold text-muted">
        {t('models.missed')}
      </h3>
      <ul>
        {missed.map((model) => {
          const heir = heirOf(models, model);
          return (
            <li key={model.id} className="flex items-center gap-3 px-2 py-2 text-muted">
              <span className="min-w-0 flex-1">
                <span className="block font-medium">{shortName(model)}</span>
                <span className="block text-xs">
                  {providerName(model.provider)} · {model.state === 'retired' ? t('models.retired') : t('models.off')}
                </span>
              </span>
              {heir !== null && (
                <Button size="sm" className="max-w-1/2" onClick={() => onChoose(heir.id)}>
                  <span className="truncate">{t('models.instead', { model: shortName(heir) })}</span>
                </Button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
