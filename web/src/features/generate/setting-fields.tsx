// The settings that the chosen model really has, and no others. What it cannot do beside the rest says why.
import { useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApiError, Model } from '../../api';
import { FieldNote } from '../../components/field-note';
import { Segmented } from '../../components/segmented';
import { UnfoldButton } from '../../components/unfold-button';
import { explainError } from '../../i18n/coded';
import type { ChoiceName, Draft } from './draft';
import { CHOICES, choicesOf, type Fitted } from './fitting';
import { ADAPTIVE, ruleWords, valueWords } from './rule-words';

const NEGATIVE_CHARS_MAX = 2_000;

interface Props {
  model: Model;
  draft: Draft;
  fitted: Fitted;
  /** What the server said no to, if to anything. */
  refused: ApiError | null;
  onChange: (change: Partial<Draft>) => void;
}

export function SettingFields({ model, draft, fitted, refused, onChange }: Props) {
  const { t } = useTranslation();
  const { capabilities } = model;
  const shared = { model, draft, fitted, refused, onChange };
  return (
    <div className="flex flex-wrap gap-4 *:grow">
      <ChoiceField {...shared} name="duration_seconds" legend={t('form.duration')} />
      <ChoiceField {...shared} name="resolution" legend={t('form.resolution')} />
      <ChoiceField {...shared} name="aspect_ratio" legend={t('form.aspect')} />
      {capabilities.counts.length > 1 && (
        <Segmented
          legend={t('form.count')}
          choices={capabilities.counts.map((count) => ({ value: count, label: <span className="nums">{count}</span> }))}
          value={fitted.count}
          onChange={(count) => onChange({ count })}
          note={refused?.param === 'count' && <Said error={refused} />}
        />
      )}
      {capabilities.audio && <Sound {...shared} />}
      {capabilities.negative_prompt && (
        <LeaveOut text={draft.negativePrompt} onChange={(negativePrompt) => onChange({ negativePrompt })} />
      )}
      <Fixed model={model} />
    </div>
  );
}

function ChoiceField({ name, legend, ...props }: Props & { name: ChoiceName; legend: string }) {
  const { t } = useTranslation();
  const { model, draft, fitted, refused, onChange } = props;
  const chosen = fitted.choices[name];
  if (chosen === null || choicesOf(model, name).length === 1) return null;
  const choices = inOrder(choicesOf(model, name)).map((value) => ({ value, obstacle: fitted.obstacle(name, value) }));
  const rules = choices.flatMap(({ obstacle }) => (obstacle === null ? [] : [ruleWords(t, model, obstacle)]));
  const yielded = fitted.yielded[name];
  const note = () => {
    if (refused?.param === name) return <Said error={refused} />;
    if (yielded !== undefined) {
      const now = t('rules.now', { value: valueWords(t, name, chosen) });
      return (
        <FieldNote look="changed">
          {now} {ruleWords(t, model, yielded)}
        </FieldNote>
      );
    }
    return rules.length > 0 && <FieldNote look="quiet">{[...new Set(rules)].join(' ')}</FieldNote>;
  };
  return (
    <Segmented
      legend={legend}
      choices={choices.map(({ value, obstacle }) => ({
        value,
        isDisabled: obstacle !== null,
        label: name === 'aspect_ratio' ? <Shape ratio={String(value)} /> : valueWords(t, name, value),
        spoken:
          name === 'duration_seconds' ? t('form.secondsLong', { count: Number(value) }) : valueWords(t, name, value),
      }))}
      value={chosen}
      onChange={(value) => onChange({ wishes: { ...draft.wishes, [name]: value }, lastWish: name })}
      note={note()}
    />
  );
}

/** What the model leaves no choice about. */
function Fixed({ model }: { model: Model }) {
  const { t } = useTranslation();
  const values = CHOICES.flatMap((name) => {
    const [only, ...others] = choicesOf(model, name);
    return only === undefined || others.length > 0 ? [] : [valueWords(t, name, only)];
  });
  if (values.length === 0) return null;
  return <p className="nums basis-full text-xs text-muted">{t('form.fixed', { values: values.join(', ') })}</p>;
}

/** The server's own sentence is the exact reason; it speaks English. */
function Said({ error }: { error: ApiError }) {
  const { t } = useTranslation();
  return (
    <FieldNote look="bad">
      {explainError(t, error).what} <span lang="en">{error.message}</span>
    </FieldNote>
  );
}

/** The catalogue has the default first; people look for the smallest first. Shapes stay as they are. */
function inOrder(values: readonly (string | number)[]): (string | number)[] {
  return [...values].sort((one, other) => magnitude(one) - magnitude(other));
}

/** 5 of 5, 768 of "768P", 4000 of "4K", nothing of "16:9". */
function magnitude(value: string | number): number {
  if (typeof value === 'number') return value;
  const [, figure, unit] = /^(\d+)([pk])$/i.exec(value) ?? [];
  return Number(figure ?? 0) * (unit?.toLowerCase() === 'k' ? 1000 : 1);
}

const SHAPE_SIDE = 15;
const SHAPE_SIDE_MIN = 4;

function Shape({ ratio }: { ratio: string }) {
  const { t } = useTranslation();
  const [width = 1, height = 1] = ratio === ADAPTIVE ? [1, 1] : ratio.split(':').map(Number);
  const scale = SHAPE_SIDE / Math.max(width, height);
  return (
    <span className="grid justify-items-center gap-0.5 py-1">
      <span aria-hidden="true" className="grid size-4 place-items-center">
        <span
          className={`rounded-[3px] border-[1.5px] border-current ${ratio === ADAPTIVE ? 'border-dashed' : ''}`}
          style={{ width: Math.max(SHAPE_SIDE_MIN, width * scale), height: Math.max(SHAPE_SIDE_MIN, height * scale) }}
        />
      </span>
      <span className="nums text-xs">{ratio === ADAPTIVE ? t('form.adaptive') : ratio}</span>
    </span>
  );
}

function Sound({ model, fitted, onChange }: Props) {
  const { t } = useTranslation();
  const hintId = useId();
  const bar = fitted.obstacle('audio', !fitted.audio);
  const gaveWay = fitted.yielded.audio !== undefined;
  return (
    <label
      className={`flex min-h-11 basis-full items-center justify-between gap-4 ${bar === null ? 'cursor-pointer' : 'cursor-not-allowed'}`}
    >
      <span>
        <span className="block text-sm font-medium">{t('form.audio')}</span>
        <span id={hintId} className={`block text-xs ${gaveWay ? 'text-amber' : 'text-muted'}`}>
          {bar === null ? t('form.audioHint') : ruleWords(t, model, bar)}
        </span>
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={fitted.audio}
        disabled={bar !== null}
        aria-label={t('form.audio')}
        aria-describedby={hintId}
        onChange={(event) => onChange({ audio: event.target.checked })}
        className="relative h-7 w-12 shrink-0 cursor-pointer appearance-none rounded-full bg-edge transition-colors before:absolute before:top-1 before:left-1 before:size-5 before:rounded-full before:bg-white before:transition-transform checked:bg-mint checked:before:translate-x-5 checked:before:bg-on-mint disabled:cursor-not-allowed disabled:opacity-45"
      />
    </label>
  );
}

function LeaveOut({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const { t } = useTranslation();
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [isOpen, setOpen] = useState(false);
  // The field appears because its button was pressed: the next key belongs to it.
  useEffect(() => {
    if (isOpen) field.current?.focus();
  }, [isOpen]);
  if (!isOpen && text === '') {
    return <UnfoldButton onClick={() => setOpen(true)}>{t('form.negativeShow')}</UnfoldButton>;
  }
  return (
    <div className="basis-full">
      <label htmlFor={id} className="mb-1.5 block text-xs text-muted">
        {t('form.negative')}
      </label>
      <textarea
        ref={field}
        id={id}
        rows={2}
        value={text}
        maxLength={NEGATIVE_CHARS_MAX}
        onChange={(event) => onChange(event.target.value)}
        placeholder={t('form.negativePlaceholder')}
        className="field-sizing-content w-full resize-none rounded-xl border border-edge bg-ink px-3.5 py-2.5"
      />
    </div>
  );
}
