// Who may do it when the provider of the chosen model does not answer. Folded away until somebody wants it.
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiError, Model } from '../../api';
import { FieldNote } from '../../components/field-note';
import { Icon } from '../../components/icon';
import { UnfoldButton } from '../../components/unfold-button';
import { explainError } from '../../i18n/coded';
import { shelvesOf } from './model-shelves';
import { providerName } from './providers';
import { canStandIn, STAND_INS_MAX, standInsFor, type Asked } from './stand-ins';

interface Props {
  asked: Asked;
  models: readonly Model[];
  /** Those that the person allowed, in the order in which they are asked. */
  allowed: readonly Model[];
  /** What is paid at most; null while there is no price. */
  totalTokens: number | null;
  refused: ApiError | null;
  onChange: (ids: string[]) => void;
}

export function StandInField({ asked, models, allowed, totalTokens, refused, onChange }: Props) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const hintId = useId();
  const others = standInsFor(models, asked, totalTokens).filter((other) => !allowed.includes(other));
  const provider = providerName(asked.model.provider);
  if (allowed.length === 0 && !isOpen) {
    if (others.length === 0) return null;
    return <UnfoldButton onClick={() => setOpen(true)}>{t('standIns.show', { provider })}</UnfoldButton>;
  }
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block text-xs text-muted">
        {t('standIns.label', { provider })}
      </label>
      {allowed.length > 0 && (
        <ul className="mb-2 grid gap-1.5">
          {allowed.map((other) => (
            <li key={other.id} className="flex items-center gap-2 rounded-lg bg-raised pl-3 text-sm">
              <span className="min-w-0 flex-1 py-2">
                <span className="block truncate font-medium">{other.name}</span>
                {!canStandIn(other, asked) && <span className="block text-xs text-amber">{t('standIns.unable')}</span>}
              </span>
              <button
                type="button"
                aria-label={t('standIns.remove', { model: other.name })}
                onClick={() => onChange(allowed.filter((kept) => kept !== other).map((kept) => kept.id))}
                className="grid size-9 place-items-center rounded-lg text-muted hover:bg-line hover:text-text"
              >
                <Icon name="close" className="size-4" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {allowed.length < STAND_INS_MAX && others.length > 0 && (
        <select
          id={id}
          value=""
          aria-describedby={hintId}
          onChange={(event) => onChange([...allowed.map((kept) => kept.id), event.target.value])}
          className="h-11 w-full rounded-xl border border-line bg-raised px-3 text-sm font-medium"
        >
          <option value="">{t('standIns.choose')}</option>
          {shelvesOf(others, { words: '', provider: null }).map((shelf) => (
            <optgroup key={shelf.provider} label={providerName(shelf.provider)}>
              {shelf.models.map((other) => (
                <option key={other.id} value={other.id}>
                  {other.name}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      )}
      {refused?.param === 'fallback_models' ? (
        <FieldNote look="bad">
          {explainError(t, refused).what} <span lang="en">{refused.message}</span>
        </FieldNote>
      ) : (
        <div id={hintId}>
          <FieldNote look="quiet">{t('standIns.hint')}</FieldNote>
        </div>
      )}
    </div>
  );
}
